/* fact.h - what is said about the traffic
 *
 * Plain values without pointers: they are copied from a worker's thread to the writer's. The only
 * header of this room that report/ includes. Facts state what was seen; judging is report/'s.
 *
 * Ids are frame ids (capture/packet.h), so they do not depend on who was first to speak: a flow's is
 * its first frame, a name's the frame it was read in with a place behind it. A fact with an id that
 * was said before replaces it (a long flow is described again).
 * Text fields hold what was on the wire up to the first NUL, unescaped; they are cleaned where they
 * are printed. */
#ifndef CLASSIFY_FACT_H
#define CLASSIFY_FACT_H

#include "capture/flow_key.h"
#include "capture/loss.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FACT_NAME_SIZE 256	/* a DNS name is at most 253 characters */
#define FACT_TEXT_SIZE 128	/* longer texts are cut */
#define FACT_WORD_SIZE 32

enum fact_side { SIDE_ORIGINATOR, SIDE_RESPONDER };	/* [2] fields: index by who sent it */

/* How a flow came to be described. Stored by name: fact_flow_end_name. */
enum flow_end {
	FLOW_OPEN,		/* still going on when it was described, or when the capture ended */
	FLOW_CLOSED,		/* FIN both ways */
	FLOW_RESET,
	FLOW_TIMED_OUT,
	FLOW_EVICTED,		/* a table was full: described early */
};
const char *fact_flow_end_name(enum flow_end end);
/* No flow is silent for longer before it is told as over, and none that was closed or reset. */
#define FLOW_SILENT_S 3600
#define FLOW_CLOSED_S 30

/* A bidirectional connection. The originator is who sent the SYN; without one who spoke first, put
 * right when the dialogue shows who is client. */
struct fact_flow {
	uint64_t id;			/* its first frame */
	uint64_t last_frame;
	int64_t first_ns, last_ns;
	uint8_t orig_addr[16], resp_addr[16];
	uint16_t orig_port, resp_port;
	uint8_t proto;			/* IP protocol */
	bool orig_seen_syn;		/* the SYN was seen, so the direction is certain */
	uint16_t vlan;
	bool has_mac;
	uint8_t orig_mac[6], resp_mac[6];	/* as in its first frame; a router's when it is not on this segment */
	uint32_t pid;			/* as the capturing tool recorded it; 0 is none */
	uint64_t packets[2], bytes[2];	/* bytes: whole frames on the wire */
	uint64_t payload[2];		/* TCP: bytes of the stream that were seen, each once; else all payload but copies (flow.h) */
	uint64_t missing[2];		/* bytes of the TCP stream that were not seen */
	uint64_t first_sent[2], last_sent[2];	/* frames that brought the first and the last bytes of payload; 0: none did */
	uint64_t packets_cut;		/* cut by the snap length */
	enum flow_end end;
	bool over;			/* nothing more will be said of it; not stored */
	char history[FACT_WORD_SIZE];	/* Zeek's letters: S h A D F R ...; upper case: originator */
	char community_id[FLOW_COMMUNITY_ID_SIZE];
	char app_proto[FACT_WORD_SIZE];	/* what our own recognisers found: "tls", "quic", "dns", "imap",
					 * "pop3", "smtp", "sieve", "http", "ssh", "wireguard" ...; "" is unknown */
	char dpi_master[FACT_WORD_SIZE], dpi_app[FACT_WORD_SIZE];	/* libndpi's hints; never evidence */
	bool opaque;			/* carries others' traffic unseen: VPN, Tor, proxy */
	bool encrypted_dns;		/* DoT, DoH or DoQ, as far as packets show */
};

/* What passed in one interval of a flow that carries mail or may (mail protocols, TLS, QUIC) and did not end
 * in the interval that it began in. All samples of a flow make up its payload; an interval in which none
 * passed has none. */
struct fact_flow_sample {
	uint64_t flow;
	uint32_t place;			/* counts those of the flow */
	uint64_t frame;			/* the last of the flow in the interval */
	int64_t start_ns, end_ns;	/* of the interval, on the packet clock */
	uint64_t bytes[2];		/* payload, as in fact_flow */
};

