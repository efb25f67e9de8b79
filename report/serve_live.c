/* Looks once a second whether the case changed, and streams what is new: server-sent events, as HTML's standard
 * has them. Each event is a line of news.h, or says that the case is another. */
#include "report/serve_part.h"

#include "capture/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BEAT_S 15	/* a stream with nothing new says so, by which a client that is gone is noticed */

struct stream {
	struct serve_live *live;
	struct stream *next;
	struct MHD_Connection *connection;
	uint64_t next_event;
	bool waits, gone;
	char *pending;		/* of the event at hand, or NULL */
	size_t used;
	time_t last;
};

struct serve_live {
	struct serve *serve;
	struct store *st;
	struct news *news;
	int64_t data_version;
	_Atomic uint64_t generation;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;	/* of what follows */
	pthread_cond_t stopping;
	bool stop;
	char *events[SERVE_NEWS];
	uint64_t event_count;	/* the next one's number */
	struct stream *streams;
	unsigned stream_count;
};

static void add_event(struct serve_live *l, const char *name, const char *data)
{
	char *text = base_checked(sqlite3_mprintf("id: %llu\nevent: %s\ndata: %s\n\n", (unsigned long long)l->event_count, name,
						  data));
	char **place = &l->events[l->event_count++ % SERVE_NEWS];

	sqlite3_free(*place);
	*place = text;
}

/* Each line of news is one event of the name that it says. */
static void add_news(struct serve_live *l, char *lines)
{
	for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		const char *at = strstr(line, "\"event_type\":\"");
		char name[32] = "news";

		if (at != NULL)
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 14, "\""), at + 14);
		add_event(l, name, line);
	}
}

/* Nobody else looks at the connection of a stream that waits. */
static bool is_gone(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;

	return info != NULL && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void wake(struct serve_live *l)
{
	time_t now = time(NULL);

	for (struct stream *s = l->streams; s != NULL; s = s->next) {
		s->gone = s->gone || (s->waits && is_gone(s->connection));
		if (s->waits && (l->stop || s->gone || s->next_event < l->event_count || now - s->last >= BEAT_S)) {
			s->waits = false;
			MHD_resume_connection(s->connection);
		}
	}
}

/* What changed since the last look; the first time all is news to nobody. */
static void look(struct serve_live *l, bool first)
{
	int64_t version = store_number(l->st, "PRAGMA data_version", -1);
	char *lines = NULL, said[64];
	size_t size;
	FILE *out;

	if (version == l->data_version && !first)
		return;
	l->data_version = version;
	out = base_checked(open_memstream(&lines, &size));
	if (!news_tell(l->news, l->st, out))
		base_log("serve: %s", store_error(l->st));
	fclose(out);
	pthread_mutex_lock(&l->lock);
	atomic_fetch_add(&l->generation, 1);
	if (!first) {
		add_news(l, lines);
		snprintf(said, sizeof(said), "{\"generation\":%llu}", (unsigned long long)l->generation);
		add_event(l, "case", said);
	}
	pthread_mutex_unlock(&l->lock);
	free(lines);
}

static void *watch_case(void *context)
{
	struct serve_live *l = context;
	struct timespec until;

	pthread_mutex_lock(&l->lock);
	while (!l->stop) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&l->stopping, &l->lock, &until);
		pthread_mutex_unlock(&l->lock);
		look(l, false);
		serve_tick(l->serve);
		pthread_mutex_lock(&l->lock);
		wake(l);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

struct serve_live *serve_live_begin(struct serve *s, const char *path, char *error, size_t error_size)
{
	struct store *st = store_view(path, error, error_size);
	struct serve_live *l;

	if (st == NULL)
		return NULL;
	l = base_alloc(sizeof(*l));
	l->serve = s;
	l->st = st;
	l->news = news_new(&(struct news_settings){ .json = true });
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->stopping, NULL);
	look(l, true);
	return l;
}

bool serve_live_start(struct serve_live *l, char *error, size_t error_size)
{
	int rc = pthread_create(&l->thread, NULL, watch_case, l);

	l->started = rc == 0;
	if (!l->started)
		snprintf(error, error_size, "thread: %s", strerror(rc));
	return l->started;
}

void serve_live_stop(struct serve_live *l)
{
	pthread_mutex_lock(&l->lock);
	l->stop = true;
	pthread_cond_signal(&l->stopping);
	pthread_mutex_unlock(&l->lock);
	if (l->started)
		pthread_join(l->thread, NULL);
}

void serve_live_end(struct serve_live **l)
{
	if (*l == NULL)
		return;
	for (unsigned i = 0; i < SERVE_NEWS; i++)
		sqlite3_free((*l)->events[i]);
	news_free(&(*l)->news);
	store_close(&(*l)->st);
	pthread_mutex_destroy(&(*l)->lock);
	pthread_cond_destroy(&(*l)->stopping);
	free(*l);
	*l = NULL;
}

uint64_t serve_live_generation(const struct serve_live *l)
{
	return l->generation;
}

/* The next event, or the beat, into what is pending. False where there is nothing to say. */
static bool take(struct stream *s)
{
	struct serve_live *l = s->live;
	const char *text = NULL;

	if (l->event_count - s->next_event > SERVE_NEWS)
		s->next_event = l->event_count - SERVE_NEWS;
	if (s->next_event < l->event_count)
		text = l->events[s->next_event++ % SERVE_NEWS];
	else if (time(NULL) - s->last >= BEAT_S)
		text = ":\n\n";
	if (text == NULL)
		return false;
	s->pending = base_strdup(text);
	s->used = 0;
	s->last = time(NULL);
	return true;
}

static ssize_t read_stream(void *context, uint64_t at, char *out, size_t size)
{
	struct stream *s = context;
	struct serve_live *l = s->live;
	ssize_t result = 0;

	(void)at;
	pthread_mutex_lock(&l->lock);
	if (l->stop || s->gone) {
		result = MHD_CONTENT_READER_END_OF_STREAM;
	} else if (s->pending != NULL || take(s)) {
		size_t n = strlen(s->pending) - s->used;

		n = n < size ? n : size;
		memcpy(out, s->pending + s->used, n);
		s->used += n;
		if (s->pending[s->used] == '\0') {
			free(s->pending);
			s->pending = NULL;
		}
		result = (ssize_t)n;
	} else {
		s->waits = true;
		MHD_suspend_connection(s->connection);
	}
	pthread_mutex_unlock(&l->lock);
	return result;
}

static void end_stream(void *context)
{
	struct stream *s = context, **at;
	struct serve_live *l = s->live;

	pthread_mutex_lock(&l->lock);
	for (at = &l->streams; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	l->stream_count--;
	pthread_mutex_unlock(&l->lock);
	free(s->pending);
	free(s);
}

struct MHD_Response *serve_live_stream(struct serve_live *l, struct MHD_Connection *connection, uint64_t last)
{
	struct stream *s = NULL;
	struct MHD_Response *response;

	pthread_mutex_lock(&l->lock);
	if (l->stream_count < SERVE_STREAMS && !l->stop) {
		s = base_alloc(sizeof(*s));
		*s = (struct stream){
			.live = l, .next = l->streams, .connection = connection, .last = time(NULL) - BEAT_S,
			.next_event = last < l->event_count ? last + 1 : l->event_count,
		};
		l->streams = s;
		l->stream_count++;
	}
	pthread_mutex_unlock(&l->lock);
	if (s == NULL)
		return NULL;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, s, end_stream);
	if (response == NULL)
		end_stream(s);
	return response;
}
