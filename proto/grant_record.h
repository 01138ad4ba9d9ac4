#ifndef DALIL_PROTO_GRANT_RECORD_H
#define DALIL_PROTO_GRANT_RECORD_H

#include "proto/parts.h"

/*
 * Purpose: the body of a `grant` record (design 5.2): {parts: {grant, vault}, record, time}: a
 * further grant for the file key of the deposit ${record}.
 */

struct grant_record {
	struct parts parts;
	const uint8_t *record; /* HASH_SIZE */
	uint64_t time;
};

void grant_record_pack(struct buffer *out, const struct grant_record *grant);
void grant_record_read(struct grant_record *grant, struct unpack *unpack);

#endif
