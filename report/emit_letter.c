/* A finding as a letter: to the company that it is about, asking what that has (GDPR Article 15), or to a
 * data-protection officer, saying what was seen. What the program cannot know stands in square brackets, and
 * how strong the evidence is and what would refute it stand in every letter. */
#include "report/emit.h"

#include "report/emit_words.h"
#include "report/lines.h"
#include "report/plain.h"
#include "report/view.h"

#include <errno.h>
#include <string.h>

#define COLUMNS 72

struct letter {
	struct store *st;
	FILE *out;
	struct lines *lines;	/* to out */
	const struct view_finding *f;
};

static void paragraph(const struct letter *l, const char *text)
{
	lines_say(l->lines, 0, 0, "", text);
	lines_end(l->lines);
}

/* "- Label: text", "1. text" */
static void item(const struct letter *l, const char *mark, const char *text)
{
	lines_indent(l->lines, 0, (unsigned)strlen(mark) + 1);
	lines_text(l->lines, mark);
	lines_text(l->lines, " ");
	lines_text(l->lines, text);
	lines_end(l->lines);
}

static void fact(const struct letter *l, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	lines_indent(l->lines, 2, 14);
	lines_text(l->lines, label);
	lines_to(l->lines, 14);
	lines_text(l->lines, text);
	lines_end(l->lines);
}

static bool answers(const struct letter *l, const char *label, struct view v, const char *otherwise)
{
	bool any = false;

	while (view_row(&v)) {
		any = true;
		fact(l, label, view_text(&v, 0));
	}
	if (!any)
		fact(l, label, otherwise);
	return view_end(&v);
}

static const char *strength_words(const char *strength)
{
	return strcmp(strength, "proven") == 0 ?
		       "proven: the packets themselves show it." :
	       strcmp(strength, "strong") == 0 ?
		       "strong evidence, and no proof: it was seen from outside, and what was encrypted was not read." :
		       "a suspicion, and no more: what was seen can have other reasons.";
}

static bool facts(const struct letter *l)
{
	const struct view_finding *f = l->f;
	char who[256], first[EMIT_TIME_SIZE], last[EMIT_TIME_SIZE];

	bool named = f->name[0] != '\0', placed = f->vantage[0] != '\0';

	snprintf(who, sizeof(who), "%s%s%s%s%s%s", f->address, named ? " (" : "", f->name, named ? ")" : "",
		 placed ? ", recorded at " : "", f->vantage);
	emit_time(f->first_ns, first);
	emit_time(f->last_ns, last);
	fact(l, "Seen:", f->sentence);
	fact(l, "From:", first);
	fact(l, "To:", last);
	fact(l, "Computer:", who);
	fact(l, "Account:", f->account[0] != '\0' ? f->account : "not readable; [the mail address, if you know it]");
	if (strcmp(f->class, "leak") == 0)
		fact(l, "Company:", f->title);
	fact(l, "Evidence:", strength_words(f->strength));
	fact(l, "Against it:", f->refuted_by);
	bool ok = answers(l, "Provider:", view_ask(l->st, "SELECT coalesce(o.title, p.owner) || ', ' || p.how FROM client_provider AS p"
			  " LEFT JOIN owner AS o ON o.owner = p.owner WHERE p.client = ?1 ORDER BY p.owner", f->client),
			  "[the mail provider]") &&
		  answers(l, "Coverage:", view_coverage(l->st, f->client), "");

	putc('\n', l->out);
	return ok;
}

/* The report tells of other clients as well: not every reader's business. */
static bool attachments(const struct letter *l, bool whole_report)
{
	struct view v = view_sources(l->st, VIEW_ALL_SOURCES);
	struct view_source s;
	char line[256];

	fputs("Attachments\n", l->out);
	snprintf(line, sizeof(line), "finding-%lld.pcapng: the packets that show this, with passwords and mail overwritten"
		 " (mailwitness evidence -w finding-%lld.pcapng CASE %lld)", (long long)l->f->id, (long long)l->f->id,
		 (long long)l->f->id);
	item(l, "-", line);
	if (whole_report)
		item(l, "-", "the report (mailwitness report --html report.html CASE)");
	item(l, "-", "SHA-256 of the recordings, which I keep:");
	while (view_source(&v, &s)) {
		lines_indent(l->lines, 2, 2);
		lines_whole(l->lines, s.path);
		lines_end(l->lines);
		fprintf(l->out, "  %s\n", s.sha256[0] != '\0' ? s.sha256 : "[none: recorded live]");
	}
	return view_end(&v);
}

static void sender(const struct letter *l, const char *to, const char *where)
{
	fputs("[Your name]\n[Your address]\n[How you can be reached]\n\n", l->out);
	lines_whole(l->lines, to);
	lines_end(l->lines);
	fprintf(l->out, "%s\n\n[Place], [date]\n\n", where);
}