/* Something not seen, tied to a flow or not. */
struct fact_loss {
	uint64_t id;			/* frame it concerns, or the flow's id */
	uint64_t last_frame;
	enum loss_reason reason;
	int64_t time_ns;
	uint64_t packets, bytes;
	uint64_t flow;			/* 0 is none */
	bool has_hosts;
	uint8_t src[16], dst[16];	/* hosts it touches: originator and responder of its flow */
};

/* Evidence that names an endpoint, apart from what the flow itself shows (SNI is in the handshake). */
enum name_kind {
	NAME_DNS,		/* an answer: `address` is what `name` led to for `asked_by` */
	NAME_PTR,		/* a reverse answer: a claim of the address's owner */
	NAME_HOST,		/* what a local host calls itself (DHCP, mDNS): `address` is its own */
	NAME_CERTIFICATE,	/* a dNSName of the certificate that the server at `address` showed in clear */
};
const char *fact_name_kind_name(enum name_kind kind);

struct fact_name {
	uint64_t id;			/* frame */
	uint32_t place;			/* among the names of that frame */
	enum name_kind kind;
	uint8_t asked_by[16];		/* who got the answer or the certificate; zero for NAME_HOST */
	uint8_t address[16];
	uint8_t mac[6];			/* NAME_HOST by DHCP; else zero */
	char name[FACT_NAME_SIZE];	/* as asked */
	char canonical[FACT_NAME_SIZE];	/* at the end of its CNAME chain; same as name without one */
	int64_t from_ns, until_ns;	/* seen, and seen plus time to live */
	bool ech;			/* NAME_DNS by an HTTPS or SVCB record: it carries ech= */
	char public_name[FACT_NAME_SIZE];	/* of that ech= configuration, else "" */
};

/* A mail-related DNS question or answer: MX, SRV, TLSA, TXT of _mta-sts and _smtp._tls, and every
 * look-up of a name that begins with autoconfig. or autodiscover. */
struct fact_mail_dns {
	uint64_t id;
	uint32_t place;
	int64_t time_ns;
	uint8_t asked_by[16];
	uint8_t resolver[16];		/* who was asked */
	char name[FACT_NAME_SIZE];
	char type[FACT_WORD_SIZE];	/* "MX", "SRV", "TLSA", "TXT", "A", "AAAA", "CNAME", "HTTPS" */
	char rdata[FACT_NAME_SIZE];	/* presentation format; "" for a question without answer */
	bool answered;
	bool authentic;			/* the AD bit: what the resolver says it validated (RFC 4035 section 3.2.3) */
	bool wants_dnssec;		/* the question had the AD or the DO bit (RFC 6840 section 5.7, RFC 3225) */
	bool has_digest;
	uint8_t digest[32];		/* TLSA of matching type 0: SHA-256 of what it would match, which rdata is too short for */
	char rcode[FACT_WORD_SIZE];	/* "NOERROR", "NXDOMAIN", ... */
};

/* A TLS or QUIC handshake; id is its flow's. */
struct fact_handshake {
	uint64_t flow;
	uint64_t frame;			/* that completed the ClientHello */
	uint64_t server_frame;		/* that completed the ServerHello; 0 is not seen */
	bool quic;
	uint32_t quic_version;		/* 0 for TLS */
	char sni[FACT_NAME_SIZE];	/* lower case, no trailing dot; "" is none */
	bool sni_trailing_dot;
	char alpn[FACT_TEXT_SIZE];	/* as offered, comma separated */
	char alpn_chosen[FACT_WORD_SIZE];	/* TLS <= 1.2 */
	uint16_t client_version;	/* highest offered (RFC 8446 section 4.2.1), e.g. 0x0304 */
	uint16_t version;		/* chosen: supported_versions before legacy_version; 0 is not seen */
	uint16_t cipher;		/* chosen; 0 is not seen */
	bool ech;			/* the encrypted_client_hello extension stood in the hello: real or GREASE */
	bool resumed;			/* the ServerHello shows it (TLS <= 1.2: no certificate; 1.3: pre_shared_key) */
	bool completed;			/* both sides went on to protected data */
	bool alert_in_clear;		/* a fatal alert ended it */
	uint8_t alert, alert_from;	/* description, enum fact_side */
	bool after_starttls;
	bool certificate_seen;		/* a Certificate message of the server was in clear */
	bool fallback;			/* the ClientHello has TLS_FALLBACK_SCSV (RFC 7507) */
	char ja4[FACT_WORD_SIZE * 2];	/* "" when the hello was not read to its end */
};

