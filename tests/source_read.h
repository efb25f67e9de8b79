/* source_read.h - reads a capture that stands in memory, and keeps what the source said of it */
#ifndef TESTS_SOURCE_READ_H
#define TESTS_SOURCE_READ_H

#include "tests/test.h"

#include "capture/source.h"
#include "tests/capture_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEEN_FRAMES 32
#define SEEN_INTERFACES 8

/* The first frames of a source and its end; frames' data is not to be followed any more. */
struct seen {
	unsigned count;
	struct frame frames[SEEN_FRAMES];
	uint8_t first_byte[SEEN_FRAMES];
	struct source_end end;
	struct source_interface interfaces[SEEN_INTERFACES];
};

static inline int memory_file(const void *data, size_t len, char path_out[64])
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	snprintf(path_out, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* Reads all of it. That a frame's bytes are all alike is how the files here are made, and checked
 * unless the file is garbage. */
static inline void read_path(const char *path, const char *filter, bool garbage,
			     struct seen *seen_out)
{
	struct slab_pool *pool = slab_pool_new(3);
	struct source *s = source_open(path, 3, pool, filter);
	struct frame frame;
	struct slab *slab;
	unsigned sum = 0;

	memset(seen_out, 0, sizeof(*seen_out));
	while (source_next(s, &frame, &slab)) {
		assert_true(frame.data >= slab->data);
		assert_true(frame.data + frame.caplen <= slab->data + slab->capacity);
		assert_true(frame.caplen <= frame.wire_len);
		for (uint32_t i = 0; i < frame.caplen; i++) {
			sum += frame.data[i];
			if (!garbage && frame.data[i] != frame.data[0])
				fail_msg("frame %u: byte %u differs", seen_out->count, i);
		}
		if (seen_out->count < SEEN_FRAMES) {
			seen_out->frames[seen_out->count] = frame;
			seen_out->first_byte[seen_out->count] = frame.caplen > 0 ? frame.data[0] : 0;
		}
		seen_out->count++;
	}
	assert_true(sum != 1);		/* every byte was read */
	assert_false(source_next(s, &frame, &slab));
	seen_out->end = *source_end(s);
	assert_string_equal(seen_out->end.path, path);
	for (unsigned i = 0; i < seen_out->end.interface_count && i < SEEN_INTERFACES; i++)
		seen_out->interfaces[i] = seen_out->end.interfaces[i];
	assert_true((seen_out->end.how == SOURCE_COMPLETE) == (seen_out->end.why[0] == '\0'));
	source_close(&s);
	assert_null(s);
	slab_pool_free(&pool);
}

static inline void read_memory(const void *data, size_t len, struct seen *seen_out)
{
	char path[64];
	int fd = memory_file(data, len, path);

	read_path(path, NULL, false, seen_out);
	assert_int_equal(seen_out->end.size, len);
	close(fd);
}

static inline void read_file(const struct capture_file *f, struct seen *seen_out)
{
	read_memory(f->data, f->len, seen_out);
}

#endif
