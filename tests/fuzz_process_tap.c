/* A packet that leaves this host, as a packet socket gives it: what is read of it is whole or nothing. */
#include "capture/process_tap.h"

#include <netinet/in.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tap_packet p = { .interface = 7 };

	if (process_tap_read(bytes_of(data, size), &p) &&
	    (size < 24 || p.interface != 7 || (p.proto != IPPROTO_TCP && p.proto != IPPROTO_UDP)))
		abort();
	return 0;
}
