/*
 * Runs a command and writes one line to a file: its seconds, the CPU seconds of it, and the peak of
 * RssAnon (design section 7) of it and of other processes that are named, in KiB, sampled from
 * /proc/PID/status.
 *
 *	measure FILE [--also PID]... COMMAND...
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WATCHED_MAX 16
#define SAMPLE_MS 5

struct watched {
	pid_t pid;
	long peak; /* KiB */
};

static double
seconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
sample(struct watched *watched)
{
	char text[4096];
	char path[64];
	const char *found;
	ssize_t size;
	long kib;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)watched->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	size = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (size <= 0)
		return;
	text[size] = '\0';
	found = strstr(text, "\nRssAnon:");
	if (found == NULL)
		return;
	kib = strtol(found + 9, NULL, 10);
	if (kib > watched->peak)
		watched->peak = kib;
}

/* SIGCHLD is blocked, so that waiting for it with a deadline paces the samples. */
static int
watch(struct watched *watched, int count)
{
	const struct timespec pace = {.tv_nsec = SAMPLE_MS * 1000000L};
	sigset_t child;
	int status;
	int i;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (;;) {
		for (i = 0; i < count; i++)
			sample(&watched[i]);
		(void)sigtimedwait(&child, NULL, &pace);
		if (waitpid(watched[0].pid, &status, WNOHANG) == watched[0].pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

static pid_t
start(char **command)
{
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	if (posix_spawnattr_init(&attributes) != 0 ||
	    posix_spawnattr_setsigmask(&attributes, &none) != 0 ||
	    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) != 0)
		errx(1, "spawn");
	errno = posix_spawnp(&pid, command[0], NULL, &attributes, command, environ);
	if (errno != 0)
		err(127, "%s", command[0]);
	(void)posix_spawnattr_destroy(&attributes);
	return pid;
}

static void
report(const char *path, double seconds, const struct watched *watched, int count)
{
	struct rusage usage;
	FILE *out = fopen(path, "w");
	int i;

	if (out == NULL)
		err(1, "%s", path);
	(void)getrusage(RUSAGE_CHILDREN, &usage);
	(void)fprintf(out, "%.4f %.4f", seconds,
	    (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
	for (i = 0; i < count; i++)
		(void)fprintf(out, " %ld", watched[i].peak);
	(void)fprintf(out, "\n");
	if (fclose(out) != 0)
		err(1, "%s", path);
}

int
main(int argc, char **argv)
{
	struct watched watched[WATCHED_MAX] = {{0, 0}};
	double begin;
	int count = 1;
	sigset_t child;
	int at = 2;
	int status;

	while (at + 1 < argc && strcmp(argv[at], "--also") == 0 && count < WATCHED_MAX) {
		watched[count++].pid = (pid_t)strtol(argv[at + 1], NULL, 10);
		at += 2;
	}
	if (argc < 3 || at >= argc) {
		(void)fprintf(stderr, "usage: measure FILE [--also PID]... COMMAND...\n");
		return 2;
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	begin = seconds_now();
	watched[0].pid = start(argv + at);
	status = watch(watched, count);
	report(argv[1], seconds_now() - begin, watched, count);
	return status;
}
