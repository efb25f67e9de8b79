#include "capture/process_hash.h"

#include "capture/base.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASHES_KNOWN 512
#define PIECE (1 << 18)		/* read at once: a millisecond */

/* Without padding that could differ. */
struct identity {
	uint64_t device, inode, size;
	int64_t modified_ns, changed_ns;
};

struct known {
	struct identity of;	/* inode 0: none */
	uint8_t hash[PROCESS_HASH_SIZE];
};

struct waiting {
	int file;
	uint32_t number;
	struct identity of;
};

struct process_hash {
	struct known known[HASHES_KNOWN];
	unsigned next;			/* of known, to be overwritten */
	struct waiting queue[PROCESS_HASH_QUEUE];
	unsigned count;
	EVP_MD_CTX *digest;
	bool begun;			/* with the first of the queue */
	uint8_t piece[PIECE];
};

static void abort_unless(bool done)
{
	if (!done)
		abort();
}

struct process_hash *process_hash_new(void)
{
	struct process_hash *h = base_alloc(sizeof(*h));

	h->digest = base_checked(EVP_MD_CTX_new());
	return h;
}

static void leave(struct process_hash *h)
{
	close(h->queue[0].file);
	h->count--;
	memmove(h->queue, h->queue + 1, h->count * sizeof(h->queue[0]));
	h->begun = false;
}

void process_hash_free(struct process_hash **h)
{
	if (*h == NULL)
		return;
	while ((*h)->count > 0)
		leave(*h);
	EVP_MD_CTX_free((*h)->digest);
	free(*h);
	*h = NULL;
}

static bool identify(int file, struct identity *out)
{
	struct stat s;

	if (fstat(file, &s) != 0 || !S_ISREG(s.st_mode))
		return false;
	*out = (struct identity){
		.device = s.st_dev, .inode = s.st_ino, .size = (uint64_t)s.st_size,
		.modified_ns = s.st_mtim.tv_sec * BASE_NS_PER_S + s.st_mtim.tv_nsec,
		.changed_ns = s.st_ctim.tv_sec * BASE_NS_PER_S + s.st_ctim.tv_nsec,
	};
	return true;
}

static bool look_up(const struct process_hash *h, const struct identity *of, uint8_t hash_out[PROCESS_HASH_SIZE])
{
	for (unsigned i = 0; i < HASHES_KNOWN; i++) {
		if (memcmp(&h->known[i].of, of, sizeof(*of)) == 0) {
			memcpy(hash_out, h->known[i].hash, PROCESS_HASH_SIZE);
			return true;
		}
	}
	return false;
}

bool process_hash_ask(struct process_hash *h, int file, uint32_t number, uint8_t hash_out[PROCESS_HASH_SIZE])
{
	struct waiting w = { .number = number };

	if (!identify(file, &w.of))
		return false;
	if (look_up(h, &w.of, hash_out))
		return true;
	if (h->count < PROCESS_HASH_QUEUE && (w.file = fcntl(file, F_DUPFD_CLOEXEC, 0)) >= 0)
		h->queue[h->count++] = w;
	return false;
}

bool process_hash_waits(const struct process_hash *h)
{
	return h->count > 0;
}

/* The descriptor's own place in the file is shared with whoever opened it. */
static bool begin(struct process_hash *h, uint8_t hash_out[PROCESS_HASH_SIZE])
{
	if (look_up(h, &h->queue[0].of, hash_out))
		return true;
	abort_unless(EVP_DigestInit_ex(h->digest, EVP_sha256(), NULL) == 1 &&
		     lseek(h->queue[0].file, 0, SEEK_SET) == 0);
	h->begun = true;
	return false;
}

static bool finish(struct process_hash *h, uint8_t hash_out[PROCESS_HASH_SIZE])
{
	struct known *k = &h->known[h->next];
	struct identity now;

	abort_unless(EVP_DigestFinal_ex(h->digest, hash_out, NULL) == 1);
	if (!identify(h->queue[0].file, &now) || memcmp(&now, &h->queue[0].of, sizeof(now)) != 0)
		return false;
	k->of = now;
	memcpy(k->hash, hash_out, PROCESS_HASH_SIZE);
	h->next = (h->next + 1) % HASHES_KNOWN;
	return true;
}

bool process_hash_step(struct process_hash *h, uint32_t *number_out, uint8_t hash_out[PROCESS_HASH_SIZE])
{
	bool ready;
	ssize_t n;

	if (h->count == 0)
		return false;
	*number_out = h->queue[0].number;
	ready = !h->begun && begin(h, hash_out);
	if (!ready) {
		n = read(h->queue[0].file, h->piece, sizeof(h->piece));
		if (n > 0) {
			abort_unless(EVP_DigestUpdate(h->digest, h->piece, (size_t)n) == 1);
			return false;
		}
		ready = n == 0 && finish(h, hash_out);
	}
	leave(h);
	return ready;
}
