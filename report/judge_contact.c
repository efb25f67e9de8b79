#include "report/judge_contact.h"

#include <netinet/in.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

#define IS_ONE_OF(text, words) is_one_of(text, words, sizeof(words) / sizeof((words)[0]))

/* A mail dialogue is known by itself; sessions that began under TLS, or were not seen from their beginning,
 * by ALPN or port. */
static bool is_mail(const struct judge_flow *f)
{
	static const char *const apps[] = { "", "tls", "imap", "pop3", "smtp", "sieve" };
	static const char *const alpns[] = { "imap", "pop3", "managesieve" };

	if (f->proto != IPPROTO_TCP)
		return false;
	if (f->dialogue || IS_ONE_OF(f->alpn, alpns))
		return true;
	switch (f->resp_port) {
	case 993: case 995: case 465: case 143: case 110: case 587: case 4190:
		return IS_ONE_OF(f->app_proto, apps);
	default:
		return false;
	}
}

/* The mail protocol's transport; NULL when it is no mail. Web, DNS and push services name their protocol
 * (ALPN) or keep to their port: TLS to a mail host that does neither is a mail session until shown otherwise. */
static const char *transport_of(const struct judge_flow *f, const struct endpoint *e, bool originated)
{
	if (is_mail(f)) {
		if (f->dialogue && strcmp(f->transport, "unknown") != 0)
			return f->transport;
		return !f->hello ? "unknown" : f->after_starttls ? "starttls-used" : "implicit-tls";
	}
	if (originated && e->web_mail && f->proto == IPPROTO_TCP && f->sni[0] != '\0' && f->alpn[0] == '\0' &&
	    !f->after_starttls && f->resp_port != 80 && f->resp_port != 443 && f->resp_port != 853)
		return "implicit-tls";
	return NULL;
}

/* schema.sql, state_word. TLS 1.3 hides the certificate; up to 1.2 a resumed session shows none, and any other
 * counts as not seen until judge_path has looked for it. */
static enum session_state state_of(const struct judge_flow *f, const char *transport)
{
	if (strcmp(transport, "implicit-tls") == 0 || strcmp(transport, "starttls-used") == 0) {
		if (!f->completed || f->version == 0)
			return STATE_INCOMPLETE;
		return f->version >= 0x0304 ? STATE_HIDDEN : f->resumed ? STATE_RESUMED : STATE_CERTIFICATE;
	}
	if (strcmp(transport, "starttls-failed") == 0)
		return STATE_INCOMPLETE;
	return strcmp(transport, "unknown") == 0 && !f->readable ? STATE_UNKNOWN : STATE_POSTCARD;
}

/* DNS that was read and NTP (RFC 5905: 48 bytes, 68 with a digest) carry no mail. */
static bool is_housekeeping(const struct judge_flow *f, int64_t up, int64_t up_packets)
{
	static const char *const apps[] = { "dns", "mdns", "dhcp", "ntp", "icmp" };

	return IS_ONE_OF(f->app_proto, apps) || f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6 ||
	       (f->proto == IPPROTO_UDP && f->resp_port == 123 && up <= 68 * up_packets);
}

static enum traffic_kind kind_of(const struct contact *c)
{
	const struct ledger_flow *sums = &c->sums;

	if (c->transport != NULL)
		return c->flow->resp_port == 25 ? TRAFFIC_DELIVERY : TRAFFIC_SESSION;
	if (c->endpoint.web_mail && sums->originated && c->flow->resp_port == 443 && c->flow->hello &&
	    sums->up > 0 && sums->down > 0)
		return TRAFFIC_WEB_MAIL;
	return TRAFFIC_OTHER;
}

/* Who began a flow whose SYN was not seen is not known. */
static bool is_upload(const struct contact *c)
{
	return c->sums.up > 0 && (c->sums.originated || !c->flow->syn_seen);
}

