/* process_hash.h - SHA-256 of executables, each file once, a piece at a time
 *
 * A file is known again by device, inode, size and the times of its last changes.
 * Thread: one at a time. Memory: fixed; a file that finds no room in the queue has no hash. */
#ifndef CAPTURE_PROCESS_HASH_H
#define CAPTURE_PROCESS_HASH_H

#include <stdbool.h>
#include <stdint.h>

#define PROCESS_HASH_SIZE 32
#define PROCESS_HASH_QUEUE 32	/* files that wait, each a descriptor */

struct process_hash;

struct process_hash *process_hash_new(void);
void process_hash_free(struct process_hash **h);

/* The hash of an open file if it is known. Else false, and the file is put in the queue for the process
 * `number`, by a descriptor of its own. */
bool process_hash_ask(struct process_hash *h, int file, uint32_t number, uint8_t hash_out[PROCESS_HASH_SIZE]);

/* Whether files wait. */
bool process_hash_waits(const struct process_hash *h);

/* Reads a piece of the first that waits. True when its hash is ready; one that changes or cannot be read leaves
 * the queue without. */
bool process_hash_step(struct process_hash *h, uint32_t *number_out, uint8_t hash_out[PROCESS_HASH_SIZE]);

#endif
