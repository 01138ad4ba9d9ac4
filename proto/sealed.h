#ifndef DALIL_PROTO_SEALED_H
#define DALIL_PROTO_SEALED_H

#include "proto/claims.h"

/*
 * Purpose: what the part `sealed` tells readers, once proto/box.h has opened it: {fields, seed,
 * vault} (formats "Shapes"): the fields of slots 0 to 47, the reader seed, and the hash over slots
 * 48 to 63.  A parsed one views the opened bytes.
 */

struct sealed {
	struct fields fields;
	const uint8_t *seed;  /* CLAIMS_SEED */
	const uint8_t *vault; /* HASH_SIZE */
};

void sealed_pack(struct buffer *out, const struct fields *fields,
    const uint8_t seed[static CLAIMS_SEED], const uint8_t vault[static HASH_SIZE]);
/* ERR_MALFORMED, also for fields that the kind may not hold. */
int sealed_parse(struct sealed *sealed, enum field_kind kind, struct view bytes, struct err *err);

#endif
