/* dalil log sign --alone, dalil log adopt: what an operator takes upon himself. */
#include <inttypes.h>

#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/terminal.h"

static const struct option sign_options[] = {
    {"alone", NULL, OPTION_FLAG, "sign without asking peers first"},
    {.name = NULL},
};

static const struct option no_options[] = {{.name = NULL}};

static int
sign(struct session *session, const struct options *options, struct err *err)
{
	struct log_gate gate = {.alone = options_has(options, "alone")};
	struct log_signed result;
	int code = session_has_peers(session, &gate.peers, err);

	if (code != ERR_NONE)
		return code;
	if (gate.peers && gate.alone)
		report_say(session->context,
		    "Signing without asking the peers. If this disk was restored from a backup, "
		    "they may\n"
		    "hold more of this log than it does; then this signature forks the log, every "
		    "peer\n"
		    "will hold the proof, and the log ends. Otherwise nothing is lost by waiting.");
	code = archive_sign(session->archive, &gate, NULL, &result, err);
	if (code == ERR_NOT_FOUND) {
		report_say(session->context, "There is no record to sign.");
		return ERR_NONE;
	}
	if (code == ERR_NONE && result.fresh)
		report_say(session->context, "Signed: %" PRIu64 " records.", result.size);
	else if (code == ERR_NONE)
		report_say(session->context, "Nothing to sign: all %" PRIu64 " are.", result.size);
	return code;
}

int
command_log_sign(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "[--alone]",
	    .what = "Signs the log as far as it goes. A node with peers signs only after it has "
	            "read from\n"
	            "them what they hold of its log (a running dalild and dalil sync do that); "
	            "--alone\n"
	            "signs without, and says what that risks.",
	    .options = sign_options,
	    .example = "  dalil log sign --alone",
	};

	return session_run(context, &usage, SESSION_SIGN, sign, argc, argv);
}

static int
adopt(struct session *session, const struct options *options, struct err *err)
{
	(void)options;
	if (!session->self.moved) {
		report_say(session->context, "This store is on the machine it was made on.");
		return ERR_NONE;
	}
	if (terminal_is_there() && !session->context->globals.quiet &&
	    !terminal_confirm(
	        "The store was made on another machine. If it still runs there too, both "
	        "will be proved to have forked the log. Type the node's name to go on",
	        session->self.node))
		return err_set(err, ERR_REFUSED, "not adopted");
	return archive_adopt(session->archive, err);
}

int
command_log_adopt(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "",
	    .what = "Accepts that the store has moved to this machine. Until then it signs "
	            "nothing: two\n"
	            "copies of one store that both sign fork the log.",
	    .options = no_options,
	    .example = "  dalil log adopt",
	};

	return session_run(context, &usage, SESSION_PUBLIC, adopt, argc, argv);
}
