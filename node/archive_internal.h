#ifndef DALIL_NODE_ARCHIVE_INTERNAL_H
#define DALIL_NODE_ARCHIVE_INTERNAL_H

#include "node/archive.h"

/*
 * Purpose: what the files of the archive share and nobody else sees.
 *
 * Facts of kind STORAGE_FACT_NODE: `self`, [organisation, log, vkey, node, origin, name of the organisation],
 * written once, at init; `machine`, a hash of the machine's id, written at init and by `log adopt`.
 */

struct archive {
	char *path;
	struct storage *storage;
	struct keys *keys;
	struct archive_self self;
	struct vkey vkey; /* of the own log */
};

/* The record key as libsodium's secret key, in the caller's sodium_malloc memory. ERR_LOCKED. */
int archive_record_secret(
    const struct archive *archive, uint8_t secret[static RECORD_SECRET], struct err *err);

/* Sign one record and append it within ${batch}; ${id} may be NULL. */
int archive_append_signed(const struct archive *archive, struct batch *batch,
    const uint8_t secret[static RECORD_SECRET], enum record_kind kind, struct view body,
    const struct storage_part_given *parts, unsigned part_count, uint8_t *id, struct err *err);

/* A share of ${count} ids (sorted and freed of doubles here) unless the last one says the same. */
int archive_append_share(const struct archive *archive, struct batch *batch,
    const uint8_t secret[static RECORD_SECRET], const uint8_t (*organisations)[HASH_SIZE],
    unsigned count, uint64_t time, struct err *err);

/* Feed ${charter} with the statements that ${snapshot} holds for an organisation. */
int archive_charter_load(struct snapshot *snapshot, struct charter *charter,
    const uint8_t organisation[static HASH_SIZE], struct err *err);

/* Sign the enrol in ${out} with this node's four keys. */
int archive_sign_enrol(
    struct archive *archive, const struct charter *charter, struct buffer *out, struct err *err);
/* Sign the statement in ${out} with root keys; *wants: how many signatures are still missing. */
int archive_charter_sign(struct archive *archive, const struct charter *charter, struct buffer *out,
    const uint8_t *const *root_seeds, unsigned root_count, unsigned *wants, struct err *err);

/* Put the facts about this node; take them. */
int archive_put_self(struct archive *archive, struct batch *batch, struct err *err);
int archive_put_machine(struct batch *batch, struct err *err);
int archive_load_self(struct archive *archive, struct err *err);

/* Open store and keys of ${path}, without looking at who the node is. */
int archive_open_parts(struct archive **archive, const char *path, struct err *err);

/* What parts of a record are called in the store. */
struct storage_part_given
archive_part_given(const struct parts *parts, enum part part, struct view bytes);

#endif
