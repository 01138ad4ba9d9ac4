#ifndef DALIL_PROTO_PARTS_H
#define DALIL_PROTO_PARTS_H

#include "proto/unpack.h"

/*
 * Purpose: `parts` of a record's body, {name: digest}: what travels beside the record and can be
 * erased (design 5.2).  A part is verified against its digest before it is stored or used.
 */

#define PARTS_SIZE_MAX 262144 /* a part, design section 7 */

/* In the order of their names: that of the map. */
enum part { PART_CHAIN, PART_GRANT, PART_OPEN, PART_SEALED, PART_TOKEN, PART_VAULT };
#define PART_COUNT 6

#define PART_BIT(part) (1u << (part))

struct parts {
	const uint8_t *digests[PART_COUNT]; /* HASH_SIZE bytes, or NULL where there is none */
};

const char *part_name(enum part part);
/* -1 if no part is called that. */
int part_named(struct view name);
/* Read the map: all of ${required}, any of ${optional} (PART_BITs), nothing else; error sticks. */
void parts_read(struct parts *parts, unsigned required, unsigned optional, struct unpack *unpack);
void parts_pack(struct buffer *out, const struct parts *parts);
unsigned parts_count(const struct parts *parts);
/* ERR_FORGED unless SHA-256(${bytes}) is the digest; ERR_LIMIT if too large; ERR_NOT_FOUND. */
int parts_check(const struct parts *parts, enum part part, struct view bytes, struct err *err);

#endif
