/* serve_part.h - what serve.c, which lets requests in, shares with what answers them
 *
 * serve_gate.c: who may ask. serve_answer.c: what is asked for. serve_cache.c: pages that were made. serve_page.h: pages.
 * serve_data.c: JSON, evidence, figures. serve_live.c: what is new, and who waits for it. */
#ifndef REPORT_SERVE_PART_H
#define REPORT_SERVE_PART_H

#include "report/news.h"
#include "report/serve.h"
#include "report/store_sql.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SERVE_THREADS 4
#define SERVE_CONNECTIONS 256
#define SERVE_CONNECTION_MEMORY (16 * 1024)	/* the longest request line and headers */
#define SERVE_REQUEST_S 10	/* until a request is whole, and between two of a connection */
#define SERVE_STREAMS 64	/* of what is new */
#define SERVE_NEWS 256		/* lines remembered for streams that come again */
#define SERVE_CACHE 128		/* pages */
#define SERVE_CACHE_BYTES (64 << 20)
#define SERVE_HELD_BYTES (512u << 20)	/* of answers that are being sent, before more of them are refused */
#define SERVE_REPORT_MAX 2000	/* findings or clients of a report that is made as one page here */
#define SERVE_QUERY 128		/* bytes of a search */
#define SERVE_STATUSES 16
#define SERVE_DIGEST 32

struct serve_live;

/* A connection that nobody has asked anything on for too long is ended, however slowly its bytes come. */
struct serve_link {
	struct serve_link *next;
	int fd;
	time_t since;
	bool asked;
};

struct serve_cached {
	char *key;
	uint64_t generation;
	size_t size;
	struct MHD_Response *response;
};

struct serve {
	struct serve_settings settings;
	struct MHD_Daemon *daemon;
	int listener;
	struct serve_live *live;
	bool loopback, has_token;
	uint8_t token[SERVE_DIGEST];		/* SHA-256 of it */
	char *certificate, *key;	/* PEM */
	_Atomic size_t held_bytes;	/* of all answers that were made and not yet let go */
	pthread_key_t store;		/* each thread has its own */
	pthread_mutex_t lock;		/* of what follows */
	struct serve_link *links;
	struct serve_cached cache[SERVE_CACHE];
	size_t cache_bytes;
	unsigned cache_next;
	unsigned statuses[SERVE_STATUSES];
	uint64_t counts[SERVE_STATUSES];
};

/* A request that was let in. */
struct serve_request {
	struct serve *serve;
	struct store *st;
	const char *query, *class, *strength, *verdict;	/* of the search; "" where none */
	int64_t id;			/* the number in the path */
	const char *page;		/* "findings": which page a link or a filter leads back to */
};

/* What came of making an answer. */
enum serve_made { SERVE_MADE, SERVE_NONE, SERVE_FAILED };

typedef enum serve_made serve_maker(const struct serve_request *r, FILE *out);
serve_maker serve_overview, serve_client, serve_findings, serve_finding, serve_destinations;
serve_maker serve_report, serve_report_page, serve_evidence, serve_letter, serve_metrics;

/* Whether the case is small enough for a page that has it all. */
bool serve_is_small(struct store *st);
/* Whether the request is a search. */
bool serve_searches(const struct serve_request *r);

/* What a page may do; that nobody may frame it can only be said in a header. */
#define SERVE_ALLOW "script-src 'self'; connect-src 'self'; form-action 'self'"

/* Who looks for changes, and tells those that wait: from a thread, once it is started. */
struct serve_live *serve_live_begin(struct serve *s, const char *path, char *error, size_t error_size);
bool serve_live_start(struct serve_live *l, char *error, size_t error_size);
/* Wakes all that wait, for the last time. Before the daemon is stopped. */
void serve_live_stop(struct serve_live *l);
void serve_live_end(struct serve_live **l);
/* Raised whenever the case changed. */
uint64_t serve_live_generation(const struct serve_live *l);
/* A stream of events from the one after `last` on, UINT64_MAX is those to come; NULL where there are too many streams. */
struct MHD_Response *serve_live_stream(struct serve_live *l, struct MHD_Connection *connection, uint64_t last);
/* Every second, from the thread that looks for changes. */
void serve_tick(struct serve *s);

/* Whether who asks may, and calls this host as it is called (serve_gate.c). */
bool serve_may_ask(const struct serve *s, struct MHD_Connection *c);
bool serve_is_our_name(const struct serve *s, struct MHD_Connection *c);
void serve_set_token(struct serve *s, const char *token);

/* The daemon's, with the serve (serve_answer.c). */
enum MHD_Result serve_answer(void *serve, struct MHD_Connection *c, const char *path, const char *method,
			     const char *version, const char *upload, size_t *upload_size, void **request);

/* Pages that were made. One is the state of the case that it shows; locked by the caller (serve_cache.c). */
struct MHD_Response *serve_cached(struct serve *s, const char *key, uint64_t generation);
void serve_keep(struct serve *s, const char *key, uint64_t generation, struct MHD_Response *r, size_t size);
void serve_forget_all(struct serve *s);

extern const char serve_script[];

#endif
