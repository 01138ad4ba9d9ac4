/* Disclosures: made from a whole tree, read, and checked against its root (design 5.3). */
#include "proto/disclosure.h"

#include "proto/pack.h"
#include "proto/tree.h"

void
disclosure_pack(
    struct buffer *out, const struct claims *claims, const struct fields *fields, unsigned slot)
{
	unsigned level;

	pack_array(out, 4);
	pack_uint(out, slot);
	pack_bin(out, view_of(claims->salts[slot], CLAIMS_SALT));
	if (fields->values[slot].size == 0)
		pack_nil(out);
	else
		pack_raw(out, fields->values[slot]);
	pack_array(out, CLAIMS_DEPTH);
	for (level = 0; level < CLAIMS_DEPTH; level++)
		pack_bin(out, view_of(claims_node(claims, level, (slot >> level) ^ 1u), HASH_SIZE));
}

void
disclosure_read(struct disclosure *disclosure, struct unpack *unpack)
{
	uint64_t slot;
	unsigned level;

	*disclosure = (struct disclosure){.slot = 0};
	unpack_array_of(unpack, 4);
	slot = unpack_uint(unpack);
	if (slot >= FIELD_SLOTS)
		unpack_fail(unpack, "a slot above 63");
	else
		disclosure->slot = (unsigned)slot;
	disclosure->salt = unpack_bin_of(unpack, CLAIMS_SALT);
	if (unpack_peek(unpack) == UNPACK_NIL)
		unpack_nil(unpack);
	else
		disclosure->value = unpack_value(unpack);
	unpack_array_of(unpack, CLAIMS_DEPTH);
	for (level = 0; level < CLAIMS_DEPTH; level++)
		disclosure->path[level] = unpack_bin_of(unpack, HASH_SIZE);
}

int
disclosure_parse(struct disclosure *disclosure, struct view bytes, struct err *err)
{
	struct unpack unpack;
	int code = unpack_open(&unpack, bytes, UNPACK_NIL_ALLOWED, err);

	if (code != ERR_NONE)
		return code;
	disclosure_read(disclosure, &unpack);
	return unpack_end(&unpack, "disclosure (design 5.3)", err);
}

int
disclosure_check(const struct disclosure *disclosure, enum field_kind kind,
    const uint8_t root[static HASH_SIZE], struct err *err)
{
	uint8_t hash[HASH_SIZE];
	unsigned level;

	claims_leaf(hash, disclosure->slot, disclosure->salt, disclosure->value);
	for (level = 0; level < CLAIMS_DEPTH; level++) {
		if ((disclosure->slot >> level & 1u) == 0)
			tree_node(hash, hash, disclosure->path[level]);
		else
			tree_node(hash, disclosure->path[level], hash);
	}
	if (memcmp(hash, root, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED,
		    "the disclosure of slot %u does not open the record's claims (design 5.3)",
		    disclosure->slot);
	if (disclosure->value.size == 0)
		return ERR_NONE;
	return field_check(kind, disclosure->slot, disclosure->value, err);
}
