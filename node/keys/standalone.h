#ifndef DALIL_NODE_KEYS_STANDALONE_H
#define DALIL_NODE_KEYS_STANDALONE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: a key that lives in a file of its own, outside every store, under its own passphrase:
 * root and next keys of an organisation, and copies of a store's keys (design 5.5; cli.md `init`,
 * `key copy`).  The form is proto/wrap.h's.
 *
 * Secrets are 32 bytes: Ed25519 seeds, or X25519 secrets for `vault`, `inbox`, `transport`.
 */

#define STANDALONE_SIZE 32

struct standalone {
	char name[65];   /* root next vault record log witness mirror transport inbox */
	char about[513]; /* escaped before it is shown */
	uint8_t public_half[STANDALONE_SIZE];
	bool passphrase; /* one is needed to open it */
	uint8_t *bytes;  /* the file */
	size_t size;
};

enum standalone_overwrite { STANDALONE_KEEP, STANDALONE_OVERWRITE };

/*
 * Write the secret to ${path}, mode 0600, durably, then read it back and open it before this
 * returns 0: a copy that does not open is none.  ${passphrase} NULL: in the clear.
 * ERR_EXISTS unless ${overwrite} says so.
 */
int standalone_write(const char *path, const char *name, const char *about,
    const uint8_t secret[static STANDALONE_SIZE], const struct view *passphrase,
    enum standalone_overwrite overwrite, struct err *err);

/* Read the outside of a key file.  The caller frees with standalone_fini. */
int standalone_read(struct standalone *file, const char *path, struct err *err);
void standalone_fini(struct standalone *file);

/* ERR_LOCKED for a wrong passphrase; the secret is checked against the public half. */
int standalone_open(const struct standalone *file, const struct view *passphrase,
    uint8_t secret[static STANDALONE_SIZE], struct err *err);

/* The public half of ${secret} under the kind of key that ${name} is. */
int standalone_public(uint8_t public_half[static STANDALONE_SIZE], const char *name,
    const uint8_t secret[static STANDALONE_SIZE], struct err *err);

#endif
