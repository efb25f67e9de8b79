/* Chains that OpenSSL makes here are judged as they should be, at any time and in any order. Longer than
 * most: a small world of authorities and servers comes first. */
#include "tests/test.h"

#include "capture/base.h"
#include "classify/certificate.h"
#include "classify/watch_tls.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#define DAY 86400LL
#define NOW 1790000000LL	/* 2026-09-21 */
#define HOST "imap.mail.example"

enum who {
	ROOT,			/* in the CA file */
	SHA1_ROOT,		/* in the CA file */
	SHORT_ROOT,		/* in the CA file, and ends before what it signed */
	FOREIGN_ROOT,		/* not in it */
	LINK, SHORT_LINK, FOREIGN_LINK,
	SERVER, DIRECT, SHORT_SERVER, FOREIGN_SERVER, LONE, KNOWN_LONE, LONE_OLD,
	WILDCARD, NO_SAN, ADDRESS_SAN, ADDRESS_ONLY, TRICKS, MANY_NAMES,
	RSA_1024, RSA_2048, WITH_SHA1, WITH_MD5, OF_ED25519, SHORT_CURVE, CLIENT_ONLY, NOT_BY_ROOT, UMLAUT, BY_SHA1_ROOT,
	BY_SHORT_ROOT,
	WHOS
};

/* Without SAN: "CN" alone. Days are from NOW. */
static const struct {
	const char *cn, *san;
	enum who by;
	int64_t from, until;
	const char *key;		/* "P-256", "1024" (bits of RSA), "ED25519" */
	const char *digest;
	bool ca;
} world[WHOS] = {
	[ROOT] = { "Test Root", NULL, ROOT, -3650, 3650, "P-256", "SHA256", true },
	[SHA1_ROOT] = { "Old Root", NULL, SHA1_ROOT, -3650, 3650, "2048", "SHA1", true },
	[SHORT_ROOT] = { "Short Root", NULL, SHORT_ROOT, -3650, 20, "P-256", "SHA256", true },
	[FOREIGN_ROOT] = { "Foreign Root", NULL, FOREIGN_ROOT, -3650, 3650, "P-256", "SHA256", true },
	[LINK] = { "Test Link", NULL, ROOT, -1000, 1000, "P-256", "SHA256", true },
	[SHORT_LINK] = { "Short Link", NULL, ROOT, -1000, -10, "P-256", "SHA256", true },
	[FOREIGN_LINK] = { "Foreign Link", NULL, FOREIGN_ROOT, -1000, 1000, "P-256", "SHA256", true },
	[SERVER] = { HOST, "DNS:IMAP.Mail.Example,DNS:pop.mail.example", LINK, -40, 50, "P-256", "SHA256", false },
	[DIRECT] = { HOST, "DNS:" HOST, ROOT, -40, 50, "P-256", "SHA384", false },
	[SHORT_SERVER] = { HOST, "DNS:" HOST, SHORT_LINK, -40, 50, "P-256", "SHA256", false },
	[FOREIGN_SERVER] = { HOST, "DNS:" HOST, FOREIGN_LINK, -40, 50, "P-256", "SHA256", false },
	[LONE] = { HOST, "DNS:" HOST, LONE, -40, 50, "P-256", "SHA256", false },
	[KNOWN_LONE] = { HOST, "DNS:" HOST, KNOWN_LONE, -40, 50, "P-256", "SHA256", false },
	[LONE_OLD] = { HOST, "DNS:" HOST, LONE_OLD, -40, -30, "P-256", "SHA1", false },
	[WILDCARD] = { "x", "DNS:*.mail.example,DNS:im*.other.example", ROOT, -40, 50, "P-256", "SHA256", false },
	[NO_SAN] = { HOST, NULL, ROOT, -40, 50, "P-256", "SHA256", false },
	[ADDRESS_SAN] = { HOST, "IP:192.0.2.7,DNS:pop.mail.example", ROOT, -40, 50, "P-256", "SHA256", false },
	[ADDRESS_ONLY] = { HOST, "IP:192.0.2.7", ROOT, -40, 50, "P-256", "SHA256", false },
	[TRICKS] = { "Anna Brandt", "DNS:a b,DNS:<b>,DNS:.,DNS:X.example.", ROOT, -40, 50, "P-256", "SHA256", false },
	[MANY_NAMES] = { "x", "many", ROOT, -40, 50, "P-256", "SHA256", false },
	[RSA_1024] = { HOST, "DNS:" HOST, ROOT, -40, 50, "1024", "SHA256", false },
	[RSA_2048] = { HOST, "DNS:" HOST, ROOT, -40, 50, "2048", "SHA256", false },
	[WITH_SHA1] = { HOST, "DNS:" HOST, ROOT, -40, 50, "P-256", "SHA1", false },
	[WITH_MD5] = { HOST, "DNS:" HOST, SHA1_ROOT, -40, 50, "1024", "MD5", false },
	[OF_ED25519] = { HOST, "DNS:" HOST, ROOT, -40, 50, "ED25519", "SHA256", false },
	[SHORT_CURVE] = { HOST, "DNS:" HOST, ROOT, -40, 50, "P-192", "SHA256", false },
	[CLIENT_ONLY] = { HOST, "DNS:" HOST, ROOT, -40, 50, "P-256", "SHA256", false },
	[NOT_BY_ROOT] = { HOST, "DNS:" HOST, ROOT, -40, 50, "P-256", "SHA256", false },
	[UMLAUT] = { "M\xc3\xbcller, K\xc3\xb6ln", "DNS:" HOST, ROOT, -40, 50, "P-256", "SHA256", false },
	[BY_SHORT_ROOT] = { HOST, "DNS:" HOST, SHORT_ROOT, -40, 50, "P-256", "SHA256", false },
	[BY_SHA1_ROOT] = { HOST, "DNS:" HOST, SHA1_ROOT, -40, 50, "P-256", "SHA256", false },
};

