#ifndef DALIL_PROTO_FIELDS_H
#define DALIL_PROTO_FIELDS_H

#include "proto/field.h"
#include "proto/unpack.h"

/*
 * Purpose: the fields of one record with claims: up to 64 slots with a value each (formats "Fields
 * and slots"), read from the parts `sealed` and `vault`, and built from what a user gives.
 *
 * Ownership: struct fields holds views and owns nothing; they die with the bytes they were read
 * from, or with the builder.  Threads: none of its own.
 */

struct fields {
	enum field_kind kind;
	struct view values[FIELD_SLOTS]; /* canonical msgpack; size 0 where absent */
};

/* Which slots stand in a list of fields. */
enum fields_scope {
	FIELDS_READER, /* 0 to 47: `sealed` */
	FIELDS_ALL     /* 0 to 63: `vault` */
};

/*
 * Is this a set that the kind may hold: every value fits its slot, what is always claimed stands,
 * nothing is claimed twice, the vault's names ascend and its last slot is not used before the
 * others are.  0 or ERR_MALFORMED.
 */
int fields_check(const struct fields *fields, enum fields_scope scope, struct err *err);
/* Append [[slot, value]...]; slots from 48 on only where ${scope} says so. */
void fields_pack(struct buffer *out, const struct fields *fields, enum fields_scope scope);
/* Read [[slot, value]...], ascending; the error sticks in ${unpack}. fields_check comes after. */
void fields_read(struct fields *fields, enum field_kind kind, struct unpack *unpack);

/* Typed reading of a slot that fields_check has let through; false or an empty view if absent. */
struct view fields_bytes(const struct fields *fields, unsigned slot); /* str or bin */
bool fields_uint(const struct fields *fields, unsigned slot, uint64_t *value);

/* The parts of a `captured` (design 5.3). */
struct captured {
	struct view text;
	int64_t earliest; /* milliseconds since 1970 */
	int64_t latest;   /* inclusive */
	bool has_offset;
	int offset; /* minutes east of UTC, where the text said so */
};

void captured_pack(struct buffer *out, const struct captured *captured);
/* False unless ${value} is a valid one. */
bool captured_read(struct captured *captured, struct view value);

/*
 * A builder: fields are put by the name that users type, in any order, and placed into slots by
 * fields_build.  A registered name has its slot, another goes into slot 47; with FIELDS_TO_VAULT
 * `source` has slot 48 and everything else stands by name in 49 to 62 and, where those do not
 * suffice, in 63.  `source` goes to slot 48 without being told.
 * One name put twice: texts become a list, links are joined, anything else is refused.
 */
enum fields_access { FIELDS_TO_READERS, FIELDS_TO_VAULT };

struct fields_builder;

struct fields_builder *fields_builder_new(enum field_kind kind);
void fields_builder_free(struct fields_builder *builder);
/* Empty it for the next file, keeping its memory. */
void fields_builder_clear(struct fields_builder *builder);
/* Take over all that ${from} holds: what is common to many files. */
int fields_builder_copy(
    struct fields_builder *builder, const struct fields_builder *from, struct err *err);
/* All of these: ERR_USAGE with a text that names the field, ERR_LIMIT, ERR_MEMORY. */
int fields_put_text(struct fields_builder *builder, struct view name, struct view text,
    enum fields_access access, struct err *err);
/* A file name or folder: text where it is UTF-8, else bin. */
int
fields_put_path(struct fields_builder *builder, unsigned slot, struct view path, struct err *err);
int
fields_put_uint(struct fields_builder *builder, struct view name, uint64_t value, struct err *err);
int fields_put_int(struct fields_builder *builder, struct view name, int64_t value,
    enum fields_access access, struct err *err);
int fields_put_bin(
    struct fields_builder *builder, struct view name, struct view bytes, struct err *err);
int fields_put_captured(struct fields_builder *builder, struct view name,
    const struct captured *captured, enum fields_access access, struct err *err);
int fields_put_link(struct fields_builder *builder, struct view relation,
    const uint8_t id[static HASH_SIZE], struct err *err);
/* Any canonical msgpack value; a map: `exif`. */
int fields_put_value(struct fields_builder *builder, struct view name, struct view value,
    enum fields_access access, struct err *err);
/*
 * The text that a user typed for any field: what the field's type makes of it (a number for
 * latitude, given in degrees with up to six decimals; WHEN for `captured`).
 */
int fields_put_typed(struct fields_builder *builder, struct view name, struct view text,
    enum fields_access access, struct err *err);
/* Has a field of this name been put? */
bool fields_builder_has(const struct fields_builder *builder, struct view name);
/*
 * Place and check everything.  ${fields} views the builder's memory and dies with the next put,
 * clear or free.
 */
int fields_build(struct fields_builder *builder, struct fields *fields, struct err *err);

#endif
