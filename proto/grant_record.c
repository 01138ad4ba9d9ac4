/* The body of a grant record (formats "Shapes"). */
#include "proto/grant_record.h"

#include "proto/pack.h"

void
grant_record_pack(struct buffer *out, const struct grant_record *grant)
{
	pack_map(out, 3);
	pack_text(out, "parts");
	parts_pack(out, &grant->parts);
	pack_text(out, "record");
	pack_bin(out, view_of(grant->record, HASH_SIZE));
	pack_text(out, "time");
	pack_uint(out, grant->time);
}

void
grant_record_read(struct grant_record *grant, struct unpack *unpack)
{
	unpack_map_of(unpack, 3);
	unpack_key(unpack, "parts");
	parts_read(&grant->parts, PART_BIT(PART_GRANT) | PART_BIT(PART_VAULT), 0, unpack);
	unpack_key(unpack, "record");
	grant->record = unpack_bin_of(unpack, HASH_SIZE);
	unpack_key(unpack, "time");
	grant->time = unpack_uint(unpack);
}
