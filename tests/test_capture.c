/* The capture thread: files in time order, each packet to its shard's worker, nothing lost unsaid. */
#include "tests/test.h"

#include "capture/capture.h"

#include <unistd.h>

#define QUEUE_LENGTH 1000

/* What the sink was told. */
struct told {
	unsigned ended, complete, half_read, undecodable;
	uint64_t undecodable_packets;
};

static void lost(void *context, const struct loss *loss)
{
	struct told *t = context;

	t->half_read += loss->reason == LOSS_HALF_READ;
	t->undecodable += loss->reason == LOSS_UNDECODABLE;
	t->undecodable_packets += loss->reason == LOSS_UNDECODABLE ? loss->packets : 0;
}

static void ended(void *context, unsigned number, const struct source_end *end)
{
	struct told *t = context;

	(void)number;
	t->ended++;
	t->complete += end->how == SOURCE_COMPLETE;
}

struct file {
	char path[32];
	FILE *f;
};

static void put32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, f);
}

/* A pcap file of Ethernet frames in this machine's byte order. */
static struct file file_begin(void)
{
	struct file file = { .path = "/tmp/mailwitness-test-XXXXXX" };
	int fd = mkstemp(file.path);

	assert_true(fd >= 0);
	file.f = fdopen(fd, "wb");
	put32(file.f, 0xa1b2c3d4);
	put32(file.f, 0x00040002);
	put32(file.f, 0);
	put32(file.f, 0);
	put32(file.f, 65535);
	put32(file.f, 1);
	return file;
}

/* A UDP packet from 192.0.2.`host` with 4 bytes of payload, or, with host 0, a broken IPv4 header. */
static void file_packet(struct file *file, uint32_t second, uint8_t host)
{
	uint8_t frame[46] = { [12] = 8, [14] = 0x45, [17] = 32, [22] = 64, [23] = 17,
		[26] = 192, [28] = 2, [29] = host, [30] = 198, [31] = 51, [32] = 100, [33] = 1,
		[34] = 0x9c, [35] = 0x40, [36] = 0x9c, [37] = 0x41, [39] = 12 };

	if (host == 0)
		frame[14] = 0x41;
	put32(file->f, second);
	put32(file->f, 0);
	put32(file->f, sizeof(frame));
	put32(file->f, sizeof(frame));
	fwrite(frame, sizeof(frame), 1, file->f);
}

/* Runs files through n workers' queues and writes what each got, ticks as "|", as text; packets of another
 * vantage point than the first with its number. */
static void run_at(const char *const *paths, const uint8_t *vantages, unsigned path_count, unsigned n,
		   struct told *told, char out[][512])
{
	struct slab_pool *pool = slab_pool_new(CAPTURE_SLABS);
	struct queue *queues[4];

	memset(told, 0, sizeof(*told));
	for (unsigned i = 0; i < n; i++)
		queues[i] = queue_new(QUEUE_LENGTH);
	capture_run(&(struct capture_settings){ .paths = paths, .path_count = path_count,
		.vantages = vantages, .pool = pool, .workers = queues, .worker_count = n,
		.sink = { .context = told, .lost = lost, .ended = ended } });
	for (unsigned i = 0; i < n; i++) {
		bool end = false;

		out[i][0] = '\0';
		while (!end) {
			struct batch *b = queue_take(queues[i]);

			for (unsigned k = 0; k < b->packet_count; k++) {
				const struct packet *p = &b->packets[k];
				size_t at = strlen(out[i]);

				if (p->frame == 0)
					snprintf(out[i] + at, 512 - at, "|%lld ",
						 (long long)(p->time_ns / 1000000000));
				else
					snprintf(out[i] + at, 512 - at, p->key.vantage > 0 ? "%u.%u@%u " : "%u.%u ",
						 (unsigned)(p->frame >> FRAME_BITS),
						 (unsigned)(p->frame & 0xffff), p->key.vantage);
			}
			end = b->kind == BATCH_END;
			batch_free(&b);
		}
		queue_free(&queues[i]);
	}
	slab_pool_free(&pool);
}

static void run(const char *const *paths, unsigned path_count, unsigned n, struct told *told,
		char out[][512])
{
	run_at(paths, NULL, path_count, n, told, out);
}

