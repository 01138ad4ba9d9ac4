/* Does what a part told belong to the record, and the file to what it told (design 5.3)? */
#include "proto/exhibit.h"

#include <sodium.h>

static int
compare(const uint8_t *root, const uint8_t *claims, const char *part, struct err *err)
{
	if (memcmp(root, claims, HASH_SIZE) == 0)
		return ERR_NONE;
	return err_set(err, ERR_FORGED,
	    "the %s part does not give the claims that the record signed (design 5.3)", part);
}

int
exhibit_check_sealed(
    const struct sealed *sealed, const uint8_t claims[static HASH_SIZE], struct err *err)
{
	uint8_t root[HASH_SIZE];

	claims_reader_root(root, &sealed->fields, sealed->seed, sealed->vault);
	return compare(root, claims, "sealed", err);
}

int
exhibit_check_vault(const struct vault *vault, const uint8_t claims[static HASH_SIZE],
    struct claims *made, struct err *err)
{
	struct claims mine;
	int code;

	claims_make(&mine, &vault->fields, vault->reader_seed, vault->vault_seed);
	code = compare(claims_root(&mine), claims, "vault", err);
	if (made != NULL)
		*made = mine;
	sodium_memzero(&mine, sizeof(mine));
	return code;
}

int
exhibit_check_open(const struct open_part *part, enum field_kind kind,
    const uint8_t claims[static HASH_SIZE], struct fields *fields, struct err *err)
{
	unsigned i;

	*fields = (struct fields){.kind = kind};
	for (i = 0; i < part->count; i++) {
		const struct disclosure *disclosure = &part->disclosures[i];
		int code = disclosure_check(disclosure, kind, claims, err);

		if (code != ERR_NONE)
			return code;
		fields->values[disclosure->slot] = disclosure->value;
	}
	return ERR_NONE;
}

int
exhibit_check_file(const struct fields *fields, const uint8_t sha256[static HASH_SIZE],
    uint64_t size, struct err *err)
{
	struct view claimed = fields_bytes(fields, FIELD_SHA256);
	uint64_t claimed_size;

	if (fields_uint(fields, FIELD_SIZE, &claimed_size) && claimed_size != size)
		return err_set(err, ERR_FORGED,
		    "the file has %llu bytes where the record claims %llu (design 5.3)",
		    (unsigned long long)size, (unsigned long long)claimed_size);
	if (claimed.size != HASH_SIZE)
		return err_set(
		    err, ERR_UNKNOWN, "no sha256 is disclosed that would confirm the file");
	if (memcmp(claimed.data, sha256, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED,
		    "the file is not the one whose SHA-256 the record claims (design 5.3)");
	return ERR_NONE;
}
