/* emit_words.h - how text, times and JSON are written; the one place where a text from the wire is made harmless for
 * a JSON reader
 *
 * Thread: any. Errors: those of `out`, which stdio keeps (ferror). */
#ifndef REPORT_EMIT_WORDS_H
#define REPORT_EMIT_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What people are shown for a text from the wire (capture/text.h), the same everywhere: for files that others read.
 * What goes to terminals is lines (report/lines.h). */
void emit_clean(FILE *out, const char *text);

/* What verdicts mean, by the words of client.third_party and client.path. */
const char *emit_third_party_words(const char *third_party, bool all_traffic);
const char *emit_path_words(const char *path);

/* RFC 3339, UTC, nanoseconds; "" for 0. */
#define EMIT_TIME_SIZE 40
void emit_time(int64_t ns, char out[EMIT_TIME_SIZE]);

/* A JSON writer: commas and nesting are its own business. A key of NULL is for members of arrays. */
#define EMIT_JSON_DEPTH 16
struct emit_json_writer {
	FILE *out;
	unsigned depth;
	bool follows[EMIT_JSON_DEPTH];	/* something stands before in this object or array */
};

void emit_json_open(struct emit_json_writer *w, const char *key, char bracket);
void emit_json_close(struct emit_json_writer *w, char bracket);
/* For a value that the caller writes. */
void emit_json_key(struct emit_json_writer *w, const char *key);
/* NULL is null. Bytes that are no UTF-8 become U+FFFD. */
void emit_json_string(struct emit_json_writer *w, const char *key, const char *text);
void emit_json_number(struct emit_json_writer *w, const char *key, int64_t number);
void emit_json_bool(struct emit_json_writer *w, const char *key, bool value);
/* null when ns is 0. */
void emit_json_time(struct emit_json_writer *w, const char *key, int64_t ns);

#endif
