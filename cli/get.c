/* dalil get: the original file, whole and checked, or not at all. */
#include <stdio.h>
#include <unistd.h>

#include "cli/exhibit.h"
#include "cli/file.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/terminal.h"

static const struct option table[] = {
    {"o", "PATH", OPTION_PATH, "where to write it; - is standard output"},
    {"force", NULL, OPTION_FLAG, "overwrite a file that is there"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "ID [-o PATH] [--force]",
    .what = "Writes the original file. It is written beside, checked against the record's claims,\n"
            "and put in its place only then: what stands there afterwards is what was deposited.\n"
            "Without -o it gets a safe form of its own name, in this folder. To standard output\n"
            "(-o -) each piece is written once its own hash holds; only exit 0 says that the\n"
            "whole was the file.",
    .options = table,
    .example = "  dalil get 3f9a01c2 -o tape.wav",
    .glossary = "  ID  a record id, or the first 8 or more of its hex digits",
    .least = 1,
    .most = 1,
};

static void
show_progress(void *cookie, uint64_t done, uint64_t all)
{
	progress_show(cookie, done, all, "B");
}

static int
write_exhibit(struct session *session, const struct options *options, struct archive_reader *reader,
    const struct archive_exhibit *exhibit, struct err *err)
{
	const char *path = options_text(options, "o");
	struct progress *meter = progress_new("Reading", session->context->globals.quiet);
	struct archive_progress progress = {.progress = show_progress, .cookie = meter};
	char name[128];
	int code;

	if (path == NULL) {
		file_safe_name(name, sizeof(name), fields_bytes(&exhibit->fields, FIELD_NAME));
		path = name;
	}
	if (strcmp(path, "-") == 0)
		code = archive_get(reader, exhibit, STDOUT_FILENO, &progress, err);
	else
		code = archive_get_file(
		    reader, exhibit, path, options_has(options, "force"), &progress, err);
	progress_free(meter);
	if (code == ERR_NONE && strcmp(path, "-") != 0)
		report_say(session->context, "Written and checked: %s", path);
	return code;
}

static int
get(struct session *session, const struct options *options, struct err *err)
{
	const struct archive_exhibit *exhibit;
	struct archive_reader *reader;
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	int code = archive_find(session->archive, view_text(options->words[0]), &place, id, err);

	if (code != ERR_NONE)
		return code;
	code = archive_reader_new(&reader, session->archive,
	    (const uint8_t *const *)session->identities, session->identity_count, err);
	if (code != ERR_NONE)
		return code;
	code = archive_read(reader, place, &exhibit, err);
	if (code == ERR_NONE)
		code = write_exhibit(session, options, reader, exhibit, err);
	archive_reader_free(reader);
	return code;
}

int
command_get(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_READ, get, argc, argv);
}
