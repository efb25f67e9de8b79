#include "report/judge_part.h"

#include "capture/base.h"
#include "report/judge_tag.h"

#include <stdlib.h>

struct judgement {
	struct judge_part part;
	struct vantages *vantages;
	struct tagger *tagger;		/* NULL: judged for the first time, or anew */
	bool grows;
};

/* What is written of flows one by one; of all is to be judged. */
static const char all_sql[] =
	"DELETE FROM flow_process; DELETE FROM contact; DELETE FROM contact_class; DELETE FROM traffic;"
	"DELETE FROM endpoint; DELETE FROM owner; DELETE FROM alias_hint";

/* Before states are found again; see judge_path. */
static const char more_sql[] =
	"UPDATE contact SET state = r.before FROM temp.refined AS r WHERE contact.flow = r.flow";

/* All else that judge wrote before; the indexes are made here so that storing facts need not keep them. */
static const char anew_sql[] =
	"DELETE FROM canary; DELETE FROM joint; DELETE FROM client; DELETE FROM client_address;"
	"DELETE FROM client_provider; DELETE FROM reason;"
	"DELETE FROM expected; DELETE FROM finding; DELETE FROM finding_flow; DELETE FROM evidence;"
	"DELETE FROM verdict; DELETE FROM client_loss; DELETE FROM destination;"
	"DELETE FROM provider_contact; DELETE FROM vendor_sum; DELETE FROM provider_hint; DELETE FROM other_name;"
	"DELETE FROM client_state; DELETE FROM address_name; DELETE FROM clear_session; DELETE FROM clear_peer;"
	"DELETE FROM only_server; DELETE FROM starttls_offer;"
	"DELETE FROM mirror; DELETE FROM client_coverage; DELETE FROM client_balance; DELETE FROM account_verdict;"
	"DELETE FROM shared_finding; DELETE FROM evidence_cut;"
	"DELETE FROM server_name; DELETE FROM tlsa_answer; DELETE FROM tlsa_asked; DELETE FROM dane;"
	"DELETE FROM sts_policy; DELETE FROM sts_mx; DELETE FROM mx_answer; DELETE FROM sts_delivery;"
	"CREATE INDEX IF NOT EXISTS name_by_question ON name (asked_by, address, from_ns) WHERE kind = 'dns';"
	"CREATE INDEX IF NOT EXISTS name_of_host ON name (address) WHERE kind = 'host';"
	"CREATE INDEX IF NOT EXISTS name_with_ech ON name (public_name, asked_by, from_ns) WHERE ech;"
	"CREATE INDEX IF NOT EXISTS mx_by_question ON mail_dns (asked_by, name) WHERE type = 'MX';"
	"CREATE INDEX IF NOT EXISTS address_of_client ON client_address (client);"
	"CREATE INDEX IF NOT EXISTS finding_of_client ON finding (client);"
	"CREATE INDEX IF NOT EXISTS leak_of_client ON finding (client) WHERE class = 'leak';"
	"CREATE INDEX IF NOT EXISTS suspicion ON finding (class) WHERE strength = 'suspected'";

/* The report says by which knowledge it was judged, not by which it was recorded. */
static bool note_book(struct store *st, const struct owner_book *book)
{
	const char *const texts[] = { book->version, book->asn_database, book->attribution };
	sqlite3_stmt *q = store_prepare(st, "UPDATE run SET catalogue_version = ?, asn_database = ?, attribution = ?");
	bool ok;

	for (int i = 0; q != NULL && i < 3; i++)
		sqlite3_bind_text(q, i + 1, texts[i] != NULL ? texts[i] : "", -1, SQLITE_STATIC);
	ok = q != NULL && store_do(st, q);
	sqlite3_finalize(q);
	return ok;
}

static void stored(void *context, const struct fact *fact)
{
	struct judgement *j = context;

	if (j->tagger != NULL)
		tagger_stored(j->tagger, fact);
}

void judgement_forget(struct judgement *j)
{
	tagger_free(&j->tagger);
	vantages_free(&j->vantages);
}

