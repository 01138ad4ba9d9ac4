/* A set of fields: read, check as a whole, pack; see fields_builder.c for how one is built. */
#include "proto/fields.h"

#include "proto/pack.h"

static int
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_MALFORMED, "fields (design 5.3): %s", why);
}

static bool
map_has(struct view map, struct view name)
{
	struct unpack unpack;
	uint32_t count;

	if (map.size == 0)
		return false;
	unpack_init(&unpack, map);
	for (count = unpack_map(&unpack); count > 0 && unpack.err == ERR_NONE; count--) {
		if (view_equal(unpack_str(&unpack), name))
			return true;
		(void)unpack_value(&unpack);
	}
	return false;
}

/* Is a field that the vault holds by ${name} also claimed in a slot of its own, or among `other`? */
static bool
claimed_outside(const struct fields *fields, struct view name)
{
	int slot = field_slot(fields->kind, name);

	if (slot >= 0)
		return fields->values[slot].size > 0;
	return map_has(fields->values[FIELD_OTHER], name);
}

/* Slots 49 to 62: ascending names from the first slot on, each claimed nowhere else. */
static int
check_named(const struct fields *fields, bool *full, struct err *err)
{
	struct view last = {0};
	bool gap = false;
	unsigned slot;

	for (slot = FIELD_NAMED_FIRST; slot <= FIELD_NAMED_LAST; slot++) {
		struct view name;
		struct view value;

		if (fields->values[slot].size == 0) {
			gap = true;
			continue;
		}
		if (gap)
			return refuse(err, "a gap among the vault's slots");
		field_named(fields->values[slot], &name, &value);
		if (last.size > 0 && view_compare(name, last) <= 0)
			return refuse(err, "the vault's names do not ascend");
		if (claimed_outside(fields, name))
			return refuse(err, "a field claimed twice");
		last = name;
	}
	*full = !gap;
	return ERR_NONE;
}

static bool
named_has(const struct fields *fields, struct view name)
{
	unsigned slot;

	for (slot = FIELD_NAMED_FIRST; slot <= FIELD_NAMED_LAST; slot++) {
		struct view other;
		struct view value;

		field_named(fields->values[slot], &other, &value);
		if (view_equal(name, other))
			return true;
	}
	return false;
}

/* Slot 63 is used only when the named slots are full, and repeats none of them. */
static int
check_rest(const struct fields *fields, bool full, struct err *err)
{
	struct unpack unpack;
	uint32_t count;

	if (fields->values[FIELD_REST].size == 0)
		return ERR_NONE;
	if (!full)
		return refuse(err, "the last slot is used before the others are taken");
	unpack_init(&unpack, fields->values[FIELD_REST]);
	for (count = unpack_map(&unpack); count > 0 && unpack.err == ERR_NONE; count--) {
		struct view name = unpack_str(&unpack);

		if (named_has(fields, name) || claimed_outside(fields, name))
			return refuse(err, "a field claimed twice");
		(void)unpack_value(&unpack);
	}
	return ERR_NONE;
}

int
fields_check(const struct fields *fields, enum fields_scope scope, struct err *err)
{
	bool full = false;
	unsigned slot;
	int code;

	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		struct view value = fields->values[slot];

		if (value.size == 0) {
			if (fields->kind == FIELD_DEPOSIT && slot <= FIELD_DEPOSITED_BY)
				return err_set(err, ERR_MALFORMED,
				    "fields (design 5.3): a deposit always claims %s",
				    field_at(fields->kind, slot)->name);
			continue;
		}
		if (scope == FIELDS_READER && slot >= FIELD_VAULT_FIRST)
			return refuse(err, "a field of the vault among those for readers");
		code = field_check(fields->kind, slot, value, err);
		if (code != ERR_NONE)
			return code;
	}
	code = check_named(fields, &full, err);
	return code != ERR_NONE ? code : check_rest(fields, full, err);
}

void
fields_pack(struct buffer *out, const struct fields *fields, enum fields_scope scope)
{
	unsigned end = scope == FIELDS_ALL ? FIELD_SLOTS : FIELD_VAULT_FIRST;
	uint32_t count = 0;
	unsigned slot;

	for (slot = 0; slot < end; slot++)
		count += fields->values[slot].size > 0;
	pack_array(out, count);
	for (slot = 0; slot < end; slot++) {
		if (fields->values[slot].size == 0)
			continue;
		pack_array(out, 2);
		pack_uint(out, slot);
		pack_raw(out, fields->values[slot]);
	}
}

void
fields_read(struct fields *fields, enum field_kind kind, struct unpack *unpack)
{
	uint32_t count = unpack_array(unpack);
	uint64_t least = 0;

	*fields = (struct fields){.kind = kind};
	for (; count > 0 && unpack->err == ERR_NONE; count--) {
		uint64_t slot;

		unpack_array_of(unpack, 2);
		slot = unpack_uint(unpack);
		if (slot >= FIELD_SLOTS || slot < least) {
			unpack_fail(unpack, "slots that do not ascend or are above 63");
			return;
		}
		least = slot + 1;
		fields->values[slot] = unpack_value(unpack);
	}
}

struct view
fields_bytes(const struct fields *fields, unsigned slot)
{
	struct unpack unpack;

	unpack_init(&unpack, fields->values[slot]);
	return unpack_peek(&unpack) == UNPACK_BIN ? unpack_bin(&unpack) : unpack_str(&unpack);
}

bool
fields_uint(const struct fields *fields, unsigned slot, uint64_t *value)
{
	struct unpack unpack;

	unpack_init(&unpack, fields->values[slot]);
	*value = unpack_uint(&unpack);
	return unpack.err == ERR_NONE;
}

void
captured_pack(struct buffer *out, const struct captured *captured)
{
	pack_array(out, 4);
	pack_str(out, captured->text);
	pack_int(out, captured->earliest);
	pack_int(out, captured->latest);
	if (captured->has_offset)
		pack_int(out, captured->offset);
	else
		pack_nil(out);
}

bool
captured_read(struct captured *captured, struct view value)
{
	struct unpack unpack;

	if (field_check(FIELD_DEPOSIT, FIELD_CAPTURED, value, NULL) != ERR_NONE)
		return false;
	unpack_init(&unpack, value);
	unpack_array_of(&unpack, 4);
	captured->text = unpack_str(&unpack);
	captured->earliest = unpack_int(&unpack);
	captured->latest = unpack_int(&unpack);
	captured->has_offset = unpack_peek(&unpack) == UNPACK_INT;
	captured->offset = captured->has_offset ? (int)unpack_int(&unpack) : 0;
	return true;
}
