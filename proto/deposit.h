#ifndef DALIL_PROTO_DEPOSIT_H
#define DALIL_PROTO_DEPOSIT_H

#include "proto/parts.h"

/*
 * Purpose: the body of a `deposit` (design 5.2): {claims, parts, payload: {nonce, root, size},
 * time}.  A parsed one views the record's bytes.
 */

#define DEPOSIT_NONCE 16

struct deposit {
	const uint8_t *claims; /* HASH_SIZE */
	struct parts parts;    /* grant, sealed, vault, and open where public */
	const uint8_t *nonce;  /* DEPOSIT_NONCE */
	const uint8_t *root;   /* HASH_SIZE: the payload's content address */
	uint64_t size;         /* of the payload: a possible one */
	uint64_t time;         /* milliseconds, as the signer claims */
};

void deposit_pack(struct buffer *out, const struct deposit *deposit);
void deposit_read(struct deposit *deposit, struct unpack *unpack);

#endif
