/* pipeline.h - starts, feeds and joins the threads: capture -> workers -> writer
 *
 * The one file of report/ that knows the other rooms' threads.
 * Thread: pipeline_run is called once; capture runs in the caller's thread. Errors: false when facts
 * could not be stored; store_error says why. What a live run could not store may be left gathered in the store. */
#ifndef REPORT_PIPELINE_H
#define REPORT_PIPELINE_H

#include "capture/capture.h"
#include "capture/process.h"
#include "report/writer.h"

#define PIPELINE_WORKERS_MAX 64		/* one for each shard */

struct certificate_store;

struct pipeline_settings {
	const char *const *paths;
	unsigned path_count;
	const uint8_t *vantages;	/* of each path, the number of its vantage point; NULL: one of all */
	const char *const *vantage_names;
	const char *filter;		/* or NULL */
	struct certificate_store *trust;	/* whom servers' certificates are judged by */
	unsigned workers;		/* 1 to PIPELINE_WORKERS_MAX */
	/* Now and then from the caller's thread, or NULL; as in struct capture_sink. */
	void (*progress)(void *context, uint64_t packets, uint64_t bytes);
	/* Once per source when it is through, from the caller's thread, or NULL. */
	void (*ended)(void *context, const struct source_end *end);
	void *context;			/* of both */
	const struct pipeline_live *live;	/* interfaces in place of files, or NULL */
};

struct pipeline_live {
	struct source_live *const *sources;
	unsigned source_count;
	unsigned first_number;		/* of the sources; see store_run_again */
	struct process_matcher *processes;	/* matched to the flows; NULL: they are not */
	uint64_t keep;			/* bytes of packets that the case may hold; 0: none */
	int control;			/* as in struct capture_live_settings */
	bool (*controlled)(void *context);
	writer_stored *stored;		/* every second from the writer's thread, which has the store */
	writer_room *make_room;		/* before, or NULL */
	void *context;			/* of all */
};

bool pipeline_run(const struct pipeline_settings *settings, struct store *store);

#endif
