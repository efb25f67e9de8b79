#include "report/plain.h"

#include "capture/base.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct phrase {
	const char *word, *plain;
};

/* The last of them ends the list. */
static const char *say(const struct phrase *phrases, const char *word)
{
	while (phrases->word != NULL && strcmp(phrases->word, word) != 0)
		phrases++;
	return phrases->word != NULL ? phrases->plain : word;
}

const char *plain_verdict(const char *verdict)
{
	static const struct phrase phrases[] = {
		{ "leak", "Leak" }, { "clean", "Clean" }, { "cannot-say", "Cannot say" }, { 0 },
	};

	return say(phrases, verdict);
}

const char *plain_finding(const char *kind)
{
	static const struct phrase phrases[] = {
		{ "third-party-mail", "A mail session with someone who is not the mail provider" },
		{ "cloud-relay", "Mail goes through another company's cloud" },
		{ "relay-setup", "The account was set up through another company" },
		{ "displacement", "Direct mail stopped, and another company took over" },
		{ "mirrored-upload", "Mail that was fetched goes up to another company" },
		{ "vendor-pull", "Another company logged in to the mail server" },
		{ "cleartext-credential", "A password could be read on the way" },
		{ "cleartext-mail", "Mail could be read on the way" },
		{ "starttls-stripped", "Somebody took the offer of encryption away" },
		{ "starttls-refused", "The server refused encryption" },
		{ "starttls-not-used", "Encryption was offered and not used" },
		{ "starttls-failed", "Encryption was agreed on and broke" },
		{ "starttls-injection", "Readable commands where encryption had to begin" },
		{ "preauth", "A greeting that keeps encryption from being asked for" },
		{ "address-disclosure", "A mail address could be read on the way" },
		{ "dane-mismatch", "The server's certificate is not the one published (DANE)" },
		{ "dane-ignored", "Mail was sent against a published rule (DANE)" },
		{ "sts-ignored", "Mail was sent against a published rule (MTA-STS)" },
		{ "sts-mx-mismatch", "Mail went to a server that the published rule does not name (MTA-STS)" },
		{ "certificate-invalid", "A certificate that nobody known vouches for" },
		{ "certificate-mismatch", "A certificate for another name" },
		{ "certificate-expired", "A certificate out of date" },
		{ "tls-old", "Encryption that is out of date" },
		{ 0 },
	};

	return say(phrases, kind);
}

const char *plain_class(const char *class)
{
	static const struct phrase phrases[] = {
		{ "leak", "a third party gets mail or a password" },
		{ "exposure", "others on the way can read along" },
		{ "policy", "a published rule for mail was not kept" },
		{ "weak", "weak protection" },
		{ 0 },
	};

	return say(phrases, class);
}

const char *plain_strength(const char *strength)
{
	static const struct phrase phrases[] = {
		{ "proven", "proven" },
		{ "strong", "strong, not proven" },
		{ "suspected", "suspected only" },
		{ 0 },
	};

	return say(phrases, strength);
}

const char *plain_certainty(const char *strength)
{
	static const struct phrase phrases[] = {
		{ "proven", "sure" },
		{ "strong", "very likely" },
		{ "suspected", "a guess" },
		{ "none", "not known" },
		{ 0 },
	};

	return say(phrases, strength);
}

const char *plain_named_by(const char *named_by)
{
	static const struct phrase phrases[] = {
		{ "certificate", "by the server's certificate" },
		{ "sni", "by the name asked for" },
		{ "quic-sni", "by the name asked for" },
		{ "dns", "by the name looked up (DNS)" },
		{ "prefix", "by its published address range" },
		{ "asn", "by its network alone" },
		{ "policy", "as declared by you" },
		{ "none", "nothing names it" },
		{ 0 },
	};

	return say(phrases, named_by);
}

const char *plain_transport(const char *counts_as)
{
	static const struct phrase phrases[] = {
		{ "sealed", "Like a sealed letter: nobody on the way could read it." },
		{ "sealed_not_judged", "Like a sealed letter. Whether the seal was the right one (the server's"
		  " certificate) could not be checked from outside." },
		{ "sealed_bad_certificate", "Sealed, but with a bad seal: it is not sure who was at the other end." },
		{ "opportunistic", "Sealed this time. The client also goes on without a seal, so whoever is on the way"
		  " can take it away." },
		{ "postcard", "Like a postcard: anyone on the way could read it." },
		{ "unknown", "Not enough was seen to tell." },
		{ 0 },
	};

	return say(phrases, counts_as);
}

