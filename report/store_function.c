#include "report/store_function.h"

#include "capture/base.h"
#include "capture/packet.h"
#include "capture/siphash.h"
#include "report/correlate.h"
#include "report/identity.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

/* The values that number_of() was asked for, kept until the store is closed. */
struct number_keys {
	struct key_set *keys;
	uint8_t *packed;	/* those of the call at hand */
	size_t used, size;
};

/* What the aggregate timing() gathers. */
struct timing {
	struct correlate *series;
	double limit;
	unsigned tries;
};

static void sql_host(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[HOST_TEXT_SIZE];

	(void)count;
	if (sqlite3_value_bytes(values[0]) != 16) {
		sqlite3_result_null(context);
		return;
	}
	host_text(sqlite3_value_blob(values[0]), text);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static bool in_host_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

static void sql_banner_host(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *at = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	while (at != NULL && *at != '\0') {
		int len = 0, dot = 0;

		if (*at == '.') {
			at++;
			continue;
		}
		while (in_host_name(at[len]))
			len++;
		while (len > 0 && at[len - 1] == '.')
			len--;
		for (int i = 1; i < len; i++)
			dot = at[i] == '.' ? i : dot;
		if (dot > 0 && (at[dot + 1] | 0x20) >= 'a' && (at[dot + 1] | 0x20) <= 'z') {
			char *host = sqlite3_mprintf("%.*s", len, at);

			for (char *c = host; c != NULL && *c != '\0'; c++)
				*c |= *c >= 'A' && *c <= 'Z' ? 0x20 : 0;
			sqlite3_result_text(context, host, -1, sqlite3_free);
			return;
		}
		at += len > 0 ? len : 1;
	}
	sqlite3_result_text(context, "", 0, SQLITE_STATIC);
}

static void sql_covers(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *pattern = (const char *)sqlite3_value_text(values[0]);
	const char *host = (const char *)sqlite3_value_text(values[1]);

	(void)count;
	if (pattern == NULL || host == NULL)
		sqlite3_result_null(context);
	else
		sqlite3_result_int(context, identity_covers(pattern, host));
}

/* NULL unless it is a blob of that size. */
static const uint8_t *blob(sqlite3_value *value, int size)
{
	return sqlite3_value_bytes(value) == size ? sqlite3_value_blob(value) : NULL;
}

static void sql_tlsa_matches(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *rdata = (const char *)sqlite3_value_text(values[0]);
	const struct identity_hashes hashes = {
		.sha256 = blob(values[2], 32), .sha512 = blob(values[3], 64),
		.spki_sha256 = blob(values[4], 32), .spki_sha512 = blob(values[5], 64),
	};
	enum identity_tlsa result = rdata == NULL ? TLSA_UNUSABLE : identity_tlsa(rdata, blob(values[1], 32), &hashes);

	(void)count;
	if (result == TLSA_UNUSABLE)
		sqlite3_result_null(context);
	else
		sqlite3_result_int(context, result == TLSA_MATCHES);
}

static void sql_tlsa_usage(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *rdata = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	sqlite3_result_int(context, rdata == NULL ? 0 : (int)identity_tlsa_usage(rdata));
}

/* RFC 8446 section 6, and those of TLS 1.2 (RFC 5246 section 7.2). */
static const char *alert_name(int alert, char out[16])
{
	static const struct { int alert; const char *name; } names[] = {
		{ 40, "handshake_failure" }, { 42, "bad_certificate" }, { 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" }, { 45, "certificate_expired" }, { 46, "certificate_unknown" },
		{ 48, "unknown_ca" }, { 49, "access_denied" }, { 51, "decrypt_error" }, { 70, "protocol_version" },
		{ 71, "insufficient_security" }, { 80, "internal_error" }, { 86, "inappropriate_fallback" },
		{ 90, "user_canceled" }, { 112, "unrecognized_name" },
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].alert == alert)
			return names[i].name;
	sqlite3_snprintf(16, out, "%d", alert);
	return out;
}

static void sql_went_on(sqlite3_context *context, int count, sqlite3_value **values)
{
	int sessions = sqlite3_value_int(values[0]), went_on = sqlite3_value_int(values[1]);
	bool alert = sqlite3_value_type(values[2]) != SQLITE_NULL;
	char number[16], *text;

	(void)count;
	if (went_on > 0 && went_on < sessions)
		text = sqlite3_mprintf("%d of %d sessions went on", went_on, sessions);
	else if (went_on > 0)
		text = sessions == 1 ? sqlite3_mprintf("the session went on")
				     : sqlite3_mprintf("all %d sessions went on", sessions);
	else if (alert)
		text = sqlite3_mprintf("the %s ended it with the alert %s",
				       sqlite3_value_int(values[3]) == 0 ? "client" : "server",
				       alert_name(sqlite3_value_int(values[2]), number));
	else
		text = sqlite3_mprintf("no session was seen to go on");
	sqlite3_result_text(context, text, -1, sqlite3_free);
}

/* In the largest unit of which it is two or more. */
static void sql_duration(sqlite3_context *context, int count, sqlite3_value **values)
{
	static const struct { int64_t ns; const char *name; } units[] = {
		{ 86400000000000, "days" }, { 3600000000000, "hours" }, { 60000000000, "minutes" },
	};
	int64_t ns = sqlite3_value_int64(values[0]);
	char *text = NULL;

	(void)count;
	for (unsigned i = 0; text == NULL && i < sizeof(units) / sizeof(units[0]); i++)
		if (ns >= 2 * units[i].ns)
			text = sqlite3_mprintf("%lld %s", (long long)(ns / units[i].ns), units[i].name);
	if (text == NULL)
		text = sqlite3_mprintf("%.1f seconds", (double)ns / 1e9);
	sqlite3_result_text(context, text, -1, sqlite3_free);
}

/* Like Zeek's: C and 17 letters and digits. The same flow has the same one in every export. */
static void sql_zeek_uid(sqlite3_context *context, int count, sqlite3_value **values)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	uint64_t id = (uint64_t)sqlite3_value_int64(values[0]), hash = 0;
	const void *community_id = sqlite3_value_text(values[1]);
	char text[19] = "C";

	(void)count;
	for (unsigned i = 1; i < sizeof(text) - 1; i++) {
		if (i % 9 == 1)	/* 64 bits are ten of them */
			hash = siphash(community_id != NULL ? community_id : "", (size_t)sqlite3_value_bytes(values[1]), id, i);
		text[i] = digits[hash % 62];
		hash /= 62;
	}
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

static void pack_value(struct number_keys *n, sqlite3_value *value)
{
	const void *bytes = sqlite3_value_text(value);
	uint32_t len = bytes != NULL ? (uint32_t)sqlite3_value_bytes(value) : UINT32_MAX;
	size_t room = sizeof(len) + (bytes != NULL ? len : 0);

	if (n->used + room > n->size) {
		n->size = (n->used + room) * 2;
		n->packed = base_realloc(n->packed, n->size);
	}
	memcpy(n->packed + n->used, &len, sizeof(len));
	if (bytes != NULL)
		memcpy(n->packed + n->used + sizeof(len), bytes, len);
	n->used += room;
}

static void sql_number_of(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct number_keys *n = sqlite3_user_data(context);

	n->used = 0;
	for (int i = 0; i < count; i++)
		pack_value(n, values[i]);
	sqlite3_result_int64(context, key_set_add(n->keys, n->packed, n->used));
}

static void number_keys_free(void *data)
{
	struct number_keys *n = data;

	key_set_free(&n->keys);
	free(n->packed);
	free(n);
}

/* Not deterministic: numbers are given in the order of the calls. */
static bool register_number_of(sqlite3 *db)
{
	struct number_keys *n = base_alloc(sizeof(*n));

	n->keys = key_set_new();
	return sqlite3_create_function_v2(db, "number_of", -1, SQLITE_UTF8, n, sql_number_of, NULL, NULL,
					  number_keys_free) == SQLITE_OK;
}

/* timing(time_ns, down, up, limit per mille, tries), over the rows of two series. */
static void sql_timing_step(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct timing *t = sqlite3_aggregate_context(context, sizeof(*t));

	(void)count;
	if (t == NULL) {
		sqlite3_result_error_nomem(context);
		return;
	}
	if (t->series == NULL)
		t->series = correlate_new();
	correlate_add(t->series, sqlite3_value_int64(values[0]), (uint64_t)sqlite3_value_int64(values[1]),
		      (uint64_t)sqlite3_value_int64(values[2]));
	t->limit = (double)sqlite3_value_int64(values[3]) / 1000;
	t->tries = (unsigned)sqlite3_value_int(values[4]);
}

static void sql_timing(sqlite3_context *context)
{
	struct timing *t = sqlite3_aggregate_context(context, 0);
	struct correlate_result r;

	if (t == NULL || t->series == NULL) {
		sqlite3_result_null(context);
		return;
	}
	correlate_over(t->series, t->limit, t->tries, &r);
	correlate_free(&t->series);
	sqlite3_result_text(context, sqlite3_mprintf(
		"{\"p\":%.6f,\"fits\":%.6f,\"backed\":%.6f,\"lag_ns\":%lld,\"reach_ns\":%lld,\"fetches\":%u,\"uploads\":%u,"
		"\"span_ns\":%lld,\"rest_up\":%llu,\"rest_p\":%.6f,\"rest_backed\":%.6f}", r.p < 1 ? r.p : 1.0, r.fits,
		r.backed, (long long)r.lag_ns, (long long)r.reach_ns, r.fetches, r.uploads, (long long)r.span_ns,
		(unsigned long long)r.rest_up, r.rest_p < 1 ? r.rest_p : 1.0, r.rest_backed), -1, sqlite3_free);
}

bool store_functions(sqlite3 *db)
{
	static const struct {
		const char *name;
		int count;
		void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
	} functions[] = {
		{ "host", 1, sql_host }, { "banner_host", 1, sql_banner_host }, { "covers", 2, sql_covers },
		{ "tlsa_matches", 6, sql_tlsa_matches }, { "tlsa_usage", 1, sql_tlsa_usage }, { "went_on", 4, sql_went_on },
		{ "duration", 1, sql_duration }, { "zeek_uid", 2, sql_zeek_uid },
	};

	for (unsigned i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (sqlite3_create_function_v2(db, functions[i].name, functions[i].count,
					       SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, functions[i].call, NULL,
					       NULL, NULL) != SQLITE_OK)
			return false;
	}
	return register_number_of(db) &&
	       sqlite3_create_function_v2(db, "timing", 5, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, NULL,
					  sql_timing_step, sql_timing, NULL) == SQLITE_OK;
}
