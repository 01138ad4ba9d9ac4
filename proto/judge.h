#ifndef DALIL_PROTO_JUDGE_H
#define DALIL_PROTO_JUDGE_H

#include "proto/charter.h"
#include "proto/record.h"

/*
 * Purpose: is a record a good entry of its log (design 5.2 to 5.5)?  A log begins with its charter
 * up to its own enrol, signed by the record key that this enrol names; each later record is judged
 * by the `charter` records before it.  Entries are mirrored as opaque bytes first and judged here
 * separately, so that a malformed one blocks no receipt.
 *
 * Only `charter` and `freeze` records change what comes after them: who has judged a log before
 * may feed those alone, in order, and then any other.  Kinds that carry authority of root keys
 * (withdraw, countermand) are not judged yet: JUDGE_UNKNOWN.
 *
 * Bounds: the charter's (proto/charter.h) and little more, for a log of any length.
 * Threads: one at a time.
 */

enum judge_verdict {
	JUDGE_GOOD,
	JUDGE_CONTESTED, /* past the last-good of a revocation */
	JUDGE_UNKNOWN,   /* what it rests on is not here */
	JUDGE_BAD,
	JUDGE_BEGINNING /* good if the own enrol, which comes later, names the key that signed it */
};

/* What the reader knows of records elsewhere. */
struct judge_library {
	/* True, and the log's id, if a record of that id is held. NULL: none is. */
	bool (*log_of)(
	    void *cookie, const uint8_t record[static HASH_SIZE], uint8_t log[static HASH_SIZE]);
	void *cookie;
};

struct judge;

/* ${log} is the log's id. ${library} may be NULL. */
struct judge *judge_new(const uint8_t log[static HASH_SIZE], const struct judge_library *library);
void judge_free(struct judge *judge);

/*
 * Judge the next entry; for JUDGE_UNKNOWN and JUDGE_BAD ${why} says why.  0, or: ERR_REFUSED, the
 * log does not begin with its charter, which refuses the whole log for good and every call after;
 * ERR_MEMORY.
 */
int
judge_entry(struct judge *judge, struct view entry, enum judge_verdict *verdict, struct err *why);

/* The log's own charter as its records so far tell it. */
const struct charter *judge_charter(const struct judge *judge);
/* The log's own node, once its enrol has come, else NULL. */
const struct charter_node *judge_node(const struct judge *judge);
/* True after a good freeze. */
bool judge_frozen(const struct judge *judge);

/* "good", "contested", "unknown", "bad", "beginning" */
const char *judge_verdict_name(enum judge_verdict verdict);

#endif
