/* mailwitness - watches network traffic and proves where mail data goes
 *
 * The front door: reads the command line and wires the three rooms. Nothing is decided here. */
#include "capture/base.h"
#include "classify/dpi.h"
#include "classify/owner.h"
#include "report/emit.h"
#include "report/judge.h"
#include "report/pipeline.h"
#include "report/policy.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define WORKERS_DEFAULT_MAX 8	/* more gain nothing: the capture thread is the bottleneck then */

/* Words of the command line; borrowed from argv. */
struct words {
	const char **of;
	unsigned count;
};

struct options {
	const char *case_path, *filter, *policy, *asn_db;
	struct words providers, clients, catalogues;
	bool json, exit_zero;
	unsigned workers;
	struct emit_settings emit;
};

static const char usage[] =
	"usage: mailwitness replay [-nq] [-w CASE] [-f EXPR] [--json] [--provider OWNER|DOMAIN]\n"
	"                          [--client NET] [--policy FILE] [--catalogue FILE] [--asn-db FILE]\n"
	"                          [--workers N] [--exit-zero] FILE...\n"
	"       mailwitness -r FILE [options of replay]\n"
	"       mailwitness report [-nq] [--text | --json] [--exit-zero] CASE\n"
	"       mailwitness owners [--catalogue FILE] [--asn-db FILE] NAME|ADDRESS...\n"
	"       mailwitness --help | --version\n";

static const char help[] =
	"\n"
	"Says of each mail client in a capture whether its mail, or the credentials for it, went anywhere but\n"
	"to its mail provider, and whether anyone on the path could read it: clean, leak or cannot-say.\n"
	"\n"
	"commands\n"
	"  replay FILE...         judge capture files (pcap, pcapng, also compressed; - is standard input)\n"
	"  report CASE            print the report of a case file again\n"
	"  owners NAME|ADDRESS    what the catalogue says about a host, and why\n"
	"\n"
	"options\n"
	"  -r FILE                replay this file\n"
	"  -w CASE                keep the case in this file (SQLite)\n"
	"  -f EXPR                only packets that match a pcap filter (pcap-filter(7))\n"
	"  -n                     no names for clients, addresses only\n"
	"  -q                     the verdict lines only\n"
	"  --json, --text         form of the report (text)\n"
	"  --provider WORD        the clients' mail provider: an owner of the catalogue, or a mail domain;\n"
	"                         may be repeated; all that are given are the complete set\n"
	"  --client NET           judge only these clients (address or CIDR prefix); may be repeated\n"
	"  --policy FILE          home networks, providers per client and more (mailwitness.yaml)\n"
	"  --catalogue FILE       adds to the catalogue of owners or overrides it; may be repeated\n"
	"  --asn-db FILE          AS database in GeoLite2-ASN's schema\n"
	"  --workers N            classifier threads, 1 to 64; the report does not depend on it\n"
	"  --exit-zero            exit with 0 whatever the verdict is\n"
	"\n"
	"exit status\n"
	"  0 clean   1 leak   2 cannot-say   64 usage   65 damaged input   66 no input   70 internal\n"
	"  73 case file cannot be written   78 catalogue, policy or AS database is no good\n";

enum { OPT_JSON = 256, OPT_TEXT, OPT_PROVIDER, OPT_CLIENT, OPT_POLICY, OPT_CATALOGUE, OPT_ASN_DB,
       OPT_WORKERS, OPT_EXIT_ZERO, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "text", no_argument, NULL, OPT_TEXT },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "catalogue", required_argument, NULL, OPT_CATALOGUE },
	{ "asn-db", required_argument, NULL, OPT_ASN_DB },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "exit-zero", no_argument, NULL, OPT_EXIT_ZERO },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static _Noreturn void misuse(const char *why, const char *what)
{
	base_log("%s%s%s", why, what[0] != '\0' ? ": " : "", what);
	fputs(usage, stderr);
	exit(EX_USAGE);
}

static _Noreturn void fail(int status, const char *why)
{
	base_log("%s", why);
	exit(status);
}

static void add_word(struct words *w, const char *word)
{
	w->of = base_realloc(w->of, (w->count + 1) * sizeof(w->of[0]));
	w->of[w->count++] = word;
}

static unsigned workers_of(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*word == '\0' || *end != '\0' || n < 1 || n > PIPELINE_WORKERS_MAX)
		misuse("--workers wants a number from 1 to 64", word);
	return (unsigned)n;
}

static unsigned workers_default(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > WORKERS_DEFAULT_MAX ? WORKERS_DEFAULT_MAX : (unsigned)cores;
}

static unsigned columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void print_version(void)
{
	printf("mailwitness %s\nlibndpi %s\n", VERSION, dpi_version());
	exit(EX_OK);
}

static void take_option(struct options *o, int letter)
{
	switch (letter) {
	case 'w': o->case_path = optarg; break;
	case 'f': o->filter = optarg; break;
	case 'n': o->emit.numeric = true; break;
	case 'q': o->emit.quiet = true; break;
	case OPT_JSON: o->json = true; break;
	case OPT_TEXT: o->json = false; break;
	case OPT_PROVIDER: add_word(&o->providers, optarg); break;
	case OPT_CLIENT: add_word(&o->clients, optarg); break;
	case OPT_POLICY: o->policy = optarg; break;
	case OPT_CATALOGUE: add_word(&o->catalogues, optarg); break;
	case OPT_ASN_DB: o->asn_db = optarg; break;
	case OPT_WORKERS: o->workers = workers_of(optarg); break;
	case OPT_EXIT_ZERO: o->exit_zero = true; break;
	case OPT_VERSION: print_version(); break;
	case OPT_HELP:
		fputs(usage, stdout);
		fputs(help, stdout);
		exit(EX_OK);
	default:
		fputs(usage, stderr);
		exit(EX_USAGE);
	}
}

