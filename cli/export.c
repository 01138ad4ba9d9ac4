/* dalil export --age: one exhibit as a file that Debian's age opens. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/add.h"
#include "cli/report.h"
#include "cli/terminal.h"

static const struct option table[] = {
    {"age", NULL, OPTION_FLAG, "as an age file, for whoever may read the exhibit"},
    {"to", "WHO", OPTION_WORDS, "with --age: for these readers instead"},
    {"o", "PATH", OPTION_PATH, "where to write it; - is standard output"},
    {"force", NULL, OPTION_FLAG, "overwrite a file that is there"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "ID --age -o PATH [--to WHO]...",
    .what = "Writes an exhibit so that stock tools open it: age -d -i KEY FILE | head -c SIZE\n"
            "restores the original (SIZE as dalil show says it: sealed files are padded). It is "
            "for the\n"
            "vault's key where that is open here, else for those who were granted it.",
    .options = table,
    .example = "  dalil export 3f9a01c2 --age -o tape.age\n"
               "  dalil key reveal vault > key.txt && age -d -i key.txt tape.age | head -c 48213",
    .glossary = "  age  a widely used file encryption tool (age-encryption.org)",
    .least = 1,
    .most = 1,
};

/* The recipients of --to; without any and with the vault's power to re-wrap, the own vault. */
static int
read_recipients(struct session *session, const struct options *options,
    const struct archive_exhibit *exhibit, uint8_t (**keys)[HASH_SIZE], unsigned *count,
    struct err *err)
{
	struct keys *own = archive_keys(session->archive);
	const struct option_value *value;
	size_t cursor = 0;
	int code = ERR_NONE;

	*count = 0;
	*keys = calloc(options->count + 1, sizeof(**keys));
	if (*keys == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	while (code == ERR_NONE && (value = options_next(options, "to", &cursor)) != NULL)
		code = reader_of(session, (*keys)[(*count)++], value->value, err);
	if (code == ERR_NONE && *count == 0 && exhibit->access == ARCHIVE_VAULT &&
	    keys_readers(own) > 0)
		keys_reader_public(own, 0, (*keys)[(*count)++]);
	return code;
}

static void
show_progress(void *cookie, uint64_t done, uint64_t all)
{
	progress_show(cookie, done, all, "B");
}

static int
export_to(struct session *session, struct archive_reader *reader,
    const struct archive_exhibit *exhibit, const uint8_t (*keys)[HASH_SIZE], unsigned count, int fd,
    struct err *err)
{
	struct progress *meter = progress_new("Writing", session->context->globals.quiet);
	struct archive_progress progress = {.progress = show_progress, .cookie = meter};
	int code =
	    archive_export_age(reader, exhibit, count > 0 ? keys : NULL, count, fd, &progress, err);

	progress_free(meter);
	return code;
}

/* Beside, synced, renamed: whole or not at all. */
static int
export_file(struct session *session, struct archive_reader *reader,
    const struct archive_exhibit *exhibit, const uint8_t (*keys)[HASH_SIZE], unsigned count,
    const char *path, bool overwrite, struct err *err)
{
	char temporary[PATH_MAX];
	int code;
	int fd;

	if (!overwrite && access(path, F_OK) == 0)
		return err_set(err, ERR_EXISTS, "%s is there already: --force overwrites it", path);
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return err_set(err, ERR_USAGE, "the path %s is too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_system(err, errno, "cannot write %s", path);
	code = export_to(session, reader, exhibit, keys, count, fd, err);
	if (code == ERR_NONE && fsync(fd) != 0)
		code = err_system(err, errno, "cannot write %s", path);
	if (close(fd) != 0 && code == ERR_NONE)
		code = err_system(err, errno, "cannot write %s", path);
	if (code == ERR_NONE && rename(temporary, path) != 0)
		code = err_system(err, errno, "cannot write %s", path);
	if (code != ERR_NONE)
		(void)unlink(temporary);
	return code;
}

static int
export_exhibit(struct session *session, const struct options *options,
    struct archive_reader *reader, struct storage_place place, struct err *err)
{
	const char *path = options_text(options, "o");
	const struct archive_exhibit *exhibit;
	uint8_t(*keys)[HASH_SIZE] = NULL;
	unsigned count = 0;
	int code = archive_read(reader, place, &exhibit, err);

	if (code == ERR_NONE)
		code = read_recipients(session, options, exhibit, &keys, &count, err);
	if (code == ERR_NONE && strcmp(path, "-") == 0)
		code = export_to(session, reader, exhibit, (const uint8_t(*)[HASH_SIZE])keys, count,
		    STDOUT_FILENO, err);
	else if (code == ERR_NONE)
		code = export_file(session, reader, exhibit, (const uint8_t(*)[HASH_SIZE])keys,
		    count, path, options_has(options, "force"), err);
	free(keys);
	return code;
}

static int
run(struct session *session, const struct options *options, struct err *err)
{
	struct archive_reader *reader;
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	int code;

	if (!options_has(options, "age"))
		return err_set(err, ERR_USAGE, "as what? --age is what this version writes");
	if (options_text(options, "o") == NULL)
		return err_set(err, ERR_USAGE, "where to? -o PATH");
	code = archive_find(session->archive, view_text(options->words[0]), &place, id, err);
	if (code == ERR_NONE)
		code = archive_reader_new(&reader, session->archive,
		    (const uint8_t *const *)session->identities, session->identity_count, err);
	if (code != ERR_NONE)
		return code;
	code = export_exhibit(session, options, reader, place, err);
	archive_reader_free(reader);
	return code;
}

int
command_export(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_READ, run, argc, argv);
}
