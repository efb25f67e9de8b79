/* What follows from what was read of a flow: at its end, or while it goes on. */
#include "classify/reader.h"

#include "classify/mail_line.h"

#include <stdlib.h>
#include <string.h>

#define PORT_DNS_OVER_TLS 853	/* RFC 7858, RFC 9250 */

static void label_by_name(const struct reader *r, struct flow *f)
{
	if (f->facts != NULL && f->facts->has_handshake && f->facts->handshake.sni[0] != '\0')
		dpi_by_name(r->dpi, f->facts->handshake.sni, &f->label);
}

void reader_conclude(const struct reader *r, struct flow *f, bool over)
{
	const struct host_port *resp = f->orig_is_hi ? &f->key.lo : &f->key.hi;

	if (f->facts != NULL && f->facts->has_mail)
		mail_tls_outcome(f->facts, over);
	label_by_name(r, f);
	if (resp->port == PORT_DNS_OVER_TLS && f->facts != NULL && f->facts->has_handshake)
		f->encrypted_dns = true;
	if (f->facts != NULL && f->facts->opaque)
		f->opaque = true;
	/* No client asks this much over one connection; what came after was not read. */
	if (f->streams != NULL && strcmp(f->app_proto, "dns") == 0 &&
	    f->streams[SIDE_ORIGINATOR].seen > STREAM_WATCHED)
		f->opaque = true;
}

void reader_turn_round(struct flow *f)
{
	flow_flip(f);
	f->facts->handshake.alert_from = !f->facts->handshake.alert_from;
}

void reader_so_far(const struct reader *r, const struct flow *f, struct reader_view *view)
{
	view->flow = *f;
	if (f->facts != NULL) {
		view->facts = *f->facts;
		view->flow.facts = &view->facts;
	}
	if (f->streams != NULL) {
		memcpy(view->streams, f->streams, sizeof(view->streams));
		view->flow.streams = view->streams;
	}
	reader_conclude(r, &view->flow, false);
	if (flow_flips(&view->flow)) {
		reader_turn_round(&view->flow);
		view->facts.chain = NULL;	/* which says whose it is by the other side; it is said at the end */
	}
}

size_t reader_memory(const struct flow *f)
{
	size_t n = 0;

	if (f->facts != NULL)
		n += sizeof(*f->facts);
	if (f->facts != NULL && f->facts->chain != NULL)
		n += sizeof(*f->facts->chain) + f->facts->chain->kept;
	if (f->streams != NULL)
		n += 2 * sizeof(f->streams[0]) + stream_memory(&f->streams[0]) + stream_memory(&f->streams[1]);
	if (f->watch != NULL)
		n += f->watch->size;
	if (f->quic != NULL)
		n += quic_memory(f->quic);
	if (f->dpi_flow != NULL)
		n += dpi_flow_memory();
	return n;
}

void reader_free(struct flow *f)
{
	if (f->streams != NULL) {
		stream_stop(&f->streams[0]);
		stream_stop(&f->streams[1]);
		free(f->streams);
		f->streams = NULL;
	}
	if (f->facts != NULL)
		free(f->facts->chain);
	free(f->facts);
	f->facts = NULL;
}
