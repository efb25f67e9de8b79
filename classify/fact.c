#include "classify/fact.h"

#define NAME_OF(table, value) \
	((size_t)(value) < sizeof(table) / sizeof((table)[0]) ? (table)[value] : "unknown")

const char *fact_flow_end_name(enum flow_end end)
{
	static const char *const names[] = {
		[FLOW_OPEN] = "open",
		[FLOW_CLOSED] = "closed",
		[FLOW_RESET] = "reset",
		[FLOW_TIMED_OUT] = "timed-out",
		[FLOW_EVICTED] = "evicted",
	};

	return NAME_OF(names, end);
}

const char *fact_name_kind_name(enum name_kind kind)
{
	static const char *const names[] = {
		[NAME_DNS] = "dns",
		[NAME_PTR] = "ptr",
		[NAME_HOST] = "host",
		[NAME_CERTIFICATE] = "certificate",
	};

	return NAME_OF(names, kind);
}

const char *fact_chain_name(enum chain_verdict verdict)
{
	static const char *const names[] = {
		[CHAIN_NOT_JUDGED] = "not-judged",
		[CHAIN_TRUSTED] = "trusted",
		[CHAIN_SELF_SIGNED] = "self-signed",
		[CHAIN_UNTRUSTED] = "untrusted",
		[CHAIN_EXPIRED] = "expired",
		[CHAIN_NOT_YET_VALID] = "not-yet-valid",
		[CHAIN_MALFORMED] = "malformed",
	};

	return NAME_OF(names, verdict);
}

const char *fact_mail_proto_name(enum mail_proto proto)
{
	static const char *const names[] = {
		[MAIL_IMAP] = "imap",
		[MAIL_POP3] = "pop3",
		[MAIL_SMTP] = "smtp",
		[MAIL_SIEVE] = "sieve",
	};

	return NAME_OF(names, proto);
}

const char *fact_mail_transport_name(enum mail_transport transport)
{
	static const char *const names[] = {
		[MAIL_UNKNOWN] = "unknown",
		[MAIL_IMPLICIT_TLS] = "implicit-tls",
		[MAIL_STARTTLS_USED] = "starttls-used",
		[MAIL_STARTTLS_OFFERED_NOT_USED] = "starttls-offered-not-used",
		[MAIL_STARTTLS_REFUSED] = "starttls-refused",
		[MAIL_STARTTLS_FAILED] = "starttls-failed",
		[MAIL_STARTTLS_STRIPPED] = "starttls-stripped",
		[MAIL_PLAINTEXT] = "plaintext",
	};

	return NAME_OF(names, transport);
}

const char *fact_mail_credential_name(enum mail_credential credential)
{
	static const char *const names[] = {
		[CREDENTIAL_NONE] = "none",
		[CREDENTIAL_REUSABLE] = "reusable",
		[CREDENTIAL_GUESSABLE] = "guessable",
		[CREDENTIAL_HARDENED] = "hardened",
	};

	return NAME_OF(names, credential);
}

const char *fact_role_name(enum owner_role role)
{
	static const char *const names[] = {
		[ROLE_UNNAMED] = "unnamed",
		[ROLE_MAIL_PROVIDER] = "mail-provider",
		[ROLE_MAIL_SERVICE] = "mail-service",
		[ROLE_RELAY] = "relay",
		[ROLE_VENDOR_CLOUD] = "vendor-cloud",
		[ROLE_CDN] = "cdn",
		[ROLE_ACCESS] = "access",
		[ROLE_OTHER] = "other",
		[ROLE_LOCAL] = "local",
	};

	return NAME_OF(names, role);
}

const char *fact_named_by_name(enum named_by by)
{
	static const char *const names[] = {
		[NAMED_BY_NOTHING] = "none",
		[NAMED_BY_ASN] = "asn",
		[NAMED_BY_PREFIX] = "prefix",
		[NAMED_BY_DNS] = "dns",
		[NAMED_BY_QUIC_SNI] = "quic-sni",
		[NAMED_BY_SNI] = "sni",
		[NAMED_BY_CERTIFICATE] = "certificate",
	};

	return NAME_OF(names, by);
}

const char *fact_strength_name(enum strength strength)
{
	static const char *const names[] = {
		[STRENGTH_NONE] = "none",
		[STRENGTH_SUSPECTED] = "suspected",
		[STRENGTH_STRONG] = "strong",
		[STRENGTH_PROVEN] = "proven",
	};

	return NAME_OF(names, strength);
}

const char *fact_certainty_name(enum relay_certainty certainty)
{
	static const char *const names[] = {
		[RELAY_NO] = "no",
		[RELAY_ASSUMED] = "assumed",
		[RELAY_REPORTED] = "reported",
		[RELAY_DOCUMENTED] = "documented",
	};

	return NAME_OF(names, certainty);
}

uint64_t fact_id(const struct fact *fact)
{
	switch (fact->kind) {
	case FACT_FLOW:
		return fact->flow.id;
	case FACT_LOSS:
		return fact->loss.id;
	case FACT_NAME:
		return fact->name.id;
	case FACT_MAIL_DNS:
		return fact->mail_dns.id;
	case FACT_HANDSHAKE:
		return fact->handshake.flow;
	case FACT_MAIL_SESSION:
		return fact->mail_session.flow;
	case FACT_CERTIFICATE:
		return fact->certificate.flow;
	case FACT_LOGIN:
		return fact->login.flow;
	case FACT_DISCLOSURE:
		return fact->disclosure.flow;
	case FACT_FLOW_SAMPLE:
		return fact->flow_sample.flow;
	case FACT_PACKET:
		return fact->packet.frame;
	case FACT_END:
		break;
	}
	return 0;
}
