/* pcapng: sections, interfaces and their clocks, the three kinds of packets, what is kept of options
 * and what is passed over, and every way its blocks can be damaged. Long because
 * every case makes its file byte by byte. */
#include "tests/source_read.h"

static struct capture_file file;
static struct seen seen;

static void begin(void)
{
	file.len = 0;
	put_section(&file, false);
}

static void sections_have_their_own_byte_order_and_interfaces(void **state)
{
	(void)state;
	begin();
	put_interface(&file, 1);
	put_interface(&file, 113);
	put_packet(&file, 1, 1000001, 61, 0x11);
	put_packet(&file, 0, 1000002, 62, 0x22);
	put_section(&file, true);
	put_interface(&file, 101);
	put_packet(&file, 0, 1000003, 63, 0x33);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_string_equal(seen.end.format, "pcapng");
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.end.interface_count, 3);

	static const struct {
		unsigned link_type, interface, len;
		int64_t time_ns;
		uint8_t fill;
	} want[] = {
		{ 113, 1, 61, 1000001000, 0x11 },
		{ 1, 0, 62, 1000002000, 0x22 },
		{ 101, 2, 63, 1000003000, 0x33 },
	};

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(seen.frames[i].link_type, want[i].link_type);
		assert_int_equal(seen.frames[i].interface, want[i].interface);
		assert_int_equal(seen.frames[i].caplen, want[i].len);
		assert_int_equal(seen.first_byte[i], want[i].fill);
		assert_true(seen.frames[i].time_ns == want[i].time_ns);
		assert_true(seen.frames[i].id == frame_id(3, i + 1));
		assert_int_equal(seen.interfaces[i].packets, 1);
	}
	assert_true(seen.end.first_ns == 1000001000 && seen.end.last_ns == 1000003000);
}

static void clocks_tick_as_their_interface_says(void **state)
{
	static const struct {
		int resolution;		/* -1: not given */
		int64_t offset_s;
		uint64_t ticks;
		int64_t time_ns;
	} cases[] = {
		{ -1, 0, 1700000000000001, 1700000000000001000 },
		{ 6, 0, 1700000000000001, 1700000000000001000 },
		{ 0, 0, 1700000000, 1700000000000000000 },
		{ 3, 0, 1700000000001, 1700000000001000000 },
		{ 9, 0, 1700000000000000001, 1700000000000000001 },
		{ 7, 0, 17000000000000001, 1700000000000000100 },
		{ 12, 0, 17000000000000001999u, 17000000000000001 },
		{ 28, 0, UINT64_MAX, 1 },
		{ 29, 0, UINT64_MAX, 0 },
		{ 127, 0, UINT64_MAX, 0 },
		{ 0x80, 0, 5, 5000000000 },
		{ 0x80 | 20, 0, 1048577, 1000000953 },
		{ 0x80 | 32, 0, 1700000000ULL << 32, 1700000000000000000 },
		{ 0x80 | 127, 0, UINT64_MAX, 0 },
		{ 6, 1700000000, 5, 1700000000000005000 },
		{ 6, -1, 1000007, 7000 },
		{ 6, -2, 1000000, -1000000000 },
		{ 0, 0, UINT64_MAX, INT64_MAX / 2 },
		{ 6, INT64_MAX, UINT64_MAX, INT64_MAX / 2 },
		{ 6, INT64_MIN, 0, -(INT64_MAX / 2) },
	};
	(void)state;

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		size_t c = i / 2;
		uint8_t resolution = (uint8_t)cases[c].resolution;

		file.len = 0;
		put_section(&file, i % 2 == 1);
		interface_begin(&file, 1, 0);
		put_option_u64(&file, 14, (uint64_t)cases[c].offset_s);
		if (cases[c].resolution >= 0)
			put_option(&file, 9, &resolution, 1);
		put_option(&file, 0, NULL, 0);
		block_end(&file);
		put_packet(&file, 0, cases[c].ticks, 4, 0);
		read_file(&file, &seen);
		assert_int_equal(seen.count, 1);
		if (seen.frames[0].time_ns != cases[c].time_ns)
			fail_msg("resolution %d, offset %lld: %lld", cases[c].resolution,
				 (long long)cases[c].offset_s, (long long)seen.frames[0].time_ns);
	}
}

