/* Numbered files, opened when needed, the least recently used closed again. */
#include "node/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/store/disk.h"

int
files_init(
    struct files *files, int store_dir, const char *folder, const char *suffix, struct err *err)
{
	memset(files, 0, sizeof(*files));
	files->folder = folder;
	files->suffix = suffix;
	for (size_t i = 0; i < FILES_OPEN; i++)
		files->slots[i].fd = -1;
	if (pthread_mutex_init(&files->lock, NULL) != 0)
		abort(); /* only with attributes can it fail on Linux */
	return disk_open(store_dir, folder, O_RDONLY | O_DIRECTORY, &files->dir, err);
}

void
files_fini(struct files *files)
{
	for (size_t i = 0; i < FILES_OPEN; i++) {
		if (files->slots[i].fd >= 0)
			(void)close(files->slots[i].fd);
	}
	if (files->dir >= 0)
		(void)close(files->dir);
	files->dir = -1;
	(void)pthread_mutex_destroy(&files->lock);
}

static void
file_name(const struct files *files, uint32_t number, char name[static 24])
{
	(void)snprintf(name, 24, "%08" PRIu32 ".%s", number, files->suffix);
}

/* The slot of ${number}, else the best one to reuse, else -1. */
static int
find_slot(struct files *files, uint32_t number)
{
	int best = -1;

	for (int i = 0; i < FILES_OPEN; i++) {
		if (files->slots[i].fd >= 0 && files->slots[i].number == number)
			return i;
		if (files->slots[i].users == 0 &&
		    (best < 0 || files->slots[i].used < files->slots[best].used))
			best = i;
	}
	return best;
}

int
files_get(struct files *files, uint32_t number, struct file_use *use, struct err *err)
{
	char name[24];
	int result = 0;
	int slot;

	file_name(files, number, name);
	(void)snprintf(use->name, sizeof(use->name), "%s/%s", files->folder, name);
	(void)pthread_mutex_lock(&files->lock);
	slot = find_slot(files, number);
	use->slot = slot;
	if (slot >= 0 && files->slots[slot].fd >= 0 && files->slots[slot].number == number) {
		use->fd = files->slots[slot].fd;
	} else {
		result = disk_open(files->dir, name, O_RDWR, &use->fd, err);
		if (result == 0 && slot >= 0) {
			if (files->slots[slot].fd >= 0)
				(void)close(files->slots[slot].fd);
			files->slots[slot].fd = use->fd;
			files->slots[slot].number = number;
		}
	}
	if (result == 0 && slot >= 0) {
		files->slots[slot].users++;
		files->slots[slot].used = ++files->clock;
	}
	(void)pthread_mutex_unlock(&files->lock);
	return result;
}

void
files_put(struct files *files, struct file_use *use)
{
	if (use->slot < 0) {
		(void)close(use->fd);
		return;
	}
	(void)pthread_mutex_lock(&files->lock);
	files->slots[use->slot].users--;
	(void)pthread_mutex_unlock(&files->lock);
}

int
files_make(struct files *files, uint32_t number, struct err *err)
{
	char name[24];
	int result;
	int fd;

	file_name(files, number, name);
	result = disk_open(files->dir, name, O_RDWR | O_CREAT | O_EXCL, &fd, err);
	if (result != 0)
		return result;
	(void)close(fd);
	return disk_sync_directory(files->dir, ".", err);
}

bool
files_exist(struct files *files, uint32_t number)
{
	return files_size(files, number, &(uint64_t){0}, NULL) == 0;
}

int
files_last(struct files *files, uint32_t *last, struct err *err)
{
	struct dirent *entry;
	DIR *list;
	int fd;
	int result = disk_open(files->dir, ".", O_RDONLY | O_DIRECTORY, &fd, err);

	*last = 0;
	if (result != 0)
		return result;
	list = fdopendir(fd);
	if (list == NULL) {
		result = err_system(err, errno, "%s", files->folder);
		(void)close(fd);
		return result;
	}
	while ((entry = readdir(list)) != NULL) {
		char name[24];
		unsigned long number = strtoul(entry->d_name, NULL, 10);

		if (number == 0 || number > UINT32_MAX)
			continue;
		file_name(files, (uint32_t)number, name);
		if (strcmp(name, entry->d_name) == 0 && number > *last)
			*last = (uint32_t)number;
	}
	(void)closedir(list);
	return 0;
}

int
files_size(struct files *files, uint32_t number, uint64_t *size, struct err *err)
{
	struct stat status;
	char name[24];

	file_name(files, number, name);
	if (fstatat(files->dir, name, &status, 0) != 0)
		return err_system(err, errno, "%s/%s", files->folder, name);
	*size = (uint64_t)status.st_size;
	return 0;
}
