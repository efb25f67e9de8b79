/* What programs ask the dashboard for: the report as JSON, the packets of a finding, figures for Prometheus. */
#include "report/serve_part.h"

#include "capture/base.h"
#include "report/emit_words.h"
#include "report/evidence.h"
#include "report/view.h"

#include <stdlib.h>
#include <sysexits.h>

enum serve_made serve_report(const struct serve_request *r, FILE *out)
{
	return emit_json(r->st, &r->serve->settings.emit, out) ? SERVE_MADE : SERVE_FAILED;
}

bool serve_is_small(struct store *st)
{
	static const char sql[] = "SELECT max((SELECT count(*) FROM finding), (SELECT count(*) FROM client WHERE judged))";

	return store_number(st, sql, SERVE_REPORT_MAX + 1) <= SERVE_REPORT_MAX;
}

enum serve_made serve_report_page(const struct serve_request *r, FILE *out)
{
	if (!serve_is_small(r->st))
		return SERVE_NONE;
	return emit_html(r->st, &r->serve->settings.emit, out) ? SERVE_MADE : SERVE_FAILED;
}

enum serve_made serve_letter(const struct serve_request *r, FILE *out)
{
	struct view v = view_ask(r->st, "SELECT 1 FROM finding WHERE id = ?1", r->id);
	bool there = false;

	while (view_row(&v))
		there = true;
	if (!view_end(&v))
		return SERVE_FAILED;
	return !there ? SERVE_NONE : emit_letter(r->st, r->id, LETTER_TO_FIT, out) ? SERVE_MADE : SERVE_FAILED;
}

enum serve_made serve_evidence(const struct serve_request *r, FILE *out)
{
	char error[512];
	int status = evidence_write(r->st, r->id, "mailwitness", out, error, sizeof(error));

	return status == EX_OK ? SERVE_MADE : status == EX_NOINPUT || status == EX_DATAERR ? SERVE_NONE : SERVE_FAILED;
}

/* The text format, version 0.0.4: a label's value is UTF-8, as people are shown it, with backslash and quote escaped. */
static void label(FILE *out, const char *before, const char *name, const char *value)
{
	char *text = NULL;
	size_t size;
	FILE *clean = base_checked(open_memstream(&text, &size));

	emit_clean(clean, value);
	fclose(clean);
	fprintf(out, "%s%s=\"", before, name);
	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			putc('\\', out);
		putc(*at, out);
	}
	putc('"', out);
	free(text);
}

struct metric {
	const char *name, *type, *help;
	const char *sql;	/* rows of the value and then of labels, which are called as the columns */
};

static const struct metric metrics[] = {
	{ "mailwitness_clients", "gauge", "Mail clients by verdict.",
	  "SELECT count(c.id), v.verdict FROM (SELECT 'clean' AS verdict UNION ALL SELECT 'leak' UNION ALL SELECT"
	  " 'cannot-say') AS v LEFT JOIN client AS c ON c.verdict = v.verdict AND c.judged GROUP BY v.verdict ORDER BY 2" },
	{ "mailwitness_findings", "gauge", "Findings by kind, class and strength.",
	  "SELECT count(*), kind, class, strength FROM finding GROUP BY kind, class, strength ORDER BY 2, 3, 4" },
	{ "mailwitness_flows", "gauge", "Conversations in the case.", "SELECT count(*) FROM flow" },
	{ "mailwitness_source_packets_total", "counter", "Packets read, by source.",
	  "SELECT sum(packets), path AS source FROM source GROUP BY path ORDER BY path" },
	{ "mailwitness_lost_packets_total", "counter", "Packets known not to have been seen, by reason.",
	  "SELECT sum(packets), reason FROM loss GROUP BY reason ORDER BY reason" },
	{ "mailwitness_last_packet_timestamp_seconds", "gauge", "Time of the last packet.",
	  "SELECT max(last_ns) / 1e9 FROM source WHERE packets > 0 HAVING count(*) > 0" },
	{ "mailwitness_build_info", "gauge", "The program and the catalogue that judged.",
	  "SELECT 1, version, catalogue_version AS catalogue FROM run ORDER BY id DESC LIMIT 1" },
};

static bool metric(const struct serve_request *r, const struct metric *m, FILE *out)
{
	struct view v = view_ask(r->st, m->sql, 0);

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
	while (view_row(&v)) {
		fputs(m->name, out);
		for (int i = 1; i < sqlite3_column_count(v.q); i++)
			label(out, i == 1 ? "{" : ",", sqlite3_column_name(v.q, i), view_text(&v, i));
		fprintf(out, "%s %s\n", sqlite3_column_count(v.q) > 1 ? "}" : "", view_text(&v, 0));
	}
	return view_end(&v);
}

enum serve_made serve_metrics(const struct serve_request *r, FILE *out)
{
	struct serve *s = r->serve;
	bool ok = true;

	for (unsigned i = 0; ok && i < sizeof(metrics) / sizeof(metrics[0]); i++)
		ok = metric(r, &metrics[i], out);
	fputs("# HELP mailwitness_http_requests_total Requests by status.\n"
	      "# TYPE mailwitness_http_requests_total counter\n", out);
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < SERVE_STATUSES && s->statuses[i] != 0; i++)
		fprintf(out, "mailwitness_http_requests_total{code=\"%u\"} %llu\n", s->statuses[i],
			(unsigned long long)s->counts[i]);
	pthread_mutex_unlock(&s->lock);
	return ok ? SERVE_MADE : SERVE_FAILED;
}
