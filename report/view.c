#include "report/view.h"

#include "capture/packet.h"

struct view view_ask(struct store *st, const char *sql, int64_t id)
{
	struct view v = { .st = st, .q = store_kept(st, sql), .rc = SQLITE_ERROR };

	if (v.q != NULL && sqlite3_bind_parameter_count(v.q) > 0)
		sqlite3_bind_int64(v.q, 1, id);
	return v;
}

bool view_row(struct view *v)
{
	if (v->q != NULL)
		v->rc = store_step(v->st, v->q);
	return v->rc == SQLITE_ROW;
}

const char *view_text(const struct view *v, int column)
{
	const char *text = (const char *)sqlite3_column_text(v->q, column);

	return text != NULL ? text : "";
}

int64_t view_number(const struct view *v, int column)
{
	return sqlite3_column_int64(v->q, column);
}

bool view_end(struct view *v)
{
	sqlite3_reset(v->q);
	return v->rc == SQLITE_DONE;
}

struct view view_wholes(struct store *st)
{
	return view_ask(st,
		"SELECT coalesce((SELECT verdict FROM verdict), 'cannot-say'),"
		" (SELECT min(first_ns) FROM source WHERE packets > 0),"
		" (SELECT max(last_ns) FROM source WHERE packets > 0), r.version, r.scope, r.filter"
		" FROM (SELECT 1) LEFT JOIN run AS r ON r.id = (SELECT min(id) FROM run)", 0);
}

bool view_whole(struct view *v, struct view_whole *whole_out)
{
	if (!view_row(v))
		return false;
	*whole_out = (struct view_whole){
		.verdict = view_text(v, 0), .from_ns = view_number(v, 1), .to_ns = view_number(v, 2),
		.version = view_text(v, 3), .scope = view_text(v, 4), .filter = view_text(v, 5),
	};
	return true;
}

bool view_all_traffic(struct store *st, bool *all_traffic_out)
{
	struct view v = view_ask(st, "SELECT scope = '" RUN_ALL_TRAFFIC "' FROM run ORDER BY id LIMIT 1", 0);

	*all_traffic_out = false;
	while (view_row(&v))
		*all_traffic_out = view_number(&v, 0) != 0;
	return view_end(&v);
}

struct view view_reasons(struct store *st, int64_t client)
{
	return view_ask(st, "SELECT sentence FROM because WHERE client = ?1 ORDER BY place", client);
}

struct view view_coverage(struct store *st, int64_t client)
{
	return view_ask(st, "SELECT words FROM coverage_words WHERE client = ?1", client);
}

struct view view_gaps(struct store *st)
{
	return view_ask(st, "SELECT words FROM (SELECT 0 AS deleted, run AS place, words FROM watch_gap"
			" UNION ALL SELECT 1, why, words FROM deleted_words) ORDER BY deleted, place", 0);
}

struct view view_commands(struct store *st)
{
	return view_ask(st, "SELECT words FROM command_words ORDER BY run", 0);
}

struct view view_attributions(struct store *st)
{
	return view_ask(st, "SELECT DISTINCT attribution FROM run WHERE attribution <> '' ORDER BY 1", 0);
}

struct view view_not_judged(struct store *st)
{
	return view_ask(st, "SELECT host(address) FROM client WHERE NOT judged ORDER BY address", 0);
}

#define VANTAGE(of) "iif((SELECT count(DISTINCT vantage) FROM source) > 1, " of ".vantage, '')"

#define MAC(column) \
	"iif(" column " IS NULL, NULL, lower(substr(hex(" column "), 1, 2) || ':' || substr(hex(" column "), 3, 2)" \
	" || ':' || substr(hex(" column "), 5, 2) || ':' || substr(hex(" column "), 7, 2) || ':' ||" \
	" substr(hex(" column "), 9, 2) || ':' || substr(hex(" column "), 11, 2)))"

struct view view_clients(struct store *st)
{
	return view_ask(st, "SELECT c.id, host(c.address), c.name, c.verdict, c.third_party, c.path, " VANTAGE("c")
			", " MAC("c.mac") " FROM client AS c WHERE c.judged ORDER BY c.id", 0);
}

bool view_client(struct view *v, struct view_client *client_out)
{
	if (!view_row(v))
		return false;
	*client_out = (struct view_client){
		.id = view_number(v, 0), .address = view_text(v, 1), .name = view_text(v, 2),
		.verdict = view_text(v, 3), .third_party = view_text(v, 4), .path = view_text(v, 5),
		.vantage = view_text(v, 6), .mac = view_text(v, 7),
	};
	return true;
}

