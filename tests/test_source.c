/* What holds for every file: pcap in all its variants, every way of being half-read, files that are
 * packed, piped or no captures, filters, and that frames stay whole where slabs meet.
 * Long because every case makes its file byte by byte. */
#include "tests/source_read.h"

#include "capture/source_hash.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>
#include <pthread.h>

#define MICROSECONDS 0xa1b2c3d4
#define NANOSECONDS 0xa1b23c4d
#define PATCHED 0xa1b2cd34

static struct capture_file file;
static struct seen seen;

static void begin(uint32_t magic, bool big_endian)
{
	file.len = 0;
	file.big_endian = big_endian;
	put_pcap_header(&file, magic, 2, 4, 1);
}

static void two_packets(void)
{
	begin(MICROSECONDS, false);
	put_pcap_packet(&file, 1000, 1, 60, 60, 0x11);
	put_pcap_packet(&file, 1001, 2, 10, 1500, 0x22);
}

static void pcap_is_read_in_every_variant(void **state)
{
	static const struct {
		const char *name;
		uint32_t magic;
		bool big_endian;
		const char *format;
		int64_t time_ns;
	} cases[] = {
		{ "microseconds", MICROSECONDS, false, "pcap", 4000000000000005000 },
		{ "microseconds, big endian", MICROSECONDS, true, "pcap", 4000000000000005000 },
		{ "nanoseconds", NANOSECONDS, false, "pcap-ns", 4000000000000000005 },
		{ "nanoseconds, big endian", NANOSECONDS, true, "pcap-ns", 4000000000000000005 },
		{ "patched", PATCHED, false, "pcap", 4000000000000005000 },
		{ "patched, big endian", PATCHED, true, "pcap", 4000000000000005000 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(cases[i].magic, cases[i].big_endian);
		for (unsigned packet = 0; packet < 2; packet++) {
			put_pcap_packet(&file, 4000000000, 5, 0, 90, 0);
			patch_u32(&file, file.len - 8, 40);
			if (cases[i].magic == PATCHED)
				put_u64(&file, 0x0102030405060708);
			put_fill(&file, 0x33, 40);
		}
		read_file(&file, &seen);
		if (seen.count != 2 || seen.end.how != SOURCE_COMPLETE ||
		    strcmp(seen.end.format, cases[i].format) != 0 ||
		    seen.frames[1].time_ns != cases[i].time_ns || seen.frames[1].caplen != 40 ||
		    seen.frames[1].wire_len != 90 || seen.first_byte[1] != 0x33)
			fail_msg("%s: %u frames, %s", cases[i].name, seen.count, seen.end.why);
		assert_true(seen.frames[1].id == frame_id(3, 2));
		assert_int_equal(seen.end.packets, 2);
		assert_int_equal(seen.interfaces[0].packets, 2);
		assert_int_equal(seen.interfaces[0].snaplen, 65535);
		assert_true(seen.end.first_ns == cases[i].time_ns);
	}
}

static void old_versions_have_the_lengths_the_other_way_round(void **state)
{
	static const struct {
		unsigned major, minor;
		uint32_t first, second, caplen, wire_len;
	} cases[] = {
		{ 2, 4, 10, 20, 10, 20 },
		{ 2, 4, 20, 10, 20, 20 },	/* more than there was: there was more */
		{ 2, 3, 10, 20, 10, 20 },
		{ 2, 3, 20, 10, 10, 20 },
		{ 2, 2, 20, 10, 10, 20 },
		{ 2, 0, 10, 20, 20, 20 },
		{ 543, 0, 20, 10, 10, 20 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file.len = 0;
		file.big_endian = false;
		put_pcap_header(&file, MICROSECONDS, cases[i].major, cases[i].minor, 1);
		put_pcap_packet(&file, 1, 0, 0, 0, 0);
		patch_u32(&file, file.len - 8, cases[i].first);
		patch_u32(&file, file.len - 4, cases[i].second);
		put_fill(&file, 0x44, cases[i].caplen);
		read_file(&file, &seen);
		assert_int_equal(seen.end.how, SOURCE_COMPLETE);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.frames[0].caplen, cases[i].caplen);
		assert_int_equal(seen.frames[0].wire_len, cases[i].wire_len);
	}
}

static void the_upper_bits_of_a_link_type_are_no_part_of_it(void **state)
{
	static const struct {
		uint32_t field;
		unsigned link_type;
	} cases[] = {
		{ 1, 1 }, { 276, 276 }, { 0xf4000001, 1 }, { 0x04000000 | 113, 113 },
		{ 0x00010001, 0xffff },		/* not 1: nobody knows it */
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		file.len = 0;
		put_pcap_header(&file, MICROSECONDS, 2, 4, cases[i].field);
		put_pcap_packet(&file, 1, 0, 4, 4, 0);
		read_file(&file, &seen);
		assert_int_equal(seen.frames[0].link_type, cases[i].link_type);
		assert_int_equal(seen.interfaces[0].link_type, cases[i].link_type);
	}
}

static void a_pcap_cut_anywhere_keeps_what_was_read_and_says_so(void **state)
{
	(void)state;
	two_packets();
	for (size_t len = 0; len <= file.len; len++) {
		unsigned whole = len < 24 + 76 ? 0 : len < file.len ? 1 : 2;
		size_t record = len < 24 ? 0 : len < 24 + 76 ? 24 : 24 + 76;
		enum source_how how = len == 0 ? SOURCE_EMPTY : len < 4 ? SOURCE_NOT_A_CAPTURE
				      : SOURCE_TRUNCATED;

		read_memory(file.data, len, &seen);
		assert_int_equal(seen.count, whole);
		if (len == 24 || len == 24 + 76 || len == file.len) {
			assert_int_equal(seen.end.how, SOURCE_COMPLETE);
			continue;
		}
		assert_int_equal(seen.end.how, how);
		assert_int_equal(seen.end.at_byte, record);
	}
	read_memory(file.data, 24 + 7, &seen);
	assert_string_equal(seen.end.why, "a packet header wants 16 bytes, 7 are left");
	read_memory(file.data, 24 + 16 + 50, &seen);
	assert_string_equal(seen.end.why, "a packet wants 76 bytes, 66 are left");
}

static void damage_is_named_with_its_place(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		enum source_how how;
		unsigned count;
		uint64_t at_byte;
		const char *why;
	} cases[] = {
		{ 24 + 76 + 8, 262145, SOURCE_DAMAGED, 1, 100,
		  "a packet claims 262145 captured bytes, more than 262144" },
		{ 24 + 76 + 8, 262144, SOURCE_TRUNCATED, 1, 100,
		  "a packet wants 262160 bytes, 26 are left" },
		{ 24 + 8, UINT32_MAX, SOURCE_DAMAGED, 0, 24,
		  "a packet claims 4294967295 captured bytes, more than 262144" },
		{ 4, 0x00050002, SOURCE_DAMAGED, 0, 4,
		  "pcap version 2.5, where 2.0 to 2.4 are known" },
		{ 4, 0x00040001, SOURCE_DAMAGED, 0, 4,
		  "pcap version 1.4, where 2.0 to 2.4 are known" },
		{ 0, 0x04034b50, SOURCE_NOT_A_CAPTURE, 0, 0,
		  "begins with 50 4b 03 04, as no known capture format does" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		two_packets();
		patch_u32(&file, cases[i].at, cases[i].value);
		read_file(&file, &seen);
		assert_string_equal(seen.end.why, cases[i].why);
		assert_int_equal(seen.end.how, cases[i].how);
		assert_int_equal(seen.count, cases[i].count);
		assert_int_equal(seen.end.at_byte, cases[i].at_byte);
	}
}

static void sha256_hex(const void *data, size_t len, char hex_out[65])
{
	uint8_t sum[32];

	assert_int_equal(EVP_Digest(data, len, sum, NULL, EVP_sha256(), NULL), 1);
	for (int i = 0; i < 32; i++)
		snprintf(hex_out + 2 * i, 3, "%02x", sum[i]);
}

static void the_hash_is_of_all_bytes_on_disk_however_the_file_ends(void **state)
{
	char want[65];
	(void)state;

	read_memory("", 0, &seen);
	assert_string_equal(seen.end.sha256,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	begin(MICROSECONDS, false);
	while (file.len < 4500000)
		put_pcap_packet(&file, 1000, 1, 1400, 1400, 0x55);
	sha256_hex(file.data, file.len, want);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_string_equal(seen.end.sha256, want);
	for (size_t at = 24 + 8; at < file.len; at += 1416 * 900) {
		begin(MICROSECONDS, false);
		while (file.len < 4500000)
			put_pcap_packet(&file, 1000, 1, 1400, 1400, 0x55);
		patch_u32(&file, at, UINT32_MAX);
		sha256_hex(file.data, file.len, want);
		read_file(&file, &seen);
		assert_int_equal(seen.end.how, SOURCE_DAMAGED);
		assert_int_equal(seen.end.at_byte, at - 8);
		assert_string_equal(seen.end.sha256, want);
	}
}

static void many_small_pieces_of_slabs_are_hashed_in_order(void **state)
{
	struct slab_pool *pool = slab_pool_new(2);
	struct slab *slabs[2] = { slab_take(pool), slab_take(pool) };
	struct source_hash *h = source_hash_new();
	char want[65], got[65];
	(void)state;

	file.len = 0;
	for (size_t i = 0; i < 3000; i++) {
		struct slab *slab = slabs[i % 2];

		memset(slab->data + 100 * i, (int)(i * 7), 100);
		source_hash_slab(h, slab, 100 * i, 100);
		put_fill(&file, (uint8_t)(i * 7), 100);
	}
	source_hash_bytes(h, "end", 3);
	put_bytes(&file, "end", 3);
	sha256_hex(file.data, file.len, want);
	source_hash_hex(h, got);
	assert_string_equal(got, want);
	source_hash_free(&h);
	slab_drop(&slabs[0]);
	slab_drop(&slabs[1]);
	slab_pool_free(&pool);
}

static void what_cannot_be_read_says_why(void **state)
{
	(void)state;
	read_path("/nonexistent/x.pcap", NULL, false, &seen);
	assert_int_equal(seen.end.how, SOURCE_UNREADABLE);
	assert_string_equal(seen.end.why, "cannot be opened: No such file or directory");
	assert_string_equal(seen.end.sha256, "");
	read_path("/", NULL, false, &seen);
	assert_int_equal(seen.end.how, SOURCE_UNREADABLE);
	assert_string_equal(seen.end.why, "cannot be read: Is a directory");
	assert_string_equal(seen.end.sha256, "");
}

/* Packets of 1 to some 3000 bytes over four slabs, all held until the end. */
static void frames_stay_whole_where_slabs_meet(void **state)
{
	struct slab_pool *pool = slab_pool_new(16);
	struct slab *held[16] = { 0 }, *slab;
	struct frame *frames = calloc(10000, sizeof(*frames)), frame;
	unsigned count = 0, holding = 0;
	char path[64];
	(void)state;

	begin(MICROSECONDS, false);
	for (unsigned i = 0; file.len < 4500000; i++)
		put_pcap_packet(&file, i, 0, 1 + i * 7 % 3000, 3001, (uint8_t)i);

	int fd = memory_file(file.data, file.len, path);
	struct source *s = source_open(path, 0, pool, NULL);

	while (source_next(s, &frame, &slab)) {
		frames[count++] = frame;
		if (holding == 0 || held[holding - 1] != slab) {
			slab_hold(slab);
			held[holding++] = slab;
		}
	}
	assert_int_equal(source_end(s)->how, SOURCE_COMPLETE);
	assert_int_equal(holding, 5);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(frames[i].caplen, 1 + i * 7 % 3000);
		for (uint32_t k = 0; k < frames[i].caplen; k++)
			assert_int_equal(frames[i].data[k], (uint8_t)i);
	}
	for (unsigned i = 0; i < holding; i++)
		slab_drop(&held[i]);
	source_close(&s);
	slab_pool_free(&pool);
	free(frames);
	close(fd);
}

static void a_header_may_begin_anywhere_before_a_slab_ends(void **state)
{
	(void)state;
	for (uint32_t before = 0; before < 40; before++) {
		uint32_t filler;

		begin(MICROSECONDS, false);
		for (unsigned i = 0; i < 4; i++)
			put_pcap_packet(&file, 1, 0, 200000, 200000, 0x11);
		filler = SLAB_SIZE - before - (uint32_t)file.len - 16;
		put_pcap_packet(&file, 2, 0, filler, filler, 0x22);
		put_pcap_packet(&file, 3, 4, 10, 11, 0x33);
		read_file(&file, &seen);
		assert_int_equal(seen.end.how, SOURCE_COMPLETE);
		assert_int_equal(seen.count, 6);
		assert_int_equal(seen.frames[4].caplen, filler);
		assert_true(seen.frames[5].time_ns == 3000004000);
		assert_int_equal(seen.frames[5].caplen, 10);
		assert_int_equal(seen.frames[5].wire_len, 11);
		assert_int_equal(seen.first_byte[5], 0x33);
	}
}

/* Packs what is in `file` into out; its length. */
static size_t pack(int (*add_filter)(struct archive *), uint8_t *out, size_t size)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t len = 0;

	assert_int_equal(add_filter(a), ARCHIVE_OK);
	archive_write_set_format_raw(a);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, out, size, &len), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, file.data, file.len), file.len);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	archive_entry_free(entry);
	return len;
}

