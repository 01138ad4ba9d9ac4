/* The body of a share record (formats "Shapes"). */
#include "proto/share.h"

#include "proto/pack.h"

#define ENTRY_BYTES (2 + HASH_SIZE) /* bin 8 and the id */

void
share_pack(
    struct buffer *out, const uint8_t (*organisations)[HASH_SIZE], unsigned count, uint64_t time)
{
	unsigned i;

	pack_map(out, 2);
	pack_text(out, "organisations");
	pack_array(out, count);
	for (i = 0; i < count; i++)
		pack_bin(out, view_of(organisations[i], HASH_SIZE));
	pack_text(out, "time");
	pack_uint(out, time);
}

static const char *
check_organisations(struct view array)
{
	const uint8_t *last = NULL;
	struct unpack unpack;
	uint32_t count;

	unpack_init(&unpack, array);
	for (count = unpack_array(&unpack); count > 0; count--) {
		const uint8_t *id = unpack_bin_of(&unpack, HASH_SIZE);

		if (id == NULL)
			return "organisations that are not ids of 32 bytes";
		if (last != NULL && memcmp(last, id, HASH_SIZE) >= 0)
			return "organisations that do not ascend";
		last = id;
	}
	return unpack.err == ERR_NONE ? NULL : "organisations that are not a list";
}

void
share_read(struct share *share, struct unpack *unpack)
{
	struct unpack inside;
	const char *reason;

	unpack_map_of(unpack, 2);
	unpack_key(unpack, "organisations");
	share->organisations = unpack_value(unpack);
	reason = check_organisations(share->organisations);
	if (reason != NULL)
		unpack_fail(unpack, reason);
	unpack_init(&inside, share->organisations);
	share->count = unpack_array(&inside);
	unpack_key(unpack, "time");
	share->time = unpack_uint(unpack);
}

const uint8_t *
share_at(const struct share *share, unsigned index)
{
	return share->organisations.data + share->organisations.size -
	       (size_t)(share->count - index) * ENTRY_BYTES + 2;
}

bool
share_holds(const struct share *share, const uint8_t organisation[static HASH_SIZE])
{
	unsigned i;

	for (i = 0; i < share->count; i++) {
		if (memcmp(share_at(share, i), organisation, HASH_SIZE) == 0)
			return true;
	}
	return false;
}