static X509 *certificates[WHOS];
static EVP_PKEY *keys[WHOS];
static char ca_file[] = "/tmp/mailwitness-ca-XXXXXX";
static struct certificate_store *store;

static EVP_PKEY *make_key(const char *kind)
{
	EVP_PKEY *key = strcmp(kind, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
			kind[0] == 'P' ? EVP_EC_gen(kind) : EVP_RSA_gen((unsigned)atoi(kind));

	assert_non_null(key);
	return key;
}

static void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	X509_add_ext(x, extension, -1);
	X509_EXTENSION_free(extension);
}

static void add_names(X509 *x, const char *san)
{
	static char many[20000];
	size_t at = 0;

	if (strcmp(san, "many") == 0) {
		for (int i = 0; i < 150; i++)
			at += (size_t)sprintf(many + at, "%sDNS:host%d.example", i > 0 ? "," : "", i);
		san = many;
	}
	add_extension(x, NID_subject_alt_name, san);
}

static X509 *make_certificate(enum who who)
{
	enum who by = world[who].by;
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	const EVP_MD *md = strcmp(world[world[who].by].key, "ED25519") == 0 ? NULL :
			   EVP_get_digestbyname(world[who].digest);

	keys[who] = make_key(world[who].key);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), who + 1);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW + world[who].from * DAY);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + world[who].until * DAY);
	X509_set_pubkey(x, keys[who]);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)world[who].cn, -1, -1, 0);
	X509_set_issuer_name(x, by == who ? name : X509_get_subject_name(certificates[by]));
	if (world[who].ca)
		add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	if (world[who].san != NULL)
		add_names(x, world[who].san);
	if (who == CLIENT_ONLY)
		add_extension(x, NID_ext_key_usage, "clientAuth");
	/* A forger has the name of the root, not its key. */
	assert_true(X509_sign(x, keys[who == NOT_BY_ROOT ? who : by], md) > 0);
	return x;
}

static int make_world(void **state)
{
	static const enum who known[] = { ROOT, SHA1_ROOT, SHORT_ROOT, KNOWN_LONE };
	char error[200];
	FILE *f = fdopen(mkstemp(ca_file), "w");
	(void)state;

	for (enum who who = 0; who < WHOS; who++)
		certificates[who] = make_certificate(who);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(PEM_write_X509(f, certificates[known[i]]), 1);
	fclose(f);
	store = certificate_store_new(ca_file, error, sizeof(error));
	assert_non_null(store);
	return 0;
}

