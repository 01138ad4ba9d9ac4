#ifndef DALIL_NODE_STORE_PENDING_H
#define DALIL_NODE_STORE_PENDING_H

#include "node/store/index.h"

/*
 * Purpose: the changes of a batch to the index's tables, collected, and written sorted by table and
 * key: random keys one by one cost LMDB 17 times what ordered ones do.
 *
 * Of several changes to one key the last one counts, but of payloads, whose changes are steps:
 * wanted, then whole (or the other way round).
 *
 * Threads: one.
 */

enum pending_change {
	PENDING_PUT,
	PENDING_KEEP,     /* put where there is none yet */
	PENDING_DELETE,   /* fine where there is none */
	PENDING_PROGRESS, /* progress only: put, unless the payload is whole */
	PENDING_WANT, /* payloads only: the value is u64 position, u32 log, u64 index of an entry */
	PENDING_WHOLE /* payloads only: the value is u64 position of the payload's frame */
};

struct pending_row;

struct pending {
	struct buffer bytes; /* keys and values */
	struct pending_row *rows;
	size_t count;
	size_t capacity;
	int err; /* ERR_MEMORY sticks */
};

void pending_init(struct pending *pending);
void pending_fini(struct pending *pending);
void pending_add(struct pending *pending, enum pending_change change, enum index_table table,
    const struct index_key *key, const struct index_value *value);
/* The first value that is to be kept (PENDING_KEEP) under this key, if any. */
bool pending_kept(const struct pending *pending, enum index_table table,
    const struct index_key *key, struct index_value *value);
/* Write all rows and forget them.  Counts in ${meta} follow. */
int pending_flush(
    struct pending *pending, struct index_txn *txn, struct index_meta *meta, struct err *err);

#endif
