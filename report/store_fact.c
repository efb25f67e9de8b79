#include "report/store_fact.h"

#include "capture/base.h"
#include "report/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const store_fact_sql[FACT_END] = {
	[FACT_FLOW] = "INSERT OR REPLACE INTO flow VALUES"
		"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_LOSS] = "INSERT OR REPLACE INTO loss VALUES (?,?,?,?,?,?,?,?,?,?)",
	[FACT_NAME] = "INSERT OR REPLACE INTO name VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_MAIL_DNS] = "INSERT OR REPLACE INTO mail_dns VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_HANDSHAKE] = "INSERT OR REPLACE INTO handshake VALUES"
		"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_MAIL_SESSION] = "INSERT OR REPLACE INTO mail_session VALUES"
		"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_CERTIFICATE] = "INSERT OR REPLACE INTO certificate VALUES"
		"(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[FACT_LOGIN] = "INSERT OR REPLACE INTO login VALUES (?,?,?,?,?,?,?,?)",
	[FACT_DISCLOSURE] = "INSERT OR REPLACE INTO disclosure VALUES (?,?,?,?,?,?)",
	[FACT_FLOW_SAMPLE] = "INSERT OR REPLACE INTO flow_sample VALUES (?,?,?,?,?,?,?)",
	[FACT_PACKET] = "INSERT OR REPLACE INTO packet VALUES (?,?,?,?,?,?,?,?,?)",
};

/* Binds the values of a row one after the other. */
struct row {
	struct store_insert *insert;
	int at;
};

static void put(struct row *r, uint64_t value)
{
	int at = r->at++;

	if (r->insert->bound[at].known && r->insert->bound[at].number == value)
		return;
	r->insert->bound[at].known = true;
	r->insert->bound[at].number = value;
	sqlite3_bind_int64(r->insert->q, r->at, (sqlite3_int64)value);
}

static void put_time(struct row *r, int64_t ns)
{
	put(r, (uint64_t)ns);
}

/* Static text. */
static void put_word(struct row *r, const char *word)
{
	int at = r->at++;

	if (r->insert->bound[at].word == word)
		return;
	r->insert->bound[at].word = word;
	sqlite3_bind_text(r->insert->q, r->at, word, -1, SQLITE_STATIC);
}

static void put_text(struct row *r, const char *text)
{
	static const char none[] = "";

	if (text[0] == '\0') {
		put_word(r, none);
		return;
	}
	r->insert->bound[r->at++].word = NULL;
	sqlite3_bind_text(r->insert->q, r->at, text, -1, SQLITE_STATIC);
}

static void put_blob(struct row *r, const uint8_t *data, int len, bool has)
{
	r->at++;
	if (has)
		sqlite3_bind_blob(r->insert->q, r->at, data, len, SQLITE_STATIC);
	else
		sqlite3_bind_null(r->insert->q, r->at);
}

static void put_address(struct row *r, const uint8_t address[16])
{
	put_blob(r, address, 16, true);
}

static void put_flow(struct row *r, const struct fact_flow *f)
{
	put(r, f->id);
	put(r, f->last_frame);
	put_time(r, f->first_ns);
	put_time(r, f->last_ns);
	put_address(r, f->orig_addr);
	put_address(r, f->resp_addr);
	put(r, f->orig_port);
	put(r, f->resp_port);
	put(r, f->proto);
	put(r, f->orig_seen_syn);
	put(r, f->vlan);
	put_blob(r, f->orig_mac, 6, f->has_mac);
	put_blob(r, f->resp_mac, 6, f->has_mac);
	put(r, f->pid);
	for (int side = 0; side < 2; side++)
		put(r, f->packets[side]);
	for (int side = 0; side < 2; side++)
		put(r, f->bytes[side]);
	for (int side = 0; side < 2; side++)
		put(r, f->payload[side]);
	for (int side = 0; side < 2; side++)
		put(r, f->missing[side]);
	for (int side = 0; side < 2; side++)
		put(r, f->first_sent[side]);
	for (int side = 0; side < 2; side++)
		put(r, f->last_sent[side]);
	put(r, f->packets_cut);
	put_word(r, fact_flow_end_name(f->end));
	put_text(r, f->history);
	put_text(r, f->community_id);
	put_text(r, f->app_proto);
	put_text(r, f->dpi_master);
	put_text(r, f->dpi_app);
	put(r, f->opaque);
	put(r, f->encrypted_dns);
}

