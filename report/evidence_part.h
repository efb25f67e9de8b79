/* evidence_part.h - what the files that write evidence share; private to evidence*.c */
#ifndef REPORT_EVIDENCE_PART_H
#define REPORT_EVIDENCE_PART_H

#include "capture/packet.h"
#include "report/evidence.h"
#include "report/store_sql.h"

struct evidence {
	struct store *st;
	int64_t finding;
	char *title;			/* for each comment */
	struct evidence_frame *frames;
	unsigned frame_count;
	struct shown_flow *flows;
	unsigned flow_count;
	FILE *out;
	struct { unsigned source; uint16_t interface; } *interfaces;	/* written so far, by number in the file */
	unsigned interface_count;
	char *error;
	size_t error_size;
};

/* Returns status; the line goes into error. */
int evidence_fail(struct evidence *e, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Writes a frame as it is. masked: bytes of it that were overwritten. */
void evidence_put(struct evidence *e, unsigned source, const struct frame *frame, const char *note, size_t masked);

/* Writes those that were kept of a live case; what is secret in them was overwritten before. */
int evidence_kept(struct evidence *e);

/* "packet not kept: behind the first 16 KiB of its connection: frame 44, frame 51", to be freed; "" when all are
 * there. */
char *evidence_missing(const struct evidence *e);

#endif
