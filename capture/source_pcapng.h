/* source_pcapng.h - what the two files of the pcapng reader share; private to them
 *
 * A block's body comes as a reader of its own; where it says something impossible, that is the end
 * of the file, and said through source_damaged. */
#ifndef CAPTURE_SOURCE_PCAPNG_H
#define CAPTURE_SOURCE_PCAPNG_H

#include "capture/source_reader.h"

#define BLOCK_PACKET 2			/* obsolete */
#define BLOCK_SIMPLE_PACKET 3
#define BLOCK_ENHANCED_PACKET 6

enum block { BLOCK_FRAME, BLOCK_PASSED, BLOCK_FAILED };

/* The next option of a block. False after the last one, and where they are not well-formed: what
 * they would say is lost then, not the packet. */
bool source_next_option(const struct source *s, struct bytes *b, uint16_t *code_out,
			struct bytes *value_out);

/* Looks an interface of the section up; false, and damage, when it was not described. */
bool source_find_interface(struct source *s, uint32_t number, unsigned *index_out);

/* The sum, which stops at its type's end; unknown drops add nothing. */
uint64_t source_add_drops(uint64_t sum, uint64_t drops);

/* An enhanced or an obsolete packet block. */
enum block source_packet(struct source *s, uint32_t type, struct bytes b, struct frame *frame);

/* A simple packet has no time; the last packet's is nearest. */
enum block source_simple_packet(struct source *s, struct bytes b, struct frame *frame);

#endif
