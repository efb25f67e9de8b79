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

static struct enclosure *begin(struct enclosure *e, const struct options *o)
{
	char error[512];

	e->settings.mode = o->sandbox;
	e->settings.user = o->user;
	e->settings.read = (struct sandbox_paths){ e->read.of, e->read.count };
	e->settings.write = (struct sandbox_paths){ e->write.of, e->write.count };
	e->sandbox = sandbox_begin(&e->settings, error, sizeof(error));
	if (e->sandbox == NULL)
		command_fail(EX_UNAVAILABLE, error);
	return e;
}

struct enclosure *enclosure_begin(const struct options *o, bool live)
{
	struct enclosure *e = base_alloc(sizeof(*e));

	add_knowledge(&e->read, o);
	add_outputs(&e->write, o);
	e->settings.live = live;
	e->settings.inputs = (struct sandbox_paths){ o->files.of, o->files.count };
	return begin(e, o);
}

/* Beside the case stands what SQLite tells who writes it by, which is there once the case is open. */
struct enclosure *enclosure_begin_serving(const struct options *o, const struct words *files)
{
	static const char *const beside[] = { "-wal", "-shm" };
	struct enclosure *e = base_alloc(sizeof(*e));

	for (unsigned i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		char *path = base_alloc(strlen(o->files.of[0]) + strlen(beside[i]) + 1);

		sprintf(path, "%s%s", o->files.of[0], beside[i]);
		options_add_word(&e->write, path);
	}
	e->settings.serves = true;
	e->settings.inputs = (struct sandbox_paths){ files->of, files->count };
	return begin(e, o);
}

void enclosure_enter(struct enclosure *e)
{
	char error[512];
	int status = sandbox_enter(e->sandbox, error, sizeof(error));

	if (status != EX_OK)
		command_fail(status, error);
	if (e->settings.live || e->settings.serves)
		base_log("sandbox: %s", sandbox_describe(e->sandbox));
}

void enclosure_end(struct enclosure **e)
{
	sandbox_end(&(*e)->sandbox);
	options_free_copies(&(*e)->read);
	options_free_copies(&(*e)->write);
	free(*e);
	*e = NULL;
}
