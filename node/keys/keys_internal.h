#ifndef DALIL_NODE_KEYS_KEYS_INTERNAL_H
#define DALIL_NODE_KEYS_KEYS_INTERNAL_H

#include <limits.h>
#include <pthread.h>

#include "node/keys/keys.h"
#include "proto/wrap.h"

/*
 * Purpose: the inside of struct keys, shared by keys.c (reading and handing out), keys_write.c and
 * lend.c.
 *
 * Invariants, whenever ${lock} is not held:
 * 1. entries[0..5] are the node keys in the order of enum keys_name; readers follow, `vault` first,
 *    then by label.
 * 2. An entry is open only if its secret gives its public half.
 * 3. A damaged entry is never open, and its public half is zeros.
 */

#define KEYS_ENTRIES (KEYS_NAMES + KEYS_READERS_MAX)

struct keys_entry {
	char label[KEYS_LABEL_MAX + 1]; /* also the file's name */
	uint8_t public_half[KEYS_SIZE];
	bool open;
	bool damaged;
	char reason[256];
};

/* In sodium_malloc memory. */
struct keys_secrets {
	uint8_t wrapping[WRAP_KEY_SIZE];
	uint8_t of[KEYS_ENTRIES][KEYS_SIZE];
};

struct keys {
	pthread_mutex_t lock;
	char folder[PATH_MAX]; /* STORE/keys */
	char about[WRAP_ABOUT_MAX + 1];
	struct keys_entry entries[KEYS_ENTRIES];
	unsigned count; /* of entries, at least KEYS_NAMES */
	struct keys_secrets *secrets;
	bool wrapping_open;
	bool passphrase;
	bool wrapping_damaged; /* as far as one sees without opening it */
};

/* STORE/keys/LABEL into ${path} of PATH_MAX bytes. */
int keys_path(char *path, const char *folder, const char *label, struct err *err);

/* Call with the lock held, or before anybody else knows of ${keys}. */
int keys_reload(struct keys *keys, struct err *err);

/*
 * Take secrets that somebody lends: six of node keys, then ${count} pairs of public half and secret
 * of reader keys (64 bytes each).  Each must give the public half that its file names.
 */
int keys_adopt(struct keys *keys, const uint8_t *node, const uint8_t *readers, unsigned count,
    struct err *err);

#endif
