#include "report/emit_html.h"

#include "report/emit_process.h"
#include "report/emit_words.h"
#include "report/plain.h"

#include <string.h>

#define DESTINATIONS_SHOWN 12	/* of one client; the JSON has all */

/* The rows of one client stand under its name. */
static void client_row(const struct html_report *r, const struct view_client *c, const char *columns)
{
	char who[EMIT_HTML_CLIENT_SIZE];

	emit_html_client_words(r, c->address, c->vantage, c->name, who);
	html_open(r->h, "tr", "class", "group", NULL);
	html_element(r->h, "th", who, "scope", "rowgroup", "colspan", columns, NULL);
	html_close(r->h);
}

static void destination_row(struct html *h, const struct view_destination *d)
{
	enum plain_party party = plain_party(d->role, d->provider);
	char bytes[PLAIN_BYTES_SIZE], look[32];

	snprintf(look, sizeof(look), "sign look%u", party);
	html_open(h, "tr", NULL);
	html_open(h, "th", "scope", "row", NULL);
	html_element(h, "span", "", "class", look, NULL);
	html_text_cut(h, d->title, 120);
	html_open(h, "small", NULL);
	html_printf(h, " %s", plain_party_words(party));
	if (d->service[0] != '\0')
		html_printf(h, " (%s)", d->service);
	html_close(h);
	html_close(h);
	html_element(h, "td", plain_bytes(d->up, bytes), "class", "number", NULL);
	html_element(h, "td", plain_bytes(d->down, bytes), "class", "number", NULL);
	html_open(h, "td", NULL);
	html_text(h, plain_certainty(d->strength));
	html_open(h, "small", NULL);
	html_printf(h, " %s", plain_named_by(d->named_by));
	html_close(h);
	html_close(h);
	html_close(h);
}

static void rest_row(struct html *h, unsigned count, int64_t up, int64_t down)
{
	char bytes[PLAIN_BYTES_SIZE];

	html_open(h, "tr", NULL);
	html_open(h, "th", "scope", "row", NULL);
	html_printf(h, "%u more, that less was sent to", count);
	html_close(h);
	html_element(h, "td", plain_bytes(up, bytes), "class", "number", NULL);
	html_element(h, "td", plain_bytes(down, bytes), "class", "number", NULL);
	html_element(h, "td", "", NULL);
	html_close(h);
}

static bool destination_rows(const struct html_report *r, const struct view_client *c)
{
	struct view v = view_destinations(r->st, c->id);
	struct view_destination d;
	unsigned count = 0;
	int64_t up = 0, down = 0;

	while (view_destination(&v, &d)) {
		if (count == 0)
			client_row(r, c, "4");
		if (count++ < DESTINATIONS_SHOWN) {
			destination_row(r->h, &d);
		} else {
			up += d.up;
			down += d.down;
		}
	}
	if (count > DESTINATIONS_SHOWN)
		rest_row(r->h, count - DESTINATIONS_SHOWN, up, down);
	return view_end(&v);
}

static int64_t count_of(const struct html_report *r, const char *sql)
{
	struct view v = view_ask(r->st, sql, r->client);
	int64_t count = view_row(&v) ? view_number(&v, 0) : -1;

	sqlite3_reset(v.q);
	return count;
}

bool emit_html_destinations(const struct html_report *r)
{
	static const char *const headings[] = { "Whose server", "Sent up", "Came down", "How sure", NULL };
	int64_t count = count_of(r, "SELECT count(*) FROM destination WHERE ?1 IN (0, client)");
	struct view v;
	struct view_client c;
	bool ok = true;

	if (count <= 0)
		return count == 0;
	html_section(r->h, "destinations", "Who sent how much to whom");
	html_table(r->h, "Sent up: what left the client. Came down: what it got from there.", headings);
	v = view_clients(r->st);
	while (ok && view_client(&v, &c))
		ok = (r->client != 0 && r->client != c.id) || destination_rows(r, &c);
	html_table_end(r->h);
	html_close(r->h);
	return view_end(&v) && ok;
}

static bool items(struct html *h, struct view v)
{
	bool any = false;

	while (view_row(&v)) {
		if (!any)
			html_open(h, "ul", NULL);
		any = true;
		html_element(h, "li", view_text(&v, 0), NULL);
	}
	if (any)
		html_close(h);
	return view_end(&v);
}

