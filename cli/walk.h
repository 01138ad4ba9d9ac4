#ifndef DALIL_CLI_WALK_H
#define DALIL_CLI_WALK_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the files that the paths of `dalil add` mean: files as they are, directories only with
 * --recursive, in the order of their names; system litter and what --exclude names are passed over
 * and told; symbolic links below a directory are told and not followed (they would take in what was not meant).
 */

struct walk_file {
	const char *path; /* to open */
	struct view name; /* its last component, raw bytes */
	struct view
	    folder; /* the path below the directory that was given, without the name; may be empty */
	uint64_t size; /* as the directory says now */
};

enum walk_skip { WALK_LITTER, WALK_EXCLUDED, WALK_LINK, WALK_SPECIAL };

struct walk {
	bool recursive;
	const char *const *excludes; /* ends with NULL; patterns for a name or a path below */
	/* Nonzero ends the walk and is returned. */
	int (*file)(void *cookie, const struct walk_file *file);
	void (*skipped)(void *cookie, const char *path, enum walk_skip why);
	/* A path that cannot be read: told, and the walk goes on. */
	void (*failed)(void *cookie, const struct err *err);
	void *cookie;
};

/* 0, or what `file` returned; ERR_USAGE for a directory without recursive. */
int walk_path(const struct walk *walk, const char *path, struct err *err);

#endif
