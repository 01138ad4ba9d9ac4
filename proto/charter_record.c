/* The body of a charter record (formats "Shapes"). */
#include "proto/charter_record.h"

#include "proto/pack.h"

void
charter_record_pack(struct buffer *out, struct view statement)
{
	pack_map(out, 1);
	pack_text(out, "statement");
	pack_bin(out, statement);
}

void
charter_record_read(struct charter_record *charter, struct unpack *unpack)
{
	unpack_map_of(unpack, 1);
	unpack_key(unpack, "statement");
	charter->statement = unpack_bin(unpack);
}
