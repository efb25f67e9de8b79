#include "capture/base.h"

#include "capture/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SMALL 1032	/* bytes; glibc's largest such piece */

void base_log(const char *fmt, ...)
{
	char line[4096], clean[sizeof(line) * 4 + 1];
	struct text_piece piece;
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (const char *at = line; (piece = text_piece_here(at)).len > 0; at += piece.len) {
		size_t len = piece.shown[0] != '\0' ? strlen(piece.shown) : piece.len;

		memcpy(clean + n, piece.shown[0] != '\0' ? piece.shown : at, len);
		n += len;
	}
	clean[n] = '\0';
	fprintf(stderr, "mailwitness: %s\n", clean);
}

void *base_checked(void *p)
{
	if (p == NULL) {
		fputs("mailwitness: out of memory\n", stderr);
		exit(71); /* EX_OSERR */
	}
	return p;
}

void *base_alloc(size_t n)
{
	/* glibc's calloc does not look where free() puts small pieces for the same thread. */
	return n <= SMALL ? memset(base_realloc(NULL, n), 0, n) : base_checked(calloc(1, n));
}

void *base_alloc_array(size_t count, size_t size)
{
	size_t n;

	return base_checked(__builtin_mul_overflow(count, size, &n) ? NULL : base_alloc(n));
}

void *base_realloc(void *p, size_t n)
{
	return base_checked(realloc(p, n > 0 ? n : 1));
}

char *base_strdup(const char *s)
{
	return base_checked(strdup(s));
}

uint64_t base_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		fputs("mailwitness: the kernel gives no random bytes\n", stderr);
		exit(71);
	}
	return seed;
}

int64_t base_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * BASE_NS_PER_S + now.tv_nsec;
}

bool base_copy(char *dst, size_t size, const char *src)
{
	size_t n = strlen(src);
	bool fits = n < size;

	if (!fits)
		n = size - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}
