#include "report/evidence_part.h"

#include "capture/base.h"
#include "capture/mask.h"
#include "capture/source_hash.h"
#include "report/emit_words.h"
#include "report/pcapng.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PORT_DNS 53
#define SLABS (3 + SOURCE_HASH_QUEUE)	/* for one source (source.h) */

/* A flow of the finding, and what of it may be shown. */
struct shown_flow {
	struct flow_key key;
	struct host_port orig;
	uint64_t first, last;		/* frames */
	uint64_t sealed_from;		/* frame of its ClientHello; 0: never */
	uint64_t credential;		/* frame of its login; 0: none was readable */
	bool secret_replies;		/* the server may have sent mail without a login that was read */
	enum { SHOW_ALL, SHOW_MAIL, SHOW_HTTP, SHOW_NOTHING } show;
};

int evidence_fail(struct evidence *e, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->error, e->error_size, fmt, ap);
	va_end(ap);
	return status;
}

static char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static char *text_of(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

enum { FLOW_ID, FLOW_LAST, FLOW_ORIG, FLOW_RESP, FLOW_ORIG_PORT, FLOW_RESP_PORT, FLOW_PROTO, FLOW_APP, FLOW_HELLO,
       FLOW_CREDENTIAL, FLOW_MOVED };

static const char flow_sql[] =
	"SELECT f.id, f.last_frame, f.orig_addr, f.resp_addr, f.orig_port, f.resp_port, f.proto, f.app_proto, h.frame,"
	" m.credential_frame, m.preauth OR m.mail_moved OR f.orig_missing > 0 OR NOT f.orig_seen_syn"
	" FROM finding_flow AS x JOIN flow AS f ON f.id = x.flow"
	" LEFT JOIN handshake AS h ON h.flow = f.id LEFT JOIN mail_session AS m ON m.flow = f.id"
	" WHERE x.finding = ?1 ORDER BY f.id";

static bool one_of(const char *word, const char *const *list)
{
	while (*list != NULL && strcmp(word, *list) != 0)
		list++;
	return *list != NULL;
}

static struct shown_flow shown_flow(sqlite3_stmt *q)
{
	static const char *const sealed[] = { "tls", "quic", "dns", NULL };
	static const char *const mail[] = { "imap", "pop3", "smtp", "sieve", NULL };
	const char *app = (const char *)sqlite3_column_text(q, FLOW_APP);
	struct host_port resp = { .port = (uint16_t)sqlite3_column_int(q, FLOW_RESP_PORT) };
	struct shown_flow f = {
		.first = (uint64_t)sqlite3_column_int64(q, FLOW_ID),
		.last = (uint64_t)sqlite3_column_int64(q, FLOW_LAST),
		.orig.port = (uint16_t)sqlite3_column_int(q, FLOW_ORIG_PORT),
		.sealed_from = (uint64_t)sqlite3_column_int64(q, FLOW_HELLO),
		.credential = (uint64_t)sqlite3_column_int64(q, FLOW_CREDENTIAL),
		.secret_replies = sqlite3_column_int(q, FLOW_MOVED) != 0 && strcmp(app, "smtp") != 0,
		.show = one_of(app, sealed) ? SHOW_ALL : one_of(app, mail) ? SHOW_MAIL :
			strcmp(app, "http") == 0 ? SHOW_HTTP : SHOW_NOTHING,
	};

	memcpy(f.orig.addr, sqlite3_column_blob(q, FLOW_ORIG), sizeof(f.orig.addr));
	memcpy(resp.addr, sqlite3_column_blob(q, FLOW_RESP), sizeof(resp.addr));
	flow_key_make(&f.key, &f.orig, &resp, (uint8_t)sqlite3_column_int(q, FLOW_PROTO));
	return f;
}

static bool read_flows(struct evidence *e)
{
	sqlite3_stmt *q = store_prepare(e->st, flow_sql);
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, e->finding);
		while ((rc = store_step(e->st, q)) == SQLITE_ROW) {
			e->flows = base_realloc(e->flows, (e->flow_count + 1) * sizeof(*e->flows));
			e->flows[e->flow_count++] = shown_flow(q);
		}
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

static bool is_dns(const struct packet *p)
{
	return p->key.lo.port == PORT_DNS || p->key.hi.port == PORT_DNS;
}

static size_t mask_in_flow(const struct shown_flow *f, const struct packet *p, uint8_t *data, size_t n)
{
	const struct host_port *src = p->dir == FLOW_LO_TO_HI ? &p->key.lo : &p->key.hi;
	bool from_server = memcmp(src, &f->orig, sizeof(*src)) != 0;
	bool before_login = f->credential != 0 ? p->frame <= f->credential : !f->secret_replies;

	if (f->show == SHOW_ALL)
		return 0;
	if (f->sealed_from != 0 && p->frame >= f->sealed_from)
		return mask_sealed(data, n);
	if (f->show == SHOW_MAIL)
		return mask_mail(data, n, from_server && before_login);
	return f->show == SHOW_HTTP ? mask_http(data, n) : mask_all(data, n);
}

/* Overwrites what is in clear in a copy of a frame; returns how many bytes. */
static size_t mask(const struct evidence *e, const struct frame *frame)
{
	uint8_t *copy = (uint8_t *)(uintptr_t)frame->data;
	struct packet p;
	struct packet_fragment fragment;
	enum packet_kind kind = packet_decode(frame, &p, &fragment);

	if (kind == PACKET_FRAGMENT)
		return mask_all(copy + (fragment.data - frame->data), fragment.len);
	if (kind != PACKET_IP || p.payload_len == 0)
		return 0;

	uint8_t *payload = copy + (p.payload - frame->data);

	for (unsigned i = 0; i < e->flow_count; i++) {
		const struct shown_flow *f = &e->flows[i];

		if (memcmp(&f->key, &p.key, sizeof(p.key)) == 0 && frame->id >= f->first && frame->id <= f->last)
			return mask_in_flow(f, &p, payload, p.payload_len);
	}
	return is_dns(&p) ? 0 : mask_all(payload, p.payload_len);
}

/* The number that an interface of a source has in the file; described there when it is new. */
static unsigned interface_number(struct evidence *e, unsigned source, const struct frame *frame)
{
	char name[32];
	unsigned i;

	for (i = 0; i < e->interface_count; i++)
		if (e->interfaces[i].source == source && e->interfaces[i].interface == frame->interface)
			return i;
	e->interfaces = base_realloc(e->interfaces, (i + 1) * sizeof(*e->interfaces));
	e->interfaces[i].source = source;
	e->interfaces[i].interface = frame->interface;
	e->interface_count++;
	snprintf(name, sizeof(name), "source %u interface %u", source, frame->interface);
	pcapng_interface(e->out, frame->link_type, 0, name);
	return i;
}

/* Text that came from the wire, as UTF-8. */
static char *clean(const char *text)
{
	char *data = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&data, &size);

	if (out == NULL)
		abort();
	emit_clean(out, text);
	fclose(out);
	return data;
}