static int end_world(void **state)
{
	(void)state;

	for (enum who who = 0; who < WHOS; who++) {
		X509_free(certificates[who]);
		EVP_PKEY_free(keys[who]);
	}
	certificate_store_free(&store);
	unlink(ca_file);
	return 0;
}

static struct watch_chain *chain_of(const void *data, size_t len, int64_t time_s)
{
	struct watch_chain *c = base_alloc(sizeof(*c) + len);

	c->from = SIDE_RESPONDER;
	c->time_ns = time_s * BASE_NS_PER_S;
	c->len = c->kept = len;
	memcpy(c->data, data, len);
	return c;
}

static void put_u24(uint8_t *out, size_t n)
{
	out[0] = (uint8_t)(n >> 16), out[1] = (uint8_t)(n >> 8), out[2] = (uint8_t)n;
}

/* The Certificate message of these. */
static struct watch_chain *message(const enum who *chain, size_t count, int64_t time_s)
{
	static uint8_t out[1 << 16];
	size_t at = 3;

	for (size_t i = 0; i < count; i++) {
		uint8_t *p = out + at + 3;
		int n = i2d_X509(certificates[chain[i]], &p);

		put_u24(out + at, (size_t)n);
		at += 3 + (size_t)n;
	}
	put_u24(out, at - 3);
	return chain_of(out, at, time_s);
}

struct chain_case {
	const char *name;
	enum who chain[4];
	size_t count;
	const char *sni;
	int64_t day;
	enum chain_verdict want;
	int8_t covers;
	const char *weak, *why;
};