/* The knowledge that replay and owners need. */
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
	struct policy *p = policy_new();
	char error[512], owner[64];

	if (o->policy != NULL && !policy_load(p, o->policy, error, sizeof(error)))
		fail(EX_CONFIG, error);
	for (unsigned i = 0; i < o->providers.count; i++) {
		if (!owner_resolve(finder, o->providers.of[i], owner))
			misuse("--provider: no owner of the catalogue and no domain", o->providers.of[i]);
		if (!policy_provider(p, o->providers.of[i], error, sizeof(error)))
			misuse("--provider", error);
	}
	for (unsigned i = 0; i < o->clients.count; i++)
		if (!policy_client(p, o->clients.of[i], error, sizeof(error)))
			misuse("--client", error);
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
	bool ok = o->json ? emit_json(st, &o->emit, stdout) : emit_text(st, &o->emit, stdout);

	if (!ok)
		fail(EX_SOFTWARE, store_error(st));
	if (fflush(stdout) != 0 || ferror(stdout))
		fail(EX_IOERR, strerror(errno));
	return o->exit_zero ? EX_OK : judge_exit_status(st);
}

static char *command_line_of(int argc, char **argv)
{
	size_t n = 1;
	char *line, *end;

	for (int i = 0; i < argc; i++)
		n += strlen(argv[i]) + 1;
	line = end = base_alloc(n);
	for (int i = 0; i < argc; i++)
		end += sprintf(end, "%s%s", i > 0 ? " " : "", argv[i]);
	return line;
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

static int replay(const struct options *o, const struct words *files, const char *command_line)
{
	struct knowledge k = knowledge_open(o);
	struct policy *policy = policy_of(o, k.finder);
	struct owner_book book = owner_book_of(k.finder);
	char error[512];
	struct store *st;
	int status;

	if (o->filter != NULL && !source_filter_valid(o->filter, error, sizeof(error)))
		misuse("-f", error);
	refuse_old_case(o->case_path);
	st = store_create(o->case_path, error, sizeof(error));
	if (st == NULL)
		fail(EX_CANTCREAT, error);
	if (!store_run(st, &(struct run_info){
			.version = VERSION, .ndpi_version = dpi_version(),
			.catalogue_version = book.version, .asn_database = book.asn_database,
			.attribution = book.attribution, .command_line = command_line,
			.scope = "mail services only", .filter = o->filter != NULL ? o->filter : "" }) ||
	    !pipeline_run(&(struct pipeline_settings){
			.paths = files->of, .path_count = files->count, .filter = o->filter,
			.workers = o->workers, .ended = show_end,
			.progress = isatty(STDERR_FILENO) ? show_progress : NULL }, st) ||
	    !judge(st, policy, &book))
		fail(EX_SOFTWARE, store_error(st));
	status = emit(st, o);
	store_close(&st);
	policy_free(&policy);
	knowledge_close(&k);
	return status;
}

static int report(const struct options *o, const struct words *cases)
{
	char error[512];
	struct store *st;
	int status;

	if (cases->count != 1)
		misuse("report wants one case file", "");
	st = store_open(cases->of[0], error, sizeof(error));
	if (st == NULL)
		fail(EX_NOINPUT, error);
	status = emit(st, o);
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

static int owners(const struct options *o, const struct words *words)
{
	struct knowledge k = knowledge_open(o);

	for (unsigned i = 0; i < words->count; i++)
		print_owner(k.finder, words->of[i]);
	knowledge_close(&k);
	return EX_OK;
}

int main(int argc, char **argv)
{
	char *command_line = command_line_of(argc, argv);
	struct options o = { .workers = workers_default() };
	struct words files = { 0 };
	const char *verb = "replay";
	bool has_verb = argc > 1 && argv[1][0] != '-';
	int letter, status;

	if (has_verb) {
		verb = argv[1];
		argv++; /* getopt's argv[0] is then the command */
		argc--;
	}
	if (strcmp(verb, "replay") != 0 && strcmp(verb, "report") != 0 && strcmp(verb, "owners") != 0)
		misuse("no such command", verb);
	while ((letter = getopt_long(argc, argv, "r:w:f:nq", long_options, NULL)) != -1) {
		if (letter == 'r')
			add_word(&files, optarg);
		else
			take_option(&o, letter);
	}
	if (!has_verb && files.count == 0)
		misuse("no command", "");
	while (optind < argc)
		add_word(&files, argv[optind++]);
	if (files.count == 0)
		misuse("nothing to read", verb);
	o.emit.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	o.emit.columns = columns();
	if (strcmp(verb, "replay") == 0)
		status = replay(&o, &files, command_line);
	else if (strcmp(verb, "report") == 0)
		status = report(&o, &files);
	else
		status = owners(&o, &files);
	free(command_line);
	free(files.of);
	free(o.providers.of);
	free(o.clients.of);
	free(o.catalogues.of);
	return status;
}