static void put_fact_loss(struct row *r, const struct fact_loss *l)
{
	put(r, l->id);
	put_word(r, loss_reason_name(l->reason));
	put(r, l->flow);
	put(r, 0);
	put(r, l->last_frame);
	put_time(r, l->time_ns);
	put(r, l->packets);
	put(r, l->bytes);
	put_blob(r, l->src, 16, l->has_hosts);
	put_blob(r, l->dst, 16, l->has_hosts);
}

static void put_name(struct row *r, const struct fact_name *n)
{
	static const uint8_t no_mac[6];

	put(r, n->id);
	put(r, n->place);
	put_word(r, fact_name_kind_name(n->kind));
	put_address(r, n->asked_by);
	put_address(r, n->address);
	put_blob(r, n->mac, 6, memcmp(n->mac, no_mac, 6) != 0);
	put_text(r, n->name);
	put_text(r, strcmp(n->canonical, n->name) != 0 ? n->canonical : "");
	put_time(r, n->from_ns);
	put_time(r, n->until_ns);
	put(r, n->ech);
	put_text(r, n->public_name);
}

static void put_mail_dns(struct row *r, const struct fact_mail_dns *d)
{
	put(r, d->id);
	put(r, d->place);
	put_time(r, d->time_ns);
	put_address(r, d->asked_by);
	put_address(r, d->resolver);
	put_text(r, d->name);
	put_text(r, d->type);
	put_text(r, d->rdata);
	put(r, d->answered);
	put(r, d->authentic);
	put(r, d->wants_dnssec);
	put_blob(r, d->digest, sizeof(d->digest), d->has_digest);
	put_text(r, d->rcode);
}

static void put_handshake(struct row *r, const struct fact_handshake *h)
{
	put(r, h->flow);
	put(r, h->frame);
	put(r, h->server_frame);
	put(r, h->quic);
	put(r, h->quic_version);
	put_text(r, h->sni);
	put(r, h->sni_trailing_dot);
	put_text(r, h->alpn);
	put_text(r, h->alpn_chosen);
	put(r, h->client_version);
	put(r, h->version);
	put(r, h->cipher);
	put(r, h->ech);
	put(r, h->resumed);
	put(r, h->completed);
	put(r, h->alert_in_clear);
	put(r, h->alert);
	put(r, h->alert_from);
	put(r, h->after_starttls);
	put(r, h->certificate_seen);
	put(r, h->fallback);
	put_text(r, h->ja4);
}

static void put_mail_session(struct row *r, const struct fact_mail_session *m)
{
	put(r, m->flow);
	put_word(r, fact_mail_proto_name(m->proto));
	put_word(r, fact_mail_transport_name(m->transport));
	put(r, m->greeting_seen);
	put(r, m->offers_seen);
	put(r, m->starttls_offered);
	put(r, m->starttls_asked);
	put(r, m->preauth);
	put(r, m->mail_moved);
	put_word(r, fact_mail_credential_name(m->credential));
	put_text(r, m->mechanism);
	put_text(r, m->account);
	put(r, m->secret_len);
	put(r, m->credential_frame);
	put(r, m->accepted);
	put_text(r, m->banner);
	put_text(r, m->client_id);
	put_text(r, m->dialogue);
	put_text(r, m->refusal);
	put_text(r, m->signature);
	for (int side = 0; side < 2; side++)
		put(r, m->injected[side]);
	put(r, m->compressed);
	put(r, m->login_disabled);
	put_text(r, m->recipient_domain);
	put_text(r, m->claimed_by);
	put_blob(r, m->claimed_client, 16, m->claimed_by[0] != '\0');
}

