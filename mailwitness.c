/* mailwitness - watches network traffic and proves where mail data goes
 *
 * The front door: reads the command line and wires the three rooms. Nothing is decided here. */
#include "capture/base.h"
#include "classify/certificate.h"
#include "classify/dpi.h"
#include "classify/owner.h"
#include "options.h"
#include "report/emit.h"
#include "report/evidence.h"
#include "report/judge.h"
#include "report/pipeline.h"
#include "report/policy.h"
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static _Noreturn void fail(int status, const char *why)
{
	base_log("%s", why);
	exit(status);
}

/* The knowledge that replay, judge, owners and policy need. */
struct knowledge {
	struct catalogue *catalogue;
	struct asn *asn;
	struct owner_finder *finder;
};

static struct knowledge knowledge_open(const struct options *o)
{
	char error[512];
	struct knowledge k = { 0 };

	k.catalogue = catalogue_load(DATADIR "/catalogue", o->catalogues.of, o->catalogues.count, error,
				     sizeof(error));
	if (k.catalogue == NULL)
		fail(EX_CONFIG, error);
	k.asn = asn_open(o->asn_db, DATADIR, error, sizeof(error));
	if (k.asn == NULL)
		fail(EX_CONFIG, error);
	k.finder = owner_finder_new(k.catalogue, k.asn);
	return k;
}

static void knowledge_close(struct knowledge *k)
{
	owner_finder_free(&k->finder);
	asn_close(&k->asn);
	catalogue_free(&k->catalogue);
}

static struct policy *policy_of(const struct options *o, const struct owner_finder *finder)
{
	struct owner_book book = owner_book_of(finder);
	struct policy *p = policy_new();
	char error[512], owner[64];

	if (o->policy != NULL && (!policy_load(p, o->policy, error, sizeof(error)) ||
				  !policy_resolve(p, &book, error, sizeof(error))))
		fail(EX_CONFIG, error);
	for (unsigned i = 0; i < o->providers.count; i++) {
		if (!owner_resolve(finder, o->providers.of[i], owner))
			options_misuse("--provider: no owner of the catalogue and no domain", o->providers.of[i]);
		if (!policy_provider(p, o->providers.of[i], error, sizeof(error)))
			options_misuse("--provider", error);
	}
	for (unsigned i = 0; i < o->clients.count; i++)
		if (!policy_client(p, o->clients.of[i], error, sizeof(error)))
			options_misuse("--client", error);
	for (unsigned i = 0; i < o->servers.count; i++)
		if (!policy_server(p, o->servers.of[i], error, sizeof(error)))
			options_misuse("--mail-server", error);
	for (unsigned i = 0; i < o->canaries.count; i++)
		if (!policy_canary(p, o->canaries.of[i], error, sizeof(error)))
			options_misuse("--canary", error);
	return p;
}

static void show_progress(uint64_t packets, uint64_t bytes)
{
	fprintf(stderr, "\r%llu packets, %llu MB \x1b[K", (unsigned long long)packets,
		(unsigned long long)(bytes / 1000000));
}

/* One clear line for every file that was not read whole. */
static void show_end(const struct source_end *end)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\x1b[K", stderr);
	if (end->how == SOURCE_UNREADABLE)
		base_log("%s: %s", end->path, end->why);
	else if (end->how != SOURCE_COMPLETE)
		base_log("%s: %s at byte %llu: %s; %llu packets before it were read", end->path,
			 source_how_name(end->how), (unsigned long long)end->at_byte, end->why,
			 (unsigned long long)end->packets);
}

static int emit(struct store *st, const struct options *o)
{
	bool ok = o->json ? emit_json(st, &o->emit, stdout) :
		  strcmp(o->verb, "experiment") == 0 ? emit_experiment(st, &o->emit, stdout) :
		  emit_text(st, &o->emit, stdout);

	if (!ok)
		fail(EX_SOFTWARE, store_error(st));
	if (fflush(stdout) != 0 || ferror(stdout))
		fail(EX_IOERR, strerror(errno));
	return o->exit_zero ? EX_OK : judge_exit_status(st);
}

