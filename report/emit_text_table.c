#include "report/emit_text.h"

#include "report/plain.h"
#include "report/view.h"

#include <string.h>

#define DESTINATIONS_SHOWN 40	/* of one client; the JSON has all */
#define NAME_MIN 16		/* columns that names have in a table; with less it is a list */
#define GAP 2
#define BYTES 11		/* columns of what plain_bytes says */
#define FLOWS 7

/* Where the columns of the table are. */
struct table {
	unsigned role, up, down, flows, named;	/* those of numbers end there */
	bool list;
};

static const char *name_of(const struct view_destination *d)
{
	return d->service[0] != '\0' ? d->service : d->owner;
}

static unsigned wider(unsigned columns, const char *text)
{
	unsigned width = lines_width(text);

	return width > columns ? width : columns;
}

static const char *role_of(const struct view_destination *d)
{
	return d->provider ? "its provider" : d->role;
}

/* A name that is wider than all others have room for is no reason to make them narrow. */
static bool measure(struct store *st, int64_t client, const struct lines *l, struct table *t)
{
	unsigned name = lines_width("destination"), role = lines_width("role"), named = lines_width("named by"), rest;
	struct view v = view_destinations(st, client);
	struct view_destination d;

	for (unsigned i = 0; view_destination(&v, &d); i++) {
		if (i >= DESTINATIONS_SHOWN)
			continue;
		name = wider(name, name_of(&d));
		role = wider(role, role_of(&d));
		named = wider(named, d.named_by);
	}
	rest = GAP + GAP + role + 2 * (GAP + BYTES) + FLOWS + GAP + named;
	t->list = rest + NAME_MIN > l->columns;
	if (!t->list && rest + name > l->columns)
		name = l->columns - rest;
	t->role = GAP + name + GAP;
	t->up = t->role + role + GAP + BYTES;
	t->down = t->up + GAP + BYTES;
	t->flows = t->down + FLOWS;
	t->named = t->flows + GAP;
	return view_end(&v);
}

static void header(struct lines *l, const struct table *t)
{
	lines_indent(l, GAP, GAP);
	if (t->list) {
		lines_text(l, "destinations");
	} else {
		lines_text(l, "destination");
		lines_to(l, t->role);
		lines_text(l, "role");
		lines_right(l, t->up, "sent up");
		lines_right(l, t->down, "came down");
		lines_right(l, t->flows, "flows");
		lines_to(l, t->named);
		lines_whole(l, "named by");
	}
	lines_end(l);
}

static void row(struct lines *l, const struct table *t, const struct view_destination *d)
{
	char up[PLAIN_BYTES_SIZE], down[PLAIN_BYTES_SIZE], flows[PLAIN_COUNT_SIZE];

	plain_bytes(d->up, up);
	plain_bytes(d->down, down);
	plain_count(d->flows, flows);
	lines_indent(l, t->list ? 2 * GAP : GAP, 3 * GAP);
	lines_whole(l, name_of(d));
	if (t->list) {
		lines_printf(l, ": %s; ", role_of(d));
		lines_whole(l, up);
		lines_text(l, " up, ");
		lines_whole(l, down);
		lines_printf(l, " down, %s flow%s, named by %s", flows, d->flows == 1 ? "" : "s", d->named_by);
	} else {
		if (GAP + lines_width(name_of(d)) + GAP > t->role) {
			lines_end(l);
			lines_indent(l, GAP, GAP);
		}
		lines_to(l, t->role);
		lines_text(l, role_of(d));
		lines_right(l, t->up, up);
		lines_right(l, t->down, down);
		lines_right(l, t->flows, flows);
		lines_to(l, t->named);
		lines_whole(l, d->named_by);
	}
	lines_end(l);
}

bool emit_text_destinations(struct store *st, int64_t client, struct lines *l)
{
	struct view_destination d;
	unsigned count = 0;
	struct table t;
	struct view v;

	if (!measure(st, client, l, &t))
		return false;
	v = view_destinations(st, client);
	while (view_destination(&v, &d)) {
		if (count++ == 0)
			header(l, &t);
		if (count <= DESTINATIONS_SHOWN)
			row(l, &t, &d);
	}
	if (count > DESTINATIONS_SHOWN) {
		lines_indent(l, GAP, 2 * GAP);
		lines_printf(l, "and %u more that were sent less", count - DESTINATIONS_SHOWN);
		lines_end(l);
	}
	return view_end(&v);
}