static const struct chain_case cases[] = {
	{ "with its link", { SERVER, LINK }, 2, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "with link and root", { SERVER, LINK, ROOT }, 3, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "in a strange order", { SERVER, FOREIGN_LINK, ROOT, LINK }, 4, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "without its link", { SERVER }, 1, HOST, 0, CHAIN_UNTRUSTED, 1, "", "unable to get local issuer" },
	{ "signed by the root", { DIRECT }, 1, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "the day it begins", { DIRECT }, 1, HOST, -40, CHAIN_TRUSTED, 1, "", "ok" },
	{ "the day before", { DIRECT }, 1, HOST, -41, CHAIN_NOT_YET_VALID, 1, "", "not yet valid" },
	{ "the day before it ends", { DIRECT }, 1, HOST, 49, CHAIN_TRUSTED, 1, "", "ok" },
	{ "the day after", { DIRECT }, 1, HOST, 51, CHAIN_EXPIRED, 1, "", "has expired" },
	{ "long before", { SERVER, LINK }, 2, HOST, -2000, CHAIN_NOT_YET_VALID, 1, "", "not yet valid" },
	{ "long after the root", { SERVER, LINK }, 2, HOST, 4000, CHAIN_EXPIRED, 1, "", "has expired" },
	{ "1970", { SERVER, LINK }, 2, HOST, -NOW / DAY, CHAIN_NOT_YET_VALID, 1, "", "not yet valid" },
	{ "an expired link", { SHORT_SERVER, SHORT_LINK }, 2, HOST, 0, CHAIN_EXPIRED, 1, "", "has expired" },
	{ "... in its time", { SHORT_SERVER, SHORT_LINK }, 2, HOST, -20, CHAIN_TRUSTED, 1, "", "ok" },
	{ "expired, and without its link", { SERVER }, 1, HOST, 60, CHAIN_UNTRUSTED, 1, "", "unable to get local" },
	{ "a foreign authority", { FOREIGN_SERVER, FOREIGN_LINK }, 2, HOST, 0, CHAIN_UNTRUSTED, 1, "",
	  "unable to get local issuer" },
	{ "... and its root", { FOREIGN_SERVER, FOREIGN_LINK, FOREIGN_ROOT }, 3, HOST, 0, CHAIN_UNTRUSTED, 1, "",
	  "self-signed certificate in certificate chain" },
	{ "... and expired", { FOREIGN_SERVER, FOREIGN_LINK, FOREIGN_ROOT }, 3, HOST, 60, CHAIN_UNTRUSTED, 1, "",
	  "self-signed certificate in certificate chain" },
	{ "self-signed", { LONE }, 1, HOST, 0, CHAIN_SELF_SIGNED, 1, "", "self-signed certificate" },
	{ "self-signed and expired", { LONE_OLD }, 1, HOST, 0, CHAIN_SELF_SIGNED, 1, "", "self-signed certificate" },
	{ "self-signed and known", { KNOWN_LONE }, 1, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "... and expired", { KNOWN_LONE }, 1, HOST, 60, CHAIN_EXPIRED, 1, "", "has expired" },
	{ "by a root of short life", { BY_SHORT_ROOT }, 1, HOST, 19, CHAIN_TRUSTED, 1, "", "ok" },
	{ "... after it", { BY_SHORT_ROOT }, 1, HOST, 21, CHAIN_EXPIRED, 1, "", "has expired" },
	{ "forged", { NOT_BY_ROOT }, 1, HOST, 0, CHAIN_UNTRUSTED, 1, "", "certificate signature failure" },
	{ "forged and expired", { NOT_BY_ROOT }, 1, HOST, 60, CHAIN_UNTRUSTED, 1, "", "signature failure" },
	{ "for clients", { CLIENT_ONLY }, 1, HOST, 0, CHAIN_UNTRUSTED, 1, "", "purpose" },
	{ "another's name", { DIRECT }, 1, "imap.other.example", 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "no name asked for", { DIRECT }, 1, "", 0, CHAIN_TRUSTED, -1, "", "ok" },
	{ "the second name", { SERVER, LINK }, 2, "pop.mail.example", 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "a wildcard", { WILDCARD }, 1, "imap.mail.example", 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "a wildcard and two labels", { WILDCARD }, 1, "a.b.mail.example", 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "a wildcard and no label", { WILDCARD }, 1, "mail.example", 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "half a wildcard", { WILDCARD }, 1, "imap.other.example", 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "no SAN", { NO_SAN }, 1, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "a SAN hides the CN", { ADDRESS_SAN }, 1, HOST, 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "an address in the SAN", { ADDRESS_SAN }, 1, "192.0.2.7", 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "another address", { ADDRESS_SAN }, 1, "192.0.2.8", 0, CHAIN_TRUSTED, 0, "", "ok" },
	{ "RSA of 1024 bits", { RSA_1024 }, 1, HOST, 0, CHAIN_TRUSTED, 1, "1024-bit RSA key", "ok" },
	{ "RSA of 2048 bits", { RSA_2048 }, 1, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "SHA-1", { WITH_SHA1 }, 1, HOST, 0, CHAIN_TRUSTED, 1, "SHA-1 signature", "ok" },
	{ "MD5 and a short key", { WITH_MD5, SHA1_ROOT }, 2, HOST, 0, CHAIN_TRUSTED, 1,
	  "1024-bit RSA key, MD5 signature", "ok" },
	{ "a short curve", { SHORT_CURVE }, 1, HOST, 0, CHAIN_TRUSTED, 1, "192-bit EC key", "ok" },
	{ "Ed25519", { OF_ED25519 }, 1, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
	{ "a root's own SHA-1 is nothing", { BY_SHA1_ROOT, SHA1_ROOT }, 2, HOST, 0, CHAIN_TRUSTED, 1, "", "ok" },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void check(const struct chain_case *c, struct certificate_judge *j, const char *how)
{
	struct watch_chain *seen = message(c->chain, c->count, NOW + c->day * DAY + DAY / 2 * (c->day < 0 ? 0 : 1));
	const struct certificate_chain *said = certificate_judge(j, seen, c->sni);
	const struct fact_certificate *own = &said->certificates[0];

	assert_int_equal(said->count, c->count);
	if (own->chain != c->want || own->covers_sni != c->covers || strcmp(own->weak, c->weak) != 0 ||
	    strstr(own->why, c->why) == NULL)
		fail_msg("%s, %s: %s (%s), covers %d, weak \"%s\"", c->name, how, fact_chain_name(own->chain),
			 own->why, own->covers_sni, own->weak);
	for (unsigned i = 1; i < said->count; i++) {
		assert_int_equal(said->certificates[i].place, i);
		assert_int_equal(said->certificates[i].chain, CHAIN_NOT_JUDGED);
		assert_string_equal(said->certificates[i].weak, "");
	}
	free(seen);
}

static void each_chain_is_judged_at_the_time_of_its_packet(void **state)
{
	(void)state;

	for (size_t i = 0; i < CASES; i++) {
		struct certificate_judge *j = certificate_judge_new(store);

		check(&cases[i], j, "alone");
		certificate_judge_free(&j);
	}
}

static void what_was_judged_before_changes_nothing(void **state)
{
	struct certificate_judge *j = certificate_judge_new(store);
	uint32_t x = 7;
	(void)state;

	for (int i = 0; i < 3000; i++) {
		x = x * 1664525 + 1013904223;
		check(&cases[(x >> 8) % CASES], j, "after others");
	}
	certificate_judge_free(&j);
}

static void every_day_is_judged_alike_with_and_without_memory(void **state)
{
	static const enum who chains[][2] = { { SHORT_SERVER, SHORT_LINK }, { BY_SHORT_ROOT, LINK }, { LONE, LINK } };
	struct certificate_judge *old = certificate_judge_new(store);
	(void)state;

	for (int64_t i = 0; i < 3 * 24 * 110; i += 7) {
		struct certificate_judge *fresh = certificate_judge_new(store);
		struct watch_chain *seen = message(chains[i % 3], 2, NOW + (i / 3 - 24 * 50) * 3600 + 1);
		const struct certificate_chain *a = certificate_judge(old, seen, HOST);
		const struct certificate_chain *b = certificate_judge(fresh, seen, HOST);

		assert_memory_equal(&a->certificates[0], &b->certificates[0], sizeof(a->certificates[0]));
		certificate_judge_free(&fresh);
		free(seen);
	}
	certificate_judge_free(&old);
}

/* As many as make two of them share a place in memory. */
static void neither_another_name_nor_another_length_is_mistaken_for_it(void **state)
{
	static const enum who chain[] = { DIRECT };
	struct certificate_judge *j = certificate_judge_new(store);
	struct watch_chain *seen = message(chain, 1, NOW);
	(void)state;

	for (unsigned i = 1; i < 3000; i++) {
		char other[32];

		snprintf(other, sizeof(other), "host%u.example", i);
		assert_int_equal(certificate_judge(j, seen, other)->certificates[0].covers_sni, 0);
		assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].covers_sni, 1);
		seen->len = seen->kept + i;
		assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].chain, CHAIN_NOT_JUDGED);
		seen->len = seen->kept;
		assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].chain, CHAIN_TRUSTED);
	}
	certificate_judge_free(&j);
	free(seen);
}

