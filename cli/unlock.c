/* dalil unlock, dalil lock: lend a running dalild its keys, and take them back. */
#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"

static const struct option unlock_table[] = {
    {"for", "MINUTES", OPTION_NUMBER, "lend reader keys too, for so long (15 is usual)"},
    {.name = NULL},
};
static const struct option no_options[] = {{.name = NULL}};

static const struct usage unlock_usage = {
    .arguments = "[--for MINUTES]",
    .what =
        "Lends the running dalild of this store its node keys, so that it exchanges with peers\n"
        "and commands work without the passphrase. With --for also the reader keys: until\n"
        "the minutes are over commands of this user read without asking.",
    .options = unlock_table,
    .example = "  dalil unlock --for 15",
    .glossary = "  node keys    sign records and the log, and talk to peers\n"
                "  reader keys  open what was deposited",
};

static const struct usage lock_usage = {
    .arguments = "",
    .what = "The running dalild of this store forgets its keys, node keys too: it exchanges\n"
            "nothing until the next dalil unlock.",
    .options = no_options,
    .example = "  dalil lock",
};

static void
report_daemon(struct context *context, const struct err *err)
{
	report_failure(
	    context, err, err->code == ERR_NOT_FOUND ? "start it: dalild --store DIR" : NULL);
}

int
command_unlock(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};
	uint64_t minutes;

	if (options_init(&options, context, &unlock_usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_ALL) == 0) {
		minutes = options_number(&options, "for", 0);
		if (options_has(&options, "for") && minutes == 0)
			(void)report_usage(context, "--for takes at least one minute");
		else if (lend_unlock(archive_path(session.archive), archive_keys(session.archive),
		             minutes, &err) != 0)
			report_daemon(context, &err);
		else if (minutes > 0)
			report_say(context,
			    "dalild has its keys, the reader keys for %llu minutes.",
			    (unsigned long long)minutes);
		else
			report_say(context, "dalild has its node keys.");
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}

int
command_lock(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &lock_usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_PUBLIC) == 0) {
		if (lend_lock(archive_path(session.archive), &err) != 0)
			report_daemon(context, &err);
		else
			report_say(context, "dalild has forgotten its keys.");
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
