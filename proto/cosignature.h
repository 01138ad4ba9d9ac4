#ifndef DALIL_PROTO_COSIGNATURE_H
#define DALIL_PROTO_COSIGNATURE_H

#include "proto/bytes.h"
#include "proto/err.h"
#include "proto/key.h"

/*
 * Purpose: timestamped Ed25519 cosignatures of checkpoints (C2SP
 * tlog-cosignature, cosignature/v1, note type 0x04): design 5.4's witnesses and mirrors.
 *
 * Shape: u64 time in seconds ‖ 64-byte signature over
 * "cosignature/v1\ntime <decimal>\n" ‖ the checkpoint's text.  Threads: no state.
 */

#define COSIGNATURE_SIZE 72

/* ${seconds} below 2^63. 0 or ERR_MEMORY. */
int cosignature_make(uint8_t cosignature[static COSIGNATURE_SIZE],
    const uint8_t seed[static KEY_SEED], uint64_t seconds, struct view text);

/* 0, ERR_FORGED, or ERR_MEMORY. ${seconds} may be NULL and is set only where it holds. */
int cosignature_check(uint64_t *seconds, const uint8_t key[static KEY_SIZE],
    const uint8_t cosignature[static COSIGNATURE_SIZE], struct view text);

#endif
