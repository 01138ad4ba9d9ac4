#ifndef DALIL_NODE_STORE_COMPARE_H
#define DALIL_NODE_STORE_COMPARE_H

#include "node/store/store_private.h"

/*
 * Purpose: what compare.c (the walk, and the counts at its end) and compare_frame.c (one frame
 * against its rows) share.
 *
 * Threads: one.
 */

struct compare_log {
	struct tree tree;
};

struct compare {
	struct store *store;
	struct store_snapshot *snapshot;
	struct index_meta meta;
	struct journal_walk walk;
	struct buffer bytes;             /* for parts */
	uint64_t expected[INDEX_TABLES]; /* rows that the journal gives */
	struct compare_log **logs;       /* by number; NULL: its first frame is lost */
	uint32_t log_count;
	uint64_t *segments; /* the end of segment i + 1 */
	uint32_t segment_count;
	struct index_key
	    *absent; /* facts that were set and are not there: deleted later, or hidden */
	size_t absent_count;
	unsigned looked_up;
	bool journal_damaged; /* counts cannot be told any more */
	bool failed;          /* no memory */
	store_progress *progress;
	store_found *found;
	void *cookie;
};

void compare_tell(struct compare *compare, enum err_code code, const struct storage_place *place,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* 0 or ERR_NOT_FOUND; a row that cannot be read is told and not found. */
int compare_row(struct compare *compare, enum index_table table, struct index_key key,
    struct index_value *value);
/* At the end: facts that no later frame has deleted. */
void compare_absent_facts(struct compare *compare);
/* Look for everything that the frame means. */
void compare_frame(struct compare *compare, const struct journal_frame *frame);

#endif
