/* store.h - the case file: facts in SQLite (the only user of sqlite3, with store_sql.h for judge)
 *
 * One SQLite database; tables are DESIGN's, columns the fields of classify/fact.h (see schema.sql).
 * WAL, prepared statements, transactions of many rows. user_version says the schema's version; an older
 * case is migrated when it is opened for writing, a newer one refused.
 *
 * Thread: one store belongs to one thread at a time (the writer, then judge and emit).
 * Memory: bounded by SQLite's cache; a case without a path is a temporary database that spills to disk.
 * Errors: false, and store_error has what was being done, with what, and why. */
#ifndef REPORT_STORE_H
#define REPORT_STORE_H

#include "capture/process.h"
#include "capture/source.h"
#include "classify/fact.h"

#define RUN_MAIL_ONLY "mail services only"
#define RUN_ALL_TRAFFIC "all traffic of this client"

struct store;

/* What a run is, for table run. Texts are copied. */
struct run_info {
	const char *version;		/* of mailwitness */
	const char *ndpi_version, *catalogue_version, *asn_database, *attribution;
	const char *command_line;
	const char *scope;		/* RUN_MAIL_ONLY or RUN_ALL_TRAFFIC */
	const char *filter;		/* packet filter, or "" */
	int64_t from_ns;		/* when watching begins; 0: files are read */
};

/* Creates or opens a case for a run; NULL path: temporary. NULL with a line in error, also where another run
 * is writing it. */
struct store *store_create(const char *path, char *error, size_t error_size);
/* Opens an existing case for judging and reporting. */
struct store *store_open(const char *path, char *error, size_t error_size);
/* Opens one for looking only, also while another writes it. */
struct store *store_view(const char *path, char *error, size_t error_size);
void store_close(struct store **st);
const char *store_error(const struct store *st);

bool store_run(struct store *st, const struct run_info *run);
/* One more run of a case that was watched: *source_out is the first number that its sources may have, so that
 * no frame has the id of an earlier run's. What was not watched in between is a loss of every interface of the
 * new run. False where the case is of files or of another scope. A case that is new has no such loss. */
bool store_run_again(struct store *st, const struct run_info *run, unsigned interfaces, unsigned *source_out);
/* Of sources that nobody reads any more, whoever had them: for who has the lock. */
bool store_killed(struct store *st);
/* All that the run saw before then is stored. */
bool store_run_until(struct store *st, int64_t until_ns);
/* When that is; 0: not known. */
int64_t store_run_is_until(struct store *st);
/* Which CA certificates the run went by, known when it is over; "" where it asked for none. */
bool store_run_ca(struct store *st, const char *ca_store);
/* The command that was watched, and how it ended; see table command. */
struct store_command {
	const char *name;
	int status;			/* -1: ended by a signal */
	const char *signal;		/* its name without SIG, or NULL */
	const char *left;		/* what it left running, in words; "" is nothing */
};
bool store_command(struct store *st, const struct store_command *command);
/* All or nothing. */
bool store_add(struct store *st, const struct fact *facts, unsigned count);
bool store_add_these(struct store *st, const struct fact *const *facts, unsigned count);
/* Every fact that is added from here on is told as well, also one of a transaction that is rolled back later; `added`
 * may not use the store. Two may listen at a time, each with a context of its own. */
void store_listen(struct store *st, void (*added)(void *context, const struct fact *fact), void *context);
void store_listen_no_more(struct store *st, const void *context);
/* What is stored, and judged, between the two is one transaction. What fails meanwhile takes all with it. */
bool store_gather(struct store *st);
bool store_gathered(struct store *st);
/* Between the two. */
bool store_gathers(const struct store *st);
/* While it is on, nothing is written to any disk before a transaction is committed, however large it grows. */
bool store_in_memory(struct store *st, bool on);
/* What SQLite's write-ahead log takes of the disk. */
int64_t store_log_bytes(struct store *st);
/* Whether it has a path; else it ends with the process. */
bool store_lasts(const struct store *st);
/* From here on a commit is on the disk when it is done, where the case has a path, and nobody else's lock is
 * waited for long: for a run of months. */
bool store_sync(struct store *st);
/* While it is on, a commit is on the disk no later than the next one after: for what can be made again. Outside any
 * transaction. */
bool store_sync_later(struct store *st, bool on);
/* The case is of interfaces, and holds packets (FACT_PACKET) of up to so many bytes; 0: none. */
bool store_keep(struct store *st, uint64_t limit);
/* Packets of so many bytes were added. Where there are too many now, flows let go of all theirs until an eighth
 * of the limit is free: first the oldest of no finding, then the oldest. */
bool store_keep_within(struct store *st, uint64_t added);
bool store_source(struct store *st, unsigned number, const struct source_end *end);
/* At which vantage point a stored source was recorded; "" where it was not said. */
bool store_vantage(struct store *st, unsigned source, const char *vantage);
bool store_loss(struct store *st, const struct loss *loss);
bool store_process(struct store *st, const struct process_fact *fact);

#endif
