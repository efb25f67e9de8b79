/* view.h - what outputs ask of a judged case, each question in one place
 *
 * A view goes through the rows of one answer: begin it, take rows while there are any, end it. Text in a row
 * is borrowed until the next one is taken; "" where the case has none. One view of a kind at a time.
 *
 *	struct view v = view_clients(st);
 *	struct view_client c;
 *
 *	while (view_client(&v, &c))
 *		...
 *	return view_end(&v);
 *
 * Thread: the store's. Errors: view_end says whether all rows came, store_error why not. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "report/store_sql.h"

struct view {
	struct store *st;
	sqlite3_stmt *q;
	int rc;
};

/* Any question: sql is a literal, with ?1 in it bound to id. */
struct view view_ask(struct store *st, const char *sql, int64_t id);
bool view_row(struct view *v);
const char *view_text(const struct view *v, int column);
int64_t view_number(const struct view *v, int column);
bool view_end(struct view *v);

/* The run as a whole: one row. */
struct view_whole {
	const char *version, *verdict, *scope, *filter;
	int64_t from_ns, to_ns;		/* 0: nothing was watched */
};
struct view view_wholes(struct store *st);
bool view_whole(struct view *v, struct view_whole *whole_out);

/* SQL: whether a row's owner is its client's provider. A pair IN a select would go through all pairs each time. */
#define VIEW_IS_PROVIDER(row) \
	"EXISTS (SELECT 1 FROM client_provider AS p WHERE p.client = " row ".client AND p.owner = " row ".owner)"

/* Whether the run's scope is all traffic of a client. */
bool view_all_traffic(struct store *st, bool *all_traffic_out);

/* Sentences, one in a row: why a client's verdict is what it is (client 0: the whole's), what was seen of it; when
 * nobody watched, whose command was watched, whose data were used; addresses that were not judged. */
struct view view_reasons(struct store *st, int64_t client);
struct view view_coverage(struct store *st, int64_t client);
struct view view_gaps(struct store *st);
struct view view_commands(struct store *st);
struct view view_attributions(struct store *st);
struct view view_not_judged(struct store *st);

/* Clients that were judged. */
struct view_client {
	int64_t id;
	const char *address, *mac, *name, *verdict, *third_party, *path;
	const char *vantage;		/* "" where there is only one */
};
struct view view_clients(struct store *st);
bool view_client(struct view *v, struct view_client *client_out);

/* Where a client sent to, most first. */
struct view_destination {
	const char *owner, *title, *service, *role, *named_by, *strength;
	int64_t up, down, flows;
	bool provider;			/* the client's */
};
struct view view_destinations(struct store *st, int64_t client);
bool view_destination(struct view *v, struct view_destination *destination_out);

struct view_finding {
	int64_t id, client, first_ns, last_ns;
	const char *kind, *class, *strength, *sentence, *refuted_by;
	const char *address, *name, *vantage;	/* of the client; vantage "" where there is only one */
	const char *owner, *title, *account, *mechanism;
	int64_t secret_len;
};
/* One of them, or all: finding 0. */
struct view view_findings(struct store *st, int64_t finding);
bool view_finding(struct view *v, struct view_finding *finding_out);

/* The frames that show a finding, in order. */
struct view_frame {
	int64_t source, number;		/* as Wireshark counts in that source */
	const char *path;
	bool live;			/* of an interface: path names no file */
};
struct view view_frames(struct store *st, int64_t finding);
bool view_frame(struct view *v, struct view_frame *frame_out);

/* What was not seen, of whom; address "" is everyone. */
struct view_loss {
	const char *reason, *address;
	int64_t packets, bytes;
};
struct view view_losses(struct store *st);
bool view_loss(struct view *v, struct view_loss *loss_out);

struct view_source {
	const char *path, *sha256, *end, *why, *vantage;
	int64_t packets, first_ns, last_ns, at_byte;
};
/* The source of this number, or all: VIEW_ALL_SOURCES. */
#define VIEW_ALL_SOURCES (-1)
struct view view_sources(struct store *st, int64_t number);
bool view_source(struct view *v, struct view_source *source_out);

#endif
