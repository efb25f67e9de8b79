#include "classify/certificate_fields.h"

#include "capture/base.h"
#include "classify/certificate.h"
#include "classify/mail_line.h"
#include "classify/watch_tls.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RSA_BITS_MIN 2048	/* CA/Browser Forum Baseline Requirements, section 6.1.5 */
#define DSA_BITS_MIN INT32_MAX	/* no browser or mail program takes it */
#define EC_BITS_MIN 224		/* 112 bits of security, as RSA of 2048 (NIST SP 800-57, table 2) */

static void digest(const EVP_MD *md, const uint8_t *data, size_t len, uint8_t *out)
{
	int ok = EVP_Digest(data, len, out, NULL, md, NULL);

	assert(ok == 1);	/* libcrypto without SHA-2 is none */
}

void certificate_digests(struct bytes der, struct fact_certificate *out)
{
	size_t n = bytes_left(&der);
	const uint8_t *p = bytes_take(&der, n);

	digest(EVP_sha256(), p, n, out->sha256);
	digest(EVP_sha512(), p, n, out->sha512);
}

static void spki_digests(X509 *x, struct fact_certificate *out)
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	if (n > 0) {
		digest(EVP_sha256(), der, (size_t)n, out->spki_sha256);
		digest(EVP_sha512(), der, (size_t)n, out->spki_sha512);
	}
	OPENSSL_free(der);
}

/* RFC 2253, but for bytes over 127, which are UTF-8 as they are. */
static void name_text(const X509_NAME *name, char out[FACT_TEXT_SIZE])
{
	BIO *bio = base_checked(BIO_new(BIO_s_mem()));
	char *text;
	long n;

	if (X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		n = BIO_get_mem_data(bio, &text);
		mail_text(out, FACT_TEXT_SIZE, bytes_of(text, n > 0 ? (size_t)n : 0));
	}
	BIO_free(bio);
}

int64_t certificate_seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void object_text(const ASN1_OBJECT *object, char out[FACT_WORD_SIZE])
{
	OBJ_obj2txt(out, FACT_WORD_SIZE, object, 0);
}

/* What the key is; "1024-bit RSA key" in weak when it is. */
static void key_fields(X509 *x, struct fact_certificate *out)
{
	static const struct { const char *type; uint32_t bits_min; } least[] = {
		{ "RSA", RSA_BITS_MIN }, { "RSA-PSS", RSA_BITS_MIN }, { "EC", EC_BITS_MIN }, { "DSA", DSA_BITS_MIN },
	};
	const EVP_PKEY *key = X509_get0_pubkey(x);
	ASN1_OBJECT *algorithm = NULL;

	if (key == NULL) {
		if (X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(x)) == 1)
			object_text(algorithm, out->key);
		return;
	}
	base_copy(out->key, sizeof(out->key), EVP_PKEY_get0_type_name(key));
	out->key_bits = (uint32_t)EVP_PKEY_get_bits(key);
	for (size_t i = 0; i < sizeof(least) / sizeof(least[0]); i++)
		if (strcmp(out->key, least[i].type) == 0 && out->key_bits < least[i].bits_min)
			snprintf(out->weak, sizeof(out->weak), "%u-bit %s key", out->key_bits, out->key);
}

/* The signature of a root upon itself protects nothing. */
static void signature_fields(X509 *x, struct fact_certificate *out)
{
	static const struct { int digest; const char *name; } weak[] = {
		{ NID_md2, "MD2" }, { NID_md4, "MD4" }, { NID_md5, "MD5" }, { NID_sha1, "SHA-1" },
	};
	const X509_ALGOR *algorithm = X509_get0_tbs_sigalg(x);
	const ASN1_OBJECT *object = NULL;
	int used = NID_undef;
	size_t n = strlen(out->weak);

	X509_ALGOR_get0(&object, NULL, NULL, algorithm);
	object_text(object, out->signature);
	X509_get_signature_info(x, &used, NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]) && !out->self_signed; i++)
		if (used == weak[i].digest)
			snprintf(out->weak + n, sizeof(out->weak) - n, "%s%s signature", n > 0 ? ", " : "",
				 weak[i].name);
}

void certificate_fields(X509 *x, struct fact_certificate *out)
{
	spki_digests(x, out);
	name_text(X509_get_subject_name(x), out->subject);
	name_text(X509_get_issuer_name(x), out->issuer);
	out->not_before = certificate_seconds(X509_get0_notBefore(x));
	out->not_after = certificate_seconds(X509_get0_notAfter(x));
	out->self_signed = X509_self_signed(x, 1) == 1;
	key_fields(x, out);
	signature_fields(x, out);
}

struct names {
	char (*of)[FACT_NAME_SIZE];
	unsigned count;
	bool cut;
};

/* What is no host name, by whatever trick, names nobody. */
static void add_name(struct names *names, const uint8_t *data, int len)
{
	struct bytes name = bytes_of(data, len > 0 ? (size_t)len : 0);
	char clean[FACT_NAME_SIZE] = "*.";
	size_t at = bytes_begins(&name, "*.") ? 2 : 0;
	bool dot;

	bytes_skip(&name, at);
	if (!tls_host_name(name, clean + at, sizeof(clean) - at, &dot))
		return;
	if (names->count == CERTIFICATE_NAMES_MAX) {
		names->cut = true;
		return;
	}
	names->of = base_realloc(names->of, (names->count + 1) * sizeof(names->of[0]));
	base_copy(names->of[names->count++], FACT_NAME_SIZE, clean);
}

static void add_common_names(const X509_NAME *subject, struct names *names)
{
	int at = -1;

	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0) {
		const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
		uint8_t *text = NULL;
		int n = ASN1_STRING_to_UTF8(&text, value);

		if (n > 0)
			add_name(names, text, n);
		OPENSSL_free(text);
	}
}

unsigned certificate_names(X509 *x, struct fact_certificate *out, char (**names_out)[FACT_NAME_SIZE])
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	struct names names = { 0 };

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);

		if (one->type != GEN_DNS)
			continue;
		out->name_count++;
		add_name(&names, ASN1_STRING_get0_data(one->d.dNSName), ASN1_STRING_length(one->d.dNSName));
	}
	GENERAL_NAMES_free(all);
	if (out->name_count == 0)
		add_common_names(X509_get_subject_name(x), &names);
	out->names_cut = names.cut;
	*names_out = names.of;
	return names.count;
}

bool certificate_covers(X509 *x, const char *host)
{
	uint8_t address[16];

	if (host_of_text(host, address))
		return X509_check_ip_asc(x, host, 0) == 1;
	return X509_check_host(x, host, strlen(host), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}