static void a_packet_carries_the_vantage_point_of_its_file(void **state)
{
	struct file files[] = { file_begin(), file_begin(), file_begin() };
	const char *paths[] = { files[0].path, files[1].path, files[2].path };
	static const uint8_t vantages[] = { 0, 1, 0 };
	struct told told;
	char got[4][512];
	(void)state;

	for (unsigned i = 0; i < 3; i++) {
		file_packet(&files[i], 10 + i, 1);
		fclose(files[i].f);
	}
	run_at(paths, vantages, 3, 1, &told, got);
	assert_string_equal(got[0], "|10 0.1 |11 1.1@1 |12 2.1 ");
	for (unsigned i = 0; i < 3; i++)
		unlink(files[i].path);
}

static void files_are_merged_by_packet_time_with_a_tick_each_second(void **state)
{
	struct file a = file_begin(), b = file_begin(), late = file_begin();
	const char *paths[] = { late.path, a.path, b.path };
	struct told told;
	char got[1][512];
	(void)state;

	file_packet(&a, 10, 1);
	file_packet(&a, 12, 1);
	file_packet(&b, 11, 1);
	file_packet(&b, 12, 1);
	file_packet(&late, 500, 1);
	fclose(a.f);
	fclose(b.f);
	fclose(late.f);
	run(paths, 3, 1, &told, got);
	assert_string_equal(got[0], "|10 1.1 |11 2.1 |12 1.2 2.2 |500 0.1 ");
	assert_int_equal(told.ended, 3);
	assert_int_equal(told.complete, 3);
	unlink(a.path);
	unlink(b.path);
	unlink(late.path);
}

static void a_flow_goes_to_one_worker_and_ticks_to_all(void **state)
{
	struct file a = file_begin();
	const char *paths[] = { a.path };
	struct told told;
	char got[3][512];
	unsigned packets = 0;
	(void)state;

	for (uint32_t i = 0; i < 30; i++)
		file_packet(&a, 10 + i / 10, (uint8_t)(1 + i % 10));
	fclose(a.f);
	run(paths, 1, 3, &told, got);
	for (int i = 0; i < 3; i++) {
		assert_non_null(strstr(got[i], "|10 "));
		assert_non_null(strstr(got[i], "|12 "));
		for (char *p = got[i]; (p = strstr(p, "0.")) != NULL; p++)
			packets++;
		/* Frame n, n + 10 and n + 20 are of the same flow. */
		for (unsigned n = 1; n <= 10; n++) {
			char first[16], second[16], third[16];

			snprintf(first, sizeof(first), "0.%u ", n);
			snprintf(second, sizeof(second), "0.%u ", n + 10);
			snprintf(third, sizeof(third), "0.%u ", n + 20);
			assert_int_equal(strstr(got[i], first) != NULL, strstr(got[i], second) != NULL);
			assert_int_equal(strstr(got[i], first) != NULL, strstr(got[i], third) != NULL);
		}
	}
	assert_int_equal(packets, 30);
	unlink(a.path);
}

static void what_cannot_be_read_is_told(void **state)
{
	struct file a = file_begin(), cut = file_begin();
	const char *paths[] = { a.path, cut.path, "/nonexistent/file.pcap" };
	struct told told;
	char got[1][512];
	(void)state;

	file_packet(&a, 10, 0);
	file_packet(&a, 11, 0);
	file_packet(&a, 12, 1);
	file_packet(&cut, 13, 1);
	put32(cut.f, 14);
	fclose(a.f);
	fclose(cut.f);
	run(paths, 3, 1, &told, got);
	assert_string_equal(got[0], "|10 |11 |12 0.3 |13 1.1 ");
	assert_int_equal(told.ended, 3);
	assert_int_equal(told.complete, 1);
	assert_int_equal(told.half_read, 2);
	assert_int_equal(told.undecodable, 1);
	assert_int_equal(told.undecodable_packets, 2);
	unlink(a.path);
	unlink(cut.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_carries_the_vantage_point_of_its_file),
		cmocka_unit_test(files_are_merged_by_packet_time_with_a_tick_each_second),
		cmocka_unit_test(a_flow_goes_to_one_worker_and_ticks_to_all),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
