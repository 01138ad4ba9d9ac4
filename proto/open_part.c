/* The part `open`: what anybody may read (design 5.2). */
#include "proto/open_part.h"

#include "proto/pack.h"

void
open_part_pack(struct buffer *out, const struct claims *claims, const struct fields *fields,
    uint64_t slots, const uint8_t *key)
{
	uint32_t count = 0;
	unsigned slot;

	for (slot = 0; slot < FIELD_SLOTS; slot++)
		count += slots >> slot & 1u;
	pack_map(out, key == NULL ? 1 : 2);
	pack_text(out, "disclosures");
	pack_array(out, count);
	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		if ((slots >> slot & 1u) != 0)
			disclosure_pack(out, claims, fields, slot);
	}
	if (key == NULL)
		return;
	pack_text(out, "key");
	pack_bin(out, view_of(key, OPEN_PART_KEY));
}

static void
read_disclosures(struct open_part *part, struct unpack *unpack)
{
	uint64_t seen = 0;
	uint32_t count;

	unpack_key(unpack, "disclosures");
	count = unpack_array(unpack);
	if (count > FIELD_SLOTS) {
		unpack_fail(unpack, "more disclosures than there are slots");
		return;
	}
	for (; part->count < count && unpack->err == ERR_NONE; part->count++) {
		struct disclosure *disclosure = &part->disclosures[part->count];

		disclosure_read(disclosure, unpack);
		if ((seen >> disclosure->slot & 1u) != 0)
			unpack_fail(unpack, "a slot is disclosed twice");
		seen |= UINT64_C(1) << disclosure->slot;
	}
}

int
open_part_parse(struct open_part *part, struct view bytes, struct err *err)
{
	struct unpack unpack;
	uint32_t keys;
	int code;

	part->count = 0;
	part->key = NULL;
	code = unpack_open(&unpack, bytes, UNPACK_NIL_ALLOWED, err);
	if (code != ERR_NONE)
		return code;
	keys = unpack_map(&unpack);
	if (keys != 1 && keys != 2)
		unpack_fail(&unpack, "a map with more or fewer keys than the format says");
	read_disclosures(part, &unpack);
	if (keys == 2) {
		unpack_key(&unpack, "key");
		part->key = unpack_bin_of(&unpack, OPEN_PART_KEY);
	}
	return unpack_end(&unpack, "open part (design 5.2)", err);
}