static void its_fields_are_what_it_says(void **state)
{
	static const struct {
		enum who who;
		const char *subject, *issuer, *key;
		uint32_t bits;
		const char *signature;
		bool self_signed;
	} want[] = {
		{ DIRECT, "CN=" HOST ",O=Test", "CN=Test Root,O=Test", "EC", 256, "ecdsa-with-SHA384", false },
		{ RSA_2048, "CN=" HOST ",O=Test", "CN=Test Root,O=Test", "RSA", 2048, "ecdsa-with-SHA256", false },
		{ BY_SHA1_ROOT, "CN=" HOST ",O=Test", "CN=Old Root,O=Test", "EC", 256, "sha256WithRSAEncryption",
		  false },
		{ OF_ED25519, "CN=" HOST ",O=Test", "CN=Test Root,O=Test", "ED25519", 256, "ecdsa-with-SHA256", false },
		{ LONE, "CN=" HOST ",O=Test", "CN=" HOST ",O=Test", "EC", 256, "ecdsa-with-SHA256", true },
		{ UMLAUT, "CN=M\xc3\xbcller\\, K\xc3\xb6ln,O=Test", "CN=Test Root,O=Test", "EC", 256,
		  "ecdsa-with-SHA256", false },
	};
	struct certificate_judge *j = certificate_judge_new(store);
	(void)state;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct watch_chain *seen = message(&want[i].who, 1, NOW);
		const struct fact_certificate *c = certificate_judge(j, seen, "")->certificates;
		uint8_t digest[64], *spki = NULL;
		unsigned n;
		int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificates[want[i].who]), &spki);

		assert_string_equal(c->subject, want[i].subject);
		assert_string_equal(c->issuer, want[i].issuer);
		assert_string_equal(c->key, want[i].key);
		assert_int_equal(c->key_bits, want[i].bits);
		assert_string_equal(c->signature, want[i].signature);
		assert_int_equal(c->self_signed, want[i].self_signed);
		assert_int_equal(c->not_before, NOW - 40 * DAY);
		assert_int_equal(c->not_after, NOW + 50 * DAY);
		X509_digest(certificates[want[i].who], EVP_sha256(), digest, &n);
		assert_memory_equal(c->sha256, digest, 32);
		X509_digest(certificates[want[i].who], EVP_sha512(), digest, &n);
		assert_memory_equal(c->sha512, digest, 64);
		EVP_Digest(spki, (size_t)len, digest, &n, EVP_sha256(), NULL);
		assert_memory_equal(c->spki_sha256, digest, 32);
		EVP_Digest(spki, (size_t)len, digest, &n, EVP_sha512(), NULL);
		assert_memory_equal(c->spki_sha512, digest, 64);
		OPENSSL_free(spki);
		free(seen);
	}
	certificate_judge_free(&j);
}

