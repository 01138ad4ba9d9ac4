#ifndef DALIL_PROTO_MESSAGE_INTERNAL_H
#define DALIL_PROTO_MESSAGE_INTERNAL_H

#include "proto/message.h"
#include "proto/pack.h"

/*
 * Purpose: what message.c and the families of messages share.  A `read` gets the head behind its
 * type, makes an error stick in ${unpack}, and leaves the end to message_parse; a `pack` appends
 * the elements behind the type.
 */

/* A request's number, never 0. */
uint64_t message_read_request(struct unpack *unpack);
const uint8_t *message_read_hash(struct unpack *unpack);
/* A bin of hashes, at most TREE_PROOF_MAX. */
const uint8_t (*message_read_proof(struct unpack *unpack, unsigned *count))[HASH_SIZE];
void message_pack_hash(struct buffer *out, const uint8_t hash[static HASH_SIZE]);
void message_pack_proof(struct buffer *out, const uint8_t (*proof)[HASH_SIZE], unsigned count);

/* message_control.c */
void message_hello_read(struct message *message, struct unpack *unpack);
void message_hello_pack(struct buffer *out, const struct message *message);
void message_error_read(struct message *message, struct unpack *unpack);
void message_error_pack(struct buffer *out, const struct message *message);
void message_refused_read(struct message *message, struct unpack *unpack);
void message_refused_pack(struct buffer *out, const struct message *message);
void message_settled_read(struct message *message, struct unpack *unpack);
void message_settled_pack(struct buffer *out, const struct message *message);

/* message_charter.c */
void message_charter_want_read(struct message *message, struct unpack *unpack);
void message_charter_want_pack(struct buffer *out, const struct message *message);
void message_charter_read(struct message *message, struct unpack *unpack);
void message_charter_pack(struct buffer *out, const struct message *message);

/* message_head.c */
void message_heads_want_read(struct message *message, struct unpack *unpack);
void message_heads_want_pack(struct buffer *out, const struct message *message);
void message_heads_read(struct message *message, struct unpack *unpack);
void message_heads_pack(struct buffer *out, const struct message *message);
void message_consistency_want_read(struct message *message, struct unpack *unpack);
void message_consistency_want_pack(struct buffer *out, const struct message *message);
void message_consistency_read(struct message *message, struct unpack *unpack);
void message_consistency_pack(struct buffer *out, const struct message *message);

/* message_record.c */
void message_package_want_read(struct message *message, struct unpack *unpack);
void message_package_want_pack(struct buffer *out, const struct message *message);
void message_package_read(struct message *message, struct unpack *unpack);
void message_package_pack(struct buffer *out, const struct message *message);
void message_entry_read(struct message *message, struct unpack *unpack);
void message_entry_pack(struct buffer *out, const struct message *message);

/* message_leaf.c */
void message_leaf_want_read(struct message *message, struct unpack *unpack);
void message_leaf_want_pack(struct buffer *out, const struct message *message);
void message_leaf_read(struct message *message, struct unpack *unpack);
void message_leaf_pack(struct buffer *out, const struct message *message);
void message_leaf_none_read(struct message *message, struct unpack *unpack);
void message_leaf_none_pack(struct buffer *out, const struct message *message);

#endif
