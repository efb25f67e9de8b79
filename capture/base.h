/* base.h - the little that every file may use: one log line, checked memory, a seed
 *
 * Thread: any. Memory: what base_alloc and friends return is released with free().
 * Errors: out of memory ends the program with one line; it is safe to do so because whatever an
 * outsider can make us hold is bounded by limits set at start. */
#ifndef CAPTURE_BASE_H
#define CAPTURE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define BASE_NS_PER_S 1000000000LL

/* Writes "mailwitness: " and one line to stderr, made harmless for a terminal (capture/text.h), as there may be
 * the name of a file in it, or one from the wire. */
void base_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* n zeroed bytes; never NULL. */
void *base_alloc(size_t n);

/* count * size zeroed bytes; ends the program when the product overflows. */
void *base_alloc_array(size_t count, size_t size);

/* Like realloc, but never NULL; what is new is not zeroed. */
void *base_realloc(void *p, size_t n);

/* What a library took from memory, unless it is NULL: then the program ends. */
void *base_checked(void *p);

/* A copy of a string; never NULL. */
char *base_strdup(const char *s);

/* Random bits from the kernel, to key the hashes of tables that outsiders fill. */
uint64_t base_seed(void);

/* What a clock says (clock_gettime(2)), in nanoseconds. */
int64_t base_clock_ns(clockid_t clock);

/* Copies src into dst[size], cut where it does not fit; always terminated. False when cut. */
bool base_copy(char *dst, size_t size, const char *src);

#endif
