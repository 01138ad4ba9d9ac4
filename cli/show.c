/* dalil show: everything known of one exhibit. */
#include "cli/exhibit.h"
#include "cli/options.h"
#include "cli/report.h"

static const struct option table[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "ID",
    .what = "Shows everything that this node knows of one exhibit and may read.",
    .options = table,
    .example = "  dalil show 3f9a01c2\n  dalil --json show 3f9a01c2",
    .glossary = "  ID  a record id, or the first 8 or more of its hex digits",
    .least = 1,
    .most = 1,
};

static int
show(struct session *session, const struct options *options, struct err *err)
{
	const struct archive_exhibit *exhibit;
	struct exhibit_logs logs = {.archive = session->archive};
	struct archive_reader *reader;
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	json_t *object;
	int code = archive_find(session->archive, view_text(options->words[0]), &place, id, err);

	if (code != ERR_NONE)
		return code;
	code = archive_reader_new(&reader, session->archive,
	    (const uint8_t *const *)session->identities, session->identity_count, err);
	if (code != ERR_NONE)
		return code;
	code = archive_read(reader, place, &exhibit, err);
	if (code == ERR_NONE) {
		object = exhibit_json(&logs, exhibit);
		if (session->context->globals.json) {
			output_json(object);
		} else {
			exhibit_print(object, exhibit);
			json_decref(object);
		}
		if (exhibit->access == ARCHIVE_CLOSED)
			report_say(session->context, "Its fields could not be read here.");
		if (exhibit->trouble.code != ERR_NONE)
			report_worst(session->context, EXIT_CHECK);
	}
	archive_reader_free(reader);
	return code;
}

int
command_show(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_READ, show, argc, argv);
}