static bool accounts(const struct html_report *r, int64_t client, bool all_traffic)
{
	struct view v = view_ask(r->st, "SELECT account, verdict, third_party, path FROM account_words WHERE client = ?1"
				 " AND 1 < (SELECT count(*) FROM account_verdict WHERE client = ?1) ORDER BY account", client);

	while (view_row(&v)) {
		html_open(r->h, "p", NULL);
		html_printf(r->h, "Account %s: %s: %s; %s.", view_text(&v, 0), plain_verdict(view_text(&v, 1)),
			    emit_third_party_words(view_text(&v, 2), all_traffic), emit_path_words(view_text(&v, 3)));
		html_close(r->h);
	}
	return view_end(&v);
}

static bool line(struct html *h, const char *label, struct view v)
{
	while (view_row(&v)) {
		html_open(h, "p", NULL);
		html_printf(h, "%s: %s", label, view_text(&v, 0));
		html_close(h);
	}
	return view_end(&v);
}

static void program_line(void *context, enum emit_process_line kind, const char *text)
{
	struct html *h = context;

	html_open(h, "p", NULL);
	html_printf(h, "%s: %s", kind == EMIT_PROGRAM ? "Program" : kind == EMIT_EXECUTABLE ? "Its file" : "It sent to", text);
	html_close(h);
}

static bool client_reasons(const struct html_report *r, const struct view_client *c, bool all_traffic)
{
	char who[EMIT_HTML_CLIENT_SIZE], id[32];

	snprintf(id, sizeof(id), "client-%lld", (long long)c->id);
	emit_html_client_words(r, c->address, c->vantage, c->name, who);
	html_open(r->h, "article", "id", id, NULL);
	html_open(r->h, "h3", NULL);
	html_printf(r->h, "%s: %s", who, plain_verdict(c->verdict));
	html_close(r->h);
	bool ok = items(r->h, view_reasons(r->st, c->id)) &&
		  accounts(r, c->id, all_traffic) &&
		  line(r->h, "Mail provider", view_ask(r->st,
			"SELECT coalesce(o.title, p.owner) || ' (' || p.how || ')' FROM client_provider AS p"
			" LEFT JOIN owner AS o ON o.owner = p.owner WHERE p.client = ?1 ORDER BY p.owner", c->id)) &&
		  line(r->h, "Coverage", view_coverage(r->st, c->id)) &&
		  emit_process_lines(r->st, EMIT_OF_CLIENT, c->id, program_line, r->h);

	html_close(r->h);
	return ok;
}

bool emit_html_reasons(const struct html_report *r)
{
	struct view v = view_clients(r->st);
	struct view_client c;
	bool all_traffic, ok = view_all_traffic(r->st, &all_traffic), any = false;

	while (ok && view_client(&v, &c)) {
		if (r->client != 0 && r->client != c.id)
			continue;
		if (!any)
			html_section(r->h, "reasons", "Why");
		any = true;
		ok = client_reasons(r, &c, all_traffic);
	}
	if (any)
		html_close(r->h);
	return view_end(&v) && ok;
}

static bool transport_rows(const struct html_report *r, const struct view_client *c)
{
	struct view v = view_ask(r->st, "SELECT w.words, s.sessions, w.counts_as FROM client_state AS s"
				 " JOIN state_word AS w ON w.state = s.state WHERE s.client = ?1 ORDER BY w.place", c->id);
	bool any = false;

	while (view_row(&v)) {
		if (!any)
			client_row(r, c, "3");
		any = true;
		html_open(r->h, "tr", NULL);
		html_element(r->h, "th", view_text(&v, 0), "scope", "row", NULL);
		html_element(r->h, "td", view_text(&v, 1), "class", "number", NULL);
		html_element(r->h, "td", plain_transport(view_text(&v, 2)), NULL);
		html_close(r->h);
	}
	return view_end(&v);
}

bool emit_html_transport(const struct html_report *r)
{
	static const char *const headings[] = { "How it travelled", "Connections", "What that means", NULL };
	int64_t count = count_of(r, "SELECT count(*) FROM client_state WHERE ?1 IN (0, client)");
	struct view v;
	struct view_client c;
	bool ok = true;

	if (count < 0)
		return false;
	html_section(r->h, "transport", "Sealed letter or postcard?");
	if (count == 0) {
		html_element(r->h, "p", "No mail connection that a client began was seen, so nothing is known of how its mail travels.", NULL);
		html_close(r->h);
		return true;
	}
	html_table(r->h, "How mail connections were protected on the way", headings);
	v = view_clients(r->st);
	while (ok && view_client(&v, &c))
		ok = (r->client != 0 && r->client != c.id) || transport_rows(r, &c);
	html_table_end(r->h);
	html_close(r->h);
	return view_end(&v) && ok;
}
