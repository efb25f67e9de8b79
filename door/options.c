#include "door/options.h"

#include "capture/base.h"
#include "classify/dpi.h"
#include "report/pipeline.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define VANTAGES_MAX 255	/* one byte of a flow's key */
#define WORKERS_DEFAULT_MAX 8	/* more gain nothing: the capture thread is the bottleneck then */

#define KEEP_MIB 64		/* packets of a watched case: the beginnings of some 4000 connections */
#define KEEP_MIB_MAX (1u << 20)

#define FILE_WORD 1	/* what getopt gives a word that is no option for, when it keeps their order */
enum { OPT_JSON = 256, OPT_TEXT, OPT_HTML, OPT_LETTER, OPT_TO, OPT_PROVIDER, OPT_CLIENT, OPT_POLICY, OPT_CATALOGUE, OPT_ASN_DB, OPT_CA_FILE,
       OPT_WORKERS, OPT_VANTAGE, OPT_CANARY, OPT_MAIL_SERVER, OPT_EXIT_ZERO, OPT_FORMAT, OPT_TABLE, OPT_LISTEN, OPT_TOKEN_FILE, OPT_TLS_CERT, OPT_TLS_KEY, OPT_BEHIND_PROXY, OPT_DOMAIN, OPT_CONTACT, OPT_ORGANIZATION,
       OPT_BUFFER, OPT_NO_PROCESSES, OPT_KEYLOG, OPT_EVE, OPT_SANDBOX, OPT_KEEP, OPT_KEEP_DAYS, OPT_KEEP_BYTES, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPT_JSON },
	{ "text", no_argument, NULL, OPT_TEXT },
	{ "html", required_argument, NULL, OPT_HTML },
	{ "letter", required_argument, NULL, OPT_LETTER },
	{ "to", required_argument, NULL, OPT_TO },
	{ "provider", required_argument, NULL, OPT_PROVIDER },
	{ "client", required_argument, NULL, OPT_CLIENT },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "catalogue", required_argument, NULL, OPT_CATALOGUE },
	{ "asn-db", required_argument, NULL, OPT_ASN_DB },
	{ "ca-file", required_argument, NULL, OPT_CA_FILE },
	{ "vantage", required_argument, NULL, OPT_VANTAGE },
	{ "canary", required_argument, NULL, OPT_CANARY },
	{ "mail-server", required_argument, NULL, OPT_MAIL_SERVER },
	{ "workers", required_argument, NULL, OPT_WORKERS },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "table", required_argument, NULL, OPT_TABLE },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "token-file", required_argument, NULL, OPT_TOKEN_FILE },
	{ "tls-cert", required_argument, NULL, OPT_TLS_CERT },
	{ "tls-key", required_argument, NULL, OPT_TLS_KEY },
	{ "behind-proxy", required_argument, NULL, OPT_BEHIND_PROXY },
	{ "domain", required_argument, NULL, OPT_DOMAIN },
	{ "contact", required_argument, NULL, OPT_CONTACT },
	{ "organization", required_argument, NULL, OPT_ORGANIZATION },
	{ "exit-zero", no_argument, NULL, OPT_EXIT_ZERO },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "no-processes", no_argument, NULL, OPT_NO_PROCESSES },
	{ "keep-days", required_argument, NULL, OPT_KEEP_DAYS },
	{ "keep-bytes", required_argument, NULL, OPT_KEEP_BYTES },
	{ "keylog", required_argument, NULL, OPT_KEYLOG },
	{ "eve", required_argument, NULL, OPT_EVE },
	{ "sandbox", required_argument, NULL, OPT_SANDBOX },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

_Noreturn void options_misuse(const char *why, const char *what)
{
	base_log("%s%s%s", why, what[0] != '\0' ? ": " : "", what);
	fputs(options_usage, stderr);
	exit(EX_USAGE);
}

