#ifndef DALIL_NODE_STORE_INDEX_H
#define DALIL_NODE_STORE_INDEX_H

#include "node/store/index_layout.h"

/*
 * Purpose: the tables of the index in LMDB; index.c is the only file that knows LMDB (design
 * section 3).  Keys and values are copied in and out, and every use of LMDB's memory stands
 * between guard_enter and guard_leave, so that a damaged file ends in ERR_INDEX or in the guard's
 * exit 5, never in a signal.
 *
 * Syncs: MDB_NOMETASYNC.  A commit syncs its pages, then writes the meta page without a sync of its
 * own: power loss may undo the last commit, which the journal rolls forward, but leaves the file
 * whole.  MDB_NOSYNC would be faster and could need a reindex after power loss.
 *
 * Errors: ERR_NOT_FOUND without a text; ERR_INDEX; ERR_FULL; ERR_MEMORY; ERR_IO.
 *
 * Threads: an index may be used from any; a transaction belongs to one thread at a time, and a
 * writing one to the thread that began it.  One process opens one index file once.
 */

struct index;
struct index_txn;

enum index_how {
	INDEX_EXISTING,
	INDEX_FRESH, /* make the tables, in an empty folder; nothing is synced before index_sync */
	INDEX_BUILDING /* an existing one that is not in use yet; nothing is synced before index_sync */
};
/* ${path} is the folder of data.mdb. */
int index_open(const char *path, enum index_how how, struct index **index, struct err *err);
/* Indexes are counted: the last one to let go closes it. */
struct index *index_hold(struct index *index);
void index_free(struct index *index);
/* Is the file that ${path} now names another one than this? */
bool index_replaced(const struct index *index, const char *path);
/* Make everything durable (after a fresh one was filled). */
int index_sync(struct index *index, struct err *err);

int index_begin(struct index *index, bool write, struct index_txn **txn, struct err *err);
/* Frees the transaction, whatever the result. */
int index_commit(struct index_txn *txn, struct err *err);
void index_abort(struct index_txn *txn);

int index_get(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_value *value, struct err *err);
/* The first row whose key is at least ${key}. */
int index_seek(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_row *row, struct err *err);
/* The last row whose key is below ${key}. */
int index_seek_below(struct index_txn *txn, enum index_table table, const struct index_key *key,
    struct index_row *row, struct err *err);
/* ${keep}: leave a row that is there, and return ERR_EXISTS. */
int index_put(struct index_txn *txn, enum index_table table, const struct index_key *key,
    const struct index_value *value, bool keep, struct err *err);
/* ERR_NOT_FOUND if there is none. */
int index_delete(
    struct index_txn *txn, enum index_table table, const struct index_key *key, struct err *err);
/* Rows of a table, as LMDB's own count says. */
int index_count(struct index_txn *txn, enum index_table table, uint64_t *count, struct err *err);

/* meta, read and checked: ERR_INDEX if it is not there. */
int index_meta_get(struct index_txn *txn, struct index_meta *meta, struct err *err);
/* A log's row: ERR_NOT_FOUND; ERR_INDEX where its check does not hold. */
int index_log_get(struct index_txn *txn, uint32_t number, struct index_log *log, struct err *err);
/* A node of a log's tree; level 0 are the ids of its entries. */
int index_node_get(struct index_txn *txn, uint8_t hash[static HASH_SIZE], uint32_t log,
    unsigned level, uint64_t index, struct err *err);
/* The sentence for a row that is not what its table holds. */
int index_bad_row(enum index_table table, struct err *err);

#endif
