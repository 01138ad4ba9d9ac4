/* The field table (formats "Fields and slots") and the check of one value. */
#include "proto/field.h"

#include <stdio.h>

#include "proto/unpack.h"

#define LATITUDE_MAX 90000000
#define LONGITUDE_MAX 180000000
#define OFFSET_MAX (24 * 60 - 1) /* minutes */

#define DEPOSIT_ONLY 5 /* slots 0 to 4 */
#define KIND_SLOTS 25  /* no kind has a slot of its own from here to 46 */

static const struct field deposit_fields[KIND_SLOTS] = {
    [FIELD_SHA256] = {"sha256", FIELD_T_BIN32},
    [FIELD_SIZE] = {"size", FIELD_T_UINT},
    [FIELD_NAME] = {"name", FIELD_T_STR_OR_BIN},
    [FIELD_MEDIA_TYPE] = {"media-type", FIELD_T_STR},
    [FIELD_DEPOSITED_BY] = {"deposited-by", FIELD_T_STR},
    [FIELD_TITLE] = {"title", FIELD_T_TEXT},
    [FIELD_TYPE] = {"type", FIELD_T_STR},
    [FIELD_CASE] = {"case", FIELD_T_TEXT},
    [FIELD_FOLDER] = {"folder", FIELD_T_STR_OR_BIN},
    [FIELD_CAPTURED] = {"captured", FIELD_T_CAPTURED},
    [FIELD_CLOCK] = {"clock", FIELD_T_STR},
    [FIELD_PLACE] = {"place", FIELD_T_TEXT},
    [12] = {"latitude", FIELD_T_LATITUDE},
    [13] = {"longitude", FIELD_T_LONGITUDE},
    [FIELD_LANGUAGE] = {"language", FIELD_T_TEXT},
    [15] = {"author", FIELD_T_TEXT},
    [16] = {"method", FIELD_T_TEXT},
    [17] = {"device", FIELD_T_TEXT},
    [18] = {"tool", FIELD_T_TEXT},
    [19] = {"url", FIELD_T_TEXT},
    [20] = {"note", FIELD_T_TEXT},
    [21] = {"exif", FIELD_T_MAP},
    [FIELD_LINK] = {"link", FIELD_T_LINK},
    [FIELD_MEMBER] = {"member", FIELD_T_MEMBER},
    [FIELD_SHA512] = {"sha512", FIELD_T_BIN64},
};

static const struct field endorse_fields[KIND_SLOTS] = {
    {"statement", FIELD_T_TEXT},
    {"signatory", FIELD_T_TEXT},
    {"captured", FIELD_T_CAPTURED},
    {"note", FIELD_T_TEXT},
    {"member", FIELD_T_MEMBER},
};

static const struct field custody_fields[KIND_SLOTS] = {
    {"event", FIELD_T_STR},
    {"actor", FIELD_T_TEXT},
    {"captured", FIELD_T_CAPTURED},
    {"reason", FIELD_T_TEXT},
    {"copy", FIELD_T_TEXT},
    {"hash-before", FIELD_T_BIN32},
    {"hash-after", FIELD_T_BIN32},
    {"place", FIELD_T_TEXT},
    {"note", FIELD_T_TEXT},
    {"member", FIELD_T_MEMBER},
};

static const struct field withdraw_fields[KIND_SLOTS] = {
    {"ground", FIELD_T_STR},
    {"note", FIELD_T_TEXT},
};

/* Slots 47 to 63, which every kind has. */
static const struct field common_fields[FIELD_SLOTS - FIELD_OTHER] = {
    {"other", FIELD_T_OTHER},
    {"source", FIELD_T_TEXT},
    {"vault-1", FIELD_T_NAMED},
    {"vault-2", FIELD_T_NAMED},
    {"vault-3", FIELD_T_NAMED},
    {"vault-4", FIELD_T_NAMED},
    {"vault-5", FIELD_T_NAMED},
    {"vault-6", FIELD_T_NAMED},
    {"vault-7", FIELD_T_NAMED},
    {"vault-8", FIELD_T_NAMED},
    {"vault-9", FIELD_T_NAMED},
    {"vault-10", FIELD_T_NAMED},
    {"vault-11", FIELD_T_NAMED},
    {"vault-12", FIELD_T_NAMED},
    {"vault-13", FIELD_T_NAMED},
    {"vault-14", FIELD_T_NAMED},
    {"vault", FIELD_T_MAP},
};

