#ifndef DALIL_CLI_SESSION_H
#define DALIL_CLI_SESSION_H

#include "cli/command.h"
#include "node/archive.h"
#include "node/node.h"

/*
 * Purpose: the store that a command works on, with as many of its keys opened as it needs.
 *
 * Where keys come from, in this order: a store without passphrase; a running dalild of the same user
 * that lends all of them (`unlock --for`); a passphrase file that was named (--passphrase-file or the
 * environment); a running dalild, which lends its node keys; the terminal.
 *
 * Ownership: session_close wipes and frees everything. One session a process.
 */

#define SESSION_IDENTITIES_MAX 16

enum session_need {
	SESSION_PUBLIC, /* no secrets */
	SESSION_READ,   /* reader keys if they can be had; it is no trouble if not */
	SESSION_SIGN,   /* node keys; reader keys too if they come without asking */
	SESSION_ALL     /* everything, the wrapping key included: a passphrase, never borrowed */
};

struct session {
	struct context *context;
	struct archive *archive;
	struct archive_self self;
	uint8_t *identities[SESSION_IDENTITIES_MAX]; /* of --identity; secret memory */
	unsigned identity_count;
};

/* The path of the store into ${path} of PATH_MAX bytes: --store, the environment, or the default. */
int session_path(char *path, const struct context *context, struct err *err);

/* 0, or a negative err_code that has been reported. */
int session_open(struct session *session, struct context *context, enum session_need need);
void session_close(struct session *session);

/*
 * A whole command: its options, the store with the keys it needs, ${run}, the report of its error
 * and the exit code.
 */
struct options;
struct usage;
typedef int
session_command(struct session *session, const struct options *options, struct err *err);
int session_run(struct context *context, const struct usage *usage, enum session_need need,
    session_command *run, int argc, char **argv);

/* Root keys at hand, from --org-key files, each opened with its passphrase. */
#define SESSION_ROOTS_MAX 32
struct session_roots {
	uint8_t *seeds[SESSION_ROOTS_MAX]; /* secret memory */
	unsigned count;
};
int session_roots(struct session_roots *roots, struct context *context,
    const struct options *options, const char *name, struct err *err);
void session_roots_fini(struct session_roots *roots);

/* Are there paired peers? */
int session_has_peers(struct session *session, bool *peers, struct err *err);
/* Sign at once where the node has no peers (design 5.4); says on standard error what is not signed. */
void session_sign_if_alone(struct session *session);
/* "run: ..." for an error that a user meets often; NULL where the text says it all. */
const char *session_advice(int code);

#endif
