#ifndef DALIL_PROTO_PACK_H
#define DALIL_PROTO_PACK_H

#include "proto/bytes.h"

/*
 * Purpose: write canonical msgpack (design section 5: shortest forms, text as
 * valid UTF-8 str, bytes as bin, map keys sorted, no float or ext).
 *
 * The writer appends to a buffer, whose error sticks.  Shortest forms come from
 * msgpack-c; that map keys are sorted and unique, depth and UTF-8 are the caller's to keep, and
 * unpack_check tells in tests whether it did.
 */

void pack_array(struct buffer *out, uint32_t count);
void pack_map(struct buffer *out, uint32_t count);
void pack_uint(struct buffer *out, uint64_t value);
void pack_int(struct buffer *out, int64_t value);
void pack_bool(struct buffer *out, bool value);
void pack_nil(struct buffer *out);
void pack_bin(struct buffer *out, struct view bytes);
void pack_str(struct buffer *out, struct view text);
/* pack_str of a C string: also for map keys. */
void pack_text(struct buffer *out, const char *text);
/* One value that is canonical already. */
void pack_raw(struct buffer *out, struct view value);

#endif
