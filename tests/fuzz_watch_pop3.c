#include "tests/fuzz_dialogue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_dialogue(&watch_pop3, data, size);
	return 0;
}
