/*
 * One descent serves all proofs: from the root of the tree of n leaves down to
 * the subtree [start, end), taking at every split the side that holds it.  An
 * inclusion proof is that of [index, index + 1), a consistency proof that of
 * [0, from).  Where the subtree ends inside the right half (it begins at 0
 * then), the left half is common to both trees: from there on its sibling
 * counts on both sides, and the descent ends at a hash that the proof must give.
 */
#include "proto/tree.h"

#include "proto/hash.h"

#define STEPS_MAX 64
#define SIZE_MAX_BITS 63 /* unsigned fields are below 2^63 */

enum side {
	SIDE_RIGHT, /* the sibling stands right and belongs to the whole tree only */
	SIDE_LEFT,  /* left, and to the whole tree only */
	SIDE_COMMON /* left, and to both */
};

struct step {
	enum side side;
	uint64_t start; /* the sibling's leaves */
	uint64_t end;
};

struct descent {
	unsigned count;
	bool crossed;   /* the last hash is not the subtree's own: the proof begins with it */
	uint64_t start; /* the leaves that it covers */
	uint64_t end;
	struct step steps[STEPS_MAX]; /* from the root */
};

void
tree_leaf(uint8_t hash[static HASH_SIZE], struct view leaf)
{
	static const uint8_t prefix = 0x00;
	struct view views[2] = {view_of(&prefix, 1), leaf};

	hash_sha256_of(hash, views, 2);
}

void
tree_node(uint8_t hash[static HASH_SIZE], const uint8_t left[static HASH_SIZE],
    const uint8_t right[static HASH_SIZE])
{
	uint8_t bytes[1 + 2 * HASH_SIZE];

	bytes[0] = 0x01;
	memcpy(bytes + 1, left, HASH_SIZE);
	memcpy(bytes + 1 + HASH_SIZE, right, HASH_SIZE);
	hash_sha256(hash, view_of(bytes, sizeof(bytes)));
}

void
tree_init(struct tree *tree)
{
	memset(tree, 0, sizeof(*tree));
}

int
tree_append(
    struct tree *tree, const uint8_t leaf_hash[static HASH_SIZE], tree_note *note, void *cookie)
{
	uint8_t hash[HASH_SIZE];
	unsigned level;
	int result;

	if (tree->size >> SIZE_MAX_BITS != 0 || tree->size == UINT64_MAX >> 1)
		return ERR_LIMIT;
	memcpy(hash, leaf_hash, HASH_SIZE);
	for (level = 0;; level++) {
		if (note != NULL) {
			result = note(cookie, level, tree->size >> level, hash);
			if (result != 0)
				return result;
		}
		if ((tree->size >> level & 1) == 0)
			break;
		tree_node(hash, tree->nodes[level], hash);
	}
	memcpy(tree->nodes[level], hash, HASH_SIZE);
	tree->size++;
	return 0;
}

void
tree_root(const struct tree *tree, uint8_t root[static HASH_SIZE])
{
	bool begun = false;
	unsigned level;

	for (level = 0; level < 64; level++) {
		if ((tree->size >> level & 1) == 0)
			continue;
		if (begun)
			tree_node(root, tree->nodes[level], root);
		else
			memcpy(root, tree->nodes[level], HASH_SIZE);
		begun = true;
	}
	if (!begun)
		hash_sha256(root, view_of(NULL, 0));
}

int
tree_load(struct tree *tree, uint64_t size, tree_read *read, void *cookie)
{
	unsigned level;
	int result;

	tree_init(tree);
	if (size >> SIZE_MAX_BITS != 0)
		return ERR_LIMIT;
	for (level = 0; level < SIZE_MAX_BITS; level++) {
		if ((size >> level & 1) == 0)
			continue;
		result = read(cookie, level, (size >> level) - 1, tree->nodes[level]);
		if (result != 0)
			return result;
	}
	tree->size = size;
	return 0;
}

