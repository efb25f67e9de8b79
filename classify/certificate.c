#include "classify/certificate.h"

#include "capture/base.h"
#include "capture/siphash.h"
#include "classify/certificate_fields.h"
#include "classify/watch_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_FILE "/etc/ssl/certs/ca-certificates.crt"	/* Debian's; else the one OpenSSL was built with */
#define HASHED 512u	/* bytes of a chain that pick its slot: serial number, names and validity are there */

/* The store as it is once it was read; never changed after that, but for OpenSSL's own caches, which lock. */
struct certificate_store {
	pthread_mutex_t lock;		/* over what follows, until tried */
	bool tried;
	X509_STORE *trusted;		/* NULL: there is none */
	int64_t *times;			/* when validity of one of its certificates begins or ends, ascending */
	size_t time_count;
	char about[FACT_NAME_SIZE], why_not[FACT_TEXT_SIZE];
};

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* RFC 5280 counts the last second as valid, some versions of OpenSSL do not: both ends are ends. */
static size_t put_times(X509 *x, int64_t out[3])
{
	out[0] = certificate_seconds(X509_get0_notBefore(x));
	out[1] = certificate_seconds(X509_get0_notAfter(x));
	out[2] = out[1] + 1;
	return 3;
}

/* Reads a PEM file of CA certificates. False with a line in error. */
static bool load(struct certificate_store *s, const char *file, char *error, size_t error_size)
{
	FILE *f = fopen(file, "r");
	STACK_OF(X509_OBJECT) *objects;
	unsigned count = 0;

	if (f == NULL) {
		snprintf(error, error_size, "%s: %s", file, strerror(errno));
		return false;
	}
	fclose(f);
	s->trusted = X509_STORE_new();
	if (s->trusted == NULL || X509_STORE_load_file(s->trusted, file) != 1) {
		ERR_clear_error();
		X509_STORE_free(s->trusted);
		s->trusted = NULL;
		snprintf(error, error_size, "%s: no CA certificates in PEM", file);
		return false;
	}
	objects = X509_STORE_get0_objects(s->trusted);
	s->times = base_alloc_array((size_t)sk_X509_OBJECT_num(objects) + 1, 3 * sizeof(s->times[0]));
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));

		if (x == NULL)		/* a CRL */
			continue;
		s->time_count += put_times(x, s->times + s->time_count);
		count++;
	}
	qsort(s->times, s->time_count, sizeof(s->times[0]), by_time);
	snprintf(s->about, sizeof(s->about), "%s: %u certificates", file, count);
	return true;
}

struct certificate_store *certificate_store_new(const char *file, char *error, size_t error_size)
{
	struct certificate_store *s = base_alloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	if (file == NULL)
		return s;
	s->tried = true;
	if (!load(s, file, error, error_size))
		certificate_store_free(&s);
	return s;
}

void certificate_store_free(struct certificate_store **store)
{
	struct certificate_store *s = *store;

	if (s == NULL)
		return;
	X509_STORE_free(s->trusted);
	pthread_mutex_destroy(&s->lock);
	free(s->times);
	free(s);
	*store = NULL;
}

const char *certificate_store_describe(struct certificate_store *s)
{
	return s->about;
}

/* Has the store read; false when there is none, or nothing in it. */
static bool ready(struct certificate_store *s)
{
	pthread_mutex_lock(&s->lock);
	if (!s->tried) {
		char other[FACT_TEXT_SIZE];

		s->tried = true;
		if (!load(s, SYSTEM_FILE, s->why_not, sizeof(s->why_not)))
			load(s, X509_get_default_cert_file(), other, sizeof(other));
	}
	pthread_mutex_unlock(&s->lock);
	return s->trusted != NULL;
}

/* A chain, and from when until when it was judged to be so: between two ends of validity of anything that
 * judging it could look at, the answer is the same. */
struct remembered {
	struct watch_chain *chain;	/* NULL: nothing is */
	char sni[FACT_NAME_SIZE];
	int64_t from, until;
	struct certificate_chain said;
};

struct certificate_judge {
	struct certificate_store *store;
	uint64_t seed;
	struct remembered slots[CERTIFICATE_MEMORY + 1];	/* the last is for what is too large to remember */
};

struct certificate_judge *certificate_judge_new(struct certificate_store *store)
{
	struct certificate_judge *j = base_alloc(sizeof(*j));

	j->store = store;
	j->seed = base_seed();
	return j;
}

static void forget(struct remembered *r)
{
	free(r->chain);
	free(r->said.certificates);
	free(r->said.names);
	memset(r, 0, sizeof(*r));
}

