#ifndef DALIL_NODE_LOG_LOG_H
#define DALIL_NODE_LOG_LOG_H

#include "node/storage.h"
#include "proto/tree.h"
#include "proto/vkey.h"

/*
 * Purpose: the log that this node writes: append records, sign its checkpoints
 * (and above all when not to), prove what stands in a log (design 5.4).
 *
 * Appending acknowledges records before they are signed.  Signing asks a gate first: what is
 * signed once cannot be unsaid, and a disk restored from a backup that signs before it knows what
 * its peers hold forks the log.  {size, root} are durable before a signature leaves this
 * function, and no smaller or inconsistent tree is ever signed.
 *
 * Storage comes as an argument (node/storage.h); there is no clock and no randomness here.
 * Threads: those of storage.h; no state.
 */

/* ---- append -------------------------------------------------------------------------------- */

/*
 * Append ${count} records to log ${number}, in order, within the caller's batch.  Of each, ${record},
 * ${kind}, ${payload}, ${about}, ${known} and ${parts} are given, signed and verified by
 * the caller; ${place} and ${id} are filled in here.  Nothing stands before batch_commit.
 * ERR_LIMIT past 65,535 bytes; else what storage says.
 */
int log_append(struct batch *batch, uint32_t number, struct storage_append *appends, size_t count,
    struct err *err);

/* ---- sign ---------------------------------------------------------------------------------- */

/* A checkpoint of our own log as a peer, or a courier file, holds it; its signature was checked. */
struct log_head {
	uint64_t size;
	uint8_t root[HASH_SIZE];
};

/* What the caller knows about the world, in this run. */
struct log_gate {
	bool peers;      /* peers are configured */
	bool heads_read; /* the heads of our log were read from at least one peer, and from all
	                    that answered within ten seconds, or from a courier file */
	bool alone;      /* the user wants to sign without that */
	bool moved;      /* the store is on another machine, and `log adopt` was not said */
	bool frozen;     /* the log forked, or ended with a freeze */
	const struct log_head *heads; /* what was read */
	size_t head_count;
};

/* 0, or ERR_REFUSED and what would open the gate.  It needs no store: for status. */
int log_gate_check(const struct log_gate *gate, struct err *err);

/*
 * Does our log extend this head of it?  0; ERR_UNKNOWN: the head is larger than what
 * is here, fetch it back first; ERR_FORGED: it is of another tree, the log has forked.
 */
int log_check_head(
    struct snapshot *snapshot, uint32_t number, const struct log_head *head, struct err *err);

struct log_signed {
	bool fresh;    /* a signature was made; otherwise there was nothing to sign */
	uint64_t size; /* of the newest checkpoint */
};

/*
 * Sign the whole of our log ${number}, whose key is ${vkey} with ${seed}, unless its newest checkpoint
 * covers it already.  ${note} (limit NOTE_MAX) takes the newest checkpoint; it may be NULL.
 *
 * ERR_REFUSED: the gate, heads larger than our log, or a tree smaller than one that was about to be
 * signed before; ERR_FORGED: our tree does not extend what was about to be signed before, or what a peer
 * holds: the log must freeze.  ERR_NOT_FOUND: there is no record to sign yet.
 */
int log_sign(struct storage *storage, uint32_t number, const struct vkey *vkey,
    const uint8_t seed[static KEY_SEED], const struct log_gate *gate, struct buffer *note,
    struct log_signed *result, struct err *err);

/* ---- prove --------------------------------------------------------------------------------- */

/* The newest checkpoint of a log.  ERR_NOT_FOUND with a text while none is signed. */
int log_checkpoint(struct snapshot *snapshot, uint32_t number, struct buffer *note, uint64_t *size,
    struct err *err);

/*
 * Append the tlog-proof of record ${index}, in the newest checkpoint.  ERR_NOT_FOUND with a text where
 * no checkpoint holds it yet.
 */
int log_prove(struct snapshot *snapshot, struct buffer *out, uint32_t number, uint64_t index,
    struct err *err);

/* Between two sizes of a log, ${from} <= ${to} <= its size; ERR_USAGE otherwise. */
int log_prove_consistency(struct snapshot *snapshot, struct tree_proof *proof, uint32_t number,
    uint64_t from, uint64_t to, struct err *err);

/* Append the records from ${from} up to but not with ${to} as an entry bundle (C2SP tlog-tiles). */
int log_bundle(struct snapshot *snapshot, struct buffer *out, uint32_t number, uint64_t from,
    uint64_t to, struct err *err);

#endif
