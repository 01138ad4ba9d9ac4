#ifndef DALIL_PROTO_CHARTER_INTERNAL_H
#define DALIL_PROTO_CHARTER_INTERNAL_H

#include "proto/charter.h"

/*
 * Purpose: what charter.c (state, questions) and charter_judge.c (rules) share.
 *
 * Invariants outside of charter_judge:
 * 1. count is 0, or epochs[0] is the founding, hashes[i] the hash of statement i, i below count.
 * 2. served holds SHA-256 of every key that has served, ascending and once: root keys, keys
 *    that signed a rotate, vaults, a node's six.
 * 3. No digest that is promised now stands in served.
 */

struct charter_member_entry {
	uint8_t digest[HASH_SIZE];
	enum charter_state state;
};

/* An array that grows by doubling. */
struct charter_room {
	size_t count;
	size_t capacity;
};

struct charter {
	uint64_t count;
	size_t bytes; /* of all statements, without signatures */
	char *name;
	bool has_vault;
	uint8_t vault[32];
	uint8_t (*hashes)[HASH_SIZE]; /* count of them */
	struct charter_room hash_room;
	struct charter_roots *epochs;
	struct charter_room epoch_room;
	struct charter_node *nodes;
	struct charter_room node_room;
	struct charter_member_entry *members;
	struct charter_room member_room;
	uint8_t (*served)[HASH_SIZE];
	struct charter_room served_room;
};

/* What a statement brings into service: digests of keys, ascending. */
struct charter_fresh {
	unsigned count;
	uint8_t digests[2 * STATEMENT_KEYS_MAX][HASH_SIZE];
};

/* The roots in force for statement ${seq}, which is above 0. */
const struct charter_roots *charter_roots_for(const struct charter *charter, uint64_t seq);
bool charter_served(const struct charter *charter, const uint8_t digest[static HASH_SIZE]);
struct charter_node *
charter_find_node(const struct charter *charter, const uint8_t id[static HASH_SIZE]);
struct charter_member_entry *
charter_find_member(const struct charter *charter, const uint8_t digest[static HASH_SIZE]);
void charter_roots_from(struct charter_roots *roots, const struct statement *statement);

/*
 * Let an accepted statement, the next one, take effect.  0, or ERR_MEMORY with nothing changed.
 */
int charter_apply(
    struct charter *charter, const struct statement *statement, const struct charter_fresh *fresh);

#endif