static void farewell(const struct letter *l)
{
	fputs("Yours faithfully,\n\n[Signature]\n[Your name]\n\n", l->out);
}

static bool to_vendor(const struct letter *l)
{
	sender(l, l->f->title, "[Address of its data-protection contact]");
	paragraph(l, "Request for access under Article 15 of the General Data Protection Regulation (EU) 2016/679");
	fputs("Dear Sir or Madam,\n\n", l->out);
	paragraph(l, "my mail account is with the provider named below, and I have not knowingly asked you to process my mail or"
		  " to keep its password. A recording of network traffic at [my computer, or my mail server] shows this:");
	if (!facts(l))
		return false;
	paragraph(l, "I ask you to confirm whether you process personal data that concern me, and if you do, for access to"
		  " them and the information of Article 15(1) and (2), with a copy under Article 15(3). Please say in"
		  " particular:");
	item(l, "1.", "whether you have, or had, the password, a token or other credentials for this account, since when, in"
	     " what form, and where;");
	item(l, "2.", "whether you fetch, copy or store messages, contacts or calendar entries of this account, which, where,"
	     " and how long you keep them;");
	item(l, "3.", "when, and from which addresses, you logged in to its mail server;");
	item(l, "4.", "for which purposes and on which legal basis you do so, and who received these data, also outside the"
	     " European Economic Area, with which safeguards (Article 46);");
	item(l, "5.", "where you have the data from, if not from me.");
	putc('\n', l->out);
	paragraph(l, "Please answer within one month (Article 12(3)). If you cannot identify me, please say what you need for"
		  " that (Article 12(6)); I will not send a password. If you have none of these data, please confirm"
		  " that as well.");
	farewell(l);
	return attachments(l, false);
}

/* What whoever is responsible can do about it. */
static const char *next_steps(const char *class)
{
	return strcmp(class, "leak") == 0 ?
		       "Until this is settled, the program should not be used for this account. If a password may have been"
		       " handed over, it should be changed in another program, and other sessions ended. Please look"
		       " whether there is a contract for processing with this company (Article 28), a ground for a"
		       " transfer to a third country (Chapter V), and whether a breach must be notified within 72 hours"
		       " (Article 33)." :
	       strcmp(class, "exposure") == 0 ?
		       "Until this is settled, encryption should be made obligatory in the mail program (TLS, no STARTTLS that"
		       " may fail), and a password that could be read should be changed. Please look whether"
		       " Article 32 is met, and whether a breach must be notified within 72 hours (Article 33)." :
		       "Please have the administrators of the mail system look at this, and whether Article 32 is met.";
}

static bool to_officer(const struct letter *l)
{
	char subject[160];

	sender(l, "To the data-protection officer", "[Name and address of the organisation]");
	snprintf(subject, sizeof(subject), "Notice: %s", plain_finding(l->f->kind));
	paragraph(l, subject);
	fputs("Dear Sir or Madam,\n\n", l->out);
	paragraph(l, "a recording of network traffic at [where it was recorded, and with whose permission] shows this:");
	if (!facts(l))
		return false;
	paragraph(l, next_steps(l->f->class));
	paragraph(l, "What was not recorded was not seen. Times are UTC, by the clock of the computer that recorded. The"
		  " recordings are kept, and can be checked against the sums below.");
	farewell(l);
	return attachments(l, true);
}

/* Asks of a company what it has only where one was seen to get something. */
static bool names_company(const struct view_finding *f)
{
	return strcmp(f->class, "leak") == 0 && f->owner[0] != '\0' && strcmp(f->owner, "unknown") != 0;
}

bool emit_letter(struct store *st, int64_t finding, enum letter_to to, FILE *out)
{
	struct view v = view_findings(st, finding);
	struct view_finding f;
	struct lines lines = { .out = out, .columns = COLUMNS };
	struct letter l = { .st = st, .out = out, .lines = &lines, .f = &f };
	bool ok = finding > 0 && view_finding(&v, &f);

	if (!ok && v.rc == SQLITE_DONE)
		return store_fail(st, "there is no finding %lld in this case", (long long)finding);
	if (ok && to == LETTER_TO_VENDOR && !names_company(&f))
		ok = store_fail(st, "finding %lld names no company that got something: --to dpo", (long long)finding);
	else if (ok)
		ok = to == LETTER_TO_DPO || (to == LETTER_TO_FIT && !names_company(&f)) ? to_officer(&l) : to_vendor(&l);
	sqlite3_reset(v.q);
	lines_free(&lines);
	if (ok && (fflush(out) != 0 || ferror(out)))
		ok = store_fail(st, "cannot write the letter: %s", strerror(errno));
	return ok;
}