const char *plain_loss(const char *reason)
{
	static const struct phrase phrases[] = {
		{ "kernel", "The recording computer could not keep up" },
		{ "interface", "The network card could not keep up" },
		{ "recorded-by-tool", "The tool that recorded says that it lost packets" },
		{ "queue", "This program could not keep up" },
		{ "evicted", "There was more going on at once than this program can watch" },
		{ "snaplen", "Packets were recorded only in part" },
		{ "fragment", "Pieces of packets are missing" },
		{ "gap", "Bytes are missing inside connections" },
		{ "one-direction", "Only one side of a conversation was recorded" },
		{ "undecodable", "Packets that could not be read" },
		{ "half-read", "The recording breaks off, or is damaged" },
		{ 0 },
	};

	return say(phrases, reason);
}

const char *plain_end(const char *end)
{
	static const struct phrase phrases[] = {
		{ "complete", "read to its end" },
		{ "truncated", "breaks off" },
		{ "damaged", "is damaged" },
		{ "empty", "is empty" },
		{ "not-a-capture", "is no recording of packets" },
		{ "unreadable", "could not be read" },
		{ "running", "is still being watched" },
		{ "killed", "broke off when its recording was killed" },
		{ "vanished", "went away while it was watched" },
		{ 0 },
	};

	return say(phrases, end);
}

enum plain_party plain_party(const char *role, bool provider)
{
	static const struct {
		const char *role;
		enum plain_party party;
	} parties[] = {
		{ "mail-provider", PARTY_VENDOR }, { "mail-service", PARTY_VENDOR }, { "relay", PARTY_VENDOR },
		{ "vendor-cloud", PARTY_NETWORK }, { "cdn", PARTY_NETWORK }, { "access", PARTY_NETWORK },
		{ "unnamed", PARTY_UNNAMED },
	};

	if (provider)
		return PARTY_PROVIDER;
	for (unsigned i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
		if (strcmp(parties[i].role, role) == 0)
			return parties[i].party;
	return PARTY_OTHER;
}

const char *plain_party_words(enum plain_party party)
{
	switch (party) {
	case PARTY_PROVIDER: return "its mail provider";
	case PARTY_VENDOR: return "another company's mail service";
	case PARTY_UNNAMED: return "not known whose";
	case PARTY_NETWORK: return "a cloud or network company";
	case PARTY_CLIENT: return "the client";
	case PARTY_OTHER: break;
	}
	return "other: no mail service";
}

const char *plain_name(const char *title, char out[PLAIN_NAME_SIZE])
{
	const char *bracket = strstr(title, " (");

	snprintf(out, PLAIN_NAME_SIZE, "%.*s", bracket != NULL && bracket > title ? (int)(bracket - title) : -1, title);
	return out;
}

const char *plain_count(int64_t count, char out[PLAIN_COUNT_SIZE])
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%lld", (long long)count);
	char *end = out;

	for (int i = 0; i < n; i++) {
		if (i > 0 && digits[i - 1] != '-' && (n - i) % 3 == 0)
			*end++ = ',';
		*end++ = digits[i];
	}
	*end = '\0';
	return out;
}

const char *plain_bytes(int64_t bytes, char out[PLAIN_BYTES_SIZE])
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB" };
	unsigned unit = 0;
	size_t n;

	while (bytes >= 10000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1000;
		unit++;
	}
	plain_count(bytes, out);
	n = strlen(out);
	snprintf(out + n, PLAIN_BYTES_SIZE - n, " %s", bytes == 1 && unit == 0 ? "byte" : units[unit]);
	return out;
}

const char *plain_time(int64_t ns, char out[PLAIN_TIME_SIZE])
{
	time_t t = (time_t)(ns / BASE_NS_PER_S);
	struct tm tm;

	out[0] = '\0';
	if (ns != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(out, PLAIN_TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return out;
}
