#ifndef DALIL_CLI_PASSPHRASE_H
#define DALIL_CLI_PASSPHRASE_H

#include "cli/command.h"
#include "proto/bytes.h"

/*
 * Purpose: the passphrase of one kind of key, from where cli.md says: --passphrase-file, else
 * $DALIL_PASSPHRASE_FILE, else $CREDENTIALS_DIRECTORY/passphrase, else asked on the terminal.  A
 * file holds lines `store:`, `root:`, `next:`, `copy:`, or one line for all.
 */

#define PASSPHRASE_MAX 1024

enum passphrase_kind { PASSPHRASE_STORE, PASSPHRASE_ROOT, PASSPHRASE_NEXT, PASSPHRASE_COPY };

enum passphrase_use {
	PASSPHRASE_OPEN,  /* asked once */
	PASSPHRASE_CHOOSE /* asked twice where it is asked */
};

/* Append it to ${out}, a secret buffer of limit PASSPHRASE_MAX.  ERR_LOCKED where there is
 * neither file nor terminal; ERR_USAGE for an empty one, or two that differ. */
int passphrase_get(struct buffer *out, const struct context *context, enum passphrase_kind kind,
    enum passphrase_use use, struct err *err);

#endif
