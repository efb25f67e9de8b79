/* capture_file.h - capture files made in memory, byte by byte, for tests
 *
 * Thread: none. Memory: fixed; what does not fit ends the test. */
#ifndef TESTS_CAPTURE_FILE_H
#define TESTS_CAPTURE_FILE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CAPTURE_FILE_MAX (5u << 20)

struct capture_file {
	bool big_endian;
	size_t len;
	size_t block;			/* where the open pcapng block began */
	uint8_t data[CAPTURE_FILE_MAX];
};

static inline void put_bytes(struct capture_file *f, const void *data, size_t n)
{
	assert(n <= sizeof(f->data) - f->len);
	if (n > 0)
		memcpy(f->data + f->len, data, n);
	f->len += n;
}

static inline void put_fill(struct capture_file *f, uint8_t byte, size_t n)
{
	assert(n <= sizeof(f->data) - f->len);
	memset(f->data + f->len, byte, n);
	f->len += n;
}

static inline void put_uint(struct capture_file *f, uint64_t value, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned shift = 8 * (f->big_endian ? n - 1 - i : i);
		uint8_t byte = (uint8_t)(value >> shift);

		put_bytes(f, &byte, 1);
	}
}

static inline void put_u16(struct capture_file *f, unsigned value)
{
	put_uint(f, value, 2);
}

static inline void put_u32(struct capture_file *f, uint64_t value)
{
	put_uint(f, value, 4);
}

static inline void put_u64(struct capture_file *f, uint64_t value)
{
	put_uint(f, value, 8);
}

/* Overwrites a 32-bit number. */
static inline void patch_u32(struct capture_file *f, size_t at, uint32_t value)
{
	size_t len = f->len;

	f->len = at;
	put_u32(f, value);
	f->len = len;
}

/* pcap */

static inline void put_pcap_header(struct capture_file *f, uint32_t magic, unsigned major,
				   unsigned minor, uint32_t link_type)
{
	put_u32(f, magic);
	put_u16(f, major);
	put_u16(f, minor);
	put_u64(f, 0);
	put_u32(f, 65535);
	put_u32(f, link_type);
}

static inline void put_pcap_packet(struct capture_file *f, uint32_t seconds, uint32_t subseconds,
				   uint32_t caplen, uint32_t wire_len, uint8_t fill)
{
	put_u32(f, seconds);
	put_u32(f, subseconds);
	put_u32(f, caplen);
	put_u32(f, wire_len);
	put_fill(f, fill, caplen);
}

/* pcapng */

static inline void block_begin(struct capture_file *f, uint32_t type)
{
	f->block = f->len;
	put_u32(f, type);
	put_u32(f, 0);
}

static inline void block_end(struct capture_file *f)
{
	put_fill(f, 0, -f->len % 4);
	patch_u32(f, f->block + 4, (uint32_t)(f->len + 4 - f->block));
	put_u32(f, f->len + 4 - f->block);
}

static inline void put_option(struct capture_file *f, unsigned code, const void *value, size_t n)
{
	put_u16(f, code);
	put_u16(f, (unsigned)n);
	put_bytes(f, value, n);
	put_fill(f, 0, -n % 4);
}

static inline void put_option_text(struct capture_file *f, unsigned code, const char *text)
{
	put_option(f, code, text, strlen(text));
}

static inline void put_option_u64(struct capture_file *f, unsigned code, uint64_t value)
{
	put_u16(f, code);
	put_u16(f, 8);
	put_u64(f, value);
}

static inline void put_section(struct capture_file *f, bool big_endian)
{
	f->big_endian = big_endian;
	block_begin(f, 0x0a0d0d0a);
	put_u32(f, 0x1a2b3c4d);
	put_u16(f, 1);
	put_u16(f, 0);
	put_u64(f, UINT64_MAX);
	block_end(f);
}

/* Begins an interface description; options may follow, then block_end. */
static inline void interface_begin(struct capture_file *f, unsigned link_type, uint32_t snaplen)
{
	block_begin(f, 1);
	put_u16(f, link_type);
	put_u16(f, 0);
	put_u32(f, snaplen);
}

static inline void put_interface(struct capture_file *f, unsigned link_type)
{
	interface_begin(f, link_type, 0);
	block_end(f);
}

/* Begins an enhanced packet; options may follow, then block_end. */
static inline void packet_begin(struct capture_file *f, uint32_t interface, uint64_t ticks,
				uint32_t caplen, uint32_t wire_len, uint8_t fill)
{
	block_begin(f, 6);
	put_u32(f, interface);
	put_u32(f, ticks >> 32);
	put_u32(f, ticks & UINT32_MAX);
	put_u32(f, caplen);
	put_u32(f, wire_len);
	put_fill(f, fill, caplen);
	put_fill(f, 0, -(size_t)caplen % 4);
}

static inline void put_packet(struct capture_file *f, uint32_t interface, uint64_t ticks,
			      uint32_t len, uint8_t fill)
{
	packet_begin(f, interface, ticks, len, len, fill);
	block_end(f);
}

#endif