void options_add_word(struct words *w, const char *word)
{
	w->of = base_realloc(w->of, (w->count + 1) * sizeof(w->of[0]));
	w->of[w->count++] = word;
}

void options_free_copies(struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free((char *)w->of[i]);
	free(w->of);
}

static void add_file(struct options *o, const char *path)
{
	options_add_word(&o->files, path);
	o->file_vantages = base_realloc(o->file_vantages, o->files.count);
	o->file_vantages[o->files.count - 1] = o->vantage;
}

/* Files before the first name are the client's. */
static void begin_vantage(struct options *o, const char *name)
{
	unsigned i = 0;

	if (*name == '\0')
		options_misuse("--vantage wants a name", name);
	if (o->vantages.count == 0 && o->files.count > 0)
		options_add_word(&o->vantages, "client");
	while (i < o->vantages.count && strcmp(o->vantages.of[i], name) != 0)
		i++;
	if (i == VANTAGES_MAX)
		options_misuse("--vantage: too many", name);
	if (i == o->vantages.count)
		options_add_word(&o->vantages, name);
	o->vantage = (uint8_t)i;
}

static void check_vantages(struct options *o)
{
	if (o->vantages.count == 0)
		options_add_word(&o->vantages, "");
	for (unsigned i = 0; i < o->vantages.count; i++) {
		if (o->files.count == 0 || memchr(o->file_vantages, (int)i, o->files.count) == NULL)
			options_misuse("--vantage: no file follows", o->vantages.of[i]);
	}
}

/* Two files and no word of where they are from: the client's and the server's. */
static void check_experiment(struct options *o)
{
	if (o->vantages.of[0][0] == '\0' && o->files.count == 2) {
		o->vantages.of[0] = "client";
		options_add_word(&o->vantages, "server");
		o->file_vantages[1] = 1;
	}
	if (o->vantages.count < 2)
		options_misuse("two captures are wanted, the client's and the server's", o->verb);
	if (o->canaries.count == 0)
		options_misuse("--canary is wanted: the account that was typed into the client", o->verb);
}

static unsigned number_of(const char *word, unsigned min, unsigned max, const char *wanted)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*word == '\0' || *end != '\0' || n < min || n > max)
		options_misuse(wanted, word);
	return (unsigned)n;
}

