/* The shapes of bodies whose meaning comes later (formats "Shapes"): a table of keys for each. */
#include "proto/later.h"

enum value {
	VALUE_END,
	VALUE_AUTHORITY, /* [[key, signature]...] */
	VALUE_CLAIMS,
	VALUE_LOG,
	VALUE_PARTS_CLAIMS,    /* {grant, sealed, vault, open?} */
	VALUE_PARTS_TIMESTAMP, /* {token, chain?} */
	VALUE_RECORD,
	VALUE_ROLE,
	VALUE_ROOT,
	VALUE_SIZE,
	VALUE_TIME,
	VALUE_TYPE
};

struct key {
	const char *name;
	enum value value;
};

#define KEYS_MAX 7

static const struct key shapes[][KEYS_MAX] = {
    [LATER_ENDORSE] = {{"claims", VALUE_CLAIMS}, {"log", VALUE_LOG}, {"parts", VALUE_PARTS_CLAIMS},
        {"record", VALUE_RECORD}, {"role", VALUE_ROLE}, {"time", VALUE_TIME}},
    [LATER_CUSTODY] = {{"claims", VALUE_CLAIMS}, {"log", VALUE_LOG}, {"parts", VALUE_PARTS_CLAIMS},
        {"record", VALUE_RECORD}, {"time", VALUE_TIME}},
    [LATER_ANNOTATE] = {{"claims", VALUE_CLAIMS}, {"log", VALUE_LOG}, {"parts", VALUE_PARTS_CLAIMS},
        {"record", VALUE_RECORD}, {"time", VALUE_TIME}},
    [LATER_WITHDRAW] = {{"authority", VALUE_AUTHORITY}, {"claims", VALUE_CLAIMS},
        {"parts", VALUE_PARTS_CLAIMS}, {"record", VALUE_RECORD}, {"time", VALUE_TIME}},
    [LATER_COUNTERMAND] = {{"authority", VALUE_AUTHORITY}, {"time", VALUE_TIME},
        {"withdraw", VALUE_RECORD}},
    [LATER_TIMESTAMP] = {{"parts", VALUE_PARTS_TIMESTAMP}, {"root", VALUE_ROOT},
        {"size", VALUE_SIZE}, {"time", VALUE_TIME}, {"type", VALUE_TYPE}},
    [LATER_FREEZE] = {{"time", VALUE_TIME}},
};

static const char *const roles[] = {"signatory", "received", "verified", "disputed", NULL};
static const char *const types[] = {"rfc3161", "ots", NULL};

static void
read_one_of(struct unpack *unpack, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		if (unpack_try(unpack, *texts))
			return;
	}
	unpack_fail(unpack, "not one of the texts that the format has here");
}

/* Root keys and their signatures, ascending by key, 1 to 32. */
static void
read_authority(struct unpack *unpack)
{
	uint32_t count = unpack_array(unpack);
	const uint8_t *last = NULL;

	if (count < 1 || count > 32)
		unpack_fail(unpack, "an authority of none or more than 32 signatures");
	for (; count > 0 && unpack->err == ERR_NONE; count--) {
		const uint8_t *key;

		unpack_array_of(unpack, 2);
		key = unpack_bin_of(unpack, 32);
		(void)unpack_bin_of(unpack, 64);
		if (key != NULL && last != NULL && memcmp(last, key, 32) >= 0)
			unpack_fail(unpack, "signatures that do not ascend by key");
		last = key;
	}
}

static void
read_value(struct later *later, enum value value, struct unpack *unpack)
{
	switch (value) {
	case VALUE_END:
		return;
	case VALUE_AUTHORITY:
		read_authority(unpack);
		return;
	case VALUE_CLAIMS:
		later->claims = unpack_bin_of(unpack, HASH_SIZE);
		return;
	case VALUE_LOG:
		later->log = unpack_bin_of(unpack, HASH_SIZE);
		return;
	case VALUE_PARTS_CLAIMS:
		parts_read(&later->parts,
		    PART_BIT(PART_GRANT) | PART_BIT(PART_SEALED) | PART_BIT(PART_VAULT),
		    PART_BIT(PART_OPEN), unpack);
		return;
	case VALUE_PARTS_TIMESTAMP:
		parts_read(&later->parts, PART_BIT(PART_TOKEN), PART_BIT(PART_CHAIN), unpack);
		return;
	case VALUE_RECORD:
		later->record = unpack_bin_of(unpack, HASH_SIZE);
		return;
	case VALUE_ROLE:
		read_one_of(unpack, roles);
		return;
	case VALUE_ROOT:
		(void)unpack_bin_of(unpack, HASH_SIZE);
		return;
	case VALUE_SIZE:
		(void)unpack_uint(unpack);
		return;
	case VALUE_TIME:
		later->time = unpack_uint(unpack);
		return;
	case VALUE_TYPE:
		read_one_of(unpack, types);
		return;
	}
}

void
later_read(struct later *later, enum later_kind kind, struct unpack *unpack)
{
	const struct key *keys = shapes[kind];
	uint32_t count = 0;
	uint32_t i;

	*later = (struct later){.claims = NULL};
	while (count < KEYS_MAX && keys[count].value != VALUE_END)
		count++;
	unpack_map_of(unpack, count);
	for (i = 0; i < count; i++) {
		unpack_key(unpack, keys[i].name);
		read_value(later, keys[i].value, unpack);
	}
}
