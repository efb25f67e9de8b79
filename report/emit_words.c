#include "report/emit_words.h"

#include "capture/base.h"

#include <assert.h>
#include <string.h>
#include <time.h>

/* The code point at text and its length in bytes; false when there is no well-formed UTF-8 (RFC 3629:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
static bool utf8(const unsigned char *text, uint32_t *point_out, unsigned *len_out)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned len = text[0] < 0x80 ? 1 : (text[0] & 0xe0) == 0xc0 ? 2 : (text[0] & 0xf0) == 0xe0 ? 3 :
		       (text[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t point = len == 1 ? text[0] : len > 1 ? text[0] & (0x7fu >> len) : 0;

	for (unsigned i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)	/* also the end of the text */
			return false;
		point = point << 6 | (text[i] & 0x3fu);
	}
	*point_out = point;
	*len_out = len;
	return len > 0 && point >= least[len] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}

/* Controls, what changes the direction of text or cannot be seen, and what is no character. */
static bool misleads(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c || point == 0x180e ||
	       (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	       (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xfdd0 && point <= 0xfdef) ||
	       (point & 0xfffe) == 0xfffe || (point >= 0xe0000 && point <= 0xe0fff);
}

/* How many bytes from text on are letters, digits and the like, that no output has to change. */
static unsigned plain(const unsigned char *text)
{
	unsigned n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

struct emit_piece emit_piece(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	struct emit_piece piece = { .len = plain(at) };
	uint32_t point;

	piece.columns = piece.len;
	if (piece.len > 0 || *at == '\0')
		return piece;
	bool valid = utf8(at, &point, &piece.len);

	piece.columns = 1;
	if (!valid)
		piece.len = 1;
	if (valid && !misleads(point))
		return piece;
	for (unsigned i = 0; i < piece.len; i++)
		sprintf(piece.shown + 4 * i, "\\x%02x", at[i]);
	piece.columns = 4 * piece.len;
	return piece;
}

unsigned emit_clean(FILE *out, const char *text)
{
	struct emit_piece piece;
	unsigned columns = 0;

	for (; (piece = emit_piece(text)).len > 0; text += piece.len) {
		if (out != NULL && piece.shown[0] != '\0')
			fputs(piece.shown, out);
		else if (out != NULL)
			fwrite_unlocked(text, 1, piece.len, out);
		columns += piece.columns;
	}
	return columns;
}

void emit_wrap(FILE *out, const char *text, unsigned at, unsigned indent, unsigned columns)
{
	bool first = true;
	char word[512];

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		unsigned width;

		if (n >= sizeof(word))
			n = sizeof(word) - 1;
		memcpy(word, text, n);
		word[n] = '\0';
		width = emit_clean(NULL, word);
		if (!first && at + 1 + width > columns) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			putc_unlocked(' ', out);
			at++;
		}
		at += emit_clean(out, word);
		first = false;
		text += n;
		text += strspn(text, " ");
	}
	putc_unlocked('\n', out);
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
	const unsigned char *at = (const unsigned char *)text;

	putc_unlocked('"', out);
	while (*at != '\0') {
		uint32_t point;
		unsigned len = plain(at);

		fwrite_unlocked(at, 1, len, out);
		at += len;
		if (*at == '\0')
			break;
		if (!utf8(at, &point, &len)) {
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
