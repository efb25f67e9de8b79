/* key_set.h - keys, numbered from 1 in the order they came
 *
 * What belongs to a key stands in the caller's own arrays, by its number. A key is any string of bytes;
 * it is copied. Hashed with a seed, as outsiders choose the keys.
 *
 * Memory: the keys and some 24 bytes for each; freed by key_set_free. The caller bounds their number. */
#ifndef REPORT_KEY_SET_H
#define REPORT_KEY_SET_H

#include <stddef.h>
#include <stdint.h>

struct key_set;

struct key_set *key_set_new(void);
void key_set_free(struct key_set **s);

/* The number of a key; 0 when it is not there. */
unsigned key_set_find(const struct key_set *s, const void *key, size_t len);

/* The same; what is not there is added and is the last then. */
unsigned key_set_add(struct key_set *s, const void *key, size_t len);

unsigned key_set_count(const struct key_set *s);

/* The bytes of key number n; borrowed until the next add. */
const uint8_t *key_set_key(const struct key_set *s, unsigned n);

/* Removes all keys; the memory is kept for those to come. */
void key_set_empty(struct key_set *s);

#endif