static void simple_and_obsolete_packets_are_read(void **state)
{
	(void)state;
	begin();
	interface_begin(&file, 1, 96);
	put_option_text(&file, 2, "eth0");
	block_end(&file);
	put_packet(&file, 0, 5000000, 8, 0x11);
	block_begin(&file, 3);
	put_u32(&file, 1500);
	put_fill(&file, 0x22, 96);
	block_end(&file);
	block_begin(&file, 3);
	put_u32(&file, 61);
	put_fill(&file, 0x33, 61);
	block_end(&file);
	block_begin(&file, 2);
	put_u16(&file, 0);
	put_u16(&file, 7);		/* drops */
	put_u32(&file, 0);
	put_u32(&file, 6000000);
	put_u32(&file, 5);
	put_u32(&file, 99);
	put_fill(&file, 0x44, 5);
	block_end(&file);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.frames[1].caplen, 96);
	assert_int_equal(seen.frames[1].wire_len, 1500);
	assert_true(seen.frames[1].time_ns == 5000000000);
	assert_int_equal(seen.frames[2].caplen, 61);
	assert_int_equal(seen.frames[2].wire_len, 61);
	assert_int_equal(seen.frames[3].caplen, 5);
	assert_int_equal(seen.frames[3].wire_len, 99);
	assert_true(seen.frames[3].time_ns == 6000000000);
	assert_int_equal(seen.first_byte[3], 0x44);
	assert_string_equal(seen.interfaces[0].name, "eth0");
	assert_int_equal(seen.interfaces[0].snaplen, 96);
	assert_true(seen.interfaces[0].recorded);
	assert_int_equal(seen.interfaces[0].recorded_dropped, 7);
}

static void process_ids_stand_in_options_and_comments(void **state)
{
	static const struct {
		const char *comment;
		uint32_t pid;
	} cases[] = {
		{ "PID=4711 TID=815", 4711 },
		{ "PID=4711 ProcessName=olk.exe", 4711 },
		{ "PID: 4712\nCmd: /usr/bin/curl\nParentPID: 1", 4712 },
		{ "process=firefox pid=4713 sni=x.test", 4713 },
		{ "ParentPID: 12", 0 },
		{ "ParentPID: 12\nPID: 13", 13 },
		{ "PPID=12", 0 },
		{ "rapid=3", 0 },
		{ "PID 12", 0 },
		{ "PID=", 0 },
		{ "PID=-1 TID=-1", 0 },
		{ "PID=4294967295", 4294967295 },
		{ "PID=4294967296", 0 },
		{ "PID=99999999999999999999999999", 0 },
		{ "PI", 0 },
		{ "", 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		put_interface(&file, 1);
		packet_begin(&file, 0, 1, 3, 3, 0x11);
		put_option_text(&file, 1, cases[i].comment);
		block_end(&file);
		read_file(&file, &seen);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.end.comments, 1);
		if (seen.frames[0].pid != cases[i].pid)
			fail_msg("%s: %u", cases[i].comment, seen.frames[0].pid);
	}
	for (unsigned big = 0; big < 2; big++) {
		file.len = 0;
		put_section(&file, big);
		put_interface(&file, 1);
		packet_begin(&file, 0, 1, 3, 3, 0x11);
		put_option_text(&file, 1, "PID=5");
		put_u16(&file, 8);
		put_u16(&file, 8);
		put_u32(&file, 1234);
		put_u32(&file, 5678);
		put_option(&file, 0, NULL, 0);
		put_option_text(&file, 1, "behind the end");
		block_end(&file);
		read_file(&file, &seen);
		assert_int_equal(seen.frames[0].pid, 1234);
		assert_int_equal(seen.end.comments, 1);
	}
}

