#ifndef DALIL_PROTO_NOTE_H
#define DALIL_PROTO_NOTE_H

#include "proto/bytes.h"
#include "proto/cosignature.h"
#include "proto/err.h"
#include "proto/vkey.h"

/*
 * Purpose: signed notes (C2SP signed-note): a text, a blank line, and signature
 * lines "— <name> <base64 of key id ‖ signature>".
 *
 * A parsed note is views into the caller's bytes and dies with them.  Names in
 * it are anyone's: escape before showing.  Threads: no state.
 */

#define NOTE_MAX 1000000        /* bytes */
#define NOTE_SIGNATURES_MAX 100 /* formats "Checkpoints" */
#define NOTE_SIGNATURE_KEPT COSIGNATURE_SIZE

struct note_signature {
	struct view line; /* with its newline */
	struct view name;
	uint32_t id;
	size_t size;                        /* of the signature, without the key id */
	uint8_t bytes[NOTE_SIGNATURE_KEPT]; /* only where size is at most that: others are of types
	                                        that nobody here can check */
};

struct note {
	struct view text; /* with its final newline */
	unsigned count;
	struct note_signature signatures[NOTE_SIGNATURES_MAX];
};

/* 0 or ERR_MALFORMED (ERR_LIMIT past NOTE_MAX): shape only, no signature is checked. */
int note_parse(struct note *note, struct view bytes, struct err *err);

/* The first signature with the key's name and id, or NULL. */
const struct note_signature *note_find(const struct note *note, const struct vkey *vkey);

/*
 * Check the signature that ${vkey} made, by its type. ${time}: seconds, of a cosignature (0 for
 * others); may be NULL.  0; ERR_FORGED; ERR_NOT_FOUND where it made none.
 */
int note_check(const struct note *note, const struct vkey *vkey, uint64_t *time, struct err *err);

/*
 * C2SP signed-note: signatures of unknown keys are ignored, one of a known key
 * that does not hold refuses the note (ERR_FORGED), and one at least must hold (else ERR_REFUSED).
 * Two known keys of the same name and id are ambiguous if the note names them (ERR_USAGE).
 * ${verified}, which may be NULL, takes for each of the ${count} keys whether it signed.
 */
int note_open(const struct note *note, const struct vkey *vkeys, size_t count, bool *verified,
    struct err *err);

/* Append one signature line. ${signature}: what follows the key id. */
void note_write_signature(struct buffer *out, const struct vkey *vkey, struct view signature);

/* Append ${text} (which ends in newline), a blank line, and the signature of an Ed25519 key. */
int note_sign(struct buffer *out, struct view text, const struct vkey *vkey,
    const uint8_t seed[static KEY_SEED], struct err *err);

#endif