/* With the letters that dd(1) and systemd take for powers of 1024. */
static uint64_t bytes_of(const char *word)
{
	static const char letters[] = "KMGT";
	char *end;
	unsigned long long n = strtoull(word, &end, 10);
	const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;
	unsigned shift = letter != NULL ? 10 * (unsigned)(letter - letters + 1) : 0;

	if (*word < '0' || *word > '9' || (*end != '\0' && (letter == NULL || end[1] != '\0')) || n > (unsigned long long)INT64_MAX >> shift ||
	    n << shift < RETAIN_BYTES_MIN)
		options_misuse("--keep-bytes wants 16M or more, as in 500M or 20G", word);
	return n << shift;
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

int64_t options_finding(const char *word)
{
	char *end;
	long long n = strtoll(word, &end, 10);

	if (n < 1 || *end != '\0')
		options_misuse("a finding's number is wanted, as the report has it", word);
	return n;
}

static enum letter_to letter_to(const char *word)
{
	if (strcmp(word, "vendor") != 0 && strcmp(word, "dpo") != 0)
		options_misuse("--to wants vendor or dpo", word);
	return word[0] == 'v' ? LETTER_TO_VENDOR : LETTER_TO_DPO;
}

static void take_option(struct options *o, int letter)
{
	switch (letter) {
	case 'r':
	case FILE_WORD: add_file(o, optarg); break;
	case OPT_CANARY: options_add_word(&o->canaries, optarg); break;
	case OPT_MAIL_SERVER: options_add_word(&o->servers, optarg); break;
	case OPT_VANTAGE: begin_vantage(o, optarg); break;
	case 'w': o->write_path = optarg; break;
	case 'f': o->filter = optarg; break;
	case 'n': o->emit.numeric = true; break;
	case 'q': o->emit.quiet = true; break;
	case OPT_JSON: o->json = o->export.json = true; break;
	case OPT_TEXT: o->json = false; break;
	case OPT_HTML: o->html_path = optarg; break;
	case OPT_LETTER: o->letter = options_finding(optarg); break;
	case OPT_TO: o->letter_to = letter_to(optarg); break;
	case OPT_PROVIDER: options_add_word(&o->providers, optarg); break;
	case OPT_CLIENT: options_add_word(&o->clients, optarg); break;
	case OPT_POLICY: o->policy = optarg; break;
	case OPT_CATALOGUE: options_add_word(&o->catalogues, optarg); break;
	case OPT_ASN_DB: o->asn_db = optarg; break;
	case OPT_CA_FILE: o->ca_file = optarg; break;
	case OPT_WORKERS:
		o->workers = number_of(optarg, 1, PIPELINE_WORKERS_MAX, "--workers wants a number from 1 to 64");
		break;
	case OPT_KEEP_DAYS: o->retain.days = number_of(optarg, 1, 36500, "--keep-days wants 1 to 36500 days"); break;
	case OPT_KEEP_BYTES: o->retain.bytes = bytes_of(optarg); break;
	case OPT_BUFFER:
		o->buffer_mib = number_of(optarg, 1, SOURCE_LIVE_BUFFER_MIB_MAX, "--buffer wants 1 to 2047 MiB");
		break;
	case OPT_KEEP:
		o->keep_mib = number_of(optarg, 0, KEEP_MIB_MAX, "--keep wants 0 to 1048576 MiB");
		break;
	case OPT_KEYLOG: o->keylog = optarg; break;
	case OPT_EVE: o->eve_path = optarg; break;
	case OPT_SANDBOX:
		if (!sandbox_mode_of(optarg, &o->sandbox))
			options_misuse("--sandbox wants on, strict or off", optarg);
		break;
	case 'Z': o->user = optarg; break;
	case 'i': options_add_word(&o->interfaces, optarg); break;
	case 'p': o->not_promiscuous = true; break;
	case OPT_NO_PROCESSES: o->no_processes = true; break;
	case 'D': o->list_interfaces = true; break;
	case 'o': o->export.to = optarg; break;
	case OPT_FORMAT: o->export.format = optarg; break;
	case OPT_LISTEN: o->serve.listen = optarg; break;
	case OPT_TOKEN_FILE: o->serve.token_file = optarg; break;
	case OPT_TLS_CERT: o->serve.certificate = optarg; break;
	case OPT_TLS_KEY: o->serve.key = optarg; break;
	case OPT_BEHIND_PROXY: o->serve.proxy = optarg; break;
	case OPT_TABLE: o->export.table = optarg; break;
	case OPT_DOMAIN: o->export.domain = optarg; break;
	case OPT_CONTACT: o->export.contact = optarg; break;
	case OPT_ORGANIZATION: o->export.organization = optarg; break;
	case OPT_EXIT_ZERO: o->exit_zero = true; break;
	case OPT_VERSION: print_version(); break;
	case OPT_HELP:
		fputs(options_usage, stdout);
		fputs(options_help, stdout);
		exit(EX_OK);
	default:
		fputs(options_usage, stderr);
		exit(EX_USAGE);
	}
}

/* With a blank between each two. */
static char *joined(char *const *words, int count)
{
	size_t n = 1;
	char *line, *end;

	for (int i = 0; i < count; i++)
		n += strlen(words[i]) + 1;
	line = end = base_alloc(n);
	for (int i = 0; i < count; i++)
		end += sprintf(end, "%s%s", i > 0 ? " " : "", words[i]);
	return line;
}

/* The rest of the line is another's; of it the run table gets the name alone, for what follows may be a password. */
static void take_command(struct options *o, int argc, char **argv)
{
	if (optind == argc)
		options_misuse("a command is wanted", "-- COMMAND");
	o->command = argv + optind;
	free(o->command_line);
	o->command_line = joined(argv - 1, optind + 2);
}

/* What watch and replay do not have in common. */
static void check_inputs(struct options *o)
{
	bool watch = strcmp(o->verb, "watch") == 0;

	if (watch && o->interfaces.count == 0)
		options_misuse("an interface is wanted", "-i");
	if ((o->retain.days > 0 || o->retain.bytes > 0) && (!watch || o->write_path == NULL))
		options_misuse("only watch with -w takes", o->retain.days > 0 ? "--keep-days" : "--keep-bytes");
	if (!watch && o->interfaces.count > 0)
		options_misuse("only watch takes", "-i");
	if (o->keylog != NULL && o->command == NULL)
		options_misuse("only run takes", "--keylog");
	if (o->eve_path != NULL && !watch && o->command == NULL)
		options_misuse("only watch and run take", "--eve");
	if (!watch && o->command == NULL && o->files.count == 0)
		options_misuse("nothing to read", o->verb);
	if (o->interfaces.count > CAPTURE_OPEN)
		options_misuse("too many interfaces", "-i");
	if (o->command != NULL)
		return;
	if (!watch) {
		check_vantages(o);
	} else if (o->files.count > 0) {
		if (o->filter != NULL)
			options_misuse("two filters", o->filter);
		o->filter = o->expression = joined((char *const *)o->files.of, (int)o->files.count);
		o->files.count = 0;
	}
}

void options_read(int argc, char **argv, bool (*is_command)(const char *word), struct options *o)
{
	bool has_verb = argc > 1 && argv[1][0] != '-', run = has_verb && strcmp(argv[1], "run") == 0;
	int letter;

	*o = (struct options){
		.verb = "replay", .workers = workers_default(), .buffer_mib = SOURCE_LIVE_BUFFER_MIB,
		.keep_mib = KEEP_MIB,
	};
	o->command_line = joined(argv, argc);
	if (has_verb) {
		o->verb = argv[1];
		argv++; /* getopt's argv[0] is then the command */
		argc--;
	}
	if (!is_command(o->verb))
		options_misuse("no such command", o->verb);
	/* Of run, what follows the first word that is no option is not ours; else words may stand among options. */
	while ((letter = getopt_long(argc, argv, run ? "+w:f:o:Z:nq" : "-r:w:f:o:i:Z:nqpD", long_options, NULL)) != -1)
		take_option(o, letter);
	if (o->list_interfaces)
		return;
	if (!has_verb && o->files.count == 0 && o->interfaces.count == 0)
		options_misuse("no command", "");
	if (!has_verb && o->interfaces.count > 0)
		o->verb = "watch";
	if (run)
		take_command(o, argc, argv);
	while (!run && optind < argc)
		add_file(o, argv[optind++]);
	check_inputs(o);
	if (strcmp(o->verb, "experiment") == 0)
		check_experiment(o);
	if (o->letter != 0 && strcmp(o->verb, "report") != 0)
		options_misuse("only report takes", "--letter");
	if (o->letter == 0 && o->letter_to != LETTER_TO_FIT)
		options_misuse("--letter is wanted: the number of a finding", "--to");
	if (o->json && o->html_path != NULL && strcmp(o->html_path, "-") == 0)
		options_misuse("two reports for standard output", "--json --html -");
	o->emit.color = o->export.to == NULL && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	o->emit.columns = o->export.to == NULL ? columns() : 0;
}

void options_free(struct options *o)
{
	free(o->command_line);
	free(o->expression);
	free(o->interfaces.of);
	free(o->files.of);
	free(o->providers.of);
	free(o->clients.of);
	free(o->catalogues.of);
	free(o->servers.of);
	free(o->canaries.of);
	free(o->vantages.of);
	free(o->file_vantages);
}
