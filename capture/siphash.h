/* siphash.h - SipHash-2-4, a keyed hash for tables that outsiders fill (Aumasson and Bernstein, 2012)
 *
 * Thread: any; all values. */
#ifndef CAPTURE_SIPHASH_H
#define CAPTURE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* The reference's 16-byte key is k0 and k1, each in little-endian order. */
uint64_t siphash(const void *data, size_t len, uint64_t k0, uint64_t k1);

#endif
