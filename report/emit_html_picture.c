#include "report/emit_html.h"

#include "capture/base.h"
#include "report/plain.h"
#include "report/svg.h"

#include <stdlib.h>
#include <string.h>

#define BARS_MAX 12		/* of one side; the last of them is all the rest */

/* A client, or an owner in one of the parts that it plays. */
struct end {
	int64_t id;		/* of a client */
	char *label;
	unsigned rank;		/* what comes first, before the amount */
	enum plain_party party;
	int64_t up;
	unsigned place;		/* the bar that it is drawn as */
};

struct ends {
	struct end *of;
	unsigned count;
};

struct picture {
	struct ends clients, owners;	/* clients in the order of their ids */
	struct { unsigned client, owner; int64_t up; } *bands;
	unsigned band_count;
};

static struct end *add_end(struct ends *ends)
{
	if ((ends->count & (ends->count - 1)) == 0)	/* doubles at each power of two */
		ends->of = base_realloc(ends->of, (ends->count > 0 ? 2 * ends->count : 1) * sizeof(ends->of[0]));
	ends->of[ends->count] = (struct end){ 0 };
	return &ends->of[ends->count++];
}

static bool read_clients(const struct html_report *r, struct picture *p)
{
	struct view v = view_clients(r->st);
	struct view_client c;
	char who[EMIT_HTML_CLIENT_SIZE];

	while (view_client(&v, &c)) {
		if (r->client != 0 && r->client != c.id)
			continue;
		struct end *client = add_end(&p->clients);

		emit_html_client_words(r, c.address, c.vantage, c.name, who);
		client->id = c.id;
		client->label = base_strdup(who);
		client->party = PARTY_CLIENT;
		client->rank = strcmp(c.verdict, "leak") == 0 ? 0 : strcmp(c.verdict, "clean") == 0 ? 2 : 1;
	}
	return view_end(&v);
}

static int by_id(const void *a, const void *b)
{
	int64_t x = ((const struct end *)a)->id, y = ((const struct end *)b)->id;

	return (x > y) - (x < y);
}

/* Rows come in the order of owners, and one has few parts. */
static unsigned owner_of(struct picture *p, const char *owner, unsigned *first, const char *title,
			 enum plain_party party, char **before)
{
	char name[PLAIN_NAME_SIZE];

	if (*before == NULL || strcmp(*before, owner) != 0) {
		free(*before);
		*before = base_strdup(owner);
		*first = p->owners.count;
	}
	for (unsigned i = *first; i < p->owners.count; i++)
		if (p->owners.of[i].party == party)
			return i;
	struct end *end = add_end(&p->owners);

	end->label = base_strdup(plain_name(title, name));
	end->party = party;
	return p->owners.count - 1;
}

static bool read_bands(const struct html_report *r, struct picture *p)
{
	struct view v = view_ask(r->st,
		"SELECT d.owner, coalesce(o.title, d.owner), d.role,"
		" " VIEW_IS_PROVIDER("d") ", d.client, d.bytes_up"
		" FROM destination AS d LEFT JOIN owner AS o ON o.owner = d.owner WHERE ?1 IN (0, d.client)"
		" ORDER BY d.owner, d.client, d.role", r->client);
	char *before = NULL;
	unsigned first = 0;

	while (view_row(&v)) {
		struct end key = { .id = view_number(&v, 4) };
		struct end *client = p->clients.count == 0 ? NULL : bsearch(&key, p->clients.of, p->clients.count,
									    sizeof(key), by_id);
		enum plain_party party = plain_party(view_text(&v, 2), view_number(&v, 3) != 0);
		unsigned owner = owner_of(p, view_text(&v, 0), &first, view_text(&v, 1), party, &before);

		if (client == NULL)
			continue;
		client->up += view_number(&v, 5);
		p->owners.of[owner].up += view_number(&v, 5);
		if ((p->band_count & (p->band_count - 1)) == 0)
			p->bands = base_realloc(p->bands, (p->band_count > 0 ? 2 * p->band_count : 1) *
						sizeof(p->bands[0]));
		p->bands[p->band_count].client = (unsigned)(client - p->clients.of);
		p->bands[p->band_count].owner = owner;
		p->bands[p->band_count++].up = view_number(&v, 5);
	}
	free(before);
	return view_end(&v);
}

