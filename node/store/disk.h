#ifndef DALIL_NODE_STORE_DISK_H
#define DALIL_NODE_STORE_DISK_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the system calls of the store, in one place: whole reads and writes, syncs, and locks
 * on open file descriptions, with EINTR seen to.  ${what} names the file in an error's text.
 */

/* Open ${name} in ${dir}; new files get mode 0600.  *fd is -1 after an error. */
int disk_open(int dir, const char *name, int flags, int *fd, struct err *err);
/* Read up to ${size} bytes; *got is smaller only at the end of the file. */
int disk_read(int fd, uint8_t *to, size_t size, uint64_t offset, size_t *got, const char *what,
    struct err *err);
int disk_write(int fd, struct view bytes, uint64_t offset, const char *what, struct err *err);
int disk_size(int fd, uint64_t *size, const char *what, struct err *err);
int disk_truncate(int fd, uint64_t size, const char *what, struct err *err);
/* File data, and what is needed to read it back (fdatasync). */
int disk_sync(int fd, const char *what, struct err *err);
/* Have the kernel begin to write these bytes out, so that a later sync finds less to do. */
void disk_hurry(int fd, uint64_t offset, uint64_t size);
/* Make the file longer, its new bytes reserved on the disk where the file system can. */
int disk_reserve(int fd, uint64_t size, const char *what, struct err *err);
/* A directory's entries (fsync); ${name} may be "." */
int disk_sync_directory(int dir, const char *name, struct err *err);
/* An exclusive lock on one byte of a lock file, held until ${fd} is closed; waits for it, or returns
 * ERR_EXISTS without a text if it is held and ${wait} is false. */
int disk_lock(int fd, uint64_t byte, bool wait, struct err *err);

#endif