/* Sources come while facts are stored. What was noted before it was known that they are of several is of none. */
static bool read_vantages(struct judgement *j)
{
	struct vantages *now = vantages_read(j->part.st);

	if (j->vantages != NULL && (now == NULL || vantages_count(now) != vantages_count(j->vantages)))
		judgement_forget(j);
	vantages_free(&j->vantages);
	j->part.vantages = j->vantages = now;
	return now != NULL;
}

static bool remember(struct judgement *j, bool empty)
{
	if (j->tagger == NULL)
		j->tagger = tagger_new(&j->part, j->grows, empty);
	return j->tagger != NULL;
}

static enum tag_end judge_flows(struct judgement *j)
{
	struct store *st = j->part.st;

	if (j->tagger != NULL && !tagger_goes_on(j->tagger))
		judgement_forget(j);
	j->part.only_due = false;
	j->part.new_names = 0;
	if (!read_vantages(j) || !remember(j, false) || (j->grows && !tagger_begin(j->tagger, &j->part)))
		return TAG_FAILED;
	j->part.no_pids = tagger_knows_no_pids(j->tagger);
	if (!store_exec(st, j->part.only_due ? more_sql : all_sql) || !store_exec(st, anew_sql) || !judge_process(&j->part))
		return TAG_FAILED;
	return tagger_run(j->tagger, j->grows ? store_run_is_until(st) : 0);
}

static bool judge_rest(const struct judge_part *part)
{
	return note_book(part->st, part->book) && judge_provider(part) && judge_mirror(part) && judge_loss(part) &&
	       judge_server(part) && judge_path(part) && judge_finding(part) && judge_joint(part) &&
	       judge_evidence(part) && judge_verdict(part) && judge_account(part);
}

static bool judge_all(struct judgement *j)
{
	enum tag_end end = judge_flows(j);

	if (end == TAG_ANEW) {
		judgement_forget(j);
		end = judge_flows(j);
	}
	return end == TAG_DONE && judge_rest(&j->part);
}

struct judgement *judgement_new(struct store *st, const struct policy *policy, const struct owner_book *book, bool grows)
{
	struct judgement *j = base_alloc(sizeof(*j));

	j->part = (struct judge_part){ .st = st, .policy = policy, .book = book };
	j->grows = grows;
	if (store_number(st, "SELECT NOT EXISTS (SELECT 1 FROM flow) AND NOT EXISTS (SELECT 1 FROM name)", 0) != 0 && read_vantages(j))
		remember(j, true);
	store_listen(st, stored, j);
	return j;
}

void judgement_free(struct judgement **j)
{
	if (*j == NULL)
		return;
	store_listen_no_more((*j)->part.st, *j);
	judgement_forget(*j);
	free(*j);
	*j = NULL;
}

bool judgement_renew(struct judgement *j)
{
	if (!store_begin(j->part.st))
		return false;
	if (judge_all(j) && store_commit(j->part.st))
		return true;
	judgement_forget(j);
	store_rollback(j->part.st);
	return false;
}

bool judge(struct store *st, const struct policy *policy, const struct owner_book *book)
{
	struct judgement once = { .part = { .st = st, .policy = policy, .book = book } };
	bool ok = judgement_renew(&once);

	judgement_forget(&once);
	return ok;
}

int judge_exit_status(struct store *st)
{
	/* sysexits.h: EX_DATAERR and EX_NOINPUT. */
	return (int)store_number(st,
		"SELECT CASE"
		" WHEN (SELECT verdict FROM verdict) = 'leak' THEN 1"
		" WHEN EXISTS (SELECT 1 FROM source WHERE end NOT IN ('complete', 'unreadable', 'running', 'killed', 'vanished')) THEN 65"
		" WHEN EXISTS (SELECT 1 FROM source WHERE end = 'unreadable') THEN 66"
		" WHEN (SELECT verdict FROM verdict) = 'clean' THEN 0"
		" ELSE 2 END", 2);
}
