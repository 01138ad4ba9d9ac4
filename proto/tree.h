#ifndef DALIL_PROTO_TREE_H
#define DALIL_PROTO_TREE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: RFC 6962 / RFC 9162 section 2.1 Merkle trees over SHA-256: roots as leaves come,
 * inclusion and consistency proofs, and subtree consistency proofs as C2SP
 * tlog-mirror uses them (draft-ietf-plants-merkle-tree-certs section 4).  Made and checked.
 *
 * A proof is an array of 32-byte hashes, at most TREE_PROOF_MAX of them; to check, it is given as
 * ${count} hashes one after the other: a tree_proof's, or bytes as they came from the wire.
 * A reader gives the hash of the complete subtree of 2^level leaves that begins
 * at leaf index * 2^level; it is asked only for subtrees that lie whole within the tree.
 * Sizes are below 2^63.  Functions without ${err} return ERR_USAGE for bounds that make no sense and
 * ERR_LIMIT for a proof past TREE_PROOF_MAX.
 *
 * Threads: no state but hash.h's one context a thread.
 */

#define TREE_PROOF_MAX 63 /* design section 7 */

/* A compact range: enough of a tree to append to it and to know its root. */
struct tree {
	uint64_t size;
	uint8_t nodes[64][HASH_SIZE]; /* nodes[l]: the complete subtree of level l, where bit l of
	                                 size is set */
};

struct tree_proof {
	unsigned count;
	uint8_t hashes[TREE_PROOF_MAX][HASH_SIZE];
};

/* 0, or a negative err which ends the making of the proof and is returned. */
typedef int tree_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE]);
/* Told of every complete subtree as appending completes it, leaves (level 0) included. */
typedef int
tree_note(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE]);

void tree_leaf(uint8_t hash[static HASH_SIZE], struct view leaf);
void tree_node(uint8_t hash[static HASH_SIZE], const uint8_t left[static HASH_SIZE],
    const uint8_t right[static HASH_SIZE]);

void tree_init(struct tree *tree);
/* note may be NULL. */
int tree_append(
    struct tree *tree, const uint8_t leaf_hash[static HASH_SIZE], tree_note *note, void *cookie);
void tree_root(const struct tree *tree, uint8_t root[static HASH_SIZE]);
/* The tree of ${size} leaves from stored subtrees. */
int tree_load(struct tree *tree, uint64_t size, tree_read *read, void *cookie);
/* Root over ${count} leaf hashes that stand in memory, 32 bytes each. */
void tree_root_of(uint8_t root[static HASH_SIZE], const uint8_t *leaf_hashes, size_t count);

int tree_prove_inclusion(
    struct tree_proof *proof, uint64_t index, uint64_t size, tree_read *read, void *cookie);
int tree_prove_consistency(
    struct tree_proof *proof, uint64_t from, uint64_t to, tree_read *read, void *cookie);
/* start and end as tree_subtree_valid says, end <= size. */
int tree_prove_subtree(struct tree_proof *proof, uint64_t start, uint64_t end, uint64_t size,
    tree_read *read, void *cookie);
/* Hash of the subtree [start, end) from stored subtrees. */
int tree_subtree_root(
    uint8_t root[static HASH_SIZE], uint64_t start, uint64_t end, tree_read *read, void *cookie);
bool tree_subtree_valid(uint64_t start, uint64_t end);

/*
 * 0, ERR_MALFORMED for a proof of the wrong shape, ERR_FORGED for one that does not hold.
 * From size 0 every tree is consistent, with an empty proof (C2SP tlog-witness): from_root is not
 * looked at then.  An empty subtree has the root of nothing and an empty proof.
 */
int tree_check_inclusion(const uint8_t leaf_hash[static HASH_SIZE], uint64_t index, uint64_t size,
    const uint8_t root[static HASH_SIZE], const void *proof, size_t count, struct err *err);
int tree_check_consistency(uint64_t from, const uint8_t from_root[static HASH_SIZE], uint64_t to,
    const uint8_t to_root[static HASH_SIZE], const void *proof, size_t count, struct err *err);
int tree_check_subtree(uint64_t start, uint64_t end, const uint8_t subtree_root[static HASH_SIZE],
    uint64_t size, const uint8_t root[static HASH_SIZE], const void *proof, size_t count,
    struct err *err);

#endif
