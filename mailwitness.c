/* mailwitness - watches network traffic and proves where mail data goes
 *
 * The front door: which word is which command. Each stands in door/. */
#include "capture/text.h"
#include "door/command.h"
#include "door/watch.h"

#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

static const struct {
	const char *name;
	int (*run)(const struct options *o);
} commands[] = {
	{ "replay", command_replay },
	{ "watch", command_watch },
	{ "run", command_run },
	{ "experiment", command_replay },
	{ "judge", command_judge },
	{ "report", command_report },
	{ "explain", command_explain },
	{ "evidence", command_evidence },
	{ "export", command_export },
	{ "serve", command_serve },
	{ "owners", command_owners },
	{ "policy", command_policy },
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

	text_locale();
	options_read(argc, argv, is_command, &o);
	/* Who mails with whom is for those alone who asked: whatever is written, by this program or SQLite. */
	o.umask = umask(077);
	if (o.list_interfaces)
		status = watch_list();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!o.list_interfaces && strcmp(commands[i].name, o.verb) == 0)
			status = commands[i].run(&o);
	options_free(&o);
	return status;
}
