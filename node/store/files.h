#ifndef DALIL_NODE_STORE_FILES_H
#define DALIL_NODE_STORE_FILES_H

#include <pthread.h>

#include "proto/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Purpose: the numbered files of one directory (journal/00000001.jrn, segments/00000001.seg), a few
 * of them kept open.
 *
 * Threads: any; a file in use is not closed under its user.
 */

#define FILES_OPEN 16

struct files {
	int dir;
	const char *folder; /* for texts */
	const char *suffix; /* "jrn" */
	pthread_mutex_t lock;
	uint64_t clock;
	struct {
		uint32_t number; /* 0: none */
		int fd;
		unsigned users;
		uint64_t used;
	} slots[FILES_OPEN];
};

struct file_use {
	int fd;
	int slot;      /* -1: opened for this use alone */
	char name[40]; /* folder and name, for texts */
};

int files_init(
    struct files *files, int store_dir, const char *folder, const char *suffix, struct err *err);
void files_fini(struct files *files);
/* ERR_NOT_FOUND if there is no such file. */
int files_get(struct files *files, uint32_t number, struct file_use *use, struct err *err);
void files_put(struct files *files, struct file_use *use);
/* Make an empty file of that number and sync the directory.  ERR_EXISTS if there is one. */
int files_make(struct files *files, uint32_t number, struct err *err);
bool files_exist(struct files *files, uint32_t number);
/* The largest number present, 0 if none. */
int files_last(struct files *files, uint32_t *last, struct err *err);
/* Size in bytes; ERR_NOT_FOUND if there is no such file. */
int files_size(struct files *files, uint32_t number, uint64_t *size, struct err *err);

#endif