void certificate_judge_free(struct certificate_judge **judge)
{
	struct certificate_judge *j = *judge;

	if (j == NULL)
		return;
	for (size_t i = 0; i <= CERTIFICATE_MEMORY; i++)
		forget(&j->slots[i]);
	free(j);
	*judge = NULL;
}

/* What verification needs: the certificates of a message as far as they are some. */
struct reading {
	X509 *leaf;			/* borrowed from all */
	STACK_OF(X509) *all;
	char bad[FACT_TEXT_SIZE];	/* why the message is none, or "" */
	bool more;			/* than CERTIFICATES_MAX */
};

static X509 *parse_one(struct bytes der)
{
	size_t n = bytes_left(&der);
	const unsigned char *p = bytes_take(&der, n), *end = p + n;
	X509 *x = d2i_X509(NULL, &p, (long)n);

	if (x != NULL && p != end) {
		X509_free(x);
		x = NULL;
	}
	return x;
}

static void read_one(struct bytes der, struct certificate_chain *said, struct reading *r)
{
	struct fact_certificate *c = &said->certificates[said->count];
	X509 *x = parse_one(der);

	c->place = said->count++;
	c->covers_sni = -1;
	certificate_digests(der, c);
	if (x == NULL) {
		if (r->bad[0] == '\0')
			snprintf(r->bad, sizeof(r->bad), "certificate %u of the message is no X.509", c->place);
		return;
	}
	certificate_fields(x, c);
	if (c->place == 0) {
		r->leaf = x;
		said->name_count = certificate_names(x, c, &said->names);
	}
	base_checked(sk_X509_push(r->all, x) > 0 ? x : NULL);
}

/* RFC 5246 section 7.4.2: a list of certificates, each with its length before it. */
static void read_list(const struct watch_chain *seen, struct certificate_chain *said, struct reading *r)
{
	bool whole = seen->kept == seen->len;
	struct bytes in = bytes_of(seen->data, seen->kept);
	size_t len = bytes_u24(&in);

	said->certificates = base_alloc_array(CERTIFICATES_MAX, sizeof(said->certificates[0]));
	said->certificates[0].covers_sni = -1;
	while (bytes_left(&in) > 0 && said->count < CERTIFICATES_MAX) {
		struct bytes der = bytes_sub(&in, bytes_u24(&in));

		if (der.bad)
			break;
		read_one(der, said, r);
	}
	r->more = !in.bad && bytes_left(&in) > 0;
	if (!whole || r->bad[0] != '\0')
		return;
	if (in.bad || len + 3 != seen->len)
		base_copy(r->bad, sizeof(r->bad), "the list of certificates does not add up");
	else if (said->count == 0)
		base_copy(r->bad, sizeof(r->bad), "the server showed no certificate");
}

/* What OpenSSL has against it at *now, or NULL: whatever the time; X509_V_OK is nothing. */
static int objection(X509_STORE *trusted, const struct reading *r, const int64_t *now)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error = X509_V_ERR_OUT_OF_MEM;

	if (ctx != NULL && X509_STORE_CTX_init(ctx, trusted, r->leaf, r->all) == 1) {
		X509_STORE_CTX_set_default(ctx, "ssl_server");
		param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_auth_level(param, 0);	/* weak is not untrusted: it is said apart */
		if (now != NULL)
			X509_VERIFY_PARAM_set_time(param, (time_t)*now);
		else
			X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
		if (X509_verify_cert(ctx) == 1)
			error = X509_V_OK;
		else if (X509_STORE_CTX_get_error(ctx) != X509_V_OK)
			error = X509_STORE_CTX_get_error(ctx);
		else
			error = X509_V_ERR_UNSPECIFIED;
	}
	X509_STORE_CTX_free(ctx);
	return error;
}

static bool is_of_time(int error)
{
	return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID;
}

static enum chain_verdict verdict_of(X509_STORE *trusted, const struct reading *r, int64_t now,
				     bool self_signed, char why[FACT_TEXT_SIZE])
{
	int error = objection(trusted, r, &now), otherwise = error;

	/* Whether time is all that is wrong. */
	if (is_of_time(error))
		otherwise = objection(trusted, r, NULL);
	base_copy(why, FACT_TEXT_SIZE, X509_verify_cert_error_string(otherwise != X509_V_OK ? otherwise : error));
	if (otherwise != X509_V_OK)
		return self_signed ? CHAIN_SELF_SIGNED : CHAIN_UNTRUSTED;
	if (error == X509_V_OK)
		return CHAIN_TRUSTED;
	return error == X509_V_ERR_CERT_HAS_EXPIRED ? CHAIN_EXPIRED : CHAIN_NOT_YET_VALID;
}

