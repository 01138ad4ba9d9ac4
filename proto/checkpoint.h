#ifndef DALIL_PROTO_CHECKPOINT_H
#define DALIL_PROTO_CHECKPOINT_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/note.h"

/*
 * Purpose: checkpoints of logs (C2SP tlog-checkpoint; design 5.4, formats
 * "Checkpoints"): origin, size and root, three lines and no more, as the text of a signed note.
 *
 * A parsed checkpoint is views into the caller's bytes.  Threads: no state.
 */

#define CHECKPOINT_TEXT_MAX (VKEY_NAME_MAX + 1 + 20 + 1 + 44 + 1)

struct checkpoint {
	struct view origin;
	uint64_t size; /* below 2^63 */
	uint8_t root[HASH_SIZE];
};

/* Append the text, with its final newline. */
void checkpoint_text(
    struct buffer *out, struct view origin, uint64_t size, const uint8_t root[static HASH_SIZE]);

/* 0 or ERR_MALFORMED; extension lines are refused. */
int checkpoint_parse(struct checkpoint *checkpoint, struct view text, struct err *err);

/* What a timestamp covers: SHA-256 of the text with its final newline. */
void checkpoint_imprint(uint8_t imprint[static HASH_SIZE], struct view text);

/*
 * Parse ${bytes} as a note and its text as a checkpoint, and check the signature of the log
 * ${log}, whose name must be the origin.  ERR_MALFORMED; ERR_FORGED; ERR_REFUSED for another
 * log's or one that the log has not signed.  Cosignatures are left to note_check.
 */
int checkpoint_open(struct checkpoint *checkpoint, struct note *note, struct view bytes,
    const struct vkey *log, struct err *err);

/* Append the note of a checkpoint, signed by the log. */
int checkpoint_sign(struct buffer *out, const struct vkey *log, const uint8_t seed[static KEY_SEED],
    uint64_t size, const uint8_t root[static HASH_SIZE], struct err *err);

#endif