/* What a home host answers to a TCP connection that came in is no upload of its own. */
static bool is_unnamed(const struct contact *c)
{
	return c->endpoint.unnamed && !c->flow->opaque && is_upload(c) &&
	       !is_housekeeping(c->flow, c->sums.up, c->flow->packets[!c->sums.originated]);
}

void contact_describe(struct contact *c)
{
	c->transport = transport_of(c->flow, &c->endpoint, c->sums.originated);
	c->sums.kind = kind_of(c);
	c->sums.vendor = c->endpoint.vendor && is_upload(c) && c->flow->resp_port != 25;
	c->sums.unnamed = is_unnamed(c);
	c->sums.state = STATE_NONE;
	if (c->transport != NULL && c->sums.originated && !c->sums.loopback)
		c->sums.state = state_of(c->flow, c->transport);
	/* A loss matters in any flow that is not local, and in a mail session. */
	c->sums.losses = c->flow->losses;
	c->sums.loss_count = c->endpoint.local && c->transport == NULL ? 0 : c->flow->loss_count;
}

/* schema.sql, contact_class. */
enum contact_class { VENDOR, DELIVERY, INCOMING, SETUP, WEB_MAIL, WEB_CLEAR, OWN_SERVER, OPAQUE, ENCRYPTED_DNS, ECH,
	CERTIFICATE, OLD_TLS };
_Static_assert(OLD_TLS + 1 == CONTACT_CLASSES, "CONTACT_CLASSES counts them");

const char *contact_class_name(unsigned class)
{
	static const char *const names[CONTACT_CLASSES] = {
		[VENDOR] = "vendor",
		[DELIVERY] = "delivery",
		[INCOMING] = "incoming",
		[SETUP] = "setup",
		[WEB_MAIL] = "web-mail",
		[WEB_CLEAR] = "web-clear",
		[OWN_SERVER] = "own-server",
		[OPAQUE] = "opaque",
		[ENCRYPTED_DNS] = "encrypted-dns",
		[ECH] = "ech",
		[CERTIFICATE] = "certificate",
		[OLD_TLS] = "old-tls",
	};

	return names[class];
}

unsigned contact_classes(const struct contact *c, const struct policy *policy)
{
	const struct judge_flow *f = c->flow;
	const struct endpoint *e = &c->endpoint;
	bool mail = c->transport != NULL, originated = c->sums.originated, up = c->sums.up > 0;
	bool delivery = c->sums.kind == TRAFFIC_DELIVERY;
	const bool classes[CONTACT_CLASSES] = {
		[VENDOR] = e->vendor && is_upload(c),
		[DELIVERY] = delivery && originated && up && !policy_mail_server(policy, c->near),
		[INCOMING] = mail && !delivery && !originated && up,
		[SETUP] = e->setup && originated && up,
		[WEB_MAIL] = c->sums.kind == TRAFFIC_WEB_MAIL,
		[WEB_CLEAR] = e->web_mail && originated && up && f->proto == IPPROTO_TCP &&
			      f->resp_port == 80 && strcmp(f->app_proto, "http") == 0,
		[OWN_SERVER] = e->own_server && originated,
		[OPAQUE] = f->opaque,
		[ENCRYPTED_DNS] = f->encrypted_dns ||
				  (e->resolver && (f->resp_port == 443 || f->resp_port == 853)),
		[ECH] = f->ech && originated,
		[CERTIFICATE] = mail && f->certificate,
		[OLD_TLS] = mail && f->version >= 1 && f->version <= 0x0302,
	};
	unsigned bits = 0;

	for (unsigned i = 0; i < CONTACT_CLASSES; i++)
		bits |= (unsigned)classes[i] << i;
	return bits;
}

const char *contact_called(const struct contact *c, char address_out[HOST_TEXT_SIZE])
{
	if (c->flow->sni[0] != '\0')
		return c->flow->sni;
	if (c->sums.originated)
		return c->endpoint.name;
	host_text(c->flow->resp, address_out);
	return address_out;
}
