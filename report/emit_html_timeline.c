#include "report/emit_html.h"

#include "capture/base.h"
#include "report/plain.h"
#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

#define LANES_MAX 8		/* of one client; the last of them is all the rest */
#define CLIENTS_MAX 12		/* drawn, those with leaks first */

/* In this order they stand below each other: then one sees with the eye who took whose place. */
enum lane_kind { LANE_PROVIDER, LANE_VENDOR, LANE_OTHER, LANE_INCOMING };

static const char *const lane_words[] = {
	"its mail provider, directly", "another company's mail service", "another mail server",
	"came to this mail server",
};

#define PROVIDER VIEW_IS_PROVIDER("s")

enum { C_KIND, C_OWNER, C_TITLE, C_ROLE, C_PROVIDER, C_FIRST, C_LAST, C_START, C_END, C_BYTES };

/* A row for each interval of each mail or vendor contact, or one without. */
static const char contact_sql[] =
	"SELECT CASE WHEN NOT s.originated AND s.transport IS NOT NULL THEN 3 WHEN " PROVIDER " THEN 0"
	"  WHEN s.flow IN (SELECT flow FROM contact_class WHERE class IN ('vendor', 'setup')) THEN 1 ELSE 2 END AS kind,"
	" s.owner, coalesce(o.title, s.owner), s.role, " PROVIDER ", s.first_ns, s.last_ns,"
	" p.start_ns, p.end_ns, p.orig_bytes + p.resp_bytes"
	" FROM (SELECT flow FROM contact WHERE client = ?1 AND transport IS NOT NULL"
	"  UNION SELECT flow FROM contact_class WHERE class IN ('vendor', 'setup')"
	"  UNION SELECT flow FROM web_mail_contact) AS k CROSS JOIN seen AS s LEFT JOIN owner AS o ON o.owner = s.owner"
	" LEFT JOIN flow_sample AS p ON p.flow = s.flow WHERE s.flow = k.flow AND s.client = ?1 AND NOT s.loopback"
	" ORDER BY kind, s.owner, s.flow, p.place";

struct lanes {
	struct svg_lane of[LANES_MAX];
	unsigned count, more;
};

static void next_lane(struct lanes *l, enum lane_kind kind, const char *title, enum plain_party party)
{
	struct svg_lane *lane;

	if (l->count < LANES_MAX)
		l->count++;
	else
		l->more++;
	lane = &l->of[l->count - 1];
	lane->look = party;
	snprintf(lane->note, sizeof(lane->note), "%s", lane_words[kind]);
	if (l->more > 0)
		snprintf(lane->label, sizeof(lane->label), "%u more", l->more + 1);
	else
		plain_name(title, lane->label);
}

static bool read_lanes(const struct html_report *r, int64_t client, const struct svg_timeline *line, struct lanes *l)
{
	struct view v = view_ask(r->st, contact_sql, client);
	char *owner = base_strdup("");
	int64_t kind = -1;

	while (view_row(&v)) {
		bool sampled = sqlite3_column_type(v.q, C_START) != SQLITE_NULL;

		if (view_number(&v, C_KIND) != kind || strcmp(owner, view_text(&v, C_OWNER)) != 0) {
			kind = view_number(&v, C_KIND);
			free(owner);
			owner = base_strdup(view_text(&v, C_OWNER));
			next_lane(l, (enum lane_kind)kind, view_text(&v, C_TITLE),
				  plain_party(view_text(&v, C_ROLE), view_number(&v, C_PROVIDER) != 0));
		}
		svg_lane_mark(&l->of[l->count - 1], line, view_number(&v, C_FIRST), view_number(&v, C_LAST),
			      sampled ? SVG_OPEN : SVG_BUSY);
		if (sampled && view_number(&v, C_BYTES) > 0)
			svg_lane_mark(&l->of[l->count - 1], line, view_number(&v, C_START), view_number(&v, C_END),
				      SVG_BUSY);
	}
	free(owner);
	return view_end(&v);
}

static bool draw(const struct html_report *r, int64_t client, const char *who, int64_t from_ns, int64_t to_ns,
		 bool *any)
{
	struct lanes *lanes = base_alloc(sizeof(*lanes));
	struct svg_timeline line = {
		.title = who, .from_ns = from_ns, .to_ns = to_ns, .lanes = lanes->of,
		.description = "When this client was in touch with its mail provider, and when with others. Each line is"
			" one company; a thick bar is data on its way, a thin one an open connection.",
	};
	bool ok = read_lanes(r, client, &line, lanes);

	line.lane_count = lanes->count;
	if (ok && lanes->count > 0) {
		*any = true;
		html_element(r->h, "h3", who, NULL);
		html_open(r->h, "div", "class", "picture", NULL);
		svg_timeline(r->h, &line);
		html_close(r->h);
	}
	free(lanes);
	return ok;
}

static bool clients(const struct html_report *r, const struct view_whole *w, bool *any)
{
	struct view v = view_ask(r->st, "SELECT id, host(address), name,"
				 " iif((SELECT count(DISTINCT vantage) FROM source) > 1, vantage, '') FROM client"
				 " WHERE judged AND ?1 IN (0, id)"
				 " ORDER BY CASE verdict WHEN 'leak' THEN 0 WHEN 'cannot-say' THEN 1 ELSE 2 END, id", r->client);
	char who[EMIT_HTML_CLIENT_SIZE];
	unsigned count = 0;
	bool ok = true;

	while (ok && view_row(&v)) {
		if (count++ >= CLIENTS_MAX)
			continue;
		emit_html_client_words(r, view_text(&v, 1), view_text(&v, 3), view_text(&v, 2), who);
		ok = draw(r, view_number(&v, 0), who, w->from_ns, w->to_ns, any);
	}
	if (count > CLIENTS_MAX) {
		html_open(r->h, "p", NULL);
		html_printf(r->h, "%u more clients are not drawn.", count - CLIENTS_MAX);
		html_close(r->h);
	}
	return view_end(&v) && ok;
}

bool emit_html_timeline(const struct html_report *r)
{
	struct view v = view_wholes(r->st);
	struct view_whole w;
	bool any = false, ok;

	html_section(r->h, "timeline", "When");
	html_element(r->h, "p", "Each line is one company. A thick bar is data on its way, a thin one an open connection."
		     " Times are UTC.", NULL);
	ok = view_whole(&v, &w) && clients(r, &w, &any);
	if (!any)
		html_element(r->h, "p", "No contact with a mail server was seen.", NULL);
	html_close(r->h);
	sqlite3_reset(v.q);
	return ok;
}
