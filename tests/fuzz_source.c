/* libFuzzer target: any bytes as a capture file.
 * clang -fsanitize=fuzzer,address,undefined, with capture/source*.c, slab.c and base.c. */
#include "capture/source.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct slab_pool *pool = slab_pool_new(2);
	struct frame frame;
	struct slab *slab;
	uint64_t frames = 0;
	unsigned sum = 0;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	struct source *s = source_open(path, 1, pool, "ip or len > 20");

	while (source_next(s, &frame, &slab)) {
		assert(frame.caplen <= frame.wire_len && frame.caplen <= SOURCE_CAPLEN_MAX);
		assert(frame.data >= slab->data &&
		       frame.data + frame.caplen <= slab->data + slab->capacity);
		assert(frame.interface < SOURCE_INTERFACES);
		for (uint32_t i = 0; i < frame.caplen; i++)
			sum += frame.data[i];
		frames++;
	}

	const struct source_end *end = source_end(s);

	assert(frames <= end->packets && sum <= UINT32_MAX);
	assert(end->size == size);
	assert((end->how == SOURCE_COMPLETE) == (end->why[0] == '\0'));
	source_close(&s);
	slab_pool_free(&pool);
	close(fd);
	return 0;
}
