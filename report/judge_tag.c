#include "report/judge_tag.h"

#include "capture/base.h"
#include "capture/flow_key.h"
#include "report/judge_client.h"
#include "report/judge_class.h"
#include "report/judge_contact.h"
#include "report/judge_coverage.h"
#include "report/judge_due.h"
#include "report/judge_name.h"
#include "report/key_set.h"

#include <stdlib.h>
#include <string.h>

struct tagger {
	const struct judge_part *part;
	struct host_table *hosts;
	struct coverage *coverage;
	struct endpoint_table *endpoints;
	struct ledger *ledger;
	struct class_table *classes;
	struct due *due;		/* NULL: it does not grow */
	struct key_set *strangers;	/* far ends that are no client, where it grows */
	struct namer *namer;
	sqlite3_stmt *insert_contact, *delete_contact;
	int64_t new_names;		/* the lowest id of those that were stored since it began last */
	int64_t until_ns;
	bool pids;			/* some flow has one, or that is not known */
	bool scanned;			/* of all that was stored before it was made, hosts and names are noted */
	bool ran;			/* once at least */
	bool others;			/* who is which client is another than it was */
	struct endpoint_key key;
	int64_t name_frame;		/* of the DNS answer in it; 0: none */
};

static bool is_loopback(const uint8_t *address)
{
	static const uint8_t v6[16] = { [15] = 1 }, v4[13] = { [10] = 0xff, 0xff, 127 };

	return memcmp(address, v6, 16) == 0 || memcmp(address, v4, 13) == 0;
}

static bool insert_contact(struct tagger *t, const struct contact *c)
{
	const struct ledger_flow *sums = &c->sums;
	sqlite3_stmt *q = t->insert_contact;
	char address[HOST_TEXT_SIZE];

	sqlite3_bind_int64(q, 1, c->flow->id);
	sqlite3_bind_int64(q, 2, sums->client);
	sqlite3_bind_int64(q, 3, sums->endpoint);
	sqlite3_bind_int(q, 4, sums->originated);
	sqlite3_bind_int(q, 5, sums->loopback);
	sqlite3_bind_blob(q, 6, sums->far, 16, SQLITE_STATIC);
	sqlite3_bind_int64(q, 7, sums->up);
	sqlite3_bind_int64(q, 8, sums->down);
	sqlite3_bind_int64(q, 9, sums->first_ns);
	sqlite3_bind_int64(q, 10, sums->last_ns);
	sqlite3_bind_int64(q, 11, c->flow->last_frame);
	sqlite3_bind_int(q, 12, c->flow->resp_port);
	sqlite3_bind_text(q, 13, c->transport, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 14, session_state_name(sums->state), -1, SQLITE_STATIC);
	sqlite3_bind_int(q, 15, sums->unnamed);
	sqlite3_bind_int64(q, 16, t->name_frame);
	sqlite3_bind_text(q, 17, contact_called(c, address), -1, SQLITE_STATIC);
	return store_do(t->part->st, q);
}

/* Contacts that nobody asks for one by one are in the ledger only. */
static bool write_contact(struct tagger *t, const struct contact *c, struct counted *counted)
{
	counted->sums = c->sums;
	counted->classes = (uint16_t)contact_classes(c, t->part->policy);
	counted->contact = counted->classes != 0 || c->transport != NULL || c->flow->disclosure || c->flow->process;
	return (!counted->contact || insert_contact(t, c)) &&
	       class_table_add(t->classes, counted->classes, c->flow->id) && ledger_add(t->ledger, &c->sums);
}

static bool take_back(void *context, const struct counted *counted)
{
	struct tagger *t = context;

	coverage_take_back(t->coverage, &counted->seen);
	if (counted->contact) {
		sqlite3_bind_int64(t->delete_contact, 1, counted->flow);
		if (!store_do(t->part->st, t->delete_contact))
			return false;
	}
	return class_table_take_back(t->classes, counted->classes, counted->flow) &&
	       ledger_take_back(t->ledger, &counted->sums);
}