/* How a chain fared against the CA store at the time of its packets. Stored by name: fact_chain_name. */
enum chain_verdict {
	CHAIN_NOT_JUDGED,	/* no CA store; not seen or not read whole; not the server's own certificate */
	CHAIN_TRUSTED,
	CHAIN_SELF_SIGNED,
	CHAIN_UNTRUSTED,	/* it leads to nobody that the store knows, or a signature in it is false */
	CHAIN_EXPIRED,		/* of all that may be wrong this alone */
	CHAIN_NOT_YET_VALID,
	CHAIN_MALFORMED,	/* no X.509 */
};
const char *fact_chain_name(enum chain_verdict verdict);	/* "not-judged", "trusted", ... */

/* One certificate of the chain that a server showed in clear (TLS <= 1.2). Its names are fact_names. */
struct fact_certificate {
	uint64_t flow;
	uint32_t place;			/* in the chain; 0 is the server's own */
	uint64_t frame;			/* that completed the Certificate message */
	int64_t time_ns;		/* when it was judged: that frame's */
	uint8_t sha256[32], sha512[64];	/* of the DER */
	uint8_t spki_sha256[32], spki_sha512[64];	/* of its SubjectPublicKeyInfo */
	char subject[FACT_TEXT_SIZE], issuer[FACT_TEXT_SIZE];	/* RFC 2253 */
	uint32_t name_count;		/* dNSNames in it */
	bool names_cut;			/* not all of them are said */
	int64_t not_before, not_after;	/* seconds since 1970 */
	char key[FACT_WORD_SIZE];	/* "RSA", "EC", "ED25519" ... */
	uint32_t key_bits;
	char signature[FACT_WORD_SIZE];	/* "sha256WithRSAEncryption" ... */
	char weak[FACT_WORD_SIZE * 2];	/* why its key or signature is weak; "" when neither is */
	bool self_signed;
	enum chain_verdict chain;	/* of place 0 */
	char why[FACT_TEXT_SIZE];	/* OpenSSL's words for it */
	int8_t covers_sni;		/* RFC 6125: 1 it does, 0 it does not, -1 there was no SNI; of place 0 */
};

/* A mail address readable in a request for account settings (autoconfig, autodiscover) over plain HTTP. */
struct fact_disclosure {
	uint64_t flow;
	uint64_t frame;
	int64_t time_ns;
	char kind[FACT_WORD_SIZE];	/* "autoconfig", "autodiscover" */
	char host[FACT_NAME_SIZE];
	char account[FACT_NAME_SIZE];
};

enum mail_proto { MAIL_IMAP, MAIL_POP3, MAIL_SMTP, MAIL_SIEVE };
const char *fact_mail_proto_name(enum mail_proto proto);	/* "imap", "pop3", "smtp", "sieve" */

/* protocols.md section 4: the state a session ended in. */
enum mail_transport {
	MAIL_UNKNOWN,			/* capability list not seen, or the evidence is gone */
	MAIL_IMPLICIT_TLS,
	MAIL_STARTTLS_USED,
	MAIL_STARTTLS_OFFERED_NOT_USED,
	MAIL_STARTTLS_REFUSED,
	MAIL_STARTTLS_FAILED,
	MAIL_STARTTLS_STRIPPED,
	MAIL_PLAINTEXT,
};
const char *fact_mail_transport_name(enum mail_transport transport);	/* "implicit-tls", ... */

/* What a readable credential is worth to who reads it. */
enum mail_credential {
	CREDENTIAL_NONE,
	CREDENTIAL_REUSABLE,	/* PLAIN, LOGIN, USER/PASS: the password; XOAUTH2, OAUTHBEARER: a token */
	CREDENTIAL_GUESSABLE,	/* CRAM-MD5, DIGEST-MD5, APOP, NTLM: material for guessing off line */
	CREDENTIAL_HARDENED,	/* SCRAM: guessing costs more */
};
const char *fact_mail_credential_name(enum mail_credential credential);

