/* evidence.h - the packets that show a finding: said in words, and written for Wireshark
 *
 * Thread: the store's. Memory: the finding's flows and frames, and one slab pool while files are read.
 * Errors: a status of sysexits.h other than EX_OK, and a line in error. */
#ifndef REPORT_EVIDENCE_H
#define REPORT_EVIDENCE_H

#include "report/store.h"

#include <stdio.h>

/* One frame of a finding and what it shows. */
struct evidence_frame {
	uint64_t id;
	char *note;			/* "ClientHello for imap.example.org"; "" where nothing more is known */
	char *missing;			/* of a live case, why its packet was not kept; NULL: it is there, or in a file */
};

/* The frames of a finding in order, or of all findings (0: one look at the case for all of them), and how many;
 * NULL with store_error when the case cannot be read. Of no such finding there are none. */
struct evidence_frame *evidence_frames(struct store *st, int64_t finding, unsigned *count_out);
void evidence_frames_free(struct evidence_frame **frames, unsigned count);

/* The one of this id among them, or NULL. */
struct evidence_frame *evidence_find(struct evidence_frame *frames, unsigned count, uint64_t id);

/* How many of these frames, from the first on, are of its source. */
unsigned evidence_of_source(const struct evidence_frame *frames, unsigned count);

/* "frame.number in {12, 15}": what shows these frames, which are of one source, in Wireshark; of many the first. */
#define EVIDENCE_FILTER_FRAMES 64
void evidence_filter(const struct evidence_frame *frames, unsigned count, FILE *out);

/* Writes the finding's frames as pcapng: each with a comment, with names for addresses, and with credentials and
 * mail overwritten (mask.h). They are read from the capture files where they lie, or were kept in a live case.
 * EX_NOINPUT: no such finding, a file is gone, or none of its packets was kept; EX_DATAERR: a file is not the one
 * that was judged, by its SHA-256. When some were not kept a line in error says which and why, with EX_OK; else
 * it is "" then. */
int evidence_write(struct store *st, int64_t finding, const char *application, FILE *out, char *error,
		   size_t error_size);

#endif
