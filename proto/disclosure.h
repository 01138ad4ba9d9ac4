#ifndef DALIL_PROTO_DISCLOSURE_H
#define DALIL_PROTO_DISCLOSURE_H

#include "proto/claims.h"

/*
 * Purpose: a disclosure [slot, salt, value, path] shows one field of a record, or that it is
 * absent, and nothing of the others (design 5.3).  Its path has six hashes, from leaf to root.
 *
 * A parsed one holds views into the bytes it was read from.
 */

struct disclosure {
	unsigned slot;
	const uint8_t *salt; /* CLAIMS_SALT bytes */
	struct view value;   /* size 0: shown to be absent */
	const uint8_t *path[CLAIMS_DEPTH];
};

void disclosure_pack(
    struct buffer *out, const struct claims *claims, const struct fields *fields, unsigned slot);
/* Read one inside something larger; the error sticks. */
void disclosure_read(struct disclosure *disclosure, struct unpack *unpack);
/* One alone.  ERR_MALFORMED. */
int disclosure_parse(struct disclosure *disclosure, struct view bytes, struct err *err);
/* ERR_FORGED unless it opens ${root}; ERR_MALFORMED if the kind's slot may not hold its value. */
int disclosure_check(const struct disclosure *disclosure, enum field_kind kind,
    const uint8_t root[static HASH_SIZE], struct err *err);

#endif
