#include "door/enclosure.h"

#include "capture/base.h"
#include "door/command.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct enclosure {
	struct sandbox_settings settings;
	struct sandbox *sandbox;
	struct words read, write;	/* of copies */
};

/* The directory that this file is in. */
static void add_directory(struct words *w, const char *path)
{
	char *copy = base_strdup(path);

	options_add_word(w, base_strdup(dirname(copy)));
	free(copy);
}

/* What a signal to read it all again would read. A file that is written anew is another: so its directory. */
static void add_knowledge(struct words *w, const struct options *o)
{
	options_add_word(w, base_strdup(DATADIR));
	if (o->policy != NULL)
		add_directory(w, o->policy);
	if (o->asn_db != NULL)
		add_directory(w, o->asn_db);
	for (unsigned i = 0; i < o->catalogues.count; i++)
		add_directory(w, o->catalogues.of[i]);
}

/* A file that will be written, or is there and goes on; and its directory. */
static void add_output(struct words *w, const char *path)
{
	if (path == NULL || strcmp(path, "-") == 0)
		return;
	add_directory(w, path);
	options_add_word(w, base_strdup(path));
}

/* A case has beside it what SQLite keeps for a while; one that nobody keeps is all of that kind. */
static void add_outputs(struct words *w, const struct options *o)
{
	const char *temporary = getenv("TMPDIR");

	add_output(w, o->write_path);
	if (o->write_path == NULL)
		options_add_word(w, base_strdup(temporary != NULL ? temporary : "/var/tmp"));
	setenv("SQLITE_TMPDIR", w->of[0], 1);
	add_output(w, o->html_path);
	add_output(w, o->export.to);
}

struct enclosure *enclosure_begin(const struct options *o, bool live)
{
	struct enclosure *e = base_alloc(sizeof(*e));
	char error[512];

	add_knowledge(&e->read, o);
	add_outputs(&e->write, o);
	e->settings = (struct sandbox_settings){
		.mode = o->sandbox, .user = o->user, .live = live,
		.inputs = { o->files.of, o->files.count },
		.read = { e->read.of, e->read.count }, .write = { e->write.of, e->write.count },
	};
	e->sandbox = sandbox_begin(&e->settings, error, sizeof(error));
	if (e->sandbox == NULL)
		command_fail(EX_UNAVAILABLE, error);
	return e;
}

void enclosure_enter(struct enclosure *e)
{
	char error[512];
	int status = sandbox_enter(e->sandbox, error, sizeof(error));

	if (status != EX_OK)
		command_fail(status, error);
	if (e->settings.live)
		base_log("sandbox: %s", sandbox_describe(e->sandbox));
}

static void words_free(struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		free((char *)w->of[i]);
	free(w->of);
}

void enclosure_end(struct enclosure **e)
{
	sandbox_end(&(*e)->sandbox);
	words_free(&(*e)->read);
	words_free(&(*e)->write);
	free(*e);
	*e = NULL;
}
