/* The experiment with a canary account, told step by step: what was typed where, what was seen at either end,
 * what that proves, and what would refute it. */
#include "report/emit_text.h"

#include "capture/packet.h"
#include "report/emit_words.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>

#define FRAME_MASK "((1 << 40) - 1)"
#define AT(frame) "(SELECT path FROM source WHERE number = " frame " >> 40) || ' frame ' || (" frame " & " FRAME_MASK ")"

/* A paragraph for each row of text, time and text; times may be NULL. `otherwise` where there is none. */
static bool lines(struct store *st, struct lines *l, const char *sql, const char *otherwise)
{
	struct view v = view_ask(st, sql, 0);
	char time[EMIT_TIME_SIZE];
	unsigned count = 0;

	while (view_row(&v)) {
		count++;
		emit_time(view_number(&v, 1), time);
		lines_indent(l, 3, 3);
		lines_text(l, view_text(&v, 0));
		lines_text(l, time);
		lines_text(l, view_text(&v, 2));
		lines_end(l);
	}
	if (v.rc == SQLITE_DONE && count == 0)
		lines_say(l, 3, 3, "", otherwise);
	return view_end(&v);
}

static const char typed_sql[] =
	"SELECT printf('The password of %s, into the client under test and nowhere else. That is what --canary says;"
	" no capture can show it.', account), NULL, '' FROM canary ORDER BY account";

static const char client_sql[] =
	"SELECT printf('%s at %s sent %d bytes to the mail service of %s in %d flow%s, the first at ', host(c.address),"
	"  c.vantage, v.up, (SELECT title FROM owner AS o WHERE o.owner = v.owner), v.flows,"
	"  iif(v.flows = 1, '', 's')), v.first_ns,"
	"  printf(' (%s). It %s seen with its own mail provider.', " AT("v.flow") ","
	"   iif(EXISTS (SELECT 1 FROM provider_contact AS p WHERE p.client = v.client), 'was', 'was not'))"
	" FROM (SELECT client, owner, sum(up) AS up, count(*) AS flows, min(first_ns) AS first_ns, min(flow) AS flow"
	"  FROM vendor_contact GROUP BY client, owner) AS v JOIN client AS c ON c.id = v.client"
	" WHERE v.client NOT IN (SELECT client FROM finding WHERE kind = 'vendor-pull')"
	" ORDER BY v.client, v.owner";

/* A canary is nobody else's: a login to it from anywhere is worth a look. The server's capture is the last. */
static const char server_sql[] =
	"SELECT f.sentence || ' The first began at ', f.first_ns, printf(' (%s).', " AT("f.frame") ")"
	" FROM (SELECT *, (SELECT min(frame) FROM evidence AS e WHERE e.finding = finding.id) AS frame FROM finding) AS f"
	" WHERE f.kind = 'vendor-pull'"
	" UNION ALL SELECT printf('%s, which is no vendor that the catalogue knows (the client itself?), logged in to %s as %s at ',"
	"  host(w.orig_addr), host(w.resp_addr), m.account), w.first_ns, printf(' (%s)%s.', " AT("m.credential_frame") ","
	"  iif(m.accepted, '', '; whether it got in was not seen, or it did not'))"
	" FROM canary AS k JOIN mail_session AS m ON lower(m.account) = k.account"
	" JOIN flow AS w ON w.id = m.flow JOIN source AS s ON s.number = m.credential_frame >> 40"
	" WHERE s.vantage = (SELECT vantage FROM source ORDER BY number DESC LIMIT 1)"
	" AND m.flow NOT IN (SELECT w.flow FROM finding_flow AS w JOIN finding AS f ON f.id = w.finding"
	"  WHERE f.kind = 'vendor-pull')";

static const char proves_sql[] =
	"SELECT iif(j.strength = 'proven', 'Proven: ', 'Strong, but not proven: ') || f.sentence, NULL, '' FROM joint AS j"
	" JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" ORDER BY j.client, j.owner";

static const char refuted_sql[] =
	"SELECT f.refuted_by, NULL, '' FROM joint AS j"
	" JOIN finding AS f ON f.kind = 'cloud-relay' AND f.client = j.client AND f.owner = j.owner"
	" ORDER BY j.client, j.owner";

/* Why the two captures do not confirm each other: the first reason that holds. */
static const char *why_not(struct store *st)
{
	static const struct { const char *sql, *why; } reasons[] = {
		{ "SELECT NOT EXISTS (SELECT 1 FROM vendor_contact)",
		  "Nothing: no client sent anything to a vendor's mail service." },
		{ "SELECT NOT EXISTS (SELECT 1 FROM finding WHERE kind = 'vendor-pull')",
		  "Nothing: no vendor came to the mail server. It may come later than the capture ends." },
		{ "SELECT NOT EXISTS (SELECT 1 FROM finding AS f JOIN vendor_contact AS v ON v.owner = f.owner"
		  " WHERE f.kind = 'vendor-pull')",
		  "Nothing of this client: the vendor that came to the server is not the one it had contact with." },
		{ "SELECT count(DISTINCT client) > 1 FROM vendor_contact",
		  "Nothing of one client: several had contact with the vendor. --client says which was tested." },
	};

	for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (store_number(st, reasons[i].sql, 0) != 0)
			return reasons[i].why;
	}
	return "Nothing of this client: that the vendor's login is to the canary was not seen, and order alone does not"
	       " say so.";
}

/* Of each client by itself: that a password could be read on the path is the experiment's own doing. */
static bool verdicts(struct store *st, struct lines *l)
{
	struct view v = view_clients(st);
	struct view_client c;
	unsigned count = 0;

	while (view_client(&v, &c)) {
		count++;
		lines_indent(l, 3, 3);
		lines_printf(l, "%s at %s: %s: %s; %s.", c.address, c.vantage, c.verdict,
			     emit_third_party_words(c.third_party, false), emit_path_words(c.path));
		lines_end(l);
	}
	if (v.rc == SQLITE_DONE && count == 0)
		lines_say(l, 3, 3, "", "cannot-say: no client was seen to judge.");
	return view_end(&v);
}

bool emit_experiment(struct store *st, const struct emit_settings *settings, FILE *out)
{
	struct lines l = emit_text_lines(settings, LINES_ENDLESS, out);
	bool ok;

	fputs("1. Typed\n", out);
	ok = lines(st, &l, typed_sql, "No canary is declared.");
	fputs("2. Seen at the client\n", out);
	ok = ok && lines(st, &l, client_sql, "Nothing was sent to a vendor's mail service.");
	fputs("3. Seen at the server\n", out);
	ok = ok && lines(st, &l, server_sql, "No login from a vendor's network.");
	fputs("4. What that proves\n", out);
	ok = ok && lines(st, &l, proves_sql, why_not(st));
	fputs("5. What would refute it\n", out);
	ok = ok && lines(st, &l, refuted_sql, "A longer wait: what was not seen is no proof that it does not happen.");
	fputs("Verdict of all that was seen\n", out);
	ok = ok && verdicts(st, &l);
	lines_free(&l);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the report: %s", strerror(errno));
	return ok;
}
