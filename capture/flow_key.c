#include "capture/flow_key.h"

#include "capture/base.h"
#include "capture/bytes.h"
#include "capture/siphash.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t ipv4_mapped[HOST_IPV4_AT] = { [10] = 0xff, [11] = 0xff };

bool host_is_ipv4(const uint8_t addr[16])
{
	return memcmp(addr, ipv4_mapped, sizeof(ipv4_mapped)) == 0;
}

void host_of_ipv4(const uint8_t ipv4[4], uint8_t addr_out[16])
{
	memcpy(addr_out, ipv4_mapped, sizeof(ipv4_mapped));
	memcpy(addr_out + HOST_IPV4_AT, ipv4, 4);
}

static int host_port_cmp(const struct host_port *a, const struct host_port *b)
{
	int cmp = memcmp(a->addr, b->addr, sizeof(a->addr));

	return cmp != 0 ? cmp : (a->port > b->port) - (a->port < b->port);
}

enum flow_dir flow_key_make(struct flow_key *key_out, const struct host_port *src,
			    const struct host_port *dst, uint8_t proto)
{
	enum flow_dir dir = host_port_cmp(src, dst) <= 0 ? FLOW_LO_TO_HI : FLOW_HI_TO_LO;

	key_out->lo = dir == FLOW_LO_TO_HI ? *src : *dst;
	key_out->hi = dir == FLOW_LO_TO_HI ? *dst : *src;
	key_out->proto = proto;
	key_out->vantage = 0;
	memset(key_out->zero, 0, sizeof(key_out->zero));
	return dir;
}

void flow_hash_new(struct flow_hash *hash_out, uint64_t seed)
{
	const size_t words = sizeof(hash_out->words) / sizeof(hash_out->words[0]);

	for (size_t i = 0; i < words; i++)
		hash_out->words[i] = (uint32_t)siphash(&i, sizeof(i), seed, ~seed);
	hash_out->odd = siphash(&words, sizeof(words), seed, ~seed) | 1;
}

uint64_t flow_key_hash(const struct flow_key *key, const struct flow_hash *hash)
{
	uint32_t words[sizeof(*key) / sizeof(uint32_t)];
	uint64_t sum = 0;

	memcpy(words, key, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i += 2) {
		uint32_t a = words[i] + hash->words[i], b = words[i + 1] + hash->words[i + 1];

		sum += (uint64_t)a * b;
	}
	sum *= hash->odd;
	return sum ^ sum >> 32;
}

unsigned flow_key_shard(const struct flow_key *key)
{
	struct bytes lo = bytes_of(key->lo.addr, sizeof(key->lo.addr));
	struct bytes hi = bytes_of(key->hi.addr, sizeof(key->hi.addr));
	const uint64_t words[] = {
		bytes_u64(&lo), bytes_u64(&lo), bytes_u64(&hi), bytes_u64(&hi),
		(uint64_t)key->lo.port << 24 | (uint64_t)key->hi.port << 8 | key->proto,
	};
	uint64_t mix = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		mix = (mix ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		mix ^= mix >> 32;
	}
	return (unsigned)(mix % FLOW_SHARDS);
}

/* The message that answers an ICMP message; the specification pairs these and no others. */
static bool icmp_pair(uint8_t proto, uint16_t type, uint16_t *other_out)
{
	static const uint8_t v4[][2] = { { 0, 8 }, { 9, 10 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
	static const uint8_t v6[][2] = {
		{ 128, 129 }, { 133, 134 }, { 135, 136 }, { 130, 131 }, { 139, 140 }, { 144, 145 },
	};
	const uint8_t (*pairs)[2] = proto == IPPROTO_ICMP ? v4 : v6;
	size_t n = proto == IPPROTO_ICMP ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type || pairs[i][1] == type) {
			*other_out = pairs[i][pairs[i][0] == type];
			return true;
		}
	}
	return false;
}