static bool find_endpoint(struct tagger *t, const struct judge_flow *f, struct contact *c)
{
	const uint8_t *far = c->sums.far;

	memset(&t->key, 0, sizeof(t->key));
	memcpy(t->key.address, far, 16);
	t->key.own_server = policy_mail_server(t->part->policy, far);
	t->key.expected = policy_expected_address(t->part->policy, far);
	if (!namer_name(t->namer, f, c->sums.client, c->sums.originated, &t->key, &t->name_frame))
		return false;
	c->endpoint = endpoint_of(t->endpoints, &t->key);
	c->sums.endpoint = c->endpoint.id;
	return c->endpoint.id != 0;
}

/* A far end that was none's client when other flows of it were counted is one now, which concerns those as well. */
static void note_strangers(struct tagger *t, const struct host_key *near, const struct host_key *far, bool is_client)
{
	if (key_set_count(t->strangers) > 0 && key_set_find(t->strangers, near, sizeof(*near)) != 0)
		t->others = true;
	if (!is_client)
		key_set_add(t->strangers, far, sizeof(*far));
}

static bool tag_flow(struct tagger *t, const struct judge_flow *f)
{
	bool originated = client_is_originator(t->part, f->orig, f->resp);
	const uint8_t *near = originated ? f->orig : f->resp, *far = originated ? f->resp : f->orig;
	struct host_key near_key = client_key(t->part, f->id, near), far_key = client_key(t->part, f->id, far);
	struct counted counted = { .flow = f->id, .last_ns = f->last_ns, .judged_ns = t->until_ns, .rest_ns = f->rest_ns };
	unsigned clients[2];
	struct contact c = {
		.flow = f,
		.near = near,
		.sums = {
			.client = host_table_client(t->hosts, &near_key), .originated = originated,
			.loopback = is_loopback(f->orig) || is_loopback(f->resp),
			.up = f->payload[!originated], .down = f->payload[originated],
			.first_ns = f->first_ns, .last_ns = f->last_ns,
			.read = f->credential || f->mail_moved,
		},
	};

	/* One end has no address yet (DHCP): it is nobody, and nothing gets there. */
	if (c.sums.client == 0)
		return true;
	memcpy(c.sums.far, far, sizeof(c.sums.far));
	clients[!originated] = c.sums.client;
	clients[originated] = host_table_client(t->hosts, &far_key);
	if (t->due != NULL)
		note_strangers(t, &near_key, &far_key, clients[originated] != 0);
	counted.seen = coverage_of(f, clients);
	coverage_add(t->coverage, &counted.seen);
	if (!find_endpoint(t, f, &c))
		return false;
	contact_describe(&c);
	if (!write_contact(t, &c, &counted))
		return false;
	if (t->due != NULL && !due_count(t->due, &counted))
		t->others = true;
	return true;
}

static bool tag_flows(struct tagger *t)
{
	struct flow_reader *r = flow_reader_open(t->part);
	struct judge_flow flow;
	bool ok = r != NULL;

	while (ok && !t->others && flow_reader_next(r, &flow))
		ok = tag_flow(t, &flow);
	return (flow_reader_close(&r) || t->others) && ok;
}

/* Once it is known who is one client. */
static bool tag_all(struct tagger *t)
{
	ledger_clients(t->ledger, host_table_clients(t->hosts));
	coverage_clients(t->coverage, host_table_clients(t->hosts));
	return (!t->part->only_due || due_take_back(t->due, take_back, t)) && tag_flows(t) &&
	       class_table_write(t->classes) && ledger_write(t->ledger) &&
	       client_write(t->part, t->hosts, t->ledger) && coverage_write(t->coverage, t->part->st);
}

static void note_name(struct tagger *t, const struct fact_name *name)
{
	if (name->kind != NAME_DNS)
		return;
	namer_note(t->namer, name->address);
	if ((int64_t)name->id < t->new_names)
		t->new_names = (int64_t)name->id;
}

