/* source_input.h - the bytes of a file, unpacked if they are packed
 *
 * Compression is told by content; what is not compressed is read straight into the slab. The one part
 * that uses libarchive.
 * Thread: one input belongs to one thread. */
#ifndef CAPTURE_SOURCE_INPUT_H
#define CAPTURE_SOURCE_INPUT_H

#include "capture/slab.h"
#include "capture/source.h"

struct source_input;

/* Never NULL; a file that cannot be opened gives no bytes. "-" is standard input. */
struct source_input *source_input_open(const char *path);
void source_input_close(struct source_input **in);

/* Reads up to `room` bytes, at least one, into slab->data + at. 0 at the end, wherever that is. */
size_t source_input_read(struct source_input *in, struct slab *slab, size_t at, size_t room);

/* How many bytes were read of the file as it lies on disk. */
uint64_t source_input_size(const struct source_input *in);

/* False when the bytes ended in another way than at the end of the file, with how and why. */
bool source_input_whole(const struct source_input *in, enum source_how *how_out,
			const char **why_out);

/* Reads what is left of the file as it lies on disk and fills size, sha256 and compression. */
void source_input_finish(struct source_input *in, struct source_end *end);

#endif