/* An IMAP, POP3, SMTP or Sieve dialogue as far as it was readable; id is its flow's. */
struct fact_mail_session {
	uint64_t flow;
	enum mail_proto proto;
	enum mail_transport transport;
	bool greeting_seen, offers_seen;	/* server greeting; a whole capability list */
	bool starttls_offered, starttls_asked;
	bool preauth;
	bool mail_moved;		/* message data went over it readable (FETCH, RETR, DATA, BDAT, APPEND) */
	enum mail_credential credential;	/* the most valuable one readable */
	char mechanism[FACT_WORD_SIZE];	/* "LOGIN", "PLAIN", "USER", "APOP", "CRAM-MD5", ... */
	char account[FACT_TEXT_SIZE];	/* never the password */
	uint32_t secret_len;		/* bytes of the secret, which is not kept */
	uint64_t credential_frame;	/* where it was read */
	bool accepted;			/* the server accepted that login */
	char banner[FACT_TEXT_SIZE];	/* the server's claim of itself */
	char client_id[FACT_TEXT_SIZE];	/* IMAP ID, EHLO name: the client's claim */
	char dialogue[FACT_TEXT_SIZE];	/* letters, capital: client */
	char refusal[FACT_WORD_SIZE];	/* of STARTTLS: "454", "500 5.5.1", "NO", "BAD" ... */
	char signature[FACT_WORD_SIZE];	/* of tampering, proven by itself: "masked-keyword", "masked-greeting",
					 * "edited-list"; "" is none */
	uint32_t injected[2];		/* bytes in clear from [client, server] after STARTTLS was asked or agreed */
	bool compressed;		/* COMPRESS=DEFLATE was agreed: what follows is unread, not encrypted */
	bool login_disabled;		/* the list said LOGINDISABLED (RFC 9051 section 6.2.3) */
	char recipient_domain[FACT_NAME_SIZE];	/* of the first RCPT TO that was readable */
	char claimed_by[FACT_WORD_SIZE];	/* who says it speaks for claimed_client: "proxy", "xclient"; "" is none */
	uint8_t claimed_client[16];
};

/* A login of a session that was readable and answered. A session names the one worth most; guessers try many. */
struct fact_login {
	uint64_t flow;
	uint32_t place;			/* in its session */
	uint64_t frame;			/* where the credential was read */
	enum mail_credential credential;
	char mechanism[FACT_WORD_SIZE];
	char account[FACT_TEXT_SIZE];	/* never the password */
	uint32_t secret_len;
	bool accepted;
};

/* A frame that is kept as evidence of a live case, or a piece of one. What is secret in it was overwritten. */
#define FACT_KEPT_OF_FLOW 16384	/* bytes of frames of one flow, from its first on */
#define FACT_PIECE_SIZE 896	/* a fact stays as large as it is */
struct fact_packet {
	uint64_t frame;
	uint64_t flow;
	uint32_t place;			/* of the piece */
	int64_t time_ns;
	uint32_t wire_len, caplen;	/* of the frame */
	uint32_t masked;		/* bytes of it that were overwritten */
	uint32_t len;			/* of data */
	uint8_t data[FACT_PIECE_SIZE];
};

enum fact_kind {
	FACT_FLOW,
	FACT_LOSS,
	FACT_NAME,
	FACT_MAIL_DNS,
	FACT_HANDSHAKE,
	FACT_MAIL_SESSION,
	FACT_CERTIFICATE,
	FACT_DISCLOSURE,
	FACT_FLOW_SAMPLE,
	FACT_LOGIN,
	FACT_PACKET,
	FACT_END,		/* this worker says no more */
};

struct fact {
	enum fact_kind kind;
	union {
		struct fact_flow flow;
		struct fact_loss loss;
		struct fact_name name;
		struct fact_mail_dns mail_dns;
		struct fact_handshake handshake;
		struct fact_mail_session mail_session;
		struct fact_certificate certificate;
		struct fact_login login;
		struct fact_disclosure disclosure;
		struct fact_flow_sample flow_sample;
		struct fact_packet packet;
	};
};

