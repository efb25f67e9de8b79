#include "capture/source.h"

#include "capture/base.h"
#include "capture/source_reader.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *source_how_name(enum source_how how)
{
	static const char *const names[] = {
		[SOURCE_COMPLETE] = "complete",
		[SOURCE_TRUNCATED] = "truncated",
		[SOURCE_DAMAGED] = "damaged",
		[SOURCE_EMPTY] = "empty",
		[SOURCE_NOT_A_CAPTURE] = "not-a-capture",
		[SOURCE_UNREADABLE] = "unreadable",
		[SOURCE_RUNNING] = "running",
		[SOURCE_KILLED] = "killed",
		[SOURCE_VANISHED] = "vanished",
	};

	assert((unsigned)how < sizeof(names) / sizeof(names[0]));
	return names[how];
}

/* A slab that others may hold is never written again where it is filled; what is behind that is
 * still ours, so short reads of a pipe go on in the same slab. */
static void next_slab(struct source *s)
{
	size_t left = source_left(s);

	if (left == 0)
		slab_drop(&s->slab);

	struct slab *fresh = slab_take(s->pool);

	if (left > 0)
		memcpy(fresh->data, source_here(s), left);
	slab_drop(&s->slab);
	s->slab = fresh;
	s->base += s->pos;
	s->pos = 0;
	s->len = left;
}

bool source_want(struct source *s, size_t n)
{
	assert(n <= SLAB_SIZE);
	while (source_left(s) < n) {
		if (s->slab == NULL || s->pos + n > s->slab->capacity)
			next_slab(s);

		size_t got = source_input_read(s->input, s->slab, s->len,
					       s->slab->capacity - s->len);

		if (got == 0)
			return false;
		s->len += got;
	}
	return true;
}

static bool end_at(struct source *s, enum source_how how, uint64_t at_byte, const char *fmt,
		   va_list ap)
{
	s->end.how = how;
	s->end.at_byte = at_byte;
	vsnprintf(s->end.why, sizeof(s->end.why), fmt, ap);
	return false;
}

bool source_damaged(struct source *s, uint64_t at_byte, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_at(s, SOURCE_DAMAGED, at_byte, fmt, ap);
	va_end(ap);
	return false;
}

