/* command.h - the commands, and what several of them need
 *
 * One function for each word that main knows: it takes the command line and gives back the exit status.
 * Thread: main's. Errors: what keeps a command from its work is one line and ends the program, by sysexits.h. */
#ifndef DOOR_COMMAND_H
#define DOOR_COMMAND_H

#include "classify/owner.h"
#include "door/options.h"
#include "report/policy.h"
#include "report/store.h"

int command_replay(const struct options *o);
int command_watch(const struct options *o);
int command_run(const struct options *o);
int command_judge(const struct options *o);
int command_report(const struct options *o);
int command_explain(const struct options *o);
int command_evidence(const struct options *o);
int command_export(const struct options *o);
int command_serve(const struct options *o);
int command_owners(const struct options *o);
int command_policy(const struct options *o);

_Noreturn void command_fail(int status, const char *why);

/* Prints the report that the options ask for; the exit status is the verdict's. */
int command_emit(struct store *store, const struct options *o);

/* What replay, judge, owners and policy have to know of the world. */
struct knowledge {
	struct catalogue *catalogue;
	struct asn *asn;
	struct owner_finder *finder;
	struct policy *policy;
	struct owner_book book;
};

/* EX_OK; or a line, and nothing in *k. */
int knowledge_read(const struct options *o, struct knowledge *k, char *error, size_t size);
struct knowledge knowledge_open(const struct options *o);
void knowledge_close(struct knowledge *k);

#endif
