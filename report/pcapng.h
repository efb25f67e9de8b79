/* pcapng.h - writes a pcapng file (draft-ietf-opsawg-pcapng): packets with comments, names for addresses
 *
 * Call pcapng_begin once, then the others in any order; an interface is described before its packets.
 * Comments must be UTF-8. Thread: any, one at a time. Memory: none kept.
 * Errors: those of `out`, which stdio keeps (ferror). */
#ifndef REPORT_PCAPNG_H
#define REPORT_PCAPNG_H

#include "capture/packet.h"

#include <stdio.h>

void pcapng_begin(FILE *out, const char *application, const char *comment);

/* Interfaces get the numbers 0, 1, ... in the order of these calls. Times have nanoseconds. */
void pcapng_interface(FILE *out, uint16_t link_type, uint32_t snaplen, const char *name);

/* A name for an address, as Wireshark then shows it. */
void pcapng_name(FILE *out, const uint8_t address[16], const char *name);

void pcapng_packet(FILE *out, unsigned interface, const struct frame *frame, const char *comment);

#endif
