#include "capture/source_input.h"

#include "capture/base.h"
#include "capture/source_hash.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_LEN 4
#define PACKED_CHUNK 65536	/* compressed bytes that are read at a time */
#define READ_MAX 65536		/* bytes at a time: few enough to be in the processor's cache still when they are looked at */

struct source_input {
	int fd;
	bool disk_over;			/* the file as it lies on disk is read to its end, or failed */
	bool over;			/* no more bytes will come out */
	enum source_how how;
	char why[120];			/* "" while nothing failed */
	uint64_t size;
	struct source_hash *hash;
	uint8_t magic[MAGIC_LEN];	/* the first bytes, read to tell what the file is */
	size_t magic_len;

	struct archive *archive;	/* NULL: not compressed */
	const uint8_t *block;		/* unpacked and not yet given out; libarchive's */
	size_t block_len;
	const char *compression;
	uint8_t packed[PACKED_CHUNK];
};

static void fail(struct source_input *in, enum source_how how, const char *what, const char *why)
{
	in->over = true;
	in->how = how;
	snprintf(in->why, sizeof(in->why), "%s: %s", what, why);
}

/* Up to `room` bytes of the file as it lies on disk. */
static size_t read_disk(struct source_input *in, void *out, size_t room)
{
	ssize_t n = 0;

	if (in->disk_over)
		return 0;
	do {
		n = read(in->fd, out, room < READ_MAX ? room : READ_MAX);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		fail(in, SOURCE_UNREADABLE, "cannot be read", strerror(errno));
	if (n <= 0)
		in->disk_over = true;
	else
		in->size += (uint64_t)n;
	return n > 0 ? (size_t)n : 0;
}

/* Whether a capture starts here, in either byte order; what is too short for anything counts too. */
static bool starts_uncompressed(const struct source_input *in)
{
	static const uint8_t magics[][MAGIC_LEN] = {
		{ 0xa1, 0xb2, 0xc3, 0xd4 }, { 0xd4, 0xc3, 0xb2, 0xa1 },
		{ 0xa1, 0xb2, 0x3c, 0x4d }, { 0x4d, 0x3c, 0xb2, 0xa1 },
		{ 0xa1, 0xb2, 0xcd, 0x34 }, { 0x34, 0xcd, 0xb2, 0xa1 },
		{ 0x0a, 0x0d, 0x0d, 0x0a },
	};

	if (in->magic_len < MAGIC_LEN)
		return true;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (memcmp(in->magic, magics[i], MAGIC_LEN) == 0)
			return true;
	}
	return false;
}

static la_ssize_t read_packed(struct archive *a, void *context, const void **block_out)
{
	struct source_input *in = context;
	size_t n = in->magic_len;

	memcpy(in->packed, in->magic, n);
	in->magic_len = 0;
	n += read_disk(in, in->packed + n, sizeof(in->packed) - n);
	source_hash_bytes(in->hash, in->packed, n);
	*block_out = in->packed;
	if (in->why[0] != '\0') {
		archive_set_error(a, EIO, "%s", in->why);
		return -1;
	}
	return (la_ssize_t)n;
}

static void fail_unpacking(struct source_input *in)
{
	const char *why = archive_error_string(in->archive);

	if (in->why[0] != '\0')
		return;
	fail(in, in->disk_over ? SOURCE_TRUNCATED : SOURCE_DAMAGED, "cannot be unpacked",
	     why != NULL ? why : "libarchive gives no reason");
}

/* Only filters that libarchive has built in: it would start programs for others. */
static void support_filters(struct archive *a)
{
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_compress(a);
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_lzip(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	archive_read_support_format_empty(a);
}

static void open_packed(struct source_input *in)
{
	struct archive_entry *entry;

	in->archive = archive_read_new();
	if (in->archive == NULL)
		abort();
	support_filters(in->archive);

	int r = archive_read_open(in->archive, in, NULL, read_packed, NULL);

	if (r == ARCHIVE_OK)
		r = archive_read_next_header(in->archive, &entry);
	if (archive_filter_count(in->archive) > 1)
		in->compression = archive_filter_name(in->archive, 0);
	if (r == ARCHIVE_EOF)
		in->over = true;
	else if (r != ARCHIVE_OK)
		fail_unpacking(in);
}

struct source_input *source_input_open(const char *path)
{
	struct source_input *in = base_alloc(sizeof(*in));

	in->compression = "";
	in->hash = source_hash_new();
	in->fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0) {
		in->disk_over = true;
		fail(in, SOURCE_UNREADABLE, "cannot be opened", strerror(errno));
		return in;
	}
	posix_fadvise(in->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while (in->magic_len < MAGIC_LEN && !in->disk_over)
		in->magic_len += read_disk(in, in->magic + in->magic_len, MAGIC_LEN - in->magic_len);
	if (!starts_uncompressed(in))
		open_packed(in);
	return in;
}

static size_t read_plain(struct source_input *in, struct slab *slab, size_t at, size_t room)
{
	size_t n = in->magic_len;	/* of the first read; a slab then has room for it */

	assert(n <= room);
	memcpy(slab->data + at, in->magic, n);
	in->magic_len = 0;
	n += read_disk(in, slab->data + at + n, room - n);
	if (n > 0)
		source_hash_slab(in->hash, slab, at, n);
	return n;
}

static size_t read_unpacked(struct source_input *in, struct slab *slab, size_t at, size_t room)
{
	while (in->block_len == 0) {
		const void *block;
		la_int64_t offset;
		int r = archive_read_data_block(in->archive, &block, &in->block_len, &offset);

		in->block = block;
		if (r == ARCHIVE_OK)
			continue;
		in->block_len = 0;
		if (r != ARCHIVE_EOF)
			fail_unpacking(in);
		return 0;
	}

	size_t n = in->block_len < room ? in->block_len : room;

	memcpy(slab->data + at, in->block, n);
	in->block += n;
	in->block_len -= n;
	return n;
}

size_t source_input_read(struct source_input *in, struct slab *slab, size_t at, size_t room)
{
	size_t n = 0;

	if (in->over)
		return 0;
	n = in->archive == NULL ? read_plain(in, slab, at, room) : read_unpacked(in, slab, at, room);
	in->over |= n == 0;
	return n;
}

uint64_t source_input_size(const struct source_input *in)
{
	return in->size;
}

bool source_input_whole(const struct source_input *in, enum source_how *how_out,
			const char **why_out)
{
	*how_out = in->how;
	*why_out = in->why;
	return in->why[0] == '\0';
}

void source_input_finish(struct source_input *in, struct source_end *end)
{
	bool opened = in->fd >= 0;
	size_t n = in->magic_len;

	memcpy(in->packed, in->magic, n);
	in->magic_len = 0;
	for (;;) {
		n += read_disk(in, in->packed + n, sizeof(in->packed) - n);
		if (n == 0)
			break;
		source_hash_bytes(in->hash, in->packed, n);
		n = 0;
	}
	end->size = in->size;
	end->compression = in->compression;
	if (opened && in->how != SOURCE_UNREADABLE)
		source_hash_hex(in->hash, end->sha256);
}

void source_input_close(struct source_input **in)
{
	if (*in == NULL)
		return;
	if ((*in)->archive != NULL)
		archive_read_free((*in)->archive);
	if ((*in)->fd >= 0)
		close((*in)->fd);
	source_hash_free(&(*in)->hash);
	free(*in);
	*in = NULL;
}
