#ifndef DALIL_PROTO_PAYLOAD_H
#define DALIL_PROTO_PAYLOAD_H

#include "proto/aead.h"
#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the encrypted bytes of a file (design 5.1): age STREAM chunks of the padded file without
 * header and nonce, in leaves of 16 chunks.  The payload root is the RFC 6962 root over
 * tree_leaf(leaf bytes) of all leaves (proto/tree.h).
 *
 * The payload key is age_stream_key (proto/age_stream.h) of the record's file key and payload nonce.
 * Threads: leaves are independent; each thread has its own AEAD context, keyed with the payload key.
 */

#define PAYLOAD_LEAF_CHUNKS 16
#define PAYLOAD_LEAF_PLAIN 1048576            /* plaintext of a whole leaf */
#define PAYLOAD_LEAF 1048832                  /* its bytes in the payload */
#define PAYLOAD_SEALED_FLOOR 16384            /* a sealed file is padded to this at least */
#define PAYLOAD_PLAIN_MAX ((uint64_t)1 << 44) /* files to 16 TiB, design section 7 */

/* Bytes of plaintext that a sealed file of ${size} bytes is padded to with zeros: Padmé. */
uint64_t payload_padded(uint64_t size);
/* Bytes of the payload over ${plain} bytes of (padded) plaintext. */
uint64_t payload_size(uint64_t plain);
/* False for a number of bytes that no payload has, or larger than a payload may be. */
bool payload_size_possible(uint64_t size);
/* Bytes of plaintext in a payload of a possible ${size}. */
uint64_t payload_plain_size(uint64_t size);
/* Leaves of a payload of a possible ${size}: at least 1. */
uint64_t payload_leaf_count(uint64_t size);
/* Bytes of leaf ${leaf}, below payload_leaf_count. */
size_t payload_leaf_size(uint64_t size, uint64_t leaf);

/*
 * Encrypt leaf number ${leaf}: ${plain} is PAYLOAD_LEAF_PLAIN bytes, or where ${last} 1 to that many
 * (0 if it is the only leaf of an empty file).  ${out} takes payload_size(plain.size) bytes.
 */
int payload_seal_leaf(struct aead *aead, uint8_t *out, uint64_t leaf, bool last, struct view plain);
/*
 * Decrypt a leaf; ${out} takes payload_plain_size(sealed.size) bytes.  ERR_FORGED if a chunk does not
 * hold, ERR_MALFORMED for an impossible size; then nothing in ${out} is to be used.
 */
int payload_open_leaf(
    struct aead *aead, uint8_t *out, uint64_t leaf, bool last, struct view sealed, struct err *err);

#endif