void evidence_put(struct evidence *e, unsigned source, const struct frame *frame, const char *note, size_t masked)
{
	unsigned interface = interface_number(e, source, frame);
	char *cleaned = clean(note), *stars = masked == 0 ? base_strdup("") :
		text_of(" (%zu bytes in clear overwritten with *)", masked);
	char *comment = text_of("%s, frame %llu%s%s%s", e->title,
				(unsigned long long)(frame->id & ((1ULL << FRAME_BITS) - 1)),
				cleaned[0] != '\0' ? ": " : "", cleaned, stars);

	pcapng_packet(e->out, interface, frame, comment);
	free(comment);
	free(stars);
	free(cleaned);
}

static void write_frame(struct evidence *e, unsigned source, const struct frame *frame, const char *note)
{
	struct frame copy = *frame;
	uint8_t *data = base_alloc(frame->caplen + 1);

	memcpy(data, frame->data, frame->caplen);
	copy.data = data;
	evidence_put(e, source, &copy, note, mask(e, &copy));
	free(data);
}

static int copy_source(struct evidence *e, unsigned number, const char *path, const char *sha256)
{
	struct slab_pool *pool = slab_pool_new(SLABS);
	struct source *source = source_open(path, number, pool, NULL);
	const struct source_end *end;
	struct slab *slab = NULL;
	struct frame frame;
	int status = EX_OK;

	while (source_next(source, &frame, &slab)) {
		const struct evidence_frame *wanted = evidence_find(e->frames, e->frame_count, frame.id);

		if (wanted != NULL)
			write_frame(e, number, &frame, wanted->note);
	}
	end = source_end(source);
	if (end->how == SOURCE_UNREADABLE)
		status = evidence_fail(e, EX_NOINPUT, "%s: %s", path, end->why);
	else if (strcmp(end->sha256, sha256) != 0)
		status = evidence_fail(e, EX_DATAERR, "%s is not the file that was judged: its SHA-256 is %s, not %s", path,
			      end->sha256, sha256);
	source_close(&source);
	slab_pool_free(&pool);
	return status;
}

