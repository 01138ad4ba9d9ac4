#ifndef DALIL_PROTO_OPEN_PART_H
#define DALIL_PROTO_OPEN_PART_H

#include "proto/disclosure.h"

/*
 * Purpose: the part `open`, which anybody may read: {disclosures, key?}: the disclosures that are
 * public, and the payload key of an open file, never its file key (design 5.2).  No slot twice.
 * A parsed one views its bytes.
 */

#define OPEN_PART_KEY 32

struct open_part {
	unsigned count;
	struct disclosure disclosures[FIELD_SLOTS];
	const uint8_t *key; /* OPEN_PART_KEY bytes, or NULL */
};

/* ${slots}: a bit for each slot to disclose. */
void open_part_pack(struct buffer *out, const struct claims *claims, const struct fields *fields,
    uint64_t slots, const uint8_t *key);
int open_part_parse(struct open_part *part, struct view bytes, struct err *err);

#endif