static void apple_names_a_process_by_its_block(void **state)
{
	(void)state;
	begin();
	put_interface(&file, 1);
	for (unsigned pid = 700; pid < 703; pid++) {
		block_begin(&file, 0x80000001);
		put_u32(&file, pid);
		put_option_text(&file, 2, "Mail");
		block_end(&file);
	}
	for (unsigned i = 0; i < 4; i++) {
		packet_begin(&file, 0, 1, 4, 4, 0x11);
		put_u16(&file, 0x8001);
		put_u16(&file, 4);
		put_u32(&file, i);
		block_end(&file);
	}
	put_section(&file, false);
	put_interface(&file, 1);
	packet_begin(&file, 0, 1, 4, 4, 0x11);
	put_u16(&file, 0x8001);
	put_u16(&file, 4);
	put_u32(&file, 0);		/* numbers begin anew with a section */
	block_end(&file);
	read_file(&file, &seen);
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.frames[4].pid, 0);
	assert_int_equal(seen.frames[0].pid, 700);
	assert_int_equal(seen.frames[2].pid, 702);
	assert_int_equal(seen.frames[3].pid, 0);
	assert_int_equal(seen.end.unknown_blocks, 0);
}

static void put_statistics(uint64_t received, uint64_t if_drops, uint64_t os_drops)
{
	block_begin(&file, 5);
	put_u32(&file, 1);
	put_u64(&file, 0);
	put_option_u64(&file, 4, received);
	put_option_u64(&file, 5, if_drops);
	put_option_u64(&file, 7, os_drops);
	block_end(&file);
}

static void recorded_drops_are_kept_and_not_counted_twice(void **state)
{
	(void)state;
	begin();
	put_interface(&file, 1);
	put_interface(&file, 1);
	for (unsigned i = 0; i < 2; i++) {
		packet_begin(&file, i, 1, 4, 4, 0x11);
		put_option_u64(&file, 4, 5 + i);
		block_end(&file);
	}
	put_statistics(90, 2, 3);
	put_statistics(100, 20, UINT64_MAX);	/* later, so they hold the earlier; the rest unknown */
	put_statistics(100, 1, 1);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.interfaces[0].recorded_dropped, 5);
	assert_true(seen.interfaces[0].recorded);
	assert_int_equal(seen.interfaces[1].recorded_received, 100);
	assert_int_equal(seen.interfaces[1].recorded_dropped, 20);
	begin();
	put_interface(&file, 1);
	read_file(&file, &seen);
	assert_false(seen.interfaces[0].recorded);
}

static void put_odd_blocks(uint32_t secrets_len)
{
	begin();
	put_interface(&file, 1);
	block_begin(&file, 10);
	put_fill(&file, 0x77, secrets_len);
	block_end(&file);
	block_begin(&file, 4);			/* names: known, not needed */
	put_u32(&file, 0);
	block_end(&file);
	block_begin(&file, 0x0bad);
	block_end(&file);
	block_begin(&file, 0x40000bad);
	put_fill(&file, 0x66, 33);
	block_end(&file);
	put_packet(&file, 0, 1, 4, 0x11);
}

static void other_blocks_are_passed_and_counted_whatever_their_size(void **state)
{
	(void)state;
	put_odd_blocks(3500001);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.end.secrets_blocks, 1);
	assert_int_equal(seen.end.unknown_blocks, 2);
	assert_int_equal(seen.end.packets, 1);
	assert_int_equal(seen.end.last_frame, 3);	/* Wireshark numbers the custom blocks */
	assert_true(seen.frames[0].id == frame_id(3, 3));
	read_memory(file.data, 3000000, &seen);
	assert_int_equal(seen.end.how, SOURCE_TRUNCATED);
	assert_int_equal(seen.end.at_byte, 28 + 20);
	assert_string_equal(seen.end.why, "a block wants 3500016 bytes, 2999952 are left");
	patch_u32(&file, 48 + 3500016 - 4, 12);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_DAMAGED);
	assert_int_equal(seen.end.at_byte, 48);
}

