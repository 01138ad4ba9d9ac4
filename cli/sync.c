/* dalil sync: one round with each peer. */
#include "cli/network.h"
#include "cli/options.h"
#include "cli/report.h"

#define TIMEOUT_DEFAULT 300
#define TIMEOUT_MAX 604800

static const struct option table[] = {
    {"timeout", "SECONDS", OPTION_NUMBER, "give up after so long (300)"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "[PEER...] [--timeout SECONDS]",
    .what =
        "Does one round with each peer, or with those named: until this node's log is signed and\n"
        "nothing that either side wants is missing. Exit 5 if a peer could not be reached.",
    .options = table,
    .example = "  dalil sync\n  dalil sync bishkek --timeout 60",
    .glossary = "  round  both sides show what they have and fetch what they lack",
    .most = 1000,
};

static int
run(struct session *session, const struct options *options, struct err *err)
{
	uint64_t timeout = options_number(options, "timeout", TIMEOUT_DEFAULT);
	bool peers = false;
	int code;

	if (timeout < 1 || timeout > TIMEOUT_MAX)
		return err_set(err, ERR_USAGE, "--timeout takes 1 to %d seconds", TIMEOUT_MAX);
	code = session_has_peers(session, &peers, err);
	if (code != ERR_NONE)
		return code;
	if (!peers)
		return err_set(err, ERR_NOT_FOUND,
		    "no peer is paired: dalil peer invite, or accept an invite");
	code = network_round(session, options->words, options->word_count, timeout, false, err);
	/* Each peer's trouble is told already; what is left is the worst of them. */
	if (code != ERR_NONE && session->context->worst != EXIT_DONE) {
		report_worst(session->context, report_code(code));
		return ERR_NONE;
	}
	return code;
}

int
command_sync(struct context *context, int argc, char **argv)
{
	return session_run(context, &usage, SESSION_SIGN, run, argc, argv);
}
