#include "capture/procfs.h"

#include "capture/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE 4096	/* of what is read of a file of /proc; stat, status and cgroup are shorter */
#define PIDS_MIN 256
#define NEXT_COUNT 8		/* processes that are looked into at once: half a millisecond */
#define YOUNG_NS (5 * BASE_NS_PER_S)
#define HELD_NS (60 * BASE_NS_PER_S)

struct pid {
	uint32_t pid;
	bool held;
	int64_t seen_ns;	/* when it was first there */
	int64_t held_ns;	/* when it was last found to hold a socket, where `held` */
};

struct pids {
	struct pid *of;
	unsigned count, size;
};

struct procfs {
	int root;
	struct pids now, before;	/* in the order of their numbers */
	int64_t now_ns;
	uint32_t next;			/* procfs_next goes on below this one; 0: anew */
	unsigned hidden, hidden_before;	/* in this round, in the last */
};

struct look {
	const struct procfs_want *wants;
	unsigned count;
	procfs_found *found;
	void *context;
};

/* One process while it is looked into. The directory is the process's: when that is gone, nothing can be read
 * there, whoever gets its number. */
struct holder {
	int dir, exe;
	struct process process;
	bool described;
};

struct procfs *procfs_open(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct procfs *p;

	if (fd < 0)
		return NULL;
	p = base_alloc(sizeof(*p));
	p->root = fd;
	return p;
}

void procfs_close(struct procfs **p)
{
	if (*p == NULL)
		return;
	close((*p)->root);
	free((*p)->now.of);
	free((*p)->before.of);
	free(*p);
	*p = NULL;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = ((const struct pid *)a)->pid, y = ((const struct pid *)b)->pid;

	return (x > y) - (x < y);
}

static struct pid *find_pid(const struct pids *list, uint32_t pid)
{
	const struct pid wanted = { .pid = pid };

	return list->count == 0 ? NULL : bsearch(&wanted, list->of, list->count, sizeof(wanted), by_number);
}

static void add_pid(struct procfs *p, uint32_t pid)
{
	const struct pid *known = find_pid(&p->before, pid);
	struct pids *list = &p->now;

	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : PIDS_MIN;
		list->of = base_realloc(list->of, list->size * sizeof(*list->of));
	}
	list->of[list->count++] = known != NULL ? *known : (struct pid){ .pid = pid, .seen_ns = p->now_ns };
}

/* A number and nothing else; 0 is none. */
static uint32_t number_of(const char *text)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return 0;
	n = strtoul(text, &end, 10);
	return *end == '\0' && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static DIR *open_list(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		close(fd);
	return dir;
}

void procfs_list(struct procfs *p, int64_t now_ns)
{
	struct pids last = p->before;
	DIR *dir = open_list(p->root, ".");
	struct dirent *e;

	p->now_ns = now_ns;
	p->before = p->now;
	p->now = last;
	p->now.count = 0;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		uint32_t pid = number_of(e->d_name);

		if (pid != 0)
			add_pid(p, pid);
	}
	if (dir != NULL)
		closedir(dir);
	if (p->now.count > 0)
		qsort(p->now.of, p->now.count, sizeof(*p->now.of), by_number);
}

/* As text; "" where it cannot be read. */
static void read_file(int dir, const char *name, char out[FILE_SIZE])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, FILE_SIZE - 1);

	out[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static void read_link(int dir, const char *name, char *out, size_t size)
{
	ssize_t n = readlinkat(dir, name, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
}

/* The rest of the line that begins so; NULL when none does. Ends it there. */
static char *line_of(char *text, const char *begins)
{
	size_t n = strlen(begins);

	for (char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, begins, n) == 0) {
			line[strcspn(line, "\n")] = '\0';
			return line + n;
		}
	}
	return NULL;
}

/* The 22nd word of stat. The second is the name in parentheses, which may have any character. */
static uint64_t start_of(const char *stat)
{
	const char *at = strrchr(stat, ')');

	for (int word = 2; at != NULL && word < 22; word++)
		at = strchr(at + 1, ' ');
	return at != NULL ? strtoull(at, NULL, 10) : 0;
}

/* Of version 2, else systemd's own of version 1 (cgroups(7)). */
static void read_cgroup(int dir, char out[PROCESS_PATH_SIZE])
{
	char text[FILE_SIZE];
	char *path;

	read_file(dir, "cgroup", text);
	path = line_of(text, "0::");
	if (path == NULL) {
		read_file(dir, "cgroup", text);
		path = line_of(text, "1:name=systemd:");
	}
	base_copy(out, PROCESS_PATH_SIZE, path != NULL ? path : "");
}

void procfs_unit(const char *cgroup, char unit_out[PROCESS_UNIT_SIZE])
{
	static const char *const kinds[] = { ".service", ".scope", ".socket" };
	const char *end = cgroup + strlen(cgroup);

	unit_out[0] = '\0';
	while (unit_out[0] == '\0' && end > cgroup) {
		const char *part = end;
		size_t n;

		while (part > cgroup && part[-1] != '/')
			part--;
		n = (size_t)(end - part);
		for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			size_t k = strlen(kinds[i]);

			if (n > k && n < PROCESS_UNIT_SIZE && memcmp(end - k, kinds[i], k) == 0) {
				memcpy(unit_out, part, n);
				unit_out[n] = '\0';
			}
		}
		end = part > cgroup ? part - 1 : cgroup;
	}
}

