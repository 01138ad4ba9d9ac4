#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/terminal.h"

#define FILE_LIMIT 8192

static const struct {
	const char *label;
	const char *prompt;
} kinds[] = {
    [PASSPHRASE_STORE] = {"store:", "Passphrase of this store"},
    [PASSPHRASE_ROOT] = {"root:", "Passphrase of the root key"},
    [PASSPHRASE_NEXT] = {"next:", "Passphrase of the next key"},
    [PASSPHRASE_COPY] = {"copy:", "Passphrase of the copied key"},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* The whole file into a secret buffer. */
static int
read_file(struct buffer *out, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	if (fd < 0)
		return err_system(err, errno, "cannot read the passphrase file %s", path);
	while (got > 0 && out->size < out->limit) {
		got = read(fd, out->data + out->size, out->limit - out->size);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			out->size += (size_t)got;
	}
	if (got < 0) {
		int number = errno;

		(void)close(fd);
		return err_system(err, number, "cannot read the passphrase file %s", path);
	}
	(void)close(fd);
	if (out->size == out->limit)
		return err_set(err, ERR_USAGE, "the passphrase file %s is too long", path);
	return ERR_NONE;
}

static struct view
trim(struct view text)
{
	while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && text.data[text.size - 1] == '\r')
		text.size--;
	return text;
}

/* Which kind's label the line begins with; KIND_COUNT for none. */
static size_t
label_of(struct view line)
{
	size_t kind;

	for (kind = 0; kind < KIND_COUNT; kind++) {
		size_t length = strlen(kinds[kind].label);

		if (line.size >= length && memcmp(line.data, kinds[kind].label, length) == 0)
			break;
	}
	return kind;
}

/* The line with the kind's label; without any label in the file the first line serves all. */
static struct view
find_line(struct view file, enum passphrase_kind kind)
{
	struct view first = {0};
	bool labelled = false;
	size_t at = 0;

	while (at < file.size) {
		const uint8_t *newline = memchr(file.data + at, '\n', file.size - at);
		size_t end = newline == NULL ? file.size : (size_t)(newline - file.data);
		struct view line = view_of(file.data + at, end - at);
		size_t label = label_of(line);

		if (label == (size_t)kind) {
			size_t length = strlen(kinds[label].label);

			return trim(view_of(line.data + length, line.size - length));
		}
		labelled = labelled || label < KIND_COUNT;
		if (at == 0)
			first = line;
		at = end + 1;
	}
	return labelled ? (struct view){0} : trim(first);
}

static int
from_file(struct buffer *out, const char *path, enum passphrase_kind kind, struct err *err)
{
	struct buffer file;
	struct view line;
	int code;

	buffer_init_secret(&file, FILE_LIMIT);
	if (file.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	code = read_file(&file, path, err);
	if (code == ERR_NONE) {
		line = find_line(buffer_view(&file), kind);
		buffer_append(out, line.data, line.size);
		if (line.size == 0)
			code = err_set(err, ERR_LOCKED, "the passphrase file %s has no line %s",
			    path, kinds[kind].label);
		else if (out->err != ERR_NONE)
			code = err_set(err, ERR_USAGE, "the passphrase is longer than %d bytes",
			    PASSPHRASE_MAX);
	}
	buffer_fini(&file);
	return code;
}

static int
ask_again(const struct buffer *chosen, struct err *err)
{
	struct buffer again;
	int code;

	buffer_init_secret(&again, PASSPHRASE_MAX);
	if (again.err != ERR_NONE)
		return err_set(err, ERR_MEMORY, "out of memory for a passphrase");
	code = terminal_ask(&again, "The same once more", TERMINAL_HIDDEN, err);
	if (code == ERR_NONE && !view_equal(buffer_view(chosen), buffer_view(&again)))
		code = err_set(err, ERR_USAGE, "the two passphrases differ");
	buffer_fini(&again);
	return code;
}

static int
from_terminal(
    struct buffer *out, enum passphrase_kind kind, enum passphrase_use use, struct err *err)
{
	int code;

	if (!terminal_is_there())
		return err_set(err, ERR_LOCKED,
		    "%s is needed, and there is no terminal to ask on: give --passphrase-file FILE",
		    kinds[kind].prompt);
	code = terminal_ask(out, kinds[kind].prompt, TERMINAL_HIDDEN, err);
	if (code == ERR_NONE && out->size == 0)
		code = err_set(err, ERR_USAGE, "an empty passphrase protects nothing");
	if (code == ERR_NONE && use == PASSPHRASE_CHOOSE)
		code = ask_again(out, err);
	return code;
}

int
passphrase_get(struct buffer *out, const struct context *context, enum passphrase_kind kind,
    enum passphrase_use use, struct err *err)
{
	const char *path = context->globals.passphrase_file;
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char credential[4096];

	if (path == NULL)
		path = getenv("DALIL_PASSPHRASE_FILE");
	if (path == NULL && folder != NULL &&
	    snprintf(credential, sizeof(credential), "%s/passphrase", folder) <
	        (int)sizeof(credential) &&
	    access(credential, R_OK) == 0)
		path = credential;
	if (path != NULL)
		return from_file(out, path, kind, err);
	return from_terminal(out, kind, use, err);
}
