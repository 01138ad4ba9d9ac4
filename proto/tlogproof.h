#ifndef DALIL_PROTO_TLOGPROOF_H
#define DALIL_PROTO_TLOGPROOF_H

#include "proto/bytes.h"
#include "proto/checkpoint.h"
#include "proto/err.h"
#include "proto/tree.h"

/*
 * Purpose: offline proofs that a record stands in a log (C2SP tlog-proof, design 5.4): an index, an
 * inclusion proof, and the checkpoint's note verbatim.
 *
 * A parsed proof keeps views into the caller's bytes.  Threads: no state.
 */

#define TLOGPROOF_MAX (NOTE_MAX + 100000)

struct tlogproof {
	struct view extra; /* base64 as it stands, empty where there is none; proves nothing */
	uint64_t index;    /* below 2^63 */
	struct tree_proof proof;
	struct view checkpoint; /* a note, not parsed yet */
};

/* 0, ERR_MALFORMED or ERR_LIMIT: shape only. */
int tlogproof_parse(struct tlogproof *tlogproof, struct view bytes, struct err *err);

/* ${extra} is raw and left out where empty; ${checkpoint} is a whole note. */
void tlogproof_write(struct buffer *out, struct view extra, uint64_t index,
    const struct tree_proof *proof, struct view checkpoint);

/*
 * Check it: the note's checkpoint is signed by ${log} and holds the record of that leaf hash.
 * ${checkpoint} and ${note} take what was parsed, for cosignatures and display.
 */
int tlogproof_check(const struct tlogproof *tlogproof, const uint8_t leaf_hash[static HASH_SIZE],
    const struct vkey *log, struct checkpoint *checkpoint, struct note *note, struct err *err);

#endif
