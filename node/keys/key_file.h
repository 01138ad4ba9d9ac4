#ifndef DALIL_NODE_KEYS_KEY_FILE_H
#define DALIL_NODE_KEYS_KEY_FILE_H

#include "proto/wrap.h"

/*
 * Purpose: key files (proto/wrap.h) on disk, for the key store and for keys kept elsewhere.
 * Private to node/keys.  Secrets are 32 bytes.
 */

#define KEY_FILE_SECRET 32

enum key_file_write { KEY_FILE_NEW, KEY_FILE_REPLACE };

/*
 * Write a key file, mode 0600, with a fresh nonce; file and directory are synced.  KEY_FILE_NEW
 * refuses what is there (ERR_EXISTS); KEY_FILE_REPLACE swaps it in one step.
 */
int key_file_write(const char *path, const struct wrap *outside, const uint8_t *secret,
    const uint8_t *key, enum key_file_write how, struct err *err);

/* Read a regular file of at most WRAP_FILE_MAX bytes into ${bytes}; ${wrap} points into it. */
int key_file_read(struct buffer *bytes, struct wrap *wrap, const char *path, struct err *err);

/* Open a parsed file into ${secret}, and check it against the public half that it names. */
int key_file_open(uint8_t secret[static KEY_FILE_SECRET], const struct wrap *wrap,
    const uint8_t *key, struct err *err);
/* The same for a file under a passphrase, or none. ERR_LOCKED where one is needed. */
int key_file_open_passphrase(uint8_t secret[static KEY_FILE_SECRET], const struct wrap *wrap,
    const struct view *passphrase, struct err *err);

/* New parameters with a random salt. */
void key_file_parameters(struct wrap_passphrase *parameters);
/*
 * Make ${outside} say passphrase or none, and derive the key into sodium_malloc memory at *${key}
 * (NULL for none; the caller frees with sodium_free).
 */
int key_file_protect(
    struct wrap *outside, uint8_t **key, const struct view *passphrase, struct err *err);

/* The public half under the kind of key that ${name} is: Ed25519, or X25519 for those that open. */
int key_file_public(uint8_t public_half[static 32], struct view name, const uint8_t *secret);

int key_file_sync_directory(const char *path, struct err *err);

#endif
