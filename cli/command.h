#ifndef DALIL_CLI_COMMAND_H
#define DALIL_CLI_COMMAND_H

#include <stdbool.h>

#include "proto/err.h"

/*
 * Purpose: what every subcommand gets and is.  cli/main.c holds the one const table that dispatches;
 * each subcommand stands in a file of its own, cli/NAME.c or cli/GROUP_NAME.c.
 *
 * Exit codes (design section 8): a command reports troubles with report_failure, which remembers the
 * worst, and ends with `return report_exit(context)`.
 */

enum exit_code {
	EXIT_DONE = 0,
	EXIT_CHECK = 1, /* evidence, proof or replica is not what it claims */
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_REFUSED = 4, /* trust, key, policy */
	EXIT_STORAGE = 5, /* storage, input or network trouble, nothing lost */
	EXIT_LOCKED = 6
};

/* The options that stand before the command. */
struct globals {
	const char *store; /* NULL: by environment or default */
	const char *identity;
	const char *passphrase_file;
	bool json;
	bool quiet;
	bool no_passphrase;
};

struct command;

struct context {
	struct globals globals;
	const struct command *command;
	enum exit_code worst;
};

enum command_group { GROUP_START, GROUP_KEEP, GROUP_VERIFY, GROUP_SURVIVE };

struct command {
	const char *name; /* one word, or two: "peer invite" */
	enum command_group group;
	const char *summary; /* one line for `dalil --help` */
	int (*run)(struct context *context, int argc, char **argv);
};

/* ${argv} begins behind the command's name. All return an exit code. */
int command_add(struct context *context, int argc, char **argv);
int command_charter_apply(struct context *context, int argc, char **argv);
int command_charter_enrol(struct context *context, int argc, char **argv);
int command_charter_export(struct context *context, int argc, char **argv);
int command_charter_show(struct context *context, int argc, char **argv);
int command_charter_sign(struct context *context, int argc, char **argv);
int command_charter_vault(struct context *context, int argc, char **argv);
int command_export(struct context *context, int argc, char **argv);
int command_get(struct context *context, int argc, char **argv);
int command_init(struct context *context, int argc, char **argv);
int command_key_attach(struct context *context, int argc, char **argv);
int command_key_copy(struct context *context, int argc, char **argv);
int command_key_list(struct context *context, int argc, char **argv);
int command_key_passphrase(struct context *context, int argc, char **argv);
int command_key_reveal(struct context *context, int argc, char **argv);
int command_key_show(struct context *context, int argc, char **argv);
int command_list(struct context *context, int argc, char **argv);
int command_lock(struct context *context, int argc, char **argv);
int command_show(struct context *context, int argc, char **argv);
int command_log_adopt(struct context *context, int argc, char **argv);
int command_log_checkpoint(struct context *context, int argc, char **argv);
int command_log_consistency(struct context *context, int argc, char **argv);
int command_log_entries(struct context *context, int argc, char **argv);
int command_log_proof(struct context *context, int argc, char **argv);
int command_log_sign(struct context *context, int argc, char **argv);
int command_log_vkey(struct context *context, int argc, char **argv);
int command_peer_accept(struct context *context, int argc, char **argv);
int command_peer_confirm(struct context *context, int argc, char **argv);
int command_peer_invite(struct context *context, int argc, char **argv);
int command_peer_list(struct context *context, int argc, char **argv);
int command_peer_remove(struct context *context, int argc, char **argv);
int command_peer_set(struct context *context, int argc, char **argv);
int command_peer_test(struct context *context, int argc, char **argv);
int command_recover(struct context *context, int argc, char **argv);
int command_reindex(struct context *context, int argc, char **argv);
int command_share(struct context *context, int argc, char **argv);
int command_status(struct context *context, int argc, char **argv);
int command_sync(struct context *context, int argc, char **argv);
int command_unlock(struct context *context, int argc, char **argv);
int command_verify(struct context *context, int argc, char **argv);
int command_version(struct context *context, int argc, char **argv);

#endif
