/* fuzz_replay.c - runs a fuzz target as a plain test: bounded, repeatable, without libFuzzer
 *
 * Every file named is fed whole, cut at many places, and with bytes changed by a fixed sequence; then
 * pure noise. What libFuzzer once found belongs into tests/corpus/, and is replayed here for ever. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1u << 16)
#define CHANGES 200		/* changed copies of each file */
#define NOISE 2000		/* inputs of noise */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t state = 2463534242u;

static uint32_t next(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* A copy of exactly `size` bytes, so that the sanitizer sees a read behind its end. */
static void feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void feed_file(const char *path)
{
	static uint8_t data[INPUT_MAX], changed[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t size;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	feed(data, size);
	for (unsigned i = 0; i < CHANGES && size > 0; i++) {
		memcpy(changed, data, size);
		for (uint32_t k = next() % 4 + 1; k > 0; k--)
			changed[next() % size] = (uint8_t)next();
		feed(changed, i % 2 == 0 ? size : next() % size);
	}
}

int main(int argc, char **argv)
{
	static uint8_t noise[4096];

	for (int i = 1; i < argc; i++)
		feed_file(argv[i]);
	for (unsigned i = 0; i < NOISE; i++) {
		size_t size = next() % sizeof(noise);

		for (size_t k = 0; k < size; k++)
			noise[k] = (uint8_t)next();
		feed(noise, size);
	}
	printf("%d files and %d pieces of noise\n", argc - 1, NOISE);
	return 0;
}
