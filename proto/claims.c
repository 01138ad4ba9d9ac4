/* The claims tree: 64 salted leaves (design 5.3). */
#include "proto/claims.h"

#include <sodium.h>

#include "proto/hash.h"
#include "proto/tree.h"

#define LEAF_HEAD (1 + 1 + 2 + CLAIMS_SALT) /* array of 3, slot, bin 8 of 16 */

/* Where a level begins among the nodes: 64 leaves, 32, 16 ... 1. */
static unsigned
level_start(unsigned level)
{
	return 2u * FIELD_SLOTS - (2u * FIELD_SLOTS >> level);
}

void
claims_salts(uint8_t salts[static FIELD_SLOTS][CLAIMS_SALT], const uint8_t seed[static CLAIMS_SEED])
{
	static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};

	(void)crypto_stream_chacha20(&salts[0][0], FIELD_SLOTS * CLAIMS_SALT, nonce, seed);
}

/*
 * canonical([slot, salt, value]) in pieces, so that no value is copied: 0x00 of the leaf hash,
 * array of 3, the slot as a positive fixint, the salt as bin 8, the value or nil.
 */
void
claims_leaf(uint8_t hash[static HASH_SIZE], unsigned slot, const uint8_t salt[static CLAIMS_SALT],
    struct view value)
{
	static const uint8_t nil = 0xc0;
	uint8_t head[1 + LEAF_HEAD] = {0x00, 0x93, (uint8_t)slot, 0xc4, CLAIMS_SALT};
	const struct view input[] = {
	    view_of(head, sizeof(head)), value.size == 0 ? view_of(&nil, 1) : value};

	memcpy(head + 5, salt, CLAIMS_SALT);
	hash_sha256_of(hash, input, 2);
	sodium_memzero(head, sizeof(head));
}

const uint8_t *
claims_node(const struct claims *claims, unsigned level, unsigned index)
{
	return claims->nodes[level_start(level) + index];
}

const uint8_t *
claims_root(const struct claims *claims)
{
	return claims_node(claims, CLAIMS_DEPTH, 0);
}

/* Slots 48 to 63 are the last quarter: node 3 of the level of 16 leaves. */
const uint8_t *
claims_vault(const struct claims *claims)
{
	return claims_node(claims, 4, 3);
}

/* Fill the levels above the first ${leaves} leaves, up to and with ${top}. */
static void
fill_levels(uint8_t (*nodes)[HASH_SIZE], unsigned leaves, unsigned top)
{
	unsigned level;
	unsigned i;

	for (level = 1; level <= top; level++) {
		for (i = 0; i < leaves >> level; i++) {
			const uint8_t(*below)[HASH_SIZE] =
			    (const uint8_t(*)[HASH_SIZE]) & nodes[level_start(level - 1) + 2 * i];

			tree_node(nodes[level_start(level) + i], below[0], below[1]);
		}
	}
}

void
claims_make(struct claims *claims, const struct fields *fields,
    const uint8_t reader_seed[static CLAIMS_SEED], const uint8_t vault_seed[static CLAIMS_SEED])
{
	uint8_t salts[FIELD_SLOTS][CLAIMS_SALT];
	unsigned slot;

	claims_salts(claims->salts, reader_seed);
	claims_salts(salts, vault_seed);
	memcpy(claims->salts[FIELD_VAULT_FIRST], salts[FIELD_VAULT_FIRST],
	    (FIELD_SLOTS - FIELD_VAULT_FIRST) * CLAIMS_SALT);
	sodium_memzero(salts, sizeof(salts));
	for (slot = 0; slot < FIELD_SLOTS; slot++)
		claims_leaf(claims->nodes[slot], slot, claims->salts[slot], fields->values[slot]);
	fill_levels(claims->nodes, FIELD_SLOTS, CLAIMS_DEPTH);
}

void
claims_reader_root(uint8_t root[static HASH_SIZE], const struct fields *fields,
    const uint8_t reader_seed[static CLAIMS_SEED], const uint8_t vault[static HASH_SIZE])
{
	struct claims claims;
	uint8_t right[HASH_SIZE];
	unsigned slot;

	claims_salts(claims.salts, reader_seed);
	for (slot = 0; slot < FIELD_VAULT_FIRST; slot++)
		claims_leaf(claims.nodes[slot], slot, claims.salts[slot], fields->values[slot]);
	fill_levels(claims.nodes, FIELD_VAULT_FIRST, 4);
	tree_node(
	    claims.nodes[level_start(5)], claims_node(&claims, 4, 0), claims_node(&claims, 4, 1));
	tree_node(right, claims_node(&claims, 4, 2), vault);
	tree_node(root, claims_node(&claims, 5, 0), right);
	sodium_memzero(&claims, sizeof(claims));
}