static int by_interest(const void *a, const void *b)
{
	const struct end *x = *(const struct end *const *)a, *y = *(const struct end *const *)b;

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->up != y->up)
		return x->up > y->up ? -1 : 1;
	return (x > y) - (x < y);
}

/* Gives each its bar, and makes the bars; returns how many. Labels that are new are in `made`. */
static unsigned make_bars(struct ends *ends, const char *rest, struct svg_bar bars[BARS_MAX],
			  char notes[BARS_MAX][128], char made[64])
{
	struct end **sorted = base_alloc_array(ends->count, sizeof(struct end *));
	unsigned count = ends->count < BARS_MAX ? ends->count : BARS_MAX;
	int64_t up[BARS_MAX] = { 0 };
	char bytes[PLAIN_BYTES_SIZE];

	for (unsigned i = 0; i < ends->count; i++)
		sorted[i] = &ends->of[i];
	qsort(sorted, ends->count, sizeof(struct end *), by_interest);
	for (unsigned i = 0; i < ends->count; i++) {
		sorted[i]->place = i < count ? i : count - 1;
		up[sorted[i]->place] += sorted[i]->up;
	}
	for (unsigned i = 0; i < count; i++) {
		bool many = i == BARS_MAX - 1 && ends->count > BARS_MAX;
		bool client = sorted[i]->party == PARTY_CLIENT;

		if (many)
			snprintf(made, 64, "%u %s", ends->count - BARS_MAX + 1, rest);
		snprintf(notes[i], 128, "%s%s%s", plain_bytes(up[i], bytes), client ? " sent up" : " up · ",
			 client ? "" : many ? "see the table" : plain_party_words(sorted[i]->party));
		bars[i] = (struct svg_bar){ many ? made : sorted[i]->label, notes[i],
					    many && !client ? PARTY_OTHER : sorted[i]->party };
	}
	free(sorted);
	return count;
}

static void draw(const struct html_report *r, struct picture *p)
{
	struct svg_bar left[BARS_MAX], right[BARS_MAX];
	char left_notes[BARS_MAX][128], right_notes[BARS_MAX][128], left_made[64], right_made[64];
	struct svg_flow flow = {
		.title = "Whose servers the data went to", .left = left, .right = right,
		.description = "On the left the clients, on the right the companies whose servers they sent data to. The"
			" thicker a band is, the more was sent up. The table below says the same in numbers.",
	};
	int64_t sums[BARS_MAX][BARS_MAX] = { { 0 } };
	bool any[BARS_MAX][BARS_MAX] = { { false } };
	struct svg_band bands[BARS_MAX * BARS_MAX];

	flow.left_count = make_bars(&p->clients, "more clients", left, left_notes, left_made);
	flow.right_count = make_bars(&p->owners, "more", right, right_notes, right_made);
	for (unsigned i = 0; i < p->band_count; i++) {
		unsigned from = p->clients.of[p->bands[i].client].place, to = p->owners.of[p->bands[i].owner].place;

		sums[from][to] += p->bands[i].up;
		any[from][to] = true;
	}
	flow.bands = bands;
	for (unsigned from = 0; from < flow.left_count; from++)
		for (unsigned to = 0; to < flow.right_count; to++)
			if (any[from][to])
				bands[flow.band_count++] = (struct svg_band){ from, to, sums[from][to] };
	svg_flow(r->h, &flow);
}

static void ends_free(struct ends *ends)
{
	for (unsigned i = 0; i < ends->count; i++)
		free(ends->of[i].label);
	free(ends->of);
}

bool emit_html_picture(const struct html_report *r)
{
	struct picture p = { 0 };
	bool ok = read_clients(r, &p) && read_bands(r, &p);

	if (ok && p.band_count > 0) {
		html_section(r->h, "picture", "Whose servers the data went to");
		html_open(r->h, "div", "class", "picture", NULL);
		draw(r, &p);
		html_close(r->h);
		html_close(r->h);
	}
	ends_free(&p.clients);
	ends_free(&p.owners);
	free(p.bands);
	return ok;
}