static const struct field no_field = {NULL, FIELD_T_NONE};

/* Sorted by nothing: the design's order. */
static const char *const relations[] = {
    "translation-of",
    "transcript-of",
    "redaction-of",
    "excerpt-of",
    "edition-of",
    "attachment-of",
    "reply-to",
    "same-event",
    "part-of",
    "refers-to",
};

static const struct field *
table_of(enum field_kind kind)
{
	switch (kind) {
	case FIELD_DEPOSIT:
	case FIELD_ANNOTATE:
		return deposit_fields;
	case FIELD_ENDORSE:
		return endorse_fields;
	case FIELD_CUSTODY:
		return custody_fields;
	case FIELD_WITHDRAW:
		return withdraw_fields;
	}
	return withdraw_fields;
}

const struct field *
field_at(enum field_kind kind, unsigned slot)
{
	if (slot >= FIELD_SLOTS)
		return &no_field;
	if (slot >= FIELD_OTHER)
		return &common_fields[slot - FIELD_OTHER];
	if (slot >= KIND_SLOTS || (kind == FIELD_ANNOTATE && slot < DEPOSIT_ONLY))
		return &no_field;
	return &table_of(kind)[slot];
}

static int
slot_called(enum field_kind kind, struct view name)
{
	unsigned slot;

	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		const struct field *field = field_at(kind, slot);

		if (field->name != NULL && view_equal(name, view_text(field->name)))
			return (int)slot;
	}
	return -1;
}

int
field_slot(enum field_kind kind, struct view name)
{
	int slot = slot_called(kind, name);

	return slot == FIELD_OTHER || slot >= FIELD_NAMED_FIRST ? -1 : slot;
}

bool
field_is_reserved(enum field_kind kind, struct view name)
{
	return slot_called(kind, name) >= 0;
}

bool
field_is_relation(struct view relation)
{
	size_t i;

	for (i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
		if (view_equal(relation, view_text(relations[i])))
			return true;
	}
	return false;
}

static void
check_str(struct unpack *value)
{
	if (unpack_str(value).size == 0)
		unpack_fail(value, "text that is empty or of another type");
}

static void
check_text(struct unpack *value)
{
	uint32_t count;

	if (unpack_peek(value) != UNPACK_ARRAY) {
		check_str(value);
		return;
	}
	count = unpack_array(value);
	if (count < 2)
		unpack_fail(value, "a list of fewer than two");
	for (; count > 0 && value->err == ERR_NONE; count--)
		check_str(value);
}

static void
check_str_or_bin(struct unpack *value)
{
	if (unpack_peek(value) != UNPACK_BIN) {
		check_str(value);
		return;
	}
	if (unpack_bin(value).size == 0)
		unpack_fail(value, "an empty name");
}

static void
check_range(struct unpack *value, int64_t most)
{
	int64_t number = unpack_int(value);

	if (number > most || number < -most)
		unpack_fail(value, "a coordinate that is not on Earth");
}

static void
check_captured(struct unpack *value)
{
	int64_t earliest;
	int64_t latest;

	unpack_array_of(value, 4);
	check_str(value);
	earliest = unpack_int(value);
	latest = unpack_int(value);
	if (latest < earliest)
		unpack_fail(value, "the latest time is before the earliest");
	if (unpack_peek(value) == UNPACK_NIL) {
		unpack_nil(value);
		return;
	}
	earliest = unpack_int(value);
	if (earliest < -OFFSET_MAX || earliest > OFFSET_MAX)
		unpack_fail(value, "an offset of a day or more");
}

static void
check_link(struct unpack *value)
{
	uint32_t count = unpack_array(value);

	if (count == 0)
		unpack_fail(value, "an empty list");
	for (; count > 0 && value->err == ERR_NONE; count--) {
		unpack_array_of(value, 2);
		if (!field_is_relation(unpack_str(value)))
			unpack_fail(value, "not one of the relations");
		(void)unpack_bin_of(value, HASH_SIZE);
	}
}

