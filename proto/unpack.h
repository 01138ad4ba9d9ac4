#ifndef DALIL_PROTO_UNPACK_H
#define DALIL_PROTO_UNPACK_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: read canonical msgpack from hostile hands.  unpack_check walks the
 * bytes once, allocates nothing, and refuses everything that is not canonical
 * (design section 5, formats "msgpack"); the cursor then reads what it let
 * through, as views into the same bytes.
 *
 * The cursor's error sticks (after Knot's wire_ctx): a read of the wrong type
 * or past the end sets ERR_MALFORMED and a static reason, and every later read returns zero or an
 * empty view, so that a parser checks once at its end, with unpack_end.
 * A parser never takes a count for more than it is: unpack_array and unpack_map return at most the
 * bytes that are left.
 */

#define UNPACK_DEPTH 8 /* containers inside one another, empty ones counted */

enum unpack_type {
	UNPACK_NONE, /* the end, or after an error */
	UNPACK_NIL,
	UNPACK_BOOL,
	UNPACK_INT, /* any integer */
	UNPACK_STR,
	UNPACK_BIN,
	UNPACK_ARRAY,
	UNPACK_MAP
};

enum unpack_nil { UNPACK_NIL_REFUSED, UNPACK_NIL_ALLOWED };

struct unpack {
	const uint8_t *at;
	const uint8_t *end;
	const char *reason; /* static text, once an error sticks */
	int err;
};

/* 0 if ${bytes} are exactly one canonical value, else ERR_MALFORMED and why. */
int unpack_check(struct view bytes, enum unpack_nil nil, struct err *err);

/*
 * 0 if ${bytes} begin with a canonical value; ${size} says how many it takes.  For messages with raw
 * bytes behind their head.
 */
int unpack_check_prefix(struct view bytes, enum unpack_nil nil, size_t *size, struct err *err);

/* Start reading ${bytes}, which unpack_check has let through. */
void unpack_init(struct unpack *unpack, struct view bytes);

/* unpack_check, then unpack_init. */
int unpack_open(struct unpack *unpack, struct view bytes, enum unpack_nil nil, struct err *err);

enum unpack_type unpack_peek(const struct unpack *unpack);
uint64_t unpack_uint(struct unpack *unpack); /* below 2^63, as all unsigned fields */
int64_t unpack_int(struct unpack *unpack);
bool unpack_bool(struct unpack *unpack);
void unpack_nil(struct unpack *unpack);
struct view unpack_str(struct unpack *unpack);
struct view unpack_bin(struct unpack *unpack);
/* A bin of exactly ${size} bytes; NULL otherwise: check unpack->err before use. */
const uint8_t *unpack_bin_of(struct unpack *unpack, size_t size);
/* Copy a bin of exactly 32 bytes; zeros after an error. */
void unpack_hash(struct unpack *unpack, uint8_t hash[static HASH_SIZE]);
uint32_t unpack_array(struct unpack *unpack);
void unpack_array_of(struct unpack *unpack, uint32_t count);
uint32_t unpack_map(struct unpack *unpack);
void unpack_map_of(struct unpack *unpack, uint32_t count);
/* The next map key must be ${key}. */
void unpack_key(struct unpack *unpack, const char *key);
/* Take the next str if it is ${text}; otherwise leave it and return false. */
bool unpack_try(struct unpack *unpack, const char *text);
/* The next str must be ${text} (the suite, a tag). */
void unpack_tag(struct unpack *unpack, const char *text);
/* One whole value, whatever it is, as its bytes. */
struct view unpack_value(struct unpack *unpack);
/* Make an error stick with a static ${reason}. */
void unpack_fail(struct unpack *unpack, const char *reason);
/* 0 if nothing failed and nothing is left; else ERR_MALFORMED, with ${what} and the reason. */
int unpack_end(const struct unpack *unpack, const char *what, struct err *err);

#endif
