#ifndef DALIL_PROTO_CLAIMS_H
#define DALIL_PROTO_CLAIMS_H

#include "proto/fields.h"

/*
 * Purpose: the claims of a record: an RFC 6962 tree over 64 salted leaves, one for each slot
 * (design 5.3).  Leaf input = canonical([slot, salt, value]), nil where absent.
 *
 * Cost: 127 hashes; one ChaCha20 block of salts for four slots.
 * Ownership: plain memory without pointers; it holds salts, so wipe it where that matters.
 */

#define CLAIMS_SEED 32
#define CLAIMS_SALT 16
#define CLAIMS_DEPTH 6

struct claims {
	uint8_t salts[FIELD_SLOTS][CLAIMS_SALT];
	uint8_t nodes[2 * FIELD_SLOTS - 1]
	             [HASH_SIZE]; /* leaves, then each level above, then the root */
};

void claims_make(struct claims *claims, const struct fields *fields,
    const uint8_t reader_seed[static CLAIMS_SEED], const uint8_t vault_seed[static CLAIMS_SEED]);
const uint8_t *claims_root(const struct claims *claims);
/* The hash over slots 48 to 63, which `sealed` holds. */
const uint8_t *claims_vault(const struct claims *claims);
/* Hash number ${index} of level ${level}: 0 are the 64 leaves, 6 the root. */
const uint8_t *claims_node(const struct claims *claims, unsigned level, unsigned index);

/* Salts 0 to 63 of one seed. */
void claims_salts(
    uint8_t salts[static FIELD_SLOTS][CLAIMS_SALT], const uint8_t seed[static CLAIMS_SEED]);
void claims_leaf(uint8_t hash[static HASH_SIZE], unsigned slot,
    const uint8_t salt[static CLAIMS_SALT], struct view value);
/* What a reader computes: the root over slots 0 to 47 of ${fields} and the vault's subtree. */
void claims_reader_root(uint8_t root[static HASH_SIZE], const struct fields *fields,
    const uint8_t reader_seed[static CLAIMS_SEED], const uint8_t vault[static HASH_SIZE]);

#endif
