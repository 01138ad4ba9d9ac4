#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/text.h"

#define NAME_BYTES_MAX 100

int
file_read(struct buffer *out, const char *path, struct err *err)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	uint8_t bytes[16384];
	int number = 0;
	ssize_t got;

	if (fd < 0)
		return err_system(err, errno, "cannot read %s", path);
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got > 0)
			buffer_append(out, bytes, (size_t)got);
		else if (errno != EINTR)
			break;
	}
	number = errno;
	if (fd != STDIN_FILENO)
		(void)close(fd);
	if (got < 0)
		return err_system(err, number, "cannot read %s", path);
	if (out->err == ERR_LIMIT)
		return err_set(err, ERR_LIMIT, "%s is larger than what belongs there", path);
	return out->err == ERR_NONE ? ERR_NONE : err_set(err, ERR_MEMORY, "out of memory");
}

static int
write_all(int fd, struct view bytes)
{
	while (bytes.size > 0) {
		ssize_t written = write(fd, bytes.data, bytes.size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -1;
		bytes = view_of(bytes.data + written, bytes.size - (size_t)written);
	}
	return 0;
}

int
file_write_stdout(struct view bytes, struct err *err)
{
	if (fflush(stdout) != 0 || write_all(STDOUT_FILENO, bytes) != 0)
		return err_system(err, errno, "cannot write to standard output");
	return ERR_NONE;
}

static void
sync_folder_of(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
}

/* link() refuses what is there, rename() replaces it: both in one step. */
static int
put_in_place(const char *temporary, const char *path, bool overwrite, struct err *err)
{
	int result = overwrite ? rename(temporary, path) : link(temporary, path);
	int number = errno;

	if (result != 0 || !overwrite)
		(void)unlink(temporary);
	if (result == 0)
		return ERR_NONE;
	if (number == EEXIST)
		return err_set(err, ERR_EXISTS, "%s is there already: --force overwrites it", path);
	return err_system(err, number, "cannot write %s", path);
}

int
file_write(const char *path, struct view bytes, bool overwrite, struct err *err)
{
	char temporary[PATH_MAX];
	int code = ERR_NONE;
	int fd;

	if (strcmp(path, "-") == 0)
		return file_write_stdout(bytes, err);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return err_set(err, ERR_USAGE, "the path %s is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_system(err, errno, "cannot write %s", path);
	if (write_all(fd, bytes) != 0 || fsync(fd) != 0)
		code = err_system(err, errno, "cannot write %s", path);
	if (close(fd) != 0 && code == ERR_NONE)
		code = err_system(err, errno, "cannot write %s", path);
	if (code == ERR_NONE)
		code = put_in_place(temporary, path, overwrite, err);
	else
		(void)unlink(temporary);
	if (code == ERR_NONE)
		sync_folder_of(path);
	return code;
}

bool
file_exists(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s", folder, name) < (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

void
file_safe_name(char *name, size_t size, struct view text)
{
	bool utf8 = text_is_utf8(text);
	size_t limit = size - 1 < NAME_BYTES_MAX ? size - 1 : NAME_BYTES_MAX;
	size_t length = 0;
	size_t i;

	for (i = 0; i < text.size && length < limit; i++) {
		uint8_t byte = text.data[i];
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
		             (byte >= 'a' && byte <= 'z') || byte == '_' ||
		             (length > 0 && (byte == '.' || byte == '-'));

		name[length++] = (char)(plain || (utf8 && byte >= 0x80) ? byte : '_');
	}
	/* Do not end within a character. */
	while (length > 0 && length == limit && i < text.size && (text.data[i] & 0xc0) == 0x80 &&
	       ((uint8_t)name[length - 1] & 0x80) != 0)
		i = --length;
	if (length == 0)
		name[length++] = 'x';
	name[length] = '\0';
}