static const struct {
	const char *name;
	int (*add)(struct archive *);
} packers[] = {
	{ "gzip", archive_write_add_filter_gzip }, { "zstd", archive_write_add_filter_zstd },
	{ "xz", archive_write_add_filter_xz }, { "bzip2", archive_write_add_filter_bzip2 },
	{ "lz4", archive_write_add_filter_lz4 },	/* last: libarchive cannot write it empty */
};

static void packed_files_are_told_by_content_and_hashed_as_they_are(void **state)
{
	static uint8_t packed[CAPTURE_FILE_MAX + 65536];
	char want[65];
	(void)state;

	begin(MICROSECONDS, true);
	for (unsigned i = 0; file.len < 3000000; i++)
		put_pcap_packet(&file, i, 0, 1400, 1400, (uint8_t)(i * i));
	read_file(&file, &seen);

	unsigned count = seen.count;

	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
		size_t len = pack(packers[i].add, packed, sizeof(packed));

		sha256_hex(packed, len, want);
		read_memory(packed, len, &seen);
		if (seen.end.how != SOURCE_COMPLETE)
			fail_msg("%s: %s", packers[i].name, seen.end.why);
		assert_string_equal(seen.end.compression, packers[i].name);
		assert_string_equal(seen.end.sha256, want);
		assert_string_equal(seen.end.format, "pcap");
		assert_int_equal(seen.count, count);
		for (size_t cut = 1; cut < len; cut += 1 + len / 97) {
			read_memory(packed, cut, &seen);
			if (seen.end.how != SOURCE_TRUNCATED && (cut > 100 ||
			    seen.end.how == SOURCE_COMPLETE || seen.end.how == SOURCE_EMPTY))
				fail_msg("%s: %zu of %zu bytes: %s", packers[i].name, cut, len,
					 seen.end.why);
			sha256_hex(packed, cut, want);
			assert_string_equal(seen.end.sha256, want);
		}
	}
}