static bool ended(struct source *s, enum source_how how, uint64_t at_byte, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static bool ended(struct source *s, enum source_how how, uint64_t at_byte, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end_at(s, how, at_byte, fmt, ap);
	va_end(ap);
	return false;
}

bool source_cut(struct source *s, uint64_t at_byte, const char *what, uint64_t wanted, uint64_t left)
{
	enum source_how how;
	const char *why;

	if (!source_input_whole(s->input, &how, &why))
		return ended(s, how, at_byte, "%s", why);
	return ended(s, SOURCE_TRUNCATED, at_byte, "%s wants %llu bytes, %llu are left", what,
		     (unsigned long long)wanted, (unsigned long long)left);
}

bool source_over(struct source *s)
{
	enum source_how how;
	const char *why;

	if (!source_input_whole(s->input, &how, &why))
		return ended(s, how, source_offset(s), "%s", why);
	return false;
}

struct source_interface *source_add_interface(struct source *s, uint16_t link_type,
					      uint32_t snaplen)
{
	unsigned n = s->end.interface_count;

	if (n == SOURCE_INTERFACES)
		return NULL;
	/* Room doubles, so that few interfaces cost little. */
	if ((n & (n - 1)) == 0) {
		size_t room = n == 0 ? 1 : 2 * (size_t)n;

		s->interfaces = base_realloc(s->interfaces, room * sizeof(*s->interfaces));
		s->ports = base_realloc(s->ports, room * sizeof(*s->ports));
		s->end.interfaces = s->interfaces;
	}
	s->interfaces[n] = (struct source_interface){ .link_type = link_type, .snaplen = snaplen };
	s->ports[n] = (struct source_port){
		.clock = { .mul = 1000, .div = 1 },
		.program = s->filter == NULL ? NULL : source_filter_program(s->filter, link_type),
	};
	s->end.interface_count = n + 1;
	return &s->interfaces[n];
}

/* The first "frame": finds out what the file is. */
static bool begin(struct source *s, struct frame *frame_out)
{
	bool known = source_want(s, 4);
	enum source_how how;
	const char *why;

	s->read = NULL;
	if (!known && !source_input_whole(s->input, &how, &why))
		return ended(s, how, 0, "%s", why);
	if (source_left(s) == 0)
		return ended(s, SOURCE_EMPTY, 0, "not a single byte");
	if (!known)
		return ended(s, SOURCE_NOT_A_CAPTURE, 0, "too short for any capture format");

	const uint8_t *magic = source_here(s);

	if (source_pcap_magic(magic))
		known = source_pcap_begin(s);
	else if (source_pcapng_magic(magic))
		known = source_pcapng_begin(s);
	else
		return ended(s, SOURCE_NOT_A_CAPTURE, 0,
			     "begins with %02x %02x %02x %02x, as no known capture format does",
			     magic[0], magic[1], magic[2], magic[3]);
	return known && s->read(s, frame_out);
}

struct source *source_open(const char *path, unsigned number, struct slab_pool *pool,
			   const char *filter)
{
	struct source *s = base_alloc(sizeof(*s));

	s->end.path = base_strdup(path);
	s->end.format = "";
	s->end.compression = "";
	s->number = number;
	s->pool = pool;
	s->filter = filter == NULL ? NULL : source_filter_new(filter);
	s->input = source_input_open(path);
	s->read = begin;
	return s;
}

static void count_frame(struct source *s, struct frame *frame)
{
	if (s->end.packets == 0 || frame->time_ns < s->end.first_ns)
		s->end.first_ns = frame->time_ns;
	if (s->end.packets == 0 || frame->time_ns > s->end.last_ns)
		s->end.last_ns = frame->time_ns;
	s->end.packets++;
	s->end.last_frame = s->end.packets + s->other_records;
	frame->id = frame_id(s->number, s->end.last_frame);
	s->interfaces[frame->interface].packets++;
	/* A capture cannot hold more of a packet than there was. */
	if (frame->caplen > frame->wire_len)
		frame->wire_len = frame->caplen;
}

static bool wanted(struct source *s, const struct frame *frame)
{
	const struct bpf_program *program = s->ports[frame->interface].program;

	if (s->filter == NULL)
		return true;
	if (program == NULL) {
		s->end.unfiltered++;
		return true;
	}
	return source_filter_takes(program, frame);
}

/* Statistics count all that was dropped, packets what was dropped between two of them: where both
 * are given they speak of the same drops. */
static void sum_drops(struct source *s)
{
	for (unsigned i = 0; i < s->end.interface_count; i++) {
		const struct source_port *port = &s->ports[i];

		s->interfaces[i].recorded_dropped = port->drops > port->packet_drops
						    ? port->drops : port->packet_drops;
	}
}

static void finish(struct source *s)
{
	s->over = true;
	slab_drop(&s->slab);
	source_input_finish(s->input, &s->end);
	sum_drops(s);
}

bool source_next(struct source *s, struct frame *frame_out, struct slab **slab_out)
{
	while (!s->over && s->read(s, frame_out)) {
		count_frame(s, frame_out);
		if (!wanted(s, frame_out))
			continue;
		*slab_out = s->slab;
		return true;
	}
	if (!s->over)
		finish(s);
	return false;
}

uint64_t source_bytes(const struct source *s)
{
	return source_input_size(s->input);
}

const struct source_end *source_end(struct source *s)
{
	assert(s->over);
	return &s->end;
}

void source_close(struct source **s)
{
	if (*s == NULL)
		return;
	slab_drop(&(*s)->slab);
	source_input_close(&(*s)->input);
	source_filter_free(&(*s)->filter);
	free((*s)->interfaces);
	free((*s)->ports);
	free((*s)->processes);
	free((char *)(*s)->end.path);
	free(*s);
	*s = NULL;
}
