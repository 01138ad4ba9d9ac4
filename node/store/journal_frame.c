/* Headers, checksums, and what is asked of every frame. Bodies: journal_body.c. */
#include "node/store/journal_frame.h"

#include "proto/hash.h"

#define HEADER_CHECKED 20                    /* bytes of a header before its checksum */
#define LARGEST_PAYLOAD ((uint64_t)16 << 40) /* 16 TiB, design section 7 */

bool
journal_header_decode(struct journal_header *header, const uint8_t bytes[static JOURNAL_HEADER])
{
	header->body = get_u32(bytes);
	header->covered = get_u32(bytes + 4);
	header->kind = bytes[8];
	header->sequence = get_u64(bytes + 12);
	memcpy(header->checksum, bytes + HEADER_CHECKED, JOURNAL_CHECKSUM);
	return header->body <= JOURNAL_BODY_MAX && header->covered <= header->body &&
	       header->kind != 0 && bytes[9] == 0 && bytes[10] == 0 && bytes[11] == 0 &&
	       header->sequence != 0;
}

static void
encode_checked(uint8_t bytes[static HEADER_CHECKED], const struct journal_header *header)
{
	put_u32(bytes, header->body);
	put_u32(bytes + 4, header->covered);
	put_u32(bytes + 8, (uint32_t)header->kind << 24);
	put_u64(bytes + 12, header->sequence);
}

void
journal_header_encode(uint8_t bytes[static JOURNAL_HEADER], const struct journal_header *header)
{
	encode_checked(bytes, header);
	memcpy(bytes + HEADER_CHECKED, header->checksum, JOURNAL_CHECKSUM);
}

void
journal_checksum(uint8_t checksum[static JOURNAL_CHECKSUM], const struct journal_header *header,
    struct journal_at at, struct view covered)
{
	uint8_t position[8];
	uint8_t checked[HEADER_CHECKED];
	uint8_t digest[HASH_SIZE];
	struct view views[4];

	put_u64(position, journal_pack(at));
	encode_checked(checked, header);
	views[0] = view_text("dalil journal v1\n");
	views[1] = view_of(position, sizeof(position));
	views[2] = view_of(checked, sizeof(checked));
	views[3] = covered;
	hash_sha256_of(digest, views, 4);
	memcpy(checksum, digest, JOURNAL_CHECKSUM);
}

bool
journal_kind_known(uint8_t kind)
{
	return kind >= JOURNAL_LOG && kind <= JOURNAL_FACT;
}

uint32_t
journal_stretch_count(uint64_t payload_size)
{
	uint64_t leaves = storage_leaf_count(payload_size);

	if (payload_size > LARGEST_PAYLOAD + LARGEST_PAYLOAD / 8)
		return 0; /* padding and tags add less than an eighth */
	return (uint32_t)((leaves + STORAGE_STRETCH - 1) / STORAGE_STRETCH);
}

uint64_t
journal_stretch_bytes(uint64_t payload_size, uint32_t stretch)
{
	uint64_t leaves = storage_leaf_count(payload_size);
	uint64_t first = (uint64_t)stretch * STORAGE_STRETCH;
	uint64_t count;
	uint64_t bytes;

	if (stretch >= journal_stretch_count(payload_size))
		return 0;
	count = leaves - first < STORAGE_STRETCH ? leaves - first : STORAGE_STRETCH;
	bytes = payload_size - first * STORAGE_LEAF;
	if (bytes > (uint64_t)STORAGE_STRETCH * STORAGE_LEAF)
		bytes = (uint64_t)STORAGE_STRETCH * STORAGE_LEAF;
	return leaves == 1 ? bytes : bytes + count * HASH_SIZE;
}
