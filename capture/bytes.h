/* bytes.h - a bounded reader over bytes that came off the wire
 *
 * Every parser of captured data reads through this and does no pointer arithmetic of its own. A read
 * past the end yields zero, sets `bad` and makes every later read fail as well, so a parser may read
 * a whole header and check once. Integers are in network order unless the name ends in _le.
 *
 * Thread: none (a value on the caller's stack). Memory: borrows `data`. */
#ifndef CAPTURE_BYTES_H
#define CAPTURE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a parser says of bytes from outside. */
enum parse {
	PARSE_OK,
	PARSE_MORE,	/* right so far, but incomplete: call again with more */
	PARSE_BAD,	/* not what it should be; no further byte will mend it */
};

struct bytes {
	const uint8_t *data;
	size_t len;
	size_t pos;	/* never more than len */
	bool bad;	/* sticky: some read ran past the end */
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){ .data = data, .len = len };
}

static inline size_t bytes_left(const struct bytes *b)
{
	return b->bad ? 0 : b->len - b->pos;
}

/* The next n bytes, or NULL when fewer are left. */
static inline const uint8_t *bytes_take(struct bytes *b, size_t n)
{
	if (b->bad || n > b->len - b->pos) {
		b->bad = true;
		return NULL;
	}
	const uint8_t *p = b->data + b->pos;
	b->pos += n;
	return p;
}

static inline void bytes_skip(struct bytes *b, size_t n)
{
	(void)bytes_take(b, n);
}

/* A reader over just the next n bytes: a length field read from the wire can then not lead outside
 * its own structure. Bad when fewer are left. */
static inline struct bytes bytes_sub(struct bytes *b, size_t n)
{
	const uint8_t *p = bytes_take(b, n);
	struct bytes sub = bytes_of(p, p == NULL ? 0 : n);

	sub.bad = p == NULL;
	return sub;
}

/* Copies n bytes out; zeroes when fewer are left. */
static inline void bytes_copy(struct bytes *b, void *out, size_t n)
{
	const uint8_t *p = bytes_take(b, n);

	if (p == NULL)
		memset(out, 0, n);
	else
		memcpy(out, p, n);
}

static inline uint8_t bytes_u8(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 1);

	return p == NULL ? 0 : p[0];
}

static inline uint16_t bytes_u16(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p == NULL ? 0 : (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t bytes_u24(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 3);

	return p == NULL ? 0 : (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t bytes_u32(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t bytes_u64(struct bytes *b)
{
	uint64_t v = 0;

	bytes_copy(b, &v, sizeof(v));
	return be64toh(v);
}

static inline uint16_t bytes_u16_le(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 2);

	return p == NULL ? 0 : (uint16_t)((unsigned)p[1] << 8 | p[0]);
}

static inline uint32_t bytes_u32_le(struct bytes *b)
{
	const uint8_t *p = bytes_take(b, 4);

	return p == NULL ? 0 : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static inline uint64_t bytes_u64_le(struct bytes *b)
{
	uint64_t v = 0;

	bytes_copy(b, &v, sizeof(v));
	return le64toh(v);
}

/* Finds the next c without moving; its distance goes to *n_out. False when there is none. */
static inline bool bytes_until(const struct bytes *b, char c, size_t *n_out)
{
	if (bytes_left(b) == 0)
		return false;
	const uint8_t *start = b->data + b->pos;
	const uint8_t *p = memchr(start, c, b->len - b->pos);

	if (p == NULL)
		return false;
	*n_out = (size_t)(p - start);
	return true;
}

/* The next run of bytes up to a space or the end, which is skipped with it; empty at the end. */
static inline struct bytes bytes_word(struct bytes *b)
{
	size_t n;

	if (bytes_until(b, ' ', &n)) {
		struct bytes word = bytes_sub(b, n);

		bytes_skip(b, 1);
		return word;
	}
	return bytes_sub(b, bytes_left(b));
}

/* Whether all that is left equals an ASCII word, ignoring case. */
static inline bool bytes_is(const struct bytes *b, const char *word)
{
	size_t n = strlen(word);

	if (bytes_left(b) != n || b->bad)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = b->data[b->pos + i];

		if ((c >= 'a' && c <= 'z' ? c - 32 : c) !=
		    (word[i] >= 'a' && word[i] <= 'z' ? word[i] - 32 : word[i]))
			return false;
	}
	return true;
}

/* Whether what is left begins with an ASCII word, ignoring case. */
static inline bool bytes_begins(const struct bytes *b, const char *word)
{
	size_t n = strlen(word);

	if (b->bad || bytes_left(b) < n)
		return false;

	struct bytes head = bytes_of(b->data + b->pos, n);

	return bytes_is(&head, word);
}

#endif