void
tree_root_of(uint8_t root[static HASH_SIZE], const uint8_t *leaf_hashes, size_t count)
{
	struct tree tree;
	size_t i;

	tree.size = 0; /* nodes are read only where a bit of size says that they are set */
	for (i = 0; i < count; i++)
		(void)tree_append(&tree, leaf_hashes + i * HASH_SIZE, NULL, NULL);
	tree_root(&tree, root);
}

bool
tree_subtree_valid(uint64_t start, uint64_t end)
{
	uint64_t ceil = 1;

	if (start > end || end >> SIZE_MAX_BITS != 0)
		return false;
	while (ceil < end - start)
		ceil <<= 1;
	return (start & (ceil - 1)) == 0;
}

int
tree_subtree_root(
    uint8_t root[static HASH_SIZE], uint64_t start, uint64_t end, tree_read *read, void *cookie)
{
	uint64_t size = end - start;
	uint8_t left[HASH_SIZE];
	bool begun = false;
	unsigned level;
	int result;

	if (!tree_subtree_valid(start, end))
		return ERR_USAGE;
	if (size == 0)
		hash_sha256(root, view_of(NULL, 0));
	for (level = 0; size >> level != 0; level++) {
		uint64_t index = (start >> level) + (size >> level) - 1;

		if ((size >> level & 1) == 0)
			continue;
		result = read(cookie, level, index, begun ? left : root);
		if (result != 0)
			return result;
		if (begun)
			tree_node(root, left, root);
		begun = true;
	}
	return 0;
}

static uint64_t
split(uint64_t size)
{
	uint64_t half = 1;

	while (half < size - half)
		half <<= 1;
	return half;
}

/* ${start} < ${end} <= ${size} < 2^63, and the subtree is valid. */
static void
descend(struct descent *descent, uint64_t start, uint64_t end, uint64_t size)
{
	uint64_t base = 0;

	descent->count = 0;
	descent->crossed = false;
	while (start != 0 || end != size) {
		uint64_t half = split(size);
		struct step *step = &descent->steps[descent->count++];

		if (end <= half) {
			*step = (struct step){SIDE_RIGHT, base + half, base + size};
			size = half;
			continue;
		}
		*step = (struct step){start >= half && !descent->crossed ? SIDE_LEFT : SIDE_COMMON,
		    base, base + half};
		if (start < half) {
			descent->crossed = true;
			start = half;
		}
		start -= half;
		end -= half;
		size -= half;
		base += half;
	}
	descent->start = base;
	descent->end = base + size;
}

int
tree_prove_subtree(struct tree_proof *proof, uint64_t start, uint64_t end, uint64_t size,
    tree_read *read, void *cookie)
{
	struct descent descent;
	unsigned i;
	int result;

	proof->count = 0;
	if (!tree_subtree_valid(start, end) || end > size || size >> SIZE_MAX_BITS != 0)
		return ERR_USAGE;
	if (start == end)
		return 0;
	descend(&descent, start, end, size);
	if (descent.count + (descent.crossed ? 1 : 0) > TREE_PROOF_MAX)
		return ERR_LIMIT;
	if (descent.crossed) {
		result = tree_subtree_root(
		    proof->hashes[proof->count++], descent.start, descent.end, read, cookie);
		if (result != 0)
			return result;
	}
	for (i = descent.count; i-- > 0;) {
		const struct step *step = &descent.steps[i];

		result = tree_subtree_root(
		    proof->hashes[proof->count++], step->start, step->end, read, cookie);
		if (result != 0)
			return result;
	}
	return 0;
}

int
tree_prove_inclusion(
    struct tree_proof *proof, uint64_t index, uint64_t size, tree_read *read, void *cookie)
{
	proof->count = 0;
	if (index >= size)
		return ERR_USAGE;
	return tree_prove_subtree(proof, index, index + 1, size, read, cookie);
}

int
tree_prove_consistency(
    struct tree_proof *proof, uint64_t from, uint64_t to, tree_read *read, void *cookie)
{
	return tree_prove_subtree(proof, 0, from, to, read, cookie);
}

