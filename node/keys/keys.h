#ifndef DALIL_NODE_KEYS_KEYS_H
#define DALIL_NODE_KEYS_KEYS_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the keys of one store (design sections 4 and 5.6).  STORE/keys/ holds one file per key
 * in the form of proto/wrap.h.  `wrapping` holds a random key, itself under the passphrase
 * (Argon2id) or, with --no-passphrase, in the clear; every other file is under that key, with name
 * and public half authenticated, so that destroying `wrapping` destroys them all.
 *
 * Node keys: six, always present.  Ed25519 seeds: record, log, witness, mirror; X25519 secrets:
 * transport, inbox.  Reader keys: X25519 secrets which open what an organisation deposited: the
 * vault (absent in a deposit-only store) and those brought by `key attach`; there may be none.
 *
 * An opened store of keys begins locked: it knows public halves only, and those from files
 * that nobody has authenticated yet; they are authenticated when the secrets are opened.
 * All secrets, here and where they are handed out, are 32 bytes (a seed or a scalar) and belong in
 * sodium_malloc memory.
 *
 * Errors: ERR_LOCKED where a secret is wanted that is not open, or the passphrase is wrong;
 * ERR_DAMAGED, naming the file, where a key file is not what was written: nothing of it is used.
 * Threads: every call but keys_free may be made from any thread at once.
 */

#define KEYS_SIZE 32 /* secret and public halves */
#define KEYS_READERS_MAX 16
#define KEYS_LABEL_MAX 64

enum keys_name { KEYS_RECORD, KEYS_LOG, KEYS_WITNESS, KEYS_MIRROR, KEYS_TRANSPORT, KEYS_INBOX };
#define KEYS_NAMES 6

enum keys_scope {
	KEYS_SCOPE_NONE, /* locked */
	KEYS_SCOPE_NODE, /* the six node keys */
	KEYS_SCOPE_ALL   /* reader keys too, and the wrapping key, so that files can be written */
};

struct keys;

/*
 * Make STORE/keys with new random keys; STORE exists.  ${passphrase} NULL: in the clear.
 * ${vault}: make a vault key too.  ${about} is put into the files for whoever finds them (the
 * node's name).  Durable when it returns.  ERR_EXISTS if keys/ is there.
 */
int keys_create(const char *store, const struct view *passphrase, bool vault, const char *about,
    struct err *err);

/* Read the files, locked.  The caller frees with keys_free (NULL is fine), which wipes. */
int keys_open(struct keys **keys, const char *store, struct err *err);
void keys_free(struct keys *keys);

/* Whether opening takes a passphrase. */
bool keys_has_passphrase(const struct keys *keys);
enum keys_scope keys_scope(const struct keys *keys);

/*
 * Open node keys, or all.  ${passphrase} may be NULL where none is needed.  Takes a second and 256
 * MiB for a moment where there is a passphrase.  A failure leaves the state as it was.
 */
int keys_unlock(
    struct keys *keys, const struct view *passphrase, enum keys_scope scope, struct err *err);
/*
 * The first key file that is damaged, as ERR_DAMAGED with its name; 0 where none is known to be.
 * Damage inside a box shows once it is opened.  The other keys stay usable, the damaged one never
 * is: its public half reads as zeros.
 */
int keys_damage(const struct keys *keys, struct err *err);
/* Wipe all secrets, or with KEYS_SCOPE_NODE all but those of the node. */
void keys_lock(struct keys *keys, enum keys_scope keep);

/* Node keys: the public half is there in any state. */
void
keys_public(const struct keys *keys, enum keys_name name, uint8_t public_half[static KEYS_SIZE]);
int keys_secret(const struct keys *keys, enum keys_name name, uint8_t secret[static KEYS_SIZE],
    struct err *err);
/* Ed25519 over ${message} with record, log, witness or mirror. */
int keys_sign(const struct keys *keys, enum keys_name name, struct view message,
    uint8_t signature[static 64], struct err *err);
const char *keys_label(enum keys_name name);

/* Reader keys: numbered from 0, the vault first where there is one. */
unsigned keys_readers(const struct keys *keys);
void
keys_reader_public(const struct keys *keys, unsigned reader, uint8_t public_half[static KEYS_SIZE]);
/* ${label}: "vault", or what `key attach` named it. */
void
keys_reader_label(const struct keys *keys, unsigned reader, char label[static KEYS_LABEL_MAX + 1]);
int keys_reader_secret(
    const struct keys *keys, unsigned reader, uint8_t secret[static KEYS_SIZE], struct err *err);
/* The number of the reader key with that public half, or ERR_NOT_FOUND. */
int keys_reader_find(const struct keys *keys, const uint8_t public_half[static KEYS_SIZE]);

/*
 * Add a reader key (KEYS_SCOPE_ALL): its file is durable when this returns.  ERR_EXISTS if it is
 * here.  It is called "vault" if there is none of that name, else "vault-" and 8 hex digits.
 */
int keys_attach(
    struct keys *keys, const uint8_t secret[static KEYS_SIZE], const char *about, struct err *err);

/* Write `wrapping` anew, atomically, under another passphrase, or none.  KEYS_SCOPE_ALL. */
int keys_rewrap(struct keys *keys, const struct view *passphrase, struct err *err);

#endif
