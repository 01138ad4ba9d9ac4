#ifndef DALIL_PROTO_VKEY_H
#define DALIL_PROTO_VKEY_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/key.h"

/*
 * Purpose: verifier keys of signed notes, C2SP signed-note "Verifier keys":
 * <name>+<hex key id>+<base64 of type ‖ public key>.
 *
 * A log is identified by SHA-256 of its vkey text without newline (design 5.2).
 * The struct holds everything itself.  Threads: no state.
 */

#define VKEY_NAME_MAX 255
#define VKEY_TEXT_MAX (VKEY_NAME_MAX + 1 + 8 + 1 + 44)

enum vkey_type {
	VKEY_ED25519 = 0x01,    /* signs the text of a note: logs */
	VKEY_COSIGNATURE = 0x04 /* signs a checkpoint with a time: witnesses and mirrors */
};

struct vkey {
	char name[VKEY_NAME_MAX + 1]; /* ends in a zero byte */
	uint32_t id;
	enum vkey_type type;
	uint8_t key[KEY_SIZE];
};

/* Not empty, UTF-8 without control characters, Unicode spaces or plus. */
bool vkey_name_valid(struct view name);

/*
 * Compute the id. 0, ERR_MALFORMED for a name that is none, ERR_LIMIT for one past VKEY_NAME_MAX,
 * ERR_REFUSED for a key that is none.
 */
int vkey_make(struct vkey *vkey, struct view name, enum vkey_type type,
    const uint8_t key[static KEY_SIZE], struct err *err);

/* Refuses what vkey_make refuses, other types, and an id that is not the key's. No newline. */
int vkey_parse(struct vkey *vkey, struct view text, struct err *err);

/* Append the text, without newline. */
void vkey_text(struct buffer *out, const struct vkey *vkey);

/* The log id: SHA-256 of the text. */
void vkey_log(uint8_t log[static HASH_SIZE], const struct vkey *vkey);

#endif
