#ifndef DALIL_PROTO_FIELD_H
#define DALIL_PROTO_FIELD_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the field table (formats "Fields and slots"): which name and which type of value each
 * of the 64 slots of a kind's claims has, and the check of one value against it.
 *
 * A value is one canonical msgpack value, as a view of bytes that unpack_check has let through.
 * All data is const: any thread.
 */

#define FIELD_SLOTS 64
#define FIELD_VAULT_FIRST 48 /* slots 48 to 63 are the vault's (design 5.3) */
#define FIELD_OTHER 47       /* map of the unregistered fields */
#define FIELD_SOURCE 48
#define FIELD_NAMED_FIRST 49 /* [name, value]: fields given to the vault, names ascending */
#define FIELD_NAMED_LAST 62
#define FIELD_REST 63 /* map of what the vault's named slots do not hold */

/* The slots of a deposit that callers name; annotate has the same without 0 to 4. */
enum {
	FIELD_SHA256 = 0,
	FIELD_SIZE = 1,
	FIELD_NAME = 2,
	FIELD_MEDIA_TYPE = 3,
	FIELD_DEPOSITED_BY = 4,
	FIELD_TITLE = 5,
	FIELD_TYPE = 6,
	FIELD_CASE = 7,
	FIELD_FOLDER = 8,
	FIELD_CAPTURED = 9,
	FIELD_CLOCK = 10,
	FIELD_PLACE = 11,
	FIELD_LANGUAGE = 14,
	FIELD_LINK = 22,
	FIELD_MEMBER = 23,
	FIELD_SHA512 = 24
};

/* Kinds of record that have claims. */
enum field_kind { FIELD_DEPOSIT, FIELD_ANNOTATE, FIELD_ENDORSE, FIELD_CUSTODY, FIELD_WITHDRAW };

enum field_type {
	FIELD_T_NONE,       /* reserved */
	FIELD_T_STR,        /* text, not empty */
	FIELD_T_TEXT,       /* text, or a list of two or more */
	FIELD_T_STR_OR_BIN, /* a file name: bin where it is not UTF-8 */
	FIELD_T_UINT,       /* below 2^63 */
	FIELD_T_LATITUDE,   /* millionths of a degree */
	FIELD_T_LONGITUDE,  /* likewise */
	FIELD_T_BIN32,      /* SHA-256 */
	FIELD_T_BIN64,      /* SHA-512 */
	FIELD_T_CAPTURED,   /* [text, earliest ms, latest ms, minutes or nil] */
	FIELD_T_LINK,       /* [[relation, record id]...] */
	FIELD_T_MEMBER,     /* [name, salt, key, signature] */
	FIELD_T_MAP,        /* {name: text, list of texts or integer} */
	FIELD_T_OTHER,      /* the same, of names that have no slot */
	FIELD_T_NAMED,      /* [name, text, list, integer, captured or map] */
};

struct field {
	const char *name; /* NULL: reserved, or not of this kind */
	enum field_type type;
};

/* What slot ${slot} (below 64) of ${kind} holds; its name is NULL where nothing may stand. */
const struct field *field_at(enum field_kind kind, unsigned slot);
/*
 * The slot (0 to 46, or 48) of a field by the name that users type, -1 if ${kind} has none: it is
 * then unregistered.  `other`, `vault` and `vault-1` to `vault-14` are names of slots and of no field.
 */
int field_slot(enum field_kind kind, struct view name);
/* Is ${name} one that a slot is called by, `other` and `vault` included? */
bool field_is_reserved(enum field_kind kind, struct view name);
/* 0, or ERR_MALFORMED: not a value that slot ${slot} of ${kind} may hold. */
int field_check(enum field_kind kind, unsigned slot, struct view value, struct err *err);
/* Is it one of the ten relations of a link (design 5.3)? */
bool field_is_relation(struct view relation);
/* The name and the value in a value of slots 49 to 62 that field_check has let through. */
void field_named(struct view named, struct view *name, struct view *value);

#endif