static void put_certificate(struct row *r, const struct fact_certificate *c)
{
	put(r, c->flow);
	put(r, c->place);
	put(r, c->frame);
	put_time(r, c->time_ns);
	put_blob(r, c->sha256, sizeof(c->sha256), true);
	put_blob(r, c->sha512, sizeof(c->sha512), true);
	put_blob(r, c->spki_sha256, sizeof(c->spki_sha256), true);
	put_blob(r, c->spki_sha512, sizeof(c->spki_sha512), true);
	put_text(r, c->subject);
	put_text(r, c->issuer);
	put(r, c->name_count);
	put(r, c->names_cut);
	put_time(r, c->not_before);
	put_time(r, c->not_after);
	put_text(r, c->key);
	put(r, c->key_bits);
	put_text(r, c->signature);
	put_text(r, c->weak);
	put(r, c->self_signed);
	put_text(r, fact_chain_name(c->chain));
	put_text(r, c->why);
	put_time(r, c->covers_sni);
}

static void put_login(struct row *r, const struct fact_login *l)
{
	put(r, l->flow);
	put(r, l->place);
	put(r, l->frame);
	put_text(r, fact_mail_credential_name(l->credential));
	put_text(r, l->mechanism);
	put_text(r, l->account);
	put(r, l->secret_len);
	put(r, l->accepted);
}

static void put_disclosure(struct row *r, const struct fact_disclosure *d)
{
	put(r, d->flow);
	put(r, d->frame);
	put_time(r, d->time_ns);
	put_text(r, d->kind);
	put_text(r, d->host);
	put_text(r, d->account);
}

static void put_flow_sample(struct row *r, const struct fact_flow_sample *s)
{
	put(r, s->flow);
	put(r, s->place);
	put(r, s->frame);
	put_time(r, s->start_ns);
	put_time(r, s->end_ns);
	for (int side = 0; side < 2; side++)
		put(r, s->bytes[side]);
}

static void put_packet(struct row *r, const struct fact_packet *p)
{
	put(r, p->frame);
	put(r, p->place);
	put(r, p->flow);
	put_time(r, p->time_ns);
	put(r, p->wire_len);
	put(r, p->caplen);
	put(r, p->masked);
	put(r, p->len);
	put_blob(r, p->data, (int)p->len, true);
}

void store_fact_bind(struct store_insert *insert, const struct fact *fact)
{
	struct row r = { .insert = insert };

	assert(sqlite3_bind_parameter_count(insert->q) <= STORE_FACT_COLUMNS);

	switch (fact->kind) {
	case FACT_FLOW:
		put_flow(&r, &fact->flow);
		break;
	case FACT_LOSS:
		put_fact_loss(&r, &fact->loss);
		break;
	case FACT_NAME:
		put_name(&r, &fact->name);
		break;
	case FACT_MAIL_DNS:
		put_mail_dns(&r, &fact->mail_dns);
		break;
	case FACT_HANDSHAKE:
		put_handshake(&r, &fact->handshake);
		break;
	case FACT_MAIL_SESSION:
		put_mail_session(&r, &fact->mail_session);
		break;
	case FACT_CERTIFICATE:
		put_certificate(&r, &fact->certificate);
		break;
	case FACT_LOGIN:
		put_login(&r, &fact->login);
		break;
	case FACT_DISCLOSURE:
		put_disclosure(&r, &fact->disclosure);
		break;
	case FACT_FLOW_SAMPLE:
		put_flow_sample(&r, &fact->flow_sample);
		break;
	case FACT_PACKET:
		put_packet(&r, &fact->packet);
		break;
	case FACT_END:
		break;
	}
}

bool store_add(struct store *st, const struct fact *facts, unsigned count)
{
	const struct fact **these = base_alloc_array(count, sizeof(*these));
	bool ok;

	for (unsigned i = 0; i < count; i++)
		these[i] = &facts[i];
	ok = store_add_these(st, these, count);
	free(these);
	return ok;
}
