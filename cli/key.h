#ifndef DALIL_CLI_KEY_H
#define DALIL_CLI_KEY_H

#include "cli/passphrase.h"
#include "cli/session.h"

/*
 * Purpose: the keys of a store by the names that users give, for the `key` commands and `status`.
 */

/* One key that is here: a node key, or a reader key such as `vault`. */
struct key_named {
	char label[KEYS_LABEL_MAX + 1];
	bool reader;
	enum keys_name name; /* of a node key */
	unsigned number;     /* of a reader key */
	uint8_t public_half[KEYS_SIZE];
};

/* Keys from 0 on; false behind the last. */
bool key_at(const struct keys *keys, unsigned at, struct key_named *key);
/* By label.  ERR_NOT_FOUND lists what there is. */
int key_find(const struct keys *keys, const char *label, struct key_named *key, struct err *err);
int key_secret(const struct keys *keys, const struct key_named *key,
    uint8_t secret[static KEYS_SIZE], struct err *err);
/*
 * The public half as others take it: age1... for X25519 keys, a vkey for log, witness and mirror, hex
 * for the record key.  ${out} is a buffer of some 600 bytes.
 */
int key_public_text(struct buffer *out, const struct session *session, const struct key_named *key,
    struct err *err);

/* Was the key with this public half ever copied out of this store (`key copy`)? */
int key_was_copied(struct session *session, const uint8_t public_half[static KEYS_SIZE],
    bool *copied, struct err *err);
int key_note_copy(
    struct session *session, const uint8_t public_half[static KEYS_SIZE], struct err *err);

/* The passphrase of a key file, or of what is to become one: *used is NULL where there is none. */
int key_passphrase(struct buffer *passphrase, struct view *view, const struct view **used,
    struct context *context, enum passphrase_kind kind, enum passphrase_use use, struct err *err);

#endif
