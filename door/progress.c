#include "door/progress.h"

#include "capture/base.h"
#include "capture/text.h"
#include "report/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAW_NS (BASE_NS_PER_S / 4)
#define LINE_SIZE 256
#define BAR_MAX 40
#define BAR_MIN 10		/* with less room there is none */

struct progress {
	uint64_t total;			/* bytes; 0: nobody knows */
	unsigned columns;
	int64_t begun_ns, next_ns;	/* not drawn before */
	bool drawn;
};

static uint64_t size_of(const char *const *paths, unsigned count)
{
	uint64_t total = 0;
	struct stat file;

	for (unsigned i = 0; i < count; i++) {
		if (stat(paths[i], &file) != 0 || !S_ISREG(file.st_mode))
			return 0;
		total += (uint64_t)file.st_size;
	}
	return total;
}

struct progress *progress_begin(const char *const *paths, unsigned count)
{
	struct winsize size;
	struct progress *p;

	if (!isatty(STDERR_FILENO))
		return NULL;
	p = base_alloc(sizeof(*p));
	p->total = size_of(paths, count);
	p->columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
	p->begun_ns = base_clock_ns(CLOCK_MONOTONIC);
	p->next_ns = p->begun_ns + 2 * DRAW_NS;	/* what is over soon needs none */
	return p;
}

void progress_end(struct progress **p)
{
	progress_clear(*p);
	free(*p);
	*p = NULL;
}

void progress_clear(struct progress *p)
{
	if (p == NULL || !p->drawn)
		return;
	fputs("\r\033[K", stderr);
	p->drawn = false;
}

/* One column is left free: some terminals go on to the next line once the last is taken. */
static void draw(struct progress *p, double part, const char *text)
{
	bool ascii = text_is_ascii();
	unsigned room = p->columns > strlen(text) + 4 ? p->columns - (unsigned)strlen(text) - 4 : 0;
	unsigned bar = part < 0 || room < BAR_MIN ? 0 : room < BAR_MAX ? room : BAR_MAX;

	progress_clear(p);
	for (unsigned i = 0; i < bar; i++)
		fputs(i < (unsigned)(part * bar) ? (ascii ? "#" : "\xe2\x96\x88") : (ascii ? "." : "\xe2\x96\x91"), stderr);
	fprintf(stderr, "%s%.*s", bar > 0 ? "  " : "", (int)p->columns - 1, text);
	fflush(stderr);
	p->drawn = true;
}

static void say_left(double seconds, char *out, size_t size)
{
	unsigned long s = (unsigned long)seconds;

	if (s >= 3600)
		snprintf(out, size, ", %lu:%02lu:%02lu left", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(out, size, ", %lu:%02lu left", s / 60, s % 60);
}

void progress_show(struct progress *p, uint64_t packets, uint64_t bytes)
{
	int64_t now = base_clock_ns(CLOCK_MONOTONIC);
	char text[LINE_SIZE], left[40] = "", percent[16] = "", rate[PLAIN_BYTES_SIZE], count[PLAIN_COUNT_SIZE];
	double seconds, part = -1;

	if (p == NULL || now < p->next_ns)
		return;
	p->next_ns = now + DRAW_NS;
	seconds = (double)(now - p->begun_ns) / (double)BASE_NS_PER_S;
	if (p->total > 0 && bytes > 0) {
		part = bytes < p->total ? (double)bytes / (double)p->total : 1;
		snprintf(percent, sizeof(percent), "%3.0f %%, ", 100 * part);
		say_left(seconds / part - seconds, left, sizeof(left));
	}
	snprintf(text, sizeof(text), "%s%s/s, %s packets/s%s", percent, plain_bytes((int64_t)((double)bytes / seconds), rate),
		 plain_count((int64_t)((double)packets / seconds), count), left);
	draw(p, part, text);
}

void progress_say(struct progress *p, const char *what)
{
	if (p != NULL && base_clock_ns(CLOCK_MONOTONIC) >= p->begun_ns + 2 * DRAW_NS)
		draw(p, -1, what);
}
