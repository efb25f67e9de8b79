/* Landlock: which files may be opened. */
#include "capture/sandbox_part.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the oldest headers that this builds with: Linux 6.2. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Files and directories, no devices, pipes or links, and nothing to be run. */
#define WRITE (READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	       LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	       LANDLOCK_ACCESS_FS_TRUNCATE)
/* What a directory alone can have. */
#define OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

/* What the C library, SQLite and libpcap look up while they run. */
static const char *const looked_up[] = {
	"/usr/lib", "/usr/share/zoneinfo", "/etc/localtime", "/etc/ssl", "/dev/urandom", "/proc/sys/vm/overcommit_memory",
	"/sys/class/net", "/sys/devices",
};

static __u64 all_accesses(long version)
{
	__u64 all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;	/* version 1 */

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return all;
}

/* What is not there cannot be opened either; a pipe, which is in no directory (EBADFD), can. */
static bool allow(int rules, const char *path, __u64 access)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat file;
	bool ok = true;

	if (rule.parent_fd < 0)
		return true;
	rule.allowed_access = fstat(rule.parent_fd, &file) == 0 && S_ISDIR(file.st_mode) ? access : access & OF_FILES;
	if (rule.allowed_access != 0)
		ok = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 || errno == EBADFD;
	close(rule.parent_fd);
	return ok;
}

static bool allow_all(int rules, const struct sandbox_paths *paths, __u64 access)
{
	bool ok = true;

	for (unsigned i = 0; ok && i < paths->count; i++)
		ok = allow(rules, paths->of[i], access);
	return ok;
}

static bool allow_settings(int rules, const struct sandbox_settings *settings, __u64 all)
{
	const struct sandbox_paths libraries = { looked_up, sizeof(looked_up) / sizeof(looked_up[0]) };

	return allow_all(rules, &libraries, READ) && allow_all(rules, &settings->inputs, READ) &&
	       allow_all(rules, &settings->read, READ) && allow_all(rules, &settings->write, WRITE & all);
}

bool sandbox_files(const struct sandbox_settings *settings, char *error, size_t size)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr handled = { .handled_access_fs = all_accesses(version) };
	bool ok;
	int rules;

	if (version < 1) {
		snprintf(error, size, "the kernel has no Landlock (%s)", strerror(errno));
		return false;
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	ok = rules >= 0 && (settings == NULL || allow_settings(rules, settings, handled.handled_access_fs)) &&
	     syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	if (!ok)
		snprintf(error, size, "Landlock: %s", strerror(errno));
	if (rules >= 0)
		close(rules);
	return ok;
}