/* A case is one run: the frames of two would have the same ids, and the facts of one judge the other. */
static void refuse_old_case(const char *path)
{
	struct stat file;

	if (path != NULL && stat(path, &file) == 0 && file.st_size > 0) {
		base_log("%s is there already; a case is not written twice", path);
		exit(EX_CANTCREAT);
	}
}

/* Reads files, or watches what is not NULL. */
static int read_and_judge(const struct options *o, struct watch *watch)
{
	struct knowledge k;
	struct policy *policy;
	struct owner_book book;
	struct certificate_store *trust;
	char error[512];
	struct store *st;
	int status;

	k = knowledge_open(o);
	policy = policy_of(o, k.finder);
	book = owner_book_of(k.finder);
	trust = certificate_store_new(o->ca_file, error, sizeof(error));
	if (trust == NULL)
		fail(EX_NOINPUT, error);
	refuse_old_case(o->write_path);
	st = store_create(o->write_path, error, sizeof(error));
	if (st == NULL)
		fail(EX_CANTCREAT, error);
	if ((watch != NULL && !store_sync(st)) ||
	    !store_run(st, &(struct run_info){
			.version = VERSION, .ndpi_version = dpi_version(),
			.catalogue_version = book.version, .asn_database = book.asn_database,
			.attribution = book.attribution, .command_line = o->command_line,
			.scope = "mail services only", .filter = o->filter != NULL ? o->filter : "" }) ||
	    !pipeline_run(&(struct pipeline_settings){
			.paths = o->files.of, .path_count = o->files.count,
			.vantages = o->file_vantages, .vantage_names = o->vantages.of, .filter = o->filter,
			.trust = trust, .workers = o->workers, .ended = watch == NULL ? show_end : NULL,
			.live = watch == NULL ? NULL : watch_live(watch, policy, &book),
			.progress = isatty(STDERR_FILENO) && watch == NULL ? show_progress : NULL }, st) ||
	    !store_run_ca(st, certificate_store_describe(trust)))
		fail(EX_CANTCREAT, store_error(st));
	if (!judge(st, policy, &book))
		fail(EX_SOFTWARE, store_error(st));
	status = emit(st, o);
	store_close(&st);
	certificate_store_free(&trust);
	policy_free(&policy);
	knowledge_close(&k);
	return status;
}

static void check_filter(const struct options *o)
{
	char error[512];

	if (o->filter != NULL && !source_filter_valid(o->filter, error, sizeof(error)))
		options_misuse("filter", error);
}

static int replay(const struct options *o)
{
	check_filter(o);
	return read_and_judge(o, NULL);
}

static int watch_command(const struct options *o)
{
	struct watch *watch;
	int status;

	check_filter(o);
	watch = watch_begin(o);
	status = read_and_judge(o, watch);
	watch_end(&watch);
	return status;
}

/* The case that the first of so many words names. */
static struct store *open_case(const struct options *o, unsigned words)
{
	char error[512];
	struct store *st;

	if (o->files.count != words)
		options_misuse(words == 1 ? "one case file is wanted" : "a case file and a finding's number are wanted",
			       o->verb);
	st = store_open(o->files.of[0], error, sizeof(error));
	if (st == NULL)
		fail(EX_NOINPUT, error);
	return st;
}

/* Judges a kept case by today's catalogue and this policy. */
static int judge_again(const struct options *o)
{
	struct store *st = open_case(o, 1);
	struct knowledge k = knowledge_open(o);
	struct policy *policy = policy_of(o, k.finder);
	struct owner_book book = owner_book_of(k.finder);
	int status;

	if (!judge(st, policy, &book))
		fail(EX_SOFTWARE, store_error(st));
	status = emit(st, o);
	store_close(&st);
	policy_free(&policy);
	knowledge_close(&k);
	return status;
}

static int report(const struct options *o)
{
	struct store *st = open_case(o, 1);
	int status = emit(st, o);

	store_close(&st);
	return status;
}

static int export(const struct options *o)
{
	char error[512];
	struct store *st;
	int status;

	if (!export_check(&o->export, error, sizeof(error)))
		options_misuse("export", error);
	st = open_case(o, 1);
	status = export_case(st, &o->export, error, sizeof(error));
	if (status != EX_OK)
		base_log("%s", error);
	store_close(&st);
	return status;
}

