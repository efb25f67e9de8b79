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

/* Reads the finding's frames from the capture files where they lie, and writes them as pcapng: each with a
 * comment, with names for addresses, and with credentials and mail overwritten (mask.h). EX_NOINPUT: no such
 * finding, or a file is gone; EX_DATAERR: a file is not the one that was judged, by its SHA-256. */
int evidence_write(struct store *st, int64_t finding, const char *application, FILE *out, char *error,
		   size_t error_size);

#endif