static void its_names_are_host_names(void **state)
{
	static const struct {
		enum who who;
		unsigned said, counted;
		bool cut;
		const char *first, *last;
	} want[] = {
		{ SERVER, 2, 2, false, HOST, "pop.mail.example" }, { WILDCARD, 1, 2, false, "*.mail.example", "*.mail.example" },
		{ NO_SAN, 1, 0, false, HOST, HOST }, { ADDRESS_SAN, 1, 1, false, "pop.mail.example", "pop.mail.example" },
		{ ADDRESS_ONLY, 1, 0, false, HOST, HOST }, { TRICKS, 1, 4, false, "x.example", "x.example" },
		{ MANY_NAMES, CERTIFICATE_NAMES_MAX, 150, true, "host0.example", "host99.example" },
		{ ROOT, 0, 0, false, NULL, NULL },
	};
	struct certificate_judge *j = certificate_judge_new(store);
	(void)state;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct watch_chain *seen = message(&want[i].who, 1, NOW);
		const struct certificate_chain *c = certificate_judge(j, seen, "");

		if (c->name_count != want[i].said || c->certificates[0].name_count != want[i].counted ||
		    c->certificates[0].names_cut != want[i].cut)
			fail_msg("case %zu: %u names, %u said", i, c->certificates[0].name_count, c->name_count);
		if (want[i].said > 0) {
			assert_string_equal(c->names[0], want[i].first);
			assert_string_equal(c->names[c->name_count - 1], want[i].last);
		}
		free(seen);
	}
	certificate_judge_free(&j);
}

