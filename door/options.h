/* options.h - the command line: read, or explained and refused
 *
 * tcpdump's letters mean what they mean there, but for -w (keeps the case) and -f (takes a filter). Words
 * are borrowed from argv. Errors: a line, the usage, and exit status 64. */
#ifndef DOOR_OPTIONS_H
#define DOOR_OPTIONS_H

#include "capture/sandbox.h"
#include "report/emit.h"
#include "report/export.h"
#include "report/retain.h"
#include "report/serve.h"

#include <stdbool.h>
#include <sys/types.h>

struct words {
	const char **of;
	unsigned count;
};

struct options {
	const char *verb;		/* "replay" (also for -r), "experiment", "watch" (also for -i), "report", ... */
	const char *write_path, *filter, *policy, *asn_db, *ca_file;	/* NULL where not given */
	const char *user;		/* of -Z, or NULL */
	enum sandbox_mode sandbox;
	mode_t umask;			/* as it was, for a command */
	struct words files, providers, clients, servers, canaries, catalogues, interfaces;
	struct words vantages;		/* names of vantage points; one, "", where none was named */
	uint8_t *file_vantages;		/* of each file, the number of its own */
	uint8_t vantage;		/* of the files that follow */
	const char *html_path;		/* where the page goes, beside the report; "-" is in its place */
	int64_t letter;			/* about which finding; 0: none is wanted */
	enum letter_to letter_to;
	bool json, exit_zero;
	bool not_promiscuous, list_interfaces, no_processes;
	unsigned workers, buffer_mib, keep_mib;
	struct retain_limits retain;	/* of a case that is watched */
	struct emit_settings emit;
	struct export_settings export;
	struct serve_settings serve;
	char *expression;		/* of watch: its words, or NULL */
	char *const *command;		/* of run: its words, ended by NULL */
	const char *keylog;		/* of run, or NULL */
	const char *eve_path;		/* of watch and run, or NULL */
	char *command_line;		/* for the run table; of run's command the first word */
};

/* Does not come back from --help, --version or a mistake. */
void options_read(int argc, char **argv, bool (*is_command)(const char *word), struct options *o);
void options_free(struct options *o);

void options_add_word(struct words *w, const char *word);
/* Of words that are copies. */
void options_free_copies(struct words *w);

/* Says why, shows the usage, and ends the program. */
_Noreturn void options_misuse(const char *why, const char *what);

/* The number of a finding in a word. */
int64_t options_finding(const char *word);

extern const char options_usage[], options_help[];

#endif
