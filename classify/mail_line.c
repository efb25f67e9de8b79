#include "classify/mail_line.h"

#include <assert.h>

enum parse mail_line(struct bytes *in, struct bytes *line_out)
{
	size_t n;

	if (!bytes_until(in, '\n', &n))
		return bytes_left(in) > MAIL_LINE_MAX ? PARSE_BAD : PARSE_MORE;
	if (n > MAIL_LINE_MAX)
		return PARSE_BAD;
	*line_out = bytes_sub(in, n);
	bytes_skip(in, 1);
	if (n > 0 && line_out->data[n - 1] == '\r')
		line_out->len--;
	return PARSE_OK;
}

/* Text that is put together: without control characters, cut where it does not fit. */
struct text {
	char *out;
	size_t size, n;
	bool full;
};

static void text_add(struct text *t, uint8_t c)
{
	if (t->full || c < 0x20 || c == 0x7f)
		return;
	if (c >= 0x80 && c < 0xa0 && t->n > 0 && (uint8_t)t->out[t->n - 1] == 0xc2) {
		t->n--;		/* U+0080 to U+009F are control characters as well */
		return;
	}
	if (t->n < t->size - 1) {
		t->out[t->n++] = (char)c;
		return;
	}
	t->full = true;
	/* What did not fit may be the rest of a character whose begin did. */
	if ((c & 0xc0) == 0x80) {
		while (t->n > 0 && ((uint8_t)t->out[t->n - 1] & 0xc0) == 0x80)
			t->n--;
		t->n -= t->n > 0;
	}
}

void mail_text(char *out, size_t size, struct bytes text)
{
	struct text t = { .out = out, .size = size };

	assert(size > 0);
	while (bytes_left(&text) > 0)
		text_add(&t, bytes_u8(&text));
	out[t.n] = '\0';
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct bytes mail_keyword(struct bytes *list)
{
	size_t n = 0;

	while (bytes_left(list) > 0 && blank(list->data[list->pos]))
		bytes_skip(list, 1);
	while (n < bytes_left(list) && !blank(list->data[list->pos + n]))
		n++;
	return bytes_sub(list, n);
}

bool mail_is_address(struct bytes text)
{
	size_t at, dot;

	if (!bytes_until(&text, '@', &at) || at == 0)
		return false;
	for (size_t i = text.pos; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] == 0x7f)
			return false;
	bytes_skip(&text, at + 1);
	return !bytes_until(&text, '@', &at) && bytes_until(&text, '.', &dot) && dot > 0 &&
	       text.data[text.len - 1] != '.';
}

static bool quoted(struct bytes *in, char *out, size_t size, uint32_t *len_out)
{
	struct text t = { .out = out, .size = size };
	uint32_t len = 0;

	bytes_skip(in, 1);
	while (bytes_left(in) > 0) {
		uint8_t c = bytes_u8(in);

		if (c == '"') {
			if (out != NULL)
				out[t.n] = '\0';
			*len_out = len;
			return true;
		}
		if (c == '\\' && bytes_left(in) > 0)
			c = bytes_u8(in);
		len++;
		if (out != NULL)
			text_add(&t, c);
	}
	if (out != NULL)
		out[0] = '\0';
	return false;
}

bool mail_string(struct bytes *in, char *out, size_t size, uint32_t *len_out)
{
	while (bytes_left(in) > 0 && in->data[in->pos] == ' ')
		bytes_skip(in, 1);
	if (bytes_left(in) == 0)
		return false;
	if (in->data[in->pos] == '"')
		return quoted(in, out, size, len_out);

	struct bytes word = bytes_word(in);

	*len_out = (uint32_t)bytes_left(&word);
	if (out != NULL)
		mail_text(out, size, word);
	return true;
}

bool mail_literal(struct bytes line, uint64_t *len_out, bool *sync_out)
{
	size_t end = line.len, digits = 0;
	uint64_t n = 0, scale = 1;
	bool sync = true;

	if (end <= line.pos || line.data[--end] != '}')
		return false;
	if (end > line.pos && line.data[end - 1] == '+') {
		sync = false;
		end--;
	}
	while (end > line.pos && line.data[end - 1] >= '0' && line.data[end - 1] <= '9') {
		/* 63-bit numbers are RFC 9051's largest (section 9, number64). */
		if (++digits > 18)
			return false;
		n += scale * (uint64_t)(line.data[--end] - '0');
		scale *= 10;
	}
	if (digits == 0 || end == line.pos || line.data[end - 1] != '{')
		return false;
	*len_out = n;
	*sync_out = sync;
	return true;
}

bool mail_dot_end(uint8_t *state, struct bytes *in)
{
	enum { LINE_START, DOT, DOT_CR, INSIDE, CR };

	while (bytes_left(in) > 0) {
		size_t n;

		if (*state == INSIDE)	/* where only CR matters, and most bytes are */
			bytes_skip(in, bytes_until(in, '\r', &n) ? n : bytes_left(in));
		if (bytes_left(in) == 0)
			break;

		uint8_t c = bytes_u8(in);

		if (*state == DOT_CR && c == '\n')
			return true;
		if (*state == CR && c == '\n')
			*state = LINE_START;
		else if (*state == LINE_START && c == '.')
			*state = DOT;
		else if (*state == DOT && c == '\r')
			*state = DOT_CR;
		else
			*state = c == '\r' ? CR : INSIDE;
	}
	return false;
}

bool mail_masked(struct bytes word, const char *keyword)
{
	size_t n = strlen(keyword);

	if (bytes_left(&word) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = bytes_u8(&word);

		if (c != 'X' && (i < n - 1 || c < 'A' || c > 'Z'))
			return false;
	}
	return true;
}
