#include "cli/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DEPTH_MAX 128

/* What systems leave in folders and nobody means to deposit. */
static const char *const litter[] = {".DS_Store", "._*", ".Spotlight-V100", ".Trashes",
    ".fseventsd", ".TemporaryItems", "__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini",
    "Desktop.ini", "$RECYCLE.BIN", "System Volume Information", ".directory", "lost+found", "~$*",
    ".~lock.*#"};

struct walking {
	const struct walk *walk;
	size_t base; /* length of the directory that was given, its slash included */
	unsigned depth;
};

static bool
is_litter(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(litter) / sizeof(litter[0]); i++)
		if (fnmatch(litter[i], name, 0) == 0)
			return true;
	return false;
}

static bool
is_excluded(const struct walk *walk, const char *name, const char *below)
{
	const char *const *pattern;

	for (pattern = walk->excludes; pattern != NULL && *pattern != NULL; pattern++)
		if (fnmatch(*pattern, name, 0) == 0 || fnmatch(*pattern, below, 0) == 0)
			return true;
	return false;
}

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int
give_file(const struct walking *walking, const char *path, const struct stat *status)
{
	const char *name = last_component(path);
	struct walk_file file = {
	    .path = path, .name = view_text(name), .size = (uint64_t)status->st_size};
	size_t before = (size_t)(name - path);

	if (walking->base > 0 && before > walking->base)
		file.folder = view_of(path + walking->base, before - walking->base - 1);
	return walking->walk->file(walking->walk->cookie, &file);
}

static int walk_folder(struct walking *walking, const char *path);

static int
walk_entry(struct walking *walking, const char *path)
{
	const struct walk *walk = walking->walk;
	const char *name = last_component(path);
	struct err err = {0};
	struct stat status;

	if (is_litter(name)) {
		walk->skipped(walk->cookie, path, WALK_LITTER);
		return ERR_NONE;
	}
	if (is_excluded(walk, name, path + walking->base)) {
		walk->skipped(walk->cookie, path, WALK_EXCLUDED);
		return ERR_NONE;
	}
	if (lstat(path, &status) != 0) {
		(void)err_system(&err, errno, "cannot read %s", path);
		walk->failed(walk->cookie, &err);
		return ERR_NONE;
	}
	if (S_ISREG(status.st_mode))
		return give_file(walking, path, &status);
	if (S_ISDIR(status.st_mode))
		return walk_folder(walking, path);
	walk->skipped(walk->cookie, path, S_ISLNK(status.st_mode) ? WALK_LINK : WALK_SPECIAL);
	return ERR_NONE;
}

/* Names in their bytes' order, so that the same folder gives the same log. */
static int
walk_folder(struct walking *walking, const char *path)
{
	struct dirent **entries = NULL;
	char below[PATH_MAX];
	struct err err = {0};
	int code = ERR_NONE;
	int count;
	int i;

	count = walking->depth < DEPTH_MAX ? scandir(path, &entries, NULL, alphasort) : -1;
	if (count < 0) {
		(void)err_system(
		    &err, walking->depth < DEPTH_MAX ? errno : ELOOP, "cannot read %s", path);
		walking->walk->failed(walking->walk->cookie, &err);
		return ERR_NONE;
	}
	walking->depth++;
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (code == ERR_NONE && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";

			if (snprintf(below, sizeof(below), "%s%s%s", path, slash, name) <
			    (int)sizeof(below)) {
				code = walk_entry(walking, below);
			} else {
				(void)err_set(&err, ERR_IO, "the path below %s is too long", path);
				walking->walk->failed(walking->walk->cookie, &err);
			}
		}
		free(entries[i]);
	}
	free(entries);
	walking->depth--;
	return code;
}

int
walk_path(const struct walk *walk, const char *path, struct err *err)
{
	struct walking walking = {.walk = walk};
	struct stat status;

	if (stat(path, &status) != 0)
		return err_system(err, errno, "cannot read %s", path);
	if (S_ISDIR(status.st_mode)) {
		if (!walk->recursive)
			return err_set(err, ERR_USAGE,
			    "%s is a directory: give --recursive to deposit what is in it", path);
		walking.base = strlen(path) + (path[strlen(path) - 1] == '/' ? 0 : 1);
		return walk_folder(&walking, path);
	}
	if (!S_ISREG(status.st_mode))
		return err_set(err, ERR_USAGE, "%s is neither a file nor a directory", path);
	return give_file(&walking, path, &status);
}
