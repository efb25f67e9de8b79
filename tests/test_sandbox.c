/* Each trial is a process of its own: it shuts itself in and then does what a process that was taken over would. */
#include "tests/test.h"

#include "capture/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SKIP_SANITIZED() skip()
#else
#define SKIP_SANITIZED() ((void)0)
#endif

#define DONE 0		/* what was tried came about */
#define REFUSED 1
#define NOT_SHUT_IN 2

/* The case goes into one directory, the input lies in another. */
static char directory[] = "/tmp/mailwitness-test-XXXXXX", write_directory[64], input[64];

static int outcome(bool came_about)
{
	return came_about ? DONE : errno == EPERM || errno == EACCES ? REFUSED : NOT_SHUT_IN;
}

static int try_exec(void)
{
	char *const argv[] = { "true", NULL };

	execv("/bin/true", argv);
	return outcome(false);
}

static int try_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return outcome(pid > 0);
}

static int try_ptrace(void)
{
	return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
}

static int try_kill(void)
{
	return outcome(kill(getppid(), 0) == 0);
}

static int try_inet(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int try_packet(void)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}

static int try_raw(void)
{
	return outcome(socket(AF_INET, SOCK_RAW, IPPROTO_RAW) >= 0);
}

static int try_shadow(void)
{
	return outcome(open("/etc/shadow", O_RDONLY) >= 0);
}

static int try_passwd(void)
{
	return outcome(open("/etc/passwd", O_RDONLY) >= 0);
}

static int try_write_outside(void)
{
	return outcome(open("/tmp/mailwitness-test-outside", O_WRONLY | O_CREAT, 0600) >= 0);
}

static int try_write_input(void)
{
	return outcome(open(input, O_WRONLY) >= 0);
}

static int try_executable_memory(void)
{
	return outcome(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int try_uid(void)
{
	return outcome(syscall(SYS_setuid, 0) == 0);
}

static int try_namespace(void)
{
	return outcome(syscall(SYS_unshare, CLONE_NEWUSER) == 0);
}

static int try_terminal(void)
{
	return outcome(ioctl(STDIN_FILENO, TIOCSTI, "x") == 0);
}


static int try_directory(void)
{
	DIR *dir = opendir("/proc/self/fd");

	return outcome(dir != NULL && readdir(dir) != NULL && closedir(dir) == 0);
}

static int try_interfaces(void)
{
	struct ifaddrs *all;
	char name[IF_NAMESIZE];

	if (if_indextoname(1, name) == NULL || getifaddrs(&all) != 0)
		return outcome(false);
	freeifaddrs(all);
	return DONE;
}

static int try_input(void)
{
	return outcome(open(input, O_RDONLY) >= 0);
}

static int try_write_inside(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/case", write_directory);
	return outcome(open(path, O_RDWR | O_CREAT, 0600) >= 0 && unlink(path) == 0);
}

static void *nothing(void *arg)
{
	return arg;
}

static int try_thread(void)
{
	pthread_t thread;

	return outcome(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

struct trial {
	const char *what;
	int (*act)(void);
	bool live;
	int want;
};

/* As on a kernel that does not have this call. */
static int shut_in_without(int call, enum sandbox_mode mode)
{
	const char *const writes[] = { write_directory };
	struct sandbox_settings settings = { .write = { writes, 1 }, .mode = mode };
	scmp_filter_ctx list = seccomp_init(SCMP_ACT_ALLOW);
	char error[256] = "";
	struct sandbox *s = sandbox_begin(&settings, error, sizeof(error));
	int status;

	if (s == NULL || seccomp_rule_add(list, SCMP_ACT_ERRNO(ENOSYS), call, 0) != 0 || seccomp_load(list) != 0)
		return -1;
	status = sandbox_enter(s, error, sizeof(error));
	sandbox_end(&s);
	return status == EX_OK || strstr(error, "--sandbox=strict: ") != NULL ? status : -1;
}

static int shut_in_and(const struct trial *t)
{
	const char *const inputs[] = { input }, *const writes[] = { write_directory };
	struct sandbox_settings settings = {
		.live = t->live, .inputs = { inputs, 1 }, .write = { writes, 1 }, .user = geteuid() == 0 ? "nobody" : NULL,
		.mode = SANDBOX_STRICT,
	};
	char error[256];
	struct sandbox *s;
	int outcome, status;

	s = sandbox_begin(&settings, error, sizeof(error));
	if (s == NULL)
		return NOT_SHUT_IN;
	status = sandbox_enter(s, error, sizeof(error));
	if (status != EX_OK) {
		fprintf(stderr, "%s\n", error);
		return NOT_SHUT_IN;
	}
	outcome = t->act();
	sandbox_end(&s);
	return outcome;
}

/* As who looks into other processes does. */
static int look_and(const struct trial *t)
{
	char error[256];

	return sandbox_look_only(error, sizeof(error)) ? t->act() : NOT_SHUT_IN;
}

static void see(const struct trial *t, int (*shut)(const struct trial *t))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(shut(t));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != t->want)
		fail_msg("%s: %x, not %d", t->what, (unsigned)status, t->want);
}

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0)
		return -1;
	snprintf(write_directory, sizeof(write_directory), "%s/cases", directory);
	snprintf(input, sizeof(input), "%s/input", directory);
	return mkdir(write_directory, 0700) == 0 && chmod(write_directory, 0777) == 0 &&
	       close(open(input, O_WRONLY | O_CREAT, 0600)) == 0 ? chmod(input, 0666) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(input);
	rmdir(write_directory);
	return rmdir(directory);
}