static void a_packed_nothing_is_empty(void **state)
{
	uint8_t packed[4096];
	(void)state;

	for (size_t i = 0; i + 1 < sizeof(packers) / sizeof(packers[0]); i++) {
		file.len = 0;
		read_memory(packed, pack(packers[i].add, packed, sizeof(packed)), &seen);
		if (seen.end.how != SOURCE_EMPTY)
			fail_msg("%s: %s %s", packers[i].name, source_how_name(seen.end.how),
				 seen.end.why);
	}
}

static void *write_slowly(void *arg)
{
	int fd = *(int *)arg;

	for (size_t i = 0; i < file.len; i++) {
		if (write(fd, file.data + i, 1) != 1)
			break;
	}
	close(fd);
	return NULL;
}

static void standard_input_may_come_byte_by_byte(void **state)
{
	int pipe_ends[2], saved = dup(STDIN_FILENO);
	pthread_t writer;
	char want[65];
	(void)state;

	two_packets();
	assert_int_equal(pipe(pipe_ends), 0);
	assert_true(dup2(pipe_ends[0], STDIN_FILENO) == STDIN_FILENO);
	close(pipe_ends[0]);
	assert_int_equal(pthread_create(&writer, NULL, write_slowly, &pipe_ends[1]), 0);
	read_path("-", NULL, false, &seen);
	pthread_join(writer, NULL);
	assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
	close(saved);
	sha256_hex(file.data, file.len, want);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.end.sha256, want);
}

