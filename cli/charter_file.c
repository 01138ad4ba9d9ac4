/* dalil charter export and charter apply: key histories as files, out of a store and into one. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session.h"
#include "proto/statement_file.h"

static const struct option export_options[] = {
    {"o", "FILE", OPTION_PATH, "write there instead of to standard output"},
    {"force", NULL, OPTION_FLAG, "overwrite FILE"},
    {.name = NULL},
};

static const struct usage export_usage = {
    .arguments = "[ORG] [-o FILE]",
    .what = "Writes the whole charter of an organisation, for `charter apply` and `init --join`.\n"
            "It holds no secret. Without ORG, of the own organisation.",
    .options = export_options,
    .example = "  dalil charter export -o ours.charter",
    .glossary = "  ORG      a name, or the first 8 or more hex digits of an organisation id\n"
                "  charter  an organisation's key history, signed by its root keys",
    .most = 1,
};

static int export(struct session *session, const struct options *options, struct err *err)
{
	const char *path = options_text(options, "o");
	uint8_t organisation[HASH_SIZE];
	struct buffer text;
	int code = archive_organisation(session->archive,
	    options->word_count > 0 ? options->words[0] : NULL, organisation, err);

	if (code != 0)
		return code;
	buffer_init(&text, STATEMENT_FILE_MAX);
	code = archive_charter_export(session->archive, organisation, &text, err);
	if (code == 0)
		code = path == NULL ?
		           file_write_stdout(buffer_view(&text), err) :
		           file_write(path, buffer_view(&text), options_has(options, "force"), err);
	buffer_fini(&text);
	return code;
}

int
command_charter_export(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &export_usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_PUBLIC) == 0) {
		if (export(&session, &options, &err) != 0)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}

static const struct option apply_options[] = {{.name = NULL}};

static const struct usage apply_usage = {
    .arguments = "FILE",
    .what =
        "Takes statements into the store, of the own organisation or another: a whole charter,\n"
        "newer statements of one, or a request that others have completed. Each is judged;\n"
        "what is known already changes nothing. `-` reads standard input.",
    .options = apply_options,
    .example = "  dalil charter apply theirs.charter",
    .glossary = "  charter  an organisation's key history, signed by its root keys",
    .least = 1,
    .most = 1,
};

static void
tell_applied(const struct context *context, unsigned accepted)
{
	json_t *object;

	if (context->globals.json) {
		object = json_object();
		output_set_uint(object, "accepted", accepted);
		output_json(object);
	} else if (accepted == 0) {
		report_say(context, "Nothing new: everything in it is known here.");
	} else {
		report_say(context, "%u statement%s taken.", accepted, accepted == 1 ? "" : "s");
	}
}

/* ERR_LOCKED: a statement of the own charter goes into the own log, which wants the node's keys. */
static int
apply(struct context *context, struct view file, enum session_need need, struct err *err)
{
	struct session session;
	unsigned accepted = 0;
	uint64_t before;
	int code = session_open(&session, context, need);

	if (code != 0)
		return 0; /* reported already */
	before = session.self.enrolled;
	code = archive_charter_apply(session.archive, file, &accepted, err);
	if (accepted > 0 || code == 0)
		tell_applied(context, accepted);
	archive_self(session.archive, &session.self);
	if (session.self.enrolled && before == 0)
		report_say(context, "This node is enrolled now: its log has begun.");
	if (accepted > 0 && need == SESSION_SIGN && session.self.enrolled)
		session_sign_if_alone(&session);
	session_close(&session);
	return code;
}

int
command_charter_apply(struct context *context, int argc, char **argv)
{
	struct options options;
	struct buffer file;
	struct err err = {0};
	int code;

	buffer_init(&file, STATEMENT_FILE_MAX);
	if (options_init(&options, context, &apply_usage, argc, argv) == 0) {
		code = file_read(&file, options.words[0], &err);
		if (code == 0)
			code = apply(context, buffer_view(&file), SESSION_PUBLIC, &err);
		if (code == ERR_LOCKED)
			code = apply(context, buffer_view(&file), SESSION_SIGN, &err);
		if (code != 0)
			report_failure(context, &err, session_advice(err.code));
	}
	buffer_fini(&file);
	options_fini(&options);
	return report_exit(context);
}
