/* dalil key passphrase: another passphrase for the keys of this store, or none. */
#include "cli/key.h"
#include "cli/options.h"
#include "cli/report.h"

static const struct option table[] = {
    {"to-file", "FILE", OPTION_PATH, "the new one: the line store: of that file, or its only line"},
    {"no-passphrase", NULL, OPTION_FLAG, "from now on none: keys in the clear"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "[--to-file FILE | --no-passphrase]",
    .what =
        "Gives the keys of this store another passphrase. Only one small file is written anew,\n"
        "in one step. Copies of keys elsewhere keep their own passphrases, and a backup of\n"
        "this store keeps the old one.",
    .options = table,
    .example = "  dalil key passphrase",
    .glossary = "  passphrase  wraps the one key that wraps all others here",
};

static int
change(struct session *session, const struct options *options, struct err *err)
{
	struct context chosen = *session->context;
	const struct view *used;
	struct buffer passphrase;
	struct view view;
	int result;

	chosen.globals.no_passphrase |= options_has(options, "no-passphrase");
	if (options_text(options, "to-file") != NULL)
		chosen.globals.passphrase_file = options_text(options, "to-file");
	buffer_init_secret(&passphrase, PASSPHRASE_MAX);
	result = key_passphrase(
	    &passphrase, &view, &used, &chosen, PASSPHRASE_STORE, PASSPHRASE_CHOOSE, err);
	if (result == 0)
		result = keys_rewrap(archive_keys(session->archive), used, err);
	buffer_fini(&passphrase);
	if (result == 0)
		report_say(session->context, used == NULL ?
		                                 "The keys of this store now stand in the clear." :
		                                 "The keys of this store have another passphrase.");
	return result;
}

int
command_key_passphrase(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_ALL) == 0) {
		if (change(&session, &options, &err) != 0)
			report_failure(context, &err, NULL);
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
