#ifndef DALIL_PROTO_CHARTER_RECORD_H
#define DALIL_PROTO_CHARTER_RECORD_H

#include "proto/unpack.h"

/*
 * Purpose: the body of a `charter` record (design 5.2): {statement}: one statement of the log's own
 * charter as its bytes, which proto/statement.h reads.  It has no time of its own.
 */

struct charter_record {
	struct view statement;
};

void charter_record_pack(struct buffer *out, struct view statement);
void charter_record_read(struct charter_record *charter, struct unpack *unpack);

#endif