static void
check_member(struct unpack *value)
{
	unpack_array_of(value, 4);
	check_str(value);
	(void)unpack_bin_of(value, 16);
	(void)unpack_bin_of(value, 32);
	(void)unpack_bin_of(value, 64);
}

static void
check_text_or_int(struct unpack *value)
{
	if (unpack_peek(value) == UNPACK_INT)
		(void)unpack_int(value);
	else
		check_text(value);
}

/* ${kind} and ${unregistered}: names that have a slot of their own may not stand in it. */
static void
check_map(struct unpack *value, enum field_kind kind, bool unregistered)
{
	uint32_t count = unpack_map(value);

	if (count == 0)
		unpack_fail(value, "an empty map");
	for (; count > 0 && value->err == ERR_NONE; count--) {
		struct view name = unpack_str(value);

		if (name.size == 0)
			unpack_fail(value, "an empty name");
		if (unregistered && field_is_reserved(kind, name))
			unpack_fail(value, "a registered name among the unregistered");
		check_text_or_int(value);
	}
}

/* A list in a vault's named slot is a captured or a text: their second elements differ in type. */
static bool
is_captured(const struct unpack *value)
{
	struct unpack ahead = *value;

	unpack_array_of(&ahead, 4);
	(void)unpack_str(&ahead);
	return unpack_peek(&ahead) == UNPACK_INT;
}

static void
check_named(struct unpack *value, enum field_kind kind)
{
	unpack_array_of(value, 2);
	check_str(value);
	if (unpack_peek(value) == UNPACK_MAP)
		check_map(value, kind, false);
	else if (is_captured(value))
		check_captured(value);
	else
		check_text_or_int(value);
}

static void
check_type(struct unpack *value, enum field_kind kind, enum field_type type)
{
	switch (type) {
	case FIELD_T_NONE:
		unpack_fail(value, "a slot that this kind does not have");
		return;
	case FIELD_T_STR:
		check_str(value);
		return;
	case FIELD_T_TEXT:
		check_text(value);
		return;
	case FIELD_T_STR_OR_BIN:
		check_str_or_bin(value);
		return;
	case FIELD_T_UINT:
		(void)unpack_uint(value);
		return;
	case FIELD_T_LATITUDE:
		check_range(value, LATITUDE_MAX);
		return;
	case FIELD_T_LONGITUDE:
		check_range(value, LONGITUDE_MAX);
		return;
	case FIELD_T_BIN32:
		(void)unpack_bin_of(value, 32);
		return;
	case FIELD_T_BIN64:
		(void)unpack_bin_of(value, 64);
		return;
	case FIELD_T_CAPTURED:
		check_captured(value);
		return;
	case FIELD_T_LINK:
		check_link(value);
		return;
	case FIELD_T_MEMBER:
		check_member(value);
		return;
	case FIELD_T_MAP:
		check_map(value, kind, false);
		return;
	case FIELD_T_OTHER:
		check_map(value, kind, true);
		return;
	case FIELD_T_NAMED:
		check_named(value, kind);
		return;
	}
}

int
field_check(enum field_kind kind, unsigned slot, struct view value, struct err *err)
{
	const struct field *field = field_at(kind, slot);
	struct unpack unpack;
	char what[64];

	unpack_init(&unpack, value);
	check_type(&unpack, kind, field->type);
	if (unpack.err == ERR_NONE && unpack.at == unpack.end)
		return ERR_NONE;
	(void)snprintf(what, sizeof(what), "field %s in slot %u (design 5.3)",
	    field->name == NULL ? "without a name" : field->name, slot);
	return unpack_end(&unpack, what, err);
}

void
field_named(struct view named, struct view *name, struct view *value)
{
	struct unpack unpack;

	unpack_init(&unpack, named);
	unpack_array_of(&unpack, 2);
	*name = unpack_str(&unpack);
	*value = unpack_value(&unpack);
}
