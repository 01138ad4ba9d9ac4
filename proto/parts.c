/* `parts` of a record's body: names and digests (design 5.2). */
#include "proto/parts.h"

#include "proto/hash.h"
#include "proto/pack.h"

static const char *const names[PART_COUNT] = {
    [PART_CHAIN] = "chain",
    [PART_GRANT] = "grant",
    [PART_OPEN] = "open",
    [PART_SEALED] = "sealed",
    [PART_TOKEN] = "token",
    [PART_VAULT] = "vault",
};

const char *
part_name(enum part part)
{
	return names[part];
}

int
part_named(struct view name)
{
	int part;

	for (part = 0; part < PART_COUNT; part++) {
		if (view_equal(name, view_text(names[part])))
			return part;
	}
	return -1;
}

void
parts_read(struct parts *parts, unsigned required, unsigned optional, struct unpack *unpack)
{
	uint32_t count = unpack_map(unpack);
	unsigned seen = 0;

	*parts = (struct parts){{NULL}};
	for (; count > 0 && unpack->err == ERR_NONE; count--) {
		int part = part_named(unpack_str(unpack));

		if (part < 0 || ((required | optional) & PART_BIT(part)) == 0) {
			unpack_fail(unpack, "a part that this kind does not have");
			return;
		}
		seen |= PART_BIT(part);
		parts->digests[part] = unpack_bin_of(unpack, HASH_SIZE);
	}
	if ((seen & required) != required)
		unpack_fail(unpack, "a part that this kind always has is missing");
}

unsigned
parts_count(const struct parts *parts)
{
	unsigned count = 0;
	int part;

	for (part = 0; part < PART_COUNT; part++)
		count += parts->digests[part] != NULL;
	return count;
}

void
parts_pack(struct buffer *out, const struct parts *parts)
{
	int part;

	pack_map(out, parts_count(parts));
	for (part = 0; part < PART_COUNT; part++) {
		if (parts->digests[part] == NULL)
			continue;
		pack_text(out, names[part]);
		pack_bin(out, view_of(parts->digests[part], HASH_SIZE));
	}
}

int
parts_check(const struct parts *parts, enum part part, struct view bytes, struct err *err)
{
	uint8_t digest[HASH_SIZE];

	if (parts->digests[part] == NULL)
		return err_set(err, ERR_NOT_FOUND, "the record has no %s part", names[part]);
	if (bytes.size > PARTS_SIZE_MAX)
		return err_set(err, ERR_LIMIT, "a %s part above 256 KiB (design 7)", names[part]);
	hash_sha256(digest, bytes);
	if (memcmp(digest, parts->digests[part], HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED,
		    "the %s part is not the one whose digest the record holds (design 5.2)",
		    names[part]);
	return ERR_NONE;
}
