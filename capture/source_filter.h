/* source_filter.h - a pcap filter expression, compiled for each link type that turns up
 *
 * The one part of reading files that uses libpcap.
 * Thread: one filter belongs to one source. Memory: programs live as long as their filter. */
#ifndef CAPTURE_SOURCE_FILTER_H
#define CAPTURE_SOURCE_FILTER_H

#include "capture/packet.h"

#include <stdbool.h>

struct source_filter;
struct bpf_program;

struct source_filter *source_filter_new(const char *expression);
void source_filter_free(struct source_filter **f);

/* The expression for one link type; NULL when it cannot be compiled for that. */
const struct bpf_program *source_filter_program(struct source_filter *f, uint16_t link_type);

/* Whether the frame is wanted. */
bool source_filter_takes(const struct bpf_program *program, const struct frame *frame);

#endif
