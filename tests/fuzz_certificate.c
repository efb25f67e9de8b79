/* A Certificate message behind one byte each for how much of it was seen, time and SNI. Judged twice, by the
 * CA file of a golden capture: the second time from memory, and alike. */
#include "capture/base.h"
#include "classify/certificate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct certificate_chain *chain)
{
	assert(chain->count <= CERTIFICATES_MAX && chain->name_count <= CERTIFICATE_NAMES_MAX);
	for (unsigned i = 0; i < chain->count; i++) {
		assert(chain->certificates[i].place == i);
		assert(i == 0 || chain->certificates[i].chain == CHAIN_NOT_JUDGED);
		assert(chain->certificates[i].chain != CHAIN_TRUSTED || chain->certificates[i].key[0] != '\0');
	}
	for (unsigned i = 0; i < chain->name_count; i++)
		for (const char *p = chain->names[i]; *p != '\0'; p++)
			assert(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "", "imap.mailbox.org", "192.0.2.7", "a.b.c.mail.example" };
	static struct certificate_judge *judge;
	struct bytes in = bytes_of(data, size);
	unsigned unseen = bytes_u8(&in);
	int64_t time_s = bytes_u8(&in) * 10000000LL;
	const char *sni = names[bytes_u8(&in) % 4];
	struct watch_chain *seen;
	struct fact_certificate first = { 0 };
	const struct certificate_chain *chain;
	char error[200];

	if (in.bad)
		return 0;
	if (judge == NULL)
		judge = certificate_judge_new(certificate_store_new("tests/golden/tls12-trusted/ca.pem", error,
								    sizeof(error)));
	seen = base_alloc(sizeof(*seen) + bytes_left(&in));
	seen->kept = bytes_left(&in);
	seen->len = seen->kept + unseen;
	seen->time_ns = time_s * BASE_NS_PER_S;
	bytes_copy(&in, seen->data, seen->kept);
	chain = certificate_judge(judge, seen, sni);
	check(chain);
	if (chain->count > 0)
		first = chain->certificates[0];
	chain = certificate_judge(judge, seen, sni);
	assert(chain->count == 0 || memcmp(&first, &chain->certificates[0], sizeof(first)) == 0);
	free(seen);
	return 0;
}