/* The word behind the case. */
static int64_t finding_of(const struct options *o)
{
	char *end;
	long long n = strtoll(o->files.of[1], &end, 10);

	if (n < 1 || *end != '\0')
		options_misuse("a finding's number is wanted, as the report has it", o->files.of[1]);
	return n;
}

static int explain(const struct options *o)
{
	struct store *st = open_case(o, 2);
	bool ok = emit_explain(st, finding_of(o), stdout);

	if (!ok)
		fail(EX_NOINPUT, store_error(st));
	store_close(&st);
	return EX_OK;
}

static int evidence(const struct options *o)
{
	struct store *st = open_case(o, 2);
	int64_t finding = finding_of(o);
	char error[512];
	FILE *out;
	int status;

	if (o->write_path == NULL)
		options_misuse("where to write is wanted", "-w");
	out = strcmp(o->write_path, "-") == 0 ? stdout : fopen(o->write_path, "wb");
	if (out == NULL) {
		base_log("%s: %s", o->write_path, strerror(errno));
		store_close(&st);
		return EX_CANTCREAT;
	}
	status = evidence_write(st, finding, "mailwitness " VERSION, out, error, sizeof(error));
	if (status != EX_OK)
		base_log("%s", error);
	if (fclose(out) != 0 && status == EX_OK) {
		base_log("%s: %s", o->write_path, strerror(errno));
		status = EX_IOERR;
	}
	if (status != EX_OK && out != stdout)
		unlink(o->write_path);
	store_close(&st);
	return status;
}

/* What the catalogue says of a host name or an address, and why. */
static void print_owner(const struct owner_finder *finder, const char *word)
{
	struct owner_evidence evidence = { .sni = "", .dns_name = "", .dns_canonical = "", .certificate = "" };
	struct owner_tag tag;

	if (!host_of_text(word, evidence.address)) {
		evidence.sni = word;
		evidence.address[0] = 0x20; /* 2000::, global and nobody's: the name alone decides */
	}
	owner_tag(finder, &evidence, &tag);
	printf("%s\n  owner     %s (%s)\n", word, tag.owner, tag.title);
	if (tag.service[0] != '\0')
		printf("  service   %s\n", tag.service);
	printf("  role      %s%s\n", fact_role_name(tag.role), tag.setup ? ", account set-up" : "");
	if (tag.relay != RELAY_NO)
		printf("  relay     %s\n", fact_certainty_name(tag.relay));
	printf("  named by  %s, %s%s\n", fact_named_by_name(tag.named_by), fact_strength_name(tag.strength),
	       tag.ambiguous ? ", ambiguous" : "");
	if (tag.asn != 0)
		printf("  AS        %u %s\n", tag.asn, tag.as_org);
	if (tag.source[0] != '\0')
		printf("  source    %s\n", tag.source);
}

static int owners(const struct options *o)
{
	struct knowledge k = knowledge_open(o);

	for (unsigned i = 0; i < o->files.count; i++)
		print_owner(k.finder, o->files.of[i]);
	knowledge_close(&k);
	return EX_OK;
}

static int policy_command(const struct options *o)
{
	struct options checked = *o;
	struct knowledge k;
	struct policy *policy;

	if (o->files.count != 2 || strcmp(o->files.of[0], "check") != 0)
		options_misuse("policy check and one file are wanted", "");
	k = knowledge_open(o);
	checked.policy = o->files.of[1];
	policy = policy_of(&checked, k.finder);
	printf("%s: ", checked.policy);
	policy_describe(policy, stdout);
	policy_free(&policy);
	knowledge_close(&k);
	return EX_OK;
}

static const struct {
	const char *name;
	int (*run)(const struct options *o);
} commands[] = {
	{ "replay", replay },
	{ "watch", watch_command },
	{ "experiment", replay },
	{ "judge", judge_again },
	{ "report", report },
	{ "explain", explain },
	{ "evidence", evidence },
	{ "export", export },
	{ "owners", owners },
	{ "policy", policy_command },
};

static bool is_command(const char *word)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, word) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct options o;
	int status = EX_USAGE;

	options_read(argc, argv, is_command, &o);
	if (o.list_interfaces)
		status = watch_list();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!o.list_interfaces && strcmp(commands[i].name, o.verb) == 0)
			status = commands[i].run(&o);
	options_free(&o);
	return status;
}
