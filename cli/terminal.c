#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int
open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool
terminal_is_there(void)
{
	int fd = open_terminal();

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* Byte by byte: nothing of a secret stays behind in a stdio buffer. */
static int
read_line(struct buffer *out, int fd, struct err *err)
{
	uint8_t byte;

	for (;;) {
		ssize_t got = read(fd, &byte, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_set(err, ERR_USAGE, "no answer on the terminal");
		if (byte == '\n')
			break;
		buffer_append_u8(out, byte);
	}
	if (out->err != ERR_NONE)
		return err_set(err, ERR_USAGE, "the answer is too long");
	return ERR_NONE;
}

int
terminal_ask(struct buffer *out, const char *prompt, enum terminal_echo echo, struct err *err)
{
	int fd = open_terminal();
	struct termios old;
	bool hidden = false;
	int code;

	if (fd < 0)
		return err_set(
		    err, ERR_USAGE, "%s must be asked, and there is no terminal", prompt);
	if (echo == TERMINAL_HIDDEN && tcgetattr(fd, &old) == 0) {
		struct termios quiet = old;

		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		hidden = tcsetattr(fd, TCSAFLUSH, &quiet) == 0;
	}
	(void)dprintf(fd, "%s: ", prompt);
	code = read_line(out, fd, err);
	if (hidden) {
		(void)tcsetattr(fd, TCSAFLUSH, &old);
		(void)dprintf(fd, "\n");
	}
	(void)close(fd);
	return code;
}

bool
terminal_confirm(const char *prompt, const char *wanted)
{
	struct buffer answer;
	bool same;

	buffer_init(&answer, 1024);
	same = terminal_ask(&answer, prompt, TERMINAL_ECHO, NULL) == ERR_NONE &&
	       view_equal(buffer_view(&answer), view_text(wanted));
	buffer_fini(&answer);
	return same;
}

struct progress {
	const char *what;
	uint64_t begun; /* milliseconds */
	uint64_t shown;
	bool visible;
	bool drawn;
};

static uint64_t
now_milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct progress *
progress_new(const char *what, bool quiet)
{
	struct progress *progress = calloc(1, sizeof(*progress));

	if (progress == NULL)
		return NULL;
	progress->what = what;
	progress->begun = now_milliseconds();
	progress->visible = !quiet && isatty(STDERR_FILENO) == 1;
	return progress;
}

void
progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *unit)
{
	bool bytes = strcmp(unit, "B") == 0;
	uint64_t scale = bytes ? 1u << 20 : 1;
	uint64_t now;

	if (progress == NULL || !progress->visible)
		return;
	now = now_milliseconds();
	if (now - progress->begun < 1000 || now - progress->shown < 100)
		return;
	progress->shown = now;
	progress->drawn = true;
	fprintf(stderr, "\r\033[K%s: %" PRIu64, progress->what, done / scale);
	if (total > 0)
		fprintf(stderr, " of %" PRIu64, total / scale);
	fprintf(stderr, " %s", bytes ? "MiB" : unit);
	(void)fflush(stderr);
}

void
progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	if (progress->drawn)
		fprintf(stderr, "\r\033[K");
	free(progress);
}