/* The sources that have frames of the finding. */
static int copy_sources(struct evidence *e)
{
	sqlite3_stmt *q = store_prepare(e->st, "SELECT number, path, sha256 FROM source WHERE number IN"
		" (SELECT frame >> 40 FROM evidence WHERE finding = ?1) ORDER BY number");
	int rc = SQLITE_ERROR, status = EX_OK;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, e->finding);
		while (status == EX_OK && (rc = store_step(e->st, q)) == SQLITE_ROW)
			status = copy_source(e, (unsigned)sqlite3_column_int(q, 0),
					     (const char *)sqlite3_column_text(q, 1),
					     (const char *)sqlite3_column_text(q, 2));
	}
	sqlite3_finalize(q);
	return status == EX_OK && rc != SQLITE_DONE ? evidence_fail(e, EX_SOFTWARE, "%s", store_error(e->st)) : status;
}

static bool write_names(struct evidence *e)
{
	sqlite3_stmt *q = store_prepare(e->st, "SELECT DISTINCT s.far, s.name FROM finding_flow AS x"
		" JOIN seen AS s ON s.flow = x.flow WHERE x.finding = ?1 AND s.name <> '' ORDER BY 1, 2");
	int rc = SQLITE_ERROR;

	if (q != NULL) {
		sqlite3_bind_int64(q, 1, e->finding);
		while ((rc = store_step(e->st, q)) == SQLITE_ROW) {
			char *name = clean((const char *)sqlite3_column_text(q, 1));

			pcapng_name(e->out, sqlite3_column_blob(q, 0), name);
			free(name);
		}
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE;
}

/* The finding's title and sentence, and which packets are missing; false when there is no such finding. */
static bool begin(struct evidence *e, const char *application, const char *missing)
{
	sqlite3_stmt *q = store_prepare(e->st, "SELECT kind, strength, sentence FROM finding WHERE id = ?1");
	bool found;

	if (q != NULL)
		sqlite3_bind_int64(q, 1, e->finding);
	found = q != NULL && store_step(e->st, q) == SQLITE_ROW;
	if (found) {
		char *sentence = clean((const char *)sqlite3_column_text(q, 2));
		char *comment = text_of("%s%s%s", sentence, missing[0] != '\0' ? " " : "", missing);

		e->title = text_of("finding %lld, %s (%s)", (long long)e->finding,
				   (const char *)sqlite3_column_text(q, 0), (const char *)sqlite3_column_text(q, 1));
		pcapng_begin(e->out, application, comment);
		free(comment);
		free(sentence);
	}
	sqlite3_finalize(q);
	return found;
}

static bool all_missing(const struct evidence *e)
{
	for (unsigned i = 0; i < e->frame_count; i++)
		if (e->frames[i].missing == NULL)
			return false;
	return e->frame_count > 0;
}

static int write_all(struct evidence *e, const char *application)
{
	bool live = store_number(e->st, "SELECT count(*) FROM keep", 0) > 0;
	char *missing = evidence_missing(e);
	int status = EX_OK;

	if (!begin(e, application, missing))
		status = evidence_fail(e, EX_NOINPUT, "there is no finding %lld in this case", (long long)e->finding);
	else if (all_missing(e))
		status = evidence_fail(e, EX_NOINPUT, "%s", missing);
	else if (!read_flows(e) || !write_names(e))
		status = evidence_fail(e, EX_SOFTWARE, "%s", store_error(e->st));
	else
		status = live ? evidence_kept(e) : copy_sources(e);
	if (status == EX_OK)
		snprintf(e->error, e->error_size, "%s", missing);
	free(missing);
	return status;
}

int evidence_write(struct store *st, int64_t finding, const char *application, FILE *out, char *error,
		   size_t error_size)
{
	struct evidence e = { .st = st, .finding = finding, .out = out, .error = error, .error_size = error_size };
	int status;

	e.frames = evidence_frames(st, finding, &e.frame_count);
	status = e.frames != NULL ? write_all(&e, application) : evidence_fail(&e, EX_SOFTWARE, "%s", store_error(st));
	evidence_frames_free(&e.frames, e.frame_count);
	free(e.flows);
	free(e.interfaces);
	free(e.title);
	return status;
}