static void a_message_that_is_none_is_said_to_be_malformed(void **state)
{
	static const struct {
		const char *name, *message;
		size_t len;
		unsigned count;
		const char *why;
	} bad[] = {
		{ "nothing at all", "", 0, 1, "does not add up" },
		{ "no certificate", "\0\0\0", 3, 1, "no certificate" },
		{ "an empty one", "\0\0\3\0\0\0", 6, 1, "certificate 0 of the message is no X.509" },
		{ "no DER", "\0\0\6\0\0\3abc", 9, 1, "certificate 0 of the message is no X.509" },
		{ "two of them", "\0\0\14\0\0\3abc\0\0\3abc", 15, 2, "certificate 0 of the message" },
		{ "a list too long", "\0\0\7\0\0\3abc", 9, 1, "no X.509" },
		{ "one too long", "\0\0\6\0\0\4abc", 9, 1, "does not add up" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct certificate_judge *j = certificate_judge_new(store);
		struct watch_chain *seen = chain_of(bad[i].message, bad[i].len, NOW);
		const struct certificate_chain *said = certificate_judge(j, seen, HOST);

		if (said->count != bad[i].count || said->certificates[0].chain != CHAIN_MALFORMED ||
		    strstr(said->certificates[0].why, bad[i].why) == NULL || said->certificates[0].covers_sni != 0)
			fail_msg("%s: %u, %s", bad[i].name, said->count, said->certificates[0].why);
		assert_int_equal(certificate_judge(j, seen, "")->certificates[0].covers_sni, -1);
		certificate_judge_free(&j);
		free(seen);
	}
}

static void bytes_behind_a_certificate_make_it_none(void **state)
{
	static const enum who chain[] = { DIRECT };
	struct certificate_judge *j = certificate_judge_new(store);
	struct watch_chain *right = message(chain, 1, NOW), *seen = chain_of(right->data, right->len, NOW);
	(void)state;

	seen = base_realloc(seen, sizeof(*seen) + seen->len + 1);
	seen->data[seen->len++] = 0;
	seen->kept = seen->len;
	put_u24(seen->data, seen->len - 3);
	put_u24(seen->data + 3, seen->len - 6);
	assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].chain, CHAIN_MALFORMED);
	certificate_judge_free(&j);
	free(seen);
	free(right);
}

/* Neither trusted nor malformed: nobody knows what the rest said. */
static void a_message_that_was_cut_is_not_judged(void **state)
{
	static const enum who chain[] = { SERVER, LINK };
	struct certificate_judge *j = certificate_judge_new(store);
	struct watch_chain *whole = message(chain, 2, NOW);
	size_t first = 6 + (size_t)i2d_X509(certificates[SERVER], NULL);
	(void)state;

	for (size_t cut = 0; cut < whole->len; cut++) {
		struct watch_chain *seen = chain_of(whole->data, cut, NOW);
		const struct certificate_chain *said;

		seen->len = whole->len;
		said = certificate_judge(j, seen, HOST);
		assert_int_equal(said->count, cut >= first);
		if (said->count > 0) {
			assert_int_equal(said->certificates[0].chain, CHAIN_NOT_JUDGED);
			assert_string_equal(said->certificates[0].why, "the message was not seen whole");
			assert_int_equal(said->certificates[0].covers_sni, 1);
		}
		free(seen);
	}
	certificate_judge_free(&j);
	free(whole);
}

static void with_any_byte_changed_it_is_never_trusted(void **state)
{
	static const enum who chain[] = { DIRECT };
	struct certificate_judge *j = certificate_judge_new(store);
	struct watch_chain *seen = message(chain, 1, NOW);
	(void)state;

	for (size_t i = 0; i < seen->len; i++) {
		seen->data[i] ^= 1;
		assert_int_not_equal(certificate_judge(j, seen, HOST)->certificates[0].chain, CHAIN_TRUSTED);
		seen->data[i] ^= 1;
	}
	assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].chain, CHAIN_TRUSTED);
	certificate_judge_free(&j);
	free(seen);
}

static void of_twenty_certificates_ten_are_said(void **state)
{
	enum who chain[20];
	struct certificate_judge *j = certificate_judge_new(store);
	struct watch_chain *seen;
	const struct certificate_chain *said;
	(void)state;

	for (int i = 0; i < 20; i++)
		chain[i] = i == 0 ? SERVER : FOREIGN_LINK;
	chain[3] = LINK;
	seen = message(chain, 20, NOW);
	said = certificate_judge(j, seen, HOST);
	assert_int_equal(said->count, CERTIFICATES_MAX);
	assert_int_equal(said->certificates[0].chain, CHAIN_TRUSTED);
	free(seen);
	chain[3] = FOREIGN_LINK;
	chain[15] = LINK;	/* would make it trusted, and is not read */
	seen = message(chain, 20, NOW);
	said = certificate_judge(j, seen, HOST);
	assert_int_equal(said->certificates[0].chain, CHAIN_NOT_JUDGED);
	assert_non_null(strstr(said->certificates[0].why, "more certificates than are read"));
	certificate_judge_free(&j);
	free(seen);
}