static void a_pcapng_cut_anywhere_keeps_what_was_read_and_says_so(void **state)
{
	size_t ends[8], blocks = 0;
	(void)state;

	begin();
	ends[blocks++] = file.len;
	put_interface(&file, 1);
	ends[blocks++] = file.len;
	put_packet(&file, 0, 1, 61, 0x11);
	ends[blocks++] = file.len;
	block_begin(&file, 10);
	put_fill(&file, 0x77, 30);
	block_end(&file);
	ends[blocks++] = file.len;
	put_packet(&file, 0, 2, 64, 0x22);
	ends[blocks++] = file.len;

	size_t passed = 0;

	for (size_t len = 4; len <= file.len; len++) {
		if (passed < blocks && len == ends[passed])
			passed++;
		read_memory(file.data, len, &seen);
		assert_int_equal(seen.count, passed < 3 ? 0 : passed < 5 ? 1 : 2);
		if (passed > 0 && len == ends[passed - 1]) {
			assert_int_equal(seen.end.how, SOURCE_COMPLETE);
			continue;
		}
		assert_int_equal(seen.end.how, SOURCE_TRUNCATED);
		assert_int_equal(seen.end.at_byte, passed == 0 ? 0 : ends[passed - 1]);
	}
}

static void damage_is_named_with_its_place(void **state)
{
	/* The section header is [0, 28), the interface [28, 48), packets [48, 96) and [96, 144). */
	static const struct {
		size_t at;
		uint32_t value;
		enum source_how how;
		unsigned count;
		uint64_t at_byte;
		const char *why;
	} cases[] = {
		{ 8, 0x1a2b3c4e, SOURCE_NOT_A_CAPTURE, 0, 0,
		  "a section header without byte-order mark" },
		{ 12, 2, SOURCE_DAMAGED, 0, 0, "pcapng version 2.0, where 1 is known" },
		{ 4, 8, SOURCE_DAMAGED, 0, 0, "a block claims a length of 8 bytes" },
		{ 4, 24, SOURCE_DAMAGED, 0, 0,
		  "a block gives its length as 24 first and as 4294967295 last" },
		{ 96 + 4, 47, SOURCE_DAMAGED, 1, 96,
		  "a block gives its length as 47 first and as 48 last" },
		{ 140, 52, SOURCE_DAMAGED, 1, 96,
		  "a block gives its length as 48 first and as 52 last" },
		{ 96 + 4, 52, SOURCE_TRUNCATED, 1, 96, "a block wants 52 bytes, 48 are left" },
		{ 96 + 4, UINT32_MAX, SOURCE_DAMAGED, 1, 96,
		  "a block of type 6 claims 4294967295 bytes, more than 1048576" },
		{ 96 + 4, SLAB_SIZE + 4, SOURCE_DAMAGED, 1, 96,
		  "a block of type 6 claims 1048580 bytes, more than 1048576" },
		{ 96 + 8, 1, SOURCE_DAMAGED, 1, 96, "interface 1 is used, 1 are described" },
		{ 96 + 20, 17, SOURCE_DAMAGED, 1, 96,
		  "a packet of 17 bytes in a block with room for 16" },
		{ 96 + 20, 262145, SOURCE_DAMAGED, 1, 96,
		  "a packet claims 262145 captured bytes, more than 262144" },
		{ 28, 6, SOURCE_DAMAGED, 0, 28, "a packet block is too short" },
		{ 28, 2, SOURCE_DAMAGED, 0, 28, "a packet block is too short" },
		{ 28, 5, SOURCE_DAMAGED, 0, 28, "interface statistics are too short" },
		{ 28, 0x99, SOURCE_DAMAGED, 0, 48, "interface 0 is used, 0 are described" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		put_interface(&file, 1);
		put_packet(&file, 0, 1, 16, 0x11);
		put_packet(&file, 0, 2, 16, 0x22);
		patch_u32(&file, cases[i].at, cases[i].value);
		read_file(&file, &seen);
		assert_string_equal(seen.end.why, cases[i].why);
		assert_int_equal(seen.end.how, cases[i].how);
		assert_int_equal(seen.count, cases[i].count);
		assert_int_equal(seen.end.at_byte, cases[i].at_byte);
	}
}

static void options_that_lead_outside_cost_no_packet(void **state)
{
	(void)state;
	begin();
	put_interface(&file, 1);
	packet_begin(&file, 0, 1, 4, 4, 0x11);
	put_u16(&file, 1);
	put_u16(&file, 5000);
	put_bytes(&file, "PID=5", 5);
	block_end(&file);
	put_packet(&file, 0, 2, 4, 0x22);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frames[0].pid, 0);
}