bool flow_key_icmp_ports(uint8_t proto, uint8_t type, uint8_t code, uint16_t *src_out,
			 uint16_t *dst_out)
{
	*src_out = type;
	if (icmp_pair(proto, type, dst_out))
		return true;
	*dst_out = code;
	return false;
}

struct tuple {
	uint8_t data[2 + 16 + 16 + 2 + 4];
	size_t len;
};

static void put(struct tuple *t, const void *data, size_t n)
{
	memcpy(t->data + t->len, data, n);
	t->len += n;
}

static void put_addr(struct tuple *t, const uint8_t addr[16])
{
	size_t skip = host_is_ipv4(addr) ? HOST_IPV4_AT : 0;

	put(t, addr + skip, 16 - skip);
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP ||
	       proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* What answers no other message has no second direction, so the specification does not sort it. */
static bool one_way(const struct flow_key *key, const struct host_port *src)
{
	uint16_t other;

	return (key->proto == IPPROTO_ICMP || key->proto == IPPROTO_ICMPV6) &&
	       !icmp_pair(key->proto, src->port, &other);
}

struct flow_ids {
	EVP_MD_CTX *sha1;
};

struct flow_ids *flow_ids_new(void)
{
	struct flow_ids *ids = base_alloc(sizeof(*ids));

	ids->sha1 = EVP_MD_CTX_new();
	if (ids->sha1 == NULL || EVP_DigestInit_ex(ids->sha1, EVP_sha1(), NULL) != 1)
		abort();
	return ids;
}

void flow_ids_free(struct flow_ids **ids)
{
	if (*ids == NULL)
		return;
	EVP_MD_CTX_free((*ids)->sha1);
	free(*ids);
	*ids = NULL;
}

void flow_key_community_id(struct flow_ids *ids, const struct flow_key *key, enum flow_dir dir,
			   char out[FLOW_COMMUNITY_ID_SIZE])
{
	const struct host_port *first = &key->lo, *second = &key->hi;
	const uint8_t seed[2] = { 0 }, proto[2] = { key->proto, 0 };
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct tuple t = { .len = 0 };

	if (dir == FLOW_HI_TO_LO && one_way(key, &key->hi)) {
		first = &key->hi;
		second = &key->lo;
	}
	put(&t, seed, sizeof(seed));
	put_addr(&t, first->addr);
	put_addr(&t, second->addr);
	put(&t, proto, sizeof(proto));
	if (has_ports(key->proto)) {
		const uint16_t ports[2] = { htons(first->port), htons(second->port) };

		put(&t, ports, sizeof(ports));
	}
	memset(out, 0, FLOW_COMMUNITY_ID_SIZE);
	if (EVP_DigestInit_ex(ids->sha1, NULL, NULL) != 1 || EVP_DigestUpdate(ids->sha1, t.data, t.len) != 1 ||
	    EVP_DigestFinal_ex(ids->sha1, digest, NULL) != 1)
		return;
	memcpy(out, "1:", 2);
	EVP_EncodeBlock((unsigned char *)out + 2, digest, 20);
}

bool host_of_text(const char *text, uint8_t addr_out[16])
{
	uint8_t ipv4[4];

	if (inet_pton(AF_INET, text, ipv4) != 1)
		return inet_pton(AF_INET6, text, addr_out) == 1;
	host_of_ipv4(ipv4, addr_out);
	return true;
}

/* inet_ntop prints by printf, which is felt where reports name each address of a hundred thousand sessions. */
static void ipv4_text(const uint8_t octets[4], char *out)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned n = octets[i];

		if (n >= 100)
			*out++ = (char)('0' + n / 100);
		if (n >= 10)
			*out++ = (char)('0' + n / 10 % 10);
		*out++ = (char)('0' + n % 10);
		*out++ = i < 3 ? '.' : '\0';
	}
}

void host_text(const uint8_t addr[16], char out[HOST_TEXT_SIZE])
{
	if (host_is_ipv4(addr))
		ipv4_text(addr + HOST_IPV4_AT, out);
	else
		inet_ntop(AF_INET6, addr, out, HOST_TEXT_SIZE);
}