static void a_message_too_large_to_remember_is_judged_all_the_same(void **state)
{
	enum who chain[10] = { SERVER, LINK };
	struct certificate_judge *j = certificate_judge_new(store);
	(void)state;

	for (int i = 2; i < 10; i++)
		chain[i] = MANY_NAMES;
	for (int turn = 0; turn < 2; turn++) {
		struct watch_chain *seen = message(chain, 10, NOW + turn * 100 * DAY);

		assert_true(seen->len > CERTIFICATE_REMEMBERED);
		assert_int_equal(certificate_judge(j, seen, HOST)->certificates[0].chain,
				 turn == 0 ? CHAIN_TRUSTED : CHAIN_EXPIRED);
		free(seen);
	}
	certificate_judge_free(&j);
}

static void without_a_store_nothing_is_judged_but_all_is_said(void **state)
{
	static const enum who chain[] = { SERVER, LINK };
	struct certificate_judge *j = certificate_judge_new(NULL);
	struct watch_chain *seen = message(chain, 2, NOW);
	const struct certificate_chain *said = certificate_judge(j, seen, HOST);
	(void)state;

	assert_int_equal(said->count, 2);
	assert_int_equal(said->certificates[0].chain, CHAIN_NOT_JUDGED);
	assert_string_equal(said->certificates[0].why, "no CA store");
	assert_int_equal(said->certificates[0].covers_sni, 1);
	certificate_judge_free(&j);
	free(seen);
}

static void a_store_says_what_is_in_it_or_why_it_is_none(void **state)
{
	char error[200], want[200];
	struct certificate_store *s = certificate_store_new(NULL, error, sizeof(error));
	(void)state;

	snprintf(want, sizeof(want), "%s: 4 certificates", ca_file);
	assert_string_equal(certificate_store_describe(store), want);
	assert_string_equal(certificate_store_describe(s), "");	/* nobody asked it yet */
	certificate_store_free(&s);
	assert_null(certificate_store_new("/nowhere/ca.pem", error, sizeof(error)));
	assert_string_equal(error, "/nowhere/ca.pem: No such file or directory");
	assert_null(certificate_store_new("/dev/null", error, sizeof(error)));
	assert_string_equal(error, "/dev/null: no CA certificates in PEM");
}

static void random_bytes_do_no_harm(void **state)
{
	static const enum who chain[] = { SERVER, LINK, ROOT };
	struct certificate_judge *j = certificate_judge_new(store);
	uint32_t x = 99;
	(void)state;

	for (int i = 0; i < 3000; i++) {
		struct watch_chain *seen = message(chain, 3, NOW);

		for (int k = 0; k < 8; k++) {
			x = x * 1664525 + 1013904223;
			seen->data[(x >> 8) % seen->len] = (uint8_t)(x >> 3);
		}
		seen->kept = i % 3 == 0 ? (x >> 8) % seen->len : seen->len;
		certificate_judge(j, seen, HOST);
		free(seen);
	}
	certificate_judge_free(&j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_chain_is_judged_at_the_time_of_its_packet),
		cmocka_unit_test(what_was_judged_before_changes_nothing),
		cmocka_unit_test(every_day_is_judged_alike_with_and_without_memory),
		cmocka_unit_test(neither_another_name_nor_another_length_is_mistaken_for_it),
		cmocka_unit_test(its_fields_are_what_it_says),
		cmocka_unit_test(its_names_are_host_names),
		cmocka_unit_test(a_message_that_is_none_is_said_to_be_malformed),
		cmocka_unit_test(bytes_behind_a_certificate_make_it_none),
		cmocka_unit_test(a_message_that_was_cut_is_not_judged),
		cmocka_unit_test(with_any_byte_changed_it_is_never_trusted),
		cmocka_unit_test(of_twenty_certificates_ten_are_said),
		cmocka_unit_test(a_message_too_large_to_remember_is_judged_all_the_same),
		cmocka_unit_test(without_a_store_nothing_is_judged_but_all_is_said),
		cmocka_unit_test(a_store_says_what_is_in_it_or_why_it_is_none),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
