/* The body of a deposit (formats "Shapes"). */
#include "proto/deposit.h"

#include "proto/pack.h"
#include "proto/payload.h"

void
deposit_pack(struct buffer *out, const struct deposit *deposit)
{
	pack_map(out, 4);
	pack_text(out, "claims");
	pack_bin(out, view_of(deposit->claims, HASH_SIZE));
	pack_text(out, "parts");
	parts_pack(out, &deposit->parts);
	pack_text(out, "payload");
	pack_map(out, 3);
	pack_text(out, "nonce");
	pack_bin(out, view_of(deposit->nonce, DEPOSIT_NONCE));
	pack_text(out, "root");
	pack_bin(out, view_of(deposit->root, HASH_SIZE));
	pack_text(out, "size");
	pack_uint(out, deposit->size);
	pack_text(out, "time");
	pack_uint(out, deposit->time);
}

void
deposit_read(struct deposit *deposit, struct unpack *unpack)
{
	unpack_map_of(unpack, 4);
	unpack_key(unpack, "claims");
	deposit->claims = unpack_bin_of(unpack, HASH_SIZE);
	unpack_key(unpack, "parts");
	parts_read(&deposit->parts,
	    PART_BIT(PART_GRANT) | PART_BIT(PART_SEALED) | PART_BIT(PART_VAULT),
	    PART_BIT(PART_OPEN), unpack);
	unpack_key(unpack, "payload");
	unpack_map_of(unpack, 3);
	unpack_key(unpack, "nonce");
	deposit->nonce = unpack_bin_of(unpack, DEPOSIT_NONCE);
	unpack_key(unpack, "root");
	deposit->root = unpack_bin_of(unpack, HASH_SIZE);
	unpack_key(unpack, "size");
	deposit->size = unpack_uint(unpack);
	if (unpack->err == ERR_NONE && !payload_size_possible(deposit->size))
		unpack_fail(unpack, "a size that no payload has (design 5.1)");
	unpack_key(unpack, "time");
	deposit->time = unpack_uint(unpack);
}