static void a_filter_takes_frames_away_but_not_their_numbers(void **state)
{
	char path[64], error[256];
	int fd;
	(void)state;

	two_packets();
	fd = memory_file(file.data, file.len, path);
	read_path(path, "len > 100", false, &seen);
	close(fd);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.end.packets, 2);
	assert_true(seen.frames[0].id == frame_id(3, 2));
	assert_int_equal(seen.end.unfiltered, 0);
	patch_u32(&file, 20, 65000);
	fd = memory_file(file.data, file.len, path);
	read_path(path, "tcp port 25", false, &seen);
	close(fd);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.end.unfiltered, 2);
	assert_true(source_filter_valid("tcp port 25", error, sizeof(error)));
	assert_false(source_filter_valid("tcp porter 25", error, sizeof(error)));
	assert_true(strlen(error) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_is_read_in_every_variant),
		cmocka_unit_test(old_versions_have_the_lengths_the_other_way_round),
		cmocka_unit_test(the_upper_bits_of_a_link_type_are_no_part_of_it),
		cmocka_unit_test(a_pcap_cut_anywhere_keeps_what_was_read_and_says_so),
		cmocka_unit_test(damage_is_named_with_its_place),
		cmocka_unit_test(the_hash_is_of_all_bytes_on_disk_however_the_file_ends),
		cmocka_unit_test(what_cannot_be_read_says_why),
		cmocka_unit_test(many_small_pieces_of_slabs_are_hashed_in_order),
		cmocka_unit_test(frames_stay_whole_where_slabs_meet),
		cmocka_unit_test(a_header_may_begin_anywhere_before_a_slab_ends),
		cmocka_unit_test(packed_files_are_told_by_content_and_hashed_as_they_are),
		cmocka_unit_test(a_packed_nothing_is_empty),
		cmocka_unit_test(standard_input_may_come_byte_by_byte),
		cmocka_unit_test(a_filter_takes_frames_away_but_not_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