/* Narrows (from, until) to where `now` is among these times. */
static void narrow(const int64_t *times, size_t count, int64_t now, struct remembered *r)
{
	for (size_t i = 0; i < count; i++) {
		if (times[i] <= now && times[i] > r->from)
			r->from = times[i];
		if (times[i] > now && times[i] < r->until)
			r->until = times[i];
	}
}

static void judge_chain(struct certificate_judge *j, const struct watch_chain *seen, int64_t now,
			const struct reading *reading, struct remembered *r)
{
	struct fact_certificate *c = &r->said.certificates[0];
	int64_t times[3];

	r->from = INT64_MIN;
	r->until = INT64_MAX;
	if (reading->bad[0] != '\0') {
		c->chain = CHAIN_MALFORMED;
		base_copy(c->why, sizeof(c->why), reading->bad);
	} else if (seen->kept < seen->len) {
		base_copy(c->why, sizeof(c->why), seen->kept == TLS_CHAIN_MAX ?
			  "the message is longer than is read" : "the message was not seen whole");
	} else if (j->store == NULL || !ready(j->store)) {
		base_copy(c->why, sizeof(c->why), j->store != NULL ? j->store->why_not : "no CA store");
	} else {
		c->chain = verdict_of(j->store->trusted, reading, now, c->self_signed, c->why);
		narrow(j->store->times, j->store->time_count, now, r);
		for (int i = 0; i < sk_X509_num(reading->all); i++)
			narrow(times, put_times(sk_X509_value(reading->all, i), times), now, r);
	}
	/* What is beyond those that were read might be the link that is missing. */
	if (c->chain == CHAIN_UNTRUSTED && reading->more) {
		c->chain = CHAIN_NOT_JUDGED;
		base_copy(c->why, sizeof(c->why), "the message has more certificates than are read");
	}
}

static void judge(struct certificate_judge *j, const struct watch_chain *seen, int64_t now, const char *sni,
		  struct remembered *r)
{
	struct reading reading = { .all = base_checked(sk_X509_new_null()) };

	read_list(seen, &r->said, &reading);
	/* A whole message says something, were it that there is none in it. */
	if (r->said.count == 0 && seen->kept == seen->len)
		r->said.count = 1;
	if (r->said.count > 0)
		judge_chain(j, seen, now, &reading, r);
	if (r->said.count > 0 && sni[0] != '\0')
		r->said.certificates[0].covers_sni = reading.leaf != NULL && certificate_covers(reading.leaf, sni);
	if (r->said.count > 0)
		r->said.certificates = base_realloc(r->said.certificates,
						    r->said.count * sizeof(r->said.certificates[0]));
	sk_X509_pop_free(reading.all, X509_free);
	ERR_clear_error();
}

static size_t size_of(const struct watch_chain *c)
{
	return sizeof(*c) + c->kept;
}

static bool is_remembered(const struct remembered *r, const struct watch_chain *seen, int64_t now,
			  const char *sni)
{
	return r->chain != NULL && now >= r->from && now < r->until && r->chain->kept == seen->kept &&
	       r->chain->len == seen->len && memcmp(r->chain->data, seen->data, seen->kept) == 0 &&
	       strcmp(r->sni, sni) == 0;
}

static struct remembered *slot_of(struct certificate_judge *j, const struct watch_chain *seen, const char *sni)
{
	uint64_t hash;

	if (seen->kept > CERTIFICATE_REMEMBERED)
		return &j->slots[CERTIFICATE_MEMORY];
	hash = siphash(sni, strlen(sni), j->seed, seen->len);
	hash = siphash(seen->data, seen->kept < HASHED ? seen->kept : HASHED, j->seed, hash);
	return &j->slots[hash % CERTIFICATE_MEMORY];
}

const struct certificate_chain *certificate_judge(struct certificate_judge *j, const struct watch_chain *seen,
						  const char *sni)
{
	int64_t now = seen->time_ns / BASE_NS_PER_S - (seen->time_ns % BASE_NS_PER_S < 0);
	struct remembered *r = slot_of(j, seen, sni);

	if (is_remembered(r, seen, now, sni))
		return &r->said;
	forget(r);
	judge(j, seen, now, sni, r);
	if (r != &j->slots[CERTIFICATE_MEMORY]) {
		r->chain = base_alloc(size_of(seen));
		memcpy(r->chain, seen, size_of(seen));
		base_copy(r->sni, sizeof(r->sni), sni);
	}
	return &r->said;
}