/* The hash of nothing. */
static bool
is_empty_root(const uint8_t root[static HASH_SIZE])
{
	uint8_t empty[HASH_SIZE];

	hash_sha256(empty, view_of(NULL, 0));
	return memcmp(root, empty, HASH_SIZE) == 0;
}

/* What the proof makes of the whole tree (${outer}) and of the subtree (${inner}). */
static int
climb(uint8_t outer[static HASH_SIZE], uint8_t inner[static HASH_SIZE],
    const struct descent *descent, const void *proof, size_t count, struct err *err)
{
	size_t need = descent->count + (descent->crossed ? 1 : 0);
	const uint8_t *hash = proof;
	unsigned i;

	if (count != need || count > TREE_PROOF_MAX)
		return err_set(err, ERR_MALFORMED,
		    "a proof of %zu hashes where %zu are needed (RFC 9162 section 2.1)", count,
		    need);
	if (descent->crossed) {
		memcpy(inner, hash, HASH_SIZE);
		hash += HASH_SIZE;
	}
	memcpy(outer, inner, HASH_SIZE);
	for (i = descent->count; i-- > 0; hash += HASH_SIZE) {
		switch (descent->steps[i].side) {
		case SIDE_RIGHT:
			tree_node(outer, outer, hash);
			break;
		case SIDE_LEFT:
			tree_node(outer, hash, outer);
			break;
		case SIDE_COMMON:
			tree_node(outer, hash, outer);
			tree_node(inner, hash, inner);
			break;
		}
	}
	return 0;
}

int
tree_check_subtree(uint64_t start, uint64_t end, const uint8_t subtree_root[static HASH_SIZE],
    uint64_t size, const uint8_t root[static HASH_SIZE], const void *proof, size_t count,
    struct err *err)
{
	struct descent descent;
	uint8_t outer[HASH_SIZE];
	uint8_t inner[HASH_SIZE];
	int result;

	if (!tree_subtree_valid(start, end) || end > size || size >> SIZE_MAX_BITS != 0)
		return err_set(err, ERR_MALFORMED,
		    "no subtree of a tree of %llu leaves (RFC 9162 section 2.1)",
		    (unsigned long long)size);
	if (start == end) {
		if (count != 0)
			return err_set(err, ERR_MALFORMED, "a proof for an empty subtree");
		if (!is_empty_root(subtree_root))
			return err_set(
			    err, ERR_FORGED, "a root of nothing that is not the hash of nothing");
		return 0;
	}
	descend(&descent, start, end, size);
	memcpy(inner, subtree_root, HASH_SIZE);
	result = climb(outer, inner, &descent, proof, count, err);
	if (result != 0)
		return result;
	if (memcmp(outer, root, HASH_SIZE) != 0 || memcmp(inner, subtree_root, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED, "the proof does not lead to the root");
	return 0;
}

int
tree_check_inclusion(const uint8_t leaf_hash[static HASH_SIZE], uint64_t index, uint64_t size,
    const uint8_t root[static HASH_SIZE], const void *proof, size_t count, struct err *err)
{
	if (index >= size)
		return err_set(err, ERR_MALFORMED, "index %llu is not in a tree of %llu",
		    (unsigned long long)index, (unsigned long long)size);
	return tree_check_subtree(index, index + 1, leaf_hash, size, root, proof, count, err);
}

int
tree_check_consistency(uint64_t from, const uint8_t from_root[static HASH_SIZE], uint64_t to,
    const uint8_t to_root[static HASH_SIZE], const void *proof, size_t count, struct err *err)
{
	if (from != 0)
		return tree_check_subtree(0, from, from_root, to, to_root, proof, count, err);
	if (count != 0)
		return err_set(err, ERR_MALFORMED, "a proof from size 0 (C2SP tlog-witness)");
	if (to == 0 && !is_empty_root(to_root))
		return err_set(
		    err, ERR_FORGED, "a root of nothing that is not the hash of nothing");
	return 0;
}
