#ifndef DALIL_NODE_KEYS_LEND_MESSAGE_H
#define DALIL_NODE_KEYS_LEND_MESSAGE_H

#include "node/keys/keys.h"

/*
 * Purpose: what passes over STORE/dalild.sock, as bytes.  Private to node/keys.
 *
 * Requests: [1, "borrow"], [1, "unlock", keys, minutes], [1, "lock"].
 * Answers: [1, "keys", keys], [1, "done"], [1, "refused", code, text].
 * keys = [[six secrets in the order of enum keys_name], [[public half, secret]...]].
 * Buffers that hold them are secret ones of LEND_MESSAGE_MAX.
 */

#define LEND_MESSAGE_MAX 4096
#define LEND_MINUTES_MAX 10080 /* a week */

enum lend_kind { LEND_BORROW, LEND_UNLOCK, LEND_LOCK, LEND_KEYS, LEND_DONE, LEND_REFUSED };

struct lend_message {
	enum lend_kind kind;
	uint8_t node[KEYS_NAMES * KEYS_SIZE]; /* LEND_UNLOCK, LEND_KEYS */
	unsigned count;
	uint8_t readers[KEYS_READERS_MAX * 2 * KEYS_SIZE];
	uint64_t minutes;
	int code; /* LEND_REFUSED */
	struct view text;
};

/* A message in sodium_malloc memory, to be freed with sodium_free; NULL when memory is gone. */
struct lend_message *lend_message_new(enum lend_kind kind);
/* Fill in what is open of ${keys}, with reader keys or without.  ERR_LOCKED, ERR_DAMAGED. */
int lend_message_fill(
    struct lend_message *message, const struct keys *keys, bool readers, struct err *err);
void lend_message_write(struct buffer *out, const struct lend_message *message);
/* The text of a refusal points into ${bytes}. */
int lend_message_parse(struct lend_message *message, struct view bytes, struct err *err);

#endif
