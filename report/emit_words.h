/* emit_words.h - how text, times and JSON are written; the one place that says what of a text from the wire
 * people are not shown as it is, and where it is made harmless for a terminal or for a JSON reader
 *
 * Thread: any. Errors: those of `out`, which stdio keeps (ferror). */
#ifndef REPORT_EMIT_WORDS_H
#define REPORT_EMIT_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What stands next in a text that people read, and what they are shown for it. Control characters, bytes that
 * are no UTF-8, and what changes the direction, hides or is no character (C1, U+00AD, U+061C, U+180E,
 * U+200B..U+200F, U+2028..U+202E, U+2060..U+206F, U+FEFF, tags, noncharacters) are shown as \xNN. */
#define EMIT_PIECE_SIZE 17	/* four bytes, each \xNN */
struct emit_piece {
	unsigned len;			/* bytes of the text; 0 at its end */
	unsigned columns;		/* that it takes */
	char shown[EMIT_PIECE_SIZE];	/* in place of these bytes; "" where they are shown as they are */
};
struct emit_piece emit_piece(const char *text);

/* For a terminal: so that no name drives it. Returns the columns that takes, one for each code point; out
 * NULL: only counts. */
unsigned emit_clean(FILE *out, const char *text);

/* Such text from column `at` on, broken between words, later lines indented; ends the line. */
void emit_wrap(FILE *out, const char *text, unsigned at, unsigned indent, unsigned columns);

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
