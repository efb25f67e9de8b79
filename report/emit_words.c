#include "report/emit_words.h"

#include "capture/base.h"
#include "capture/text.h"

#include <assert.h>
#include <string.h>
#include <time.h>

void emit_clean(FILE *out, const char *text)
{
	struct text_piece piece;

	for (; (piece = text_piece(text)).len > 0; text += piece.len) {
		if (piece.shown[0] != '\0')
			fputs(piece.shown, out);
		else
			fwrite_unlocked(text, 1, piece.len, out);
	}
}

void emit_time(int64_t ns, char out[EMIT_TIME_SIZE])
{
	int64_t second = ns / BASE_NS_PER_S, rest = ns % BASE_NS_PER_S;
	time_t t;
	struct tm tm;
	char day[24];

	out[0] = '\0';
	if (ns == 0)
		return;
	if (rest < 0) {
		rest += BASE_NS_PER_S;
		second--;
	}
	t = (time_t)second;
	gmtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, EMIT_TIME_SIZE, "%s.%09dZ", day, (int)rest);
}

static void quoted(FILE *out, const char *text)
{
	const char *at = text;

	putc_unlocked('"', out);
	while (*at != '\0') {
		uint32_t point;
		unsigned len = text_plain(at);

		fwrite_unlocked(at, 1, len, out);
		at += len;
		if (*at == '\0')
			break;
		if (!text_utf8(at, &point, &len)) {
			fputs("\\ufffd", out);
			len = 1;
		} else if (point == '"' || point == '\\') {
			fprintf(out, "\\%c", (char)point);
		} else if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029) {
			fprintf(out, "\\u%04x", (unsigned)point);
		} else {
			fwrite_unlocked(at, 1, len, out);
		}
		at += len;
	}
	putc_unlocked('"', out);
}

void emit_json_key(struct emit_json_writer *w, const char *key)
{
	if (w->follows[w->depth])
		putc_unlocked(',', w->out);
	w->follows[w->depth] = true;
	if (key != NULL) {
		quoted(w->out, key);
		putc_unlocked(':', w->out);
	}
}

void emit_json_open(struct emit_json_writer *w, const char *key, char bracket)
{
	emit_json_key(w, key);
	assert(w->depth + 1 < EMIT_JSON_DEPTH);
	w->follows[++w->depth] = false;
	putc_unlocked(bracket, w->out);
}

void emit_json_close(struct emit_json_writer *w, char bracket)
{
	assert(w->depth > 0);
	w->depth--;
	putc_unlocked(bracket, w->out);
}

void emit_json_string(struct emit_json_writer *w, const char *key, const char *text)
{
	emit_json_key(w, key);
	if (text == NULL)
		fputs("null", w->out);
	else
		quoted(w->out, text);
}

void emit_json_number(struct emit_json_writer *w, const char *key, int64_t number)
{
	emit_json_key(w, key);
	char text[24];

	fwrite_unlocked(text, 1, (size_t)snprintf(text, sizeof(text), "%lld", (long long)number), w->out);
}

void emit_json_bool(struct emit_json_writer *w, const char *key, bool value)
{
	emit_json_key(w, key);
	fputs(value ? "true" : "false", w->out);
}

void emit_json_time(struct emit_json_writer *w, const char *key, int64_t ns)
{
	char text[EMIT_TIME_SIZE];

	emit_time(ns, text);
	emit_json_string(w, key, ns != 0 ? text : NULL);
}

const char *emit_third_party_words(const char *third_party, bool all_traffic)
{
	return strcmp(third_party, "leak") == 0 ? "mail or credentials go to a third party" :
	       strcmp(third_party, "clean") != 0 ? "whether a third party gets its mail cannot be said" :
	       all_traffic ? "no third party" : "no catalogued third party";
}

const char *emit_path_words(const char *path)
{
	return strcmp(path, "exposed") == 0 ? "it can be read on the path" :
	       strcmp(path, "sealed") == 0 ? "sealed on the path" :
	       "whether it can be read on the path cannot be said";
}