static void what_a_run_does_not_need_is_refused(void **state)
{
	static const struct trial trials[] = {
		{ "run a program", try_exec, true, REFUSED },
		{ "start a process", try_fork, true, REFUSED },
		{ "look into another process", try_ptrace, true, REFUSED },
		{ "send another process a signal", try_kill, true, REFUSED },
		{ "open an IP socket", try_inet, true, REFUSED },
		{ "open a raw IP socket", try_raw, true, REFUSED },
		{ "open a packet socket in a replay", try_packet, false, REFUSED },
		{ "read /etc/shadow", try_shadow, true, REFUSED },
		{ "read what all may read", try_passwd, true, REFUSED },
		{ "write beside the case", try_write_outside, true, REFUSED },
		{ "write an input", try_write_input, true, REFUSED },
		{ "make code", try_executable_memory, true, REFUSED },
		{ "become root again", try_uid, true, REFUSED },
		{ "make a namespace", try_namespace, true, REFUSED },
		{ "type on the terminal", try_terminal, true, REFUSED },
		{ "read the input", try_input, true, DONE },
		{ "write the case", try_write_inside, true, DONE },
		{ "start a thread", try_thread, true, DONE },
		{ "open a packet socket again", try_packet, true, DONE },
	};

	(void)state;
	SKIP_SANITIZED();
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		bool needs_root = trials[i].act == try_packet && trials[i].want == DONE;

		if (!needs_root || geteuid() == 0)
			see(&trials[i], shut_in_and);
	}
}

static void who_looks_into_processes_can_do_no_more_than_look(void **state)
{
	static const struct trial trials[] = {
		{ .what = "run a program", .act = try_exec, .want = REFUSED },
		{ .what = "start a process", .act = try_fork, .want = REFUSED },
		{ .what = "stop another process", .act = try_ptrace, .want = REFUSED },
		{ .what = "send another process a signal", .act = try_kill, .want = REFUSED },
		{ .what = "open an IP socket", .act = try_inet, .want = REFUSED },
		{ .what = "open a packet socket", .act = try_packet, .want = REFUSED },
		{ .what = "write a file that is there", .act = try_write_input, .want = REFUSED },
		{ .what = "write a new file", .act = try_write_inside, .want = REFUSED },
		{ .what = "make code", .act = try_executable_memory, .want = REFUSED },
		{ .what = "become another user", .act = try_uid, .want = REFUSED },
		{ .what = "make a namespace", .act = try_namespace, .want = REFUSED },
		{ .what = "read a file", .act = try_passwd, .want = DONE },
		{ .what = "read a directory", .act = try_directory, .want = DONE },
		{ .what = "ask for interfaces", .act = try_interfaces, .want = DONE },
	};

	(void)state;
	SKIP_SANITIZED();
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		see(&trials[i], look_and);
}

static void strict_is_all_of_it_and_on_is_what_there_is(void **state)
{
	static const struct {
		int call;
		enum sandbox_mode mode;
		int want;
	} cases[] = {
		{ SCMP_SYS(landlock_create_ruleset), SANDBOX_STRICT, EX_UNAVAILABLE },
		{ SCMP_SYS(landlock_create_ruleset), SANDBOX_ON, EX_OK },
		{ SCMP_SYS(seccomp), SANDBOX_STRICT, EX_UNAVAILABLE },
	};

	(void)state;
	SKIP_SANITIZED();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(shut_in_without(cases[i].call, cases[i].mode));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != cases[i].want)
			fail_msg("case %zu: %x, not %d", i, (unsigned)status, cases[i].want);
	}
}

static void a_mode_is_one_of_three_words(void **state)
{
	enum sandbox_mode mode;

	(void)state;
	assert_true(sandbox_mode_of("on", &mode) && mode == SANDBOX_ON);
	assert_true(sandbox_mode_of("strict", &mode) && mode == SANDBOX_STRICT);
	assert_true(sandbox_mode_of("off", &mode) && mode == SANDBOX_OFF);
	assert_false(sandbox_mode_of("", &mode));
	assert_false(sandbox_mode_of("strictly", &mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_run_does_not_need_is_refused),
		cmocka_unit_test(who_looks_into_processes_can_do_no_more_than_look),
		cmocka_unit_test(strict_is_all_of_it_and_on_is_what_there_is),
		cmocka_unit_test(a_mode_is_one_of_three_words),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