/* The frame by which it is known. */
uint64_t fact_id(const struct fact *fact);

/* Facts travel in batches through a queue (capture/batch.h); the taker frees them with free(). */
#define FACT_BATCH 256
struct fact_batch {
	unsigned count;
	unsigned worker;		/* who says it */
	int64_t until_ns;		/* live: all packets before are told of; 0 says nothing */
	struct fact facts[FACT_BATCH];
};

/* Whose the far end is: asked by report/ of classify/owner through this table */

enum owner_role {
	ROLE_UNNAMED,		/* nothing better than an AS number, and that not telling */
	ROLE_MAIL_PROVIDER,
	ROLE_MAIL_SERVICE,	/* of a vendor that also relays: provider for its own users, relay for others */
	ROLE_RELAY,
	ROLE_VENDOR_CLOUD,
	ROLE_CDN,
	ROLE_ACCESS,
	ROLE_OTHER,
	ROLE_LOCAL,		/* private, link-local, loopback, multicast, broadcast: not the internet */
};
const char *fact_role_name(enum owner_role role);	/* "mail-provider", ... */

enum named_by {
	NAMED_BY_NOTHING, NAMED_BY_ASN, NAMED_BY_PREFIX, NAMED_BY_DNS, NAMED_BY_QUIC_SNI, NAMED_BY_SNI,
	NAMED_BY_CERTIFICATE,
};
const char *fact_named_by_name(enum named_by by);	/* "none", "asn", "prefix", "dns", ... */

enum strength { STRENGTH_NONE, STRENGTH_SUSPECTED, STRENGTH_STRONG, STRENGTH_PROVEN };
const char *fact_strength_name(enum strength strength);

/* How sure the catalogue is that a service relays third-party mail. */
enum relay_certainty { RELAY_NO, RELAY_ASSUMED, RELAY_REPORTED, RELAY_DOCUMENTED };
const char *fact_certainty_name(enum relay_certainty certainty);

/* What is known of one far end. Empty texts are NULL-free "". */
struct owner_evidence {
	const char *sni;		/* from a ClientHello, or "" */
	bool quic;
	const char *dns_name;		/* of the best DNS answer given to this client before the flow, or "" */
	const char *dns_canonical;
	const char *certificate;	/* a name that a certificate seen in clear is valid for, or "" */
	uint8_t address[16];
};

struct owner_tag {
	char owner[64];			/* catalogue id ("microsoft"), registrable domain, or "as64500" */
	char title[FACT_TEXT_SIZE];	/* for people: "Microsoft (Outlook.com, ...)" */
	char service[64];		/* catalogue id of the service ("microsoft/mail"); "" is none */
	enum owner_role role;
	enum named_by named_by;
	enum strength strength;
	enum relay_certainty relay;	/* of the mail service or relay */
	bool setup;			/* the vendor's account set-up host */
	bool resolver;			/* a public DNS resolver: TLS on 443 or 853 and QUIC to it hide look-ups */
	bool ambiguous;			/* shared by several owners until a name decides */
	char name[FACT_NAME_SIZE];	/* the name that decided, or "" */
	uint32_t asn;			/* 0 is unknown */
	char as_org[FACT_TEXT_SIZE];
	char source[FACT_TEXT_SIZE];	/* where the catalogue has it from, and its date */
};

/* The catalogue as report/ sees it; filled by the front door from classify/owner.h. */
struct owner_book {
	const void *context;
	/* The best tag for this evidence. Thread: any. */
	void (*tag)(const void *context, const struct owner_evidence *evidence, struct owner_tag *out);
	/* The owner that a user means by `word`: a catalogue id, or a domain (its owner if the catalogue
	 * knows it, else its registrable domain). False with nothing written when it is neither. */
	bool (*resolve)(const void *context, const char *word, char owner_out[64]);
	/* Whether the address is in a prefix or an AS that the catalogue lists for the owner, shared with others or not. */
	bool (*may_be_at)(const void *context, const char *owner, const uint8_t address[16]);
	const char *version;		/* hash over the catalogue files */
	const char *asn_database;	/* build date and type, for the run table */
	const char *attribution;	/* what the ASN data's licence asks to be said */
};

#endif