struct view view_destinations(struct store *st, int64_t client)
{
	return view_ask(st,
		"SELECT d.owner, coalesce(o.title, d.owner), d.service, d.role, d.named_by, d.strength, d.bytes_up,"
		" d.bytes_down, d.flows, " VIEW_IS_PROVIDER("d")
		" FROM destination AS d LEFT JOIN owner AS o ON o.owner = d.owner WHERE d.client = ?1"
		" ORDER BY d.bytes_up DESC, d.owner, d.service, d.role, d.named_by, d.strength", client);
}

bool view_destination(struct view *v, struct view_destination *destination_out)
{
	if (!view_row(v))
		return false;
	*destination_out = (struct view_destination){
		.owner = view_text(v, 0), .title = view_text(v, 1), .service = view_text(v, 2),
		.role = view_text(v, 3), .named_by = view_text(v, 4), .strength = view_text(v, 5),
		.up = view_number(v, 6), .down = view_number(v, 7), .flows = view_number(v, 8),
		.provider = view_number(v, 9) != 0,
	};
	return true;
}

struct view view_findings(struct store *st, int64_t finding)
{
	return view_ask(st,
		"SELECT f.id, f.client, f.first_ns, f.last_ns, f.kind, f.class, f.strength, f.sentence, f.refuted_by,"
		" host(c.address), c.name, " VANTAGE("c") ", f.owner, coalesce(o.title, f.owner), f.account, f.mechanism, f.secret_len"
		" FROM finding AS f JOIN client AS c ON c.id = f.client LEFT JOIN owner AS o ON o.owner = f.owner"
		" WHERE ?1 IN (0, f.id) ORDER BY f.id", finding);
}

bool view_finding(struct view *v, struct view_finding *finding_out)
{
	if (!view_row(v))
		return false;
	*finding_out = (struct view_finding){
		.id = view_number(v, 0), .client = view_number(v, 1), .first_ns = view_number(v, 2),
		.last_ns = view_number(v, 3), .kind = view_text(v, 4), .class = view_text(v, 5),
		.strength = view_text(v, 6), .sentence = view_text(v, 7), .refuted_by = view_text(v, 8),
		.address = view_text(v, 9), .name = view_text(v, 10), .vantage = view_text(v, 11),
		.owner = view_text(v, 12), .title = view_text(v, 13), .account = view_text(v, 14),
		.mechanism = view_text(v, 15), .secret_len = view_number(v, 16),
	};
	return true;
}

struct view view_frames(struct store *st, int64_t finding)
{
	return view_ask(st, "SELECT e.frame, s.path, s.sha256 FROM evidence AS e LEFT JOIN source AS s ON s.number = e.frame >> 40"
			" WHERE e.finding = ?1 ORDER BY e.frame", finding);
}

bool view_frame(struct view *v, struct view_frame *frame_out)
{
	if (!view_row(v))
		return false;
	*frame_out = (struct view_frame){
		.source = view_number(v, 0) >> FRAME_BITS, .number = view_number(v, 0) & ((1LL << FRAME_BITS) - 1),
		.path = view_text(v, 1), .live = view_text(v, 2)[0] == '\0',
	};
	return true;
}

struct view view_losses(struct store *st)
{
	return view_ask(st, "SELECT l.reason, (SELECT host(address) FROM client AS c WHERE c.id = l.client), l.packets,"
			" l.bytes FROM client_loss AS l ORDER BY l.client, l.reason", 0);
}

bool view_loss(struct view *v, struct view_loss *loss_out)
{
	if (!view_row(v))
		return false;
	*loss_out = (struct view_loss){
		.reason = view_text(v, 0), .address = view_text(v, 1), .packets = view_number(v, 2),
		.bytes = view_number(v, 3),
	};
	return true;
}

struct view view_sources(struct store *st, int64_t number)
{
	return view_ask(st, "SELECT path, sha256, end, why, vantage, packets, first_ns, last_ns, at_byte FROM source"
			" WHERE ?1 IN (-1, number) ORDER BY number", number);
}

bool view_source(struct view *v, struct view_source *source_out)
{
	if (!view_row(v))
		return false;
	*source_out = (struct view_source){
		.path = view_text(v, 0), .sha256 = view_text(v, 1), .end = view_text(v, 2), .why = view_text(v, 3),
		.vantage = view_text(v, 4), .packets = view_number(v, 5), .first_ns = view_number(v, 6),
		.last_ns = view_number(v, 7), .at_byte = view_number(v, 8),
	};
	return true;
}
