#include "node/net/replay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct replay_file {
	int fd;
	struct replay replay;
};

static int
load(struct replay_file *file, const char *store, struct err *err)
{
	size_t size = (size_t)REPLAY_SLOTS * REPLAY_SLOT;
	uint8_t *stored;
	char path[4096];
	ssize_t got;

	if (snprintf(path, sizeof(path), "%s/replay", store) >= (int)sizeof(path))
		return err_set(err, ERR_USAGE, "the store's path is too long");
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd < 0)
		return err_system(err, errno, "cannot open %s", path);
	stored = malloc(size);
	if (stored == NULL)
		return err_set(err, ERR_MEMORY, "no memory for handshakes that were seen");
	got = pread(file->fd, stored, size, 0);
	replay_init(&file->replay, view_of(stored, got > 0 ? (size_t)got : 0));
	free(stored);
	return ERR_NONE;
}

int
replay_file_open(struct replay_file **out, const char *store, struct err *err)
{
	struct replay_file *file = malloc(sizeof(*file));
	int code;

	if (file == NULL)
		return err_set(err, ERR_MEMORY, "no memory for handshakes that were seen");
	file->fd = -1;
	replay_init(&file->replay, view_of("", 0));
	code = store == NULL ? ERR_NONE : load(file, store, err);
	if (code != ERR_NONE) {
		replay_file_close(file);
		return code;
	}
	*out = file;
	return ERR_NONE;
}

void
replay_file_close(struct replay_file *file)
{
	if (file == NULL)
		return;
	if (file->fd >= 0)
		(void)close(file->fd);
	free(file);
}

struct replay *
replay_file_memory(struct replay_file *file)
{
	return &file->replay;
}

void
replay_file_keep(struct replay_file *file, unsigned slot)
{
	if (file->fd < 0 || pwrite(file->fd, file->replay.slots[slot], REPLAY_SLOT,
	                        (off_t)slot * REPLAY_SLOT) == REPLAY_SLOT)
		return;
	(void)close(file->fd);
	file->fd = -1;
}