static void note_flow(struct tagger *t, const struct fact_flow *f, struct due_flow *due)
{
	const uint8_t *near, *low = memcmp(f->orig_addr, f->resp_addr, 16) < 0 ? f->orig_addr : f->resp_addr;

	due->row = true;
	due->over = f->over;
	t->pids = t->pids || f->pid != 0;
	/* As in view flow_with_content. */
	if (f->payload[0] == 0 && f->payload[1] == 0 && f->missing[0] == 0 && f->missing[1] == 0)
		return;
	near = client_note_host(t->part, t->hosts, &(struct client_flow){
		.id = (int64_t)f->id, .first_ns = f->first_ns, .last_ns = f->last_ns,
		.orig = f->orig_addr, .resp = f->resp_addr,
		.orig_mac = f->has_mac ? f->orig_mac : NULL, .resp_mac = f->has_mac ? f->resp_mac : NULL });
	due->near_low = near == low;
	due->near_high = near != low;
}

void tagger_stored(struct tagger *t, const struct fact *fact)
{
	struct due_flow due = { 0 };

	switch (fact->kind) {
	case FACT_NAME:
		note_name(t, &fact->name);
		break;
	case FACT_FLOW:
		note_flow(t, &fact->flow, &due);
		due.flow = (int64_t)fact->flow.id;
		break;
	case FACT_LOSS:
		due.flow = (int64_t)fact->loss.flow;
		break;
	case FACT_MAIL_DNS:
	case FACT_PACKET:
		break;
	default:
		due.flow = (int64_t)fact_id(fact);
	}
	if (due.flow != 0 && t->due != NULL)
		due_stored(t->due, &due);
}

bool tagger_knows_no_pids(const struct tagger *t)
{
	return !t->pids;
}

bool tagger_goes_on(struct tagger *t)
{
	return t->due != NULL ? !due_is_lost(t->due) : !t->ran;
}

bool tagger_begin(struct tagger *t, struct judge_part *part_out)
{
	part_out->only_due = t->ran;
	part_out->new_names = part_out->only_due ? t->new_names : 0;
	t->new_names = INT64_MAX;
	return due_write(t->due, t->part->st);
}

static bool scan(struct tagger *t)
{
	return t->scanned || (t->scanned = client_note_hosts(t->part, t->hosts) && namer_note_all(t->namer));
}

enum tag_end tagger_run(struct tagger *t, int64_t until_ns)
{
	bool ok;

	t->until_ns = until_ns;
	if (!scan(t))
		return TAG_FAILED;
	t->others = !host_table_group(t->hosts);
	ok = t->others || tag_all(t);
	if (ok && t->due != NULL)
		due_done(t->due, until_ns);
	t->ran = true;
	return !ok ? TAG_FAILED : t->others ? TAG_ANEW : TAG_DONE;
}

struct tagger *tagger_new(const struct judge_part *part, bool grows, bool empty)
{
	struct tagger *t = base_alloc(sizeof(*t));

	t->part = part;
	t->hosts = host_table_new();
	t->coverage = coverage_new();
	t->endpoints = endpoint_table_new(part);
	t->ledger = ledger_new(part);
	t->classes = class_table_new(part);
	t->due = grows ? due_new() : NULL;
	t->strangers = key_set_new();
	t->new_names = INT64_MAX;
	t->scanned = empty;
	t->pids = !empty;
	t->insert_contact = store_prepare(part->st, "INSERT INTO contact VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
	t->delete_contact = store_prepare(part->st, "DELETE FROM contact WHERE flow = ?");
	t->namer = t->endpoints != NULL ? namer_new(part, t->endpoints, t->hosts) : NULL;
	if (t->namer == NULL || t->ledger == NULL || t->classes == NULL || t->insert_contact == NULL ||
	    t->delete_contact == NULL)
		tagger_free(&t);
	return t;
}

void tagger_free(struct tagger **t)
{
	if (*t == NULL)
		return;
	namer_free(&(*t)->namer);
	ledger_free(&(*t)->ledger);
	class_table_free(&(*t)->classes);
	endpoint_table_free(&(*t)->endpoints);
	host_table_free(&(*t)->hosts);
	coverage_free(&(*t)->coverage);
	due_free(&(*t)->due);
	key_set_free(&(*t)->strangers);
	sqlite3_finalize((*t)->insert_contact);
	sqlite3_finalize((*t)->delete_contact);
	free(*t);
	*t = NULL;
}