static void read_user(uint32_t uid, char out[PROCESS_USER_SIZE])
{
	FILE *in = fopen("/etc/passwd", "re");
	struct passwd entry, *found = NULL;
	char text[FILE_SIZE];

	out[0] = '\0';
	while (in != NULL && fgetpwent_r(in, &entry, text, sizeof(text), &found) == 0 && found->pw_uid != uid)
		;
	if (in != NULL && found != NULL && found->pw_uid == uid)
		base_copy(out, PROCESS_USER_SIZE, found->pw_name);
	if (in != NULL)
		fclose(in);
}

/* The executable first: it is what a process that ends takes away. */
static void describe(struct holder *h)
{
	struct process *p = &h->process;
	char text[FILE_SIZE];
	char *uid;

	h->described = true;
	h->exe = openat(h->dir, "exe", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	read_link(h->dir, "exe", p->path, sizeof(p->path));
	read_file(h->dir, "comm", text);
	text[strcspn(text, "\n")] = '\0';
	base_copy(p->name, sizeof(p->name), text);
	read_file(h->dir, "stat", text);
	p->start = start_of(text);
	read_file(h->dir, "status", text);
	uid = line_of(text, "Uid:");
	p->uid = uid != NULL ? (uint32_t)strtoul(uid, NULL, 10) : 0;
	read_cgroup(h->dir, p->cgroup);
	procfs_unit(p->cgroup, p->unit);
	read_user(p->uid, p->user);
}

/* The inode of the socket that a descriptor is; 0: it is something else. */
static uint32_t socket_of(int list, const char *descriptor)
{
	char text[64];
	unsigned inode;

	read_link(list, descriptor, text, sizeof(text));
	return sscanf(text, "socket:[%u]", &inode) == 1 ? inode : 0;
}

static const struct procfs_want *first_want(const struct look *l, uint32_t inode)
{
	unsigned from = 0, to = l->count;

	while (from < to) {
		unsigned middle = (from + to) / 2;

		if (l->wants[middle].inode < inode)
			from = middle + 1;
		else
			to = middle;
	}
	return from < l->count && l->wants[from].inode == inode ? &l->wants[from] : NULL;
}

/* Whether it is a wanted one. */
static bool look_at(struct look *l, struct holder *h, int list, const char *descriptor)
{
	uint32_t inode = socket_of(list, descriptor);
	const struct procfs_want *want = inode == 0 ? NULL : first_want(l, inode);

	if (want == NULL)
		return false;
	if (!h->described)
		describe(h);
	/* That it held the socket when it was described too: between, it may have become another program. */
	if (h->process.name[0] == '\0' || socket_of(list, descriptor) != inode)
		return false;
	for (; want < l->wants + l->count && want->inode == inode; want++)
		l->found(l->context, want, &h->process, h->exe);
	return true;
}

/* False when it must not be looked into. */
static bool look_into(struct procfs *p, struct look *l, struct pid *pid)
{
	struct holder h = { .exe = -1, .process.pid = pid->pid };
	struct dirent *e;
	char name[16];
	bool hidden;
	DIR *list;

	snprintf(name, sizeof(name), "%u", pid->pid);
	h.dir = openat(p->root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = h.dir < 0 ? NULL : open_list(h.dir, "fd");
	hidden = h.dir >= 0 && list == NULL && errno == EACCES;
	while (list != NULL && (e = readdir(list)) != NULL) {
		if (e->d_name[0] != '.' && look_at(l, &h, dirfd(list), e->d_name)) {
			pid->held = true;
			pid->held_ns = p->now_ns;
		}
	}
	if (list != NULL)
		closedir(list);
	if (h.exe >= 0)
		close(h.exe);
	if (h.dir >= 0)
		close(h.dir);
	return !hidden;
}

void procfs_first(struct procfs *p, const struct procfs_want *wants, unsigned count, procfs_found *found, void *context)
{
	struct look l = { .wants = wants, .count = count, .found = found, .context = context };

	for (unsigned i = p->now.count; i-- > 0;) {
		struct pid *pid = &p->now.of[i];

		if (p->now_ns - pid->seen_ns < YOUNG_NS || (pid->held && p->now_ns - pid->held_ns < HELD_NS))
			look_into(p, &l, pid);
	}
}

bool procfs_next(struct procfs *p, const struct procfs_want *wants, unsigned count, procfs_found *found, void *context)
{
	struct look l = { .wants = wants, .count = count, .found = found, .context = context };
	unsigned left = NEXT_COUNT;

	for (unsigned i = p->now.count; i-- > 0;) {
		if (p->next != 0 && p->now.of[i].pid >= p->next)
			continue;
		if (left-- == 0)
			return true;
		p->next = p->now.of[i].pid;
		p->hidden += !look_into(p, &l, &p->now.of[i]);
	}
	p->next = 0;
	p->hidden_before = p->hidden;
	p->hidden = 0;
	return false;
}

unsigned procfs_hidden(const struct procfs *p)
{
	return p->hidden_before;
}
