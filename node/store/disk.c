/* The only file of the store that reads, writes, syncs and locks. */
#include "node/store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

int
disk_open(int dir, const char *name, int flags, int *fd, struct err *err)
{
	do
		*fd = openat(dir, name, flags | O_CLOEXEC, 0600);
	while (*fd < 0 && errno == EINTR);
	return *fd < 0 ? err_system(err, errno, "%s", name) : 0;
}

static bool
offset_fits(uint64_t offset, size_t size)
{
	return offset <= INT64_MAX && size <= INT64_MAX - offset;
}

int
disk_read(int fd, uint8_t *to, size_t size, uint64_t offset, size_t *got, const char *what,
    struct err *err)
{
	*got = 0;
	if (!offset_fits(offset, size))
		return err_set(err, ERR_INDEX, "%s: a position past what a file can have", what);
	while (*got < size) {
		ssize_t count = pread(fd, to + *got, size - *got, (off_t)(offset + *got));

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_system(err, errno, "%s: reading", what);
		if (count == 0)
			break;
		*got += (size_t)count;
	}
	return 0;
}

int
disk_write(int fd, struct view bytes, uint64_t offset, const char *what, struct err *err)
{
	size_t done = 0;

	while (done < bytes.size) {
		ssize_t count =
		    pwrite(fd, bytes.data + done, bytes.size - done, (off_t)(offset + done));

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_system(err, errno, "%s: writing", what);
		if (count == 0)
			return err_set(err, ERR_IO, "%s: writing: nothing was taken", what);
		done += (size_t)count;
	}
	return 0;
}

int
disk_size(int fd, uint64_t *size, const char *what, struct err *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return err_system(err, errno, "%s", what);
	*size = (uint64_t)status.st_size;
	return 0;
}

int
disk_truncate(int fd, uint64_t size, const char *what, struct err *err)
{
	while (ftruncate(fd, (off_t)size) != 0) {
		if (errno != EINTR)
			return err_system(err, errno, "%s: cutting", what);
	}
	return 0;
}

void
disk_hurry(int fd, uint64_t offset, uint64_t size)
{
	(void)sync_file_range(fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

int
disk_reserve(int fd, uint64_t size, const char *what, struct err *err)
{
	while (fallocate(fd, 0, 0, (off_t)size) != 0) {
		if (errno == EOPNOTSUPP)
			return disk_truncate(fd, size, what, err);
		if (errno != EINTR)
			return err_system(err, errno, "%s: reserving room", what);
	}
	return 0;
}

int
disk_sync(int fd, const char *what, struct err *err)
{
	while (fdatasync(fd) != 0) {
		if (errno != EINTR)
			return err_system(err, errno, "%s: syncing", what);
	}
	return 0;
}

int
disk_sync_directory(int dir, const char *name, struct err *err)
{
	int fd;
	int result = disk_open(dir, name, O_RDONLY | O_DIRECTORY, &fd, err);

	if (result != 0)
		return result;
	while (result == 0 && fsync(fd) != 0) {
		if (errno != EINTR)
			result = err_system(err, errno, "%s: syncing the directory", name);
	}
	(void)close(fd);
	return result;
}

int
disk_lock(int fd, uint64_t byte, bool wait, struct err *err)
{
	struct flock lock = {
	    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};

	while (fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) != 0) {
		if (errno == EINTR)
			continue;
		if (!wait && (errno == EAGAIN || errno == EACCES))
			return ERR_EXISTS;
		return err_system(err, errno, "locking the store");
	}
	return 0;
}