static void the_longest_packet_and_the_longest_block_are_read(void **state)
{
	static const char comment[65532];
	(void)state;

	begin();
	put_interface(&file, 1);
	put_packet(&file, 0, 1, SOURCE_CAPLEN_MAX, 0x11);

	size_t start = file.len;

	packet_begin(&file, 0, 1, SOURCE_CAPLEN_MAX, SOURCE_CAPLEN_MAX, 0x22);
	while (start + SLAB_SIZE - file.len > sizeof(comment) + 8)
		put_option(&file, 1, comment, sizeof(comment));
	put_option(&file, 1, comment, start + SLAB_SIZE - file.len - 8);
	block_end(&file);
	assert_int_equal(file.len - start, SLAB_SIZE);
	put_packet(&file, 0, 1, 4, 0x33);
	read_file(&file, &seen);
	assert_int_equal(seen.end.how, SOURCE_COMPLETE);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.frames[1].caplen, SOURCE_CAPLEN_MAX);
	assert_int_equal(seen.end.comments, 12);
}

static void interfaces_are_bounded(void **state)
{
	(void)state;
	begin();
	for (unsigned i = 0; i < SOURCE_INTERFACES; i++)
		put_interface(&file, 1);
	put_packet(&file, SOURCE_INTERFACES - 1, 1, 4, 0x11);

	uint64_t len = file.len;

	put_interface(&file, 1);
	put_packet(&file, 0, 1, 4, 0x11);
	read_file(&file, &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frames[0].interface, SOURCE_INTERFACES - 1);
	assert_int_equal(seen.end.how, SOURCE_DAMAGED);
	assert_int_equal(seen.end.at_byte, len);
	assert_string_equal(seen.end.why, "more than 1024 interfaces");
}

static void garbage_never_leads_outside(void **state)
{
	uint64_t random = 88172645463325252;
	(void)state;

	for (unsigned round = 0; round < 3000; round++) {
		char path[64];

		put_odd_blocks(40);
		put_statistics(1, 2, 3);
		packet_begin(&file, 0, 1, 100, 200, 0x11);
		put_option_text(&file, 1, "PID=4711");
		block_end(&file);
		for (unsigned hits = 1 + round % 8; hits > 0; hits--) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			file.data[random % file.len] = (uint8_t)(random >> 56);
		}

		int fd = memory_file(file.data, file.len - random % 16, path);

		read_path(path, NULL, true, &seen);
		close(fd);
		assert_true(seen.count <= 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_have_their_own_byte_order_and_interfaces),
		cmocka_unit_test(clocks_tick_as_their_interface_says),
		cmocka_unit_test(simple_and_obsolete_packets_are_read),
		cmocka_unit_test(process_ids_stand_in_options_and_comments),
		cmocka_unit_test(apple_names_a_process_by_its_block),
		cmocka_unit_test(recorded_drops_are_kept_and_not_counted_twice),
		cmocka_unit_test(other_blocks_are_passed_and_counted_whatever_their_size),
		cmocka_unit_test(a_pcapng_cut_anywhere_keeps_what_was_read_and_says_so),
		cmocka_unit_test(damage_is_named_with_its_place),
		cmocka_unit_test(options_that_lead_outside_cost_no_packet),
		cmocka_unit_test(the_longest_packet_and_the_longest_block_are_read),
		cmocka_unit_test(interfaces_are_bounded),
		cmocka_unit_test(garbage_never_leads_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
