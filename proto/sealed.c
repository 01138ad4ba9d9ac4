/* What the part `sealed` tells readers (formats "Shapes"). */
#include "proto/sealed.h"

#include "proto/pack.h"

void
sealed_pack(struct buffer *out, const struct fields *fields, const uint8_t seed[static CLAIMS_SEED],
    const uint8_t vault[static HASH_SIZE])
{
	pack_map(out, 3);
	pack_text(out, "fields");
	fields_pack(out, fields, FIELDS_READER);
	pack_text(out, "seed");
	pack_bin(out, view_of(seed, CLAIMS_SEED));
	pack_text(out, "vault");
	pack_bin(out, view_of(vault, HASH_SIZE));
}

int
sealed_parse(struct sealed *sealed, enum field_kind kind, struct view bytes, struct err *err)
{
	struct unpack unpack;
	int code;

	*sealed = (struct sealed){.seed = NULL};
	code = unpack_open(&unpack, bytes, UNPACK_NIL_ALLOWED, err);
	if (code != ERR_NONE)
		return code;
	unpack_map_of(&unpack, 3);
	unpack_key(&unpack, "fields");
	fields_read(&sealed->fields, kind, &unpack);
	unpack_key(&unpack, "seed");
	sealed->seed = unpack_bin_of(&unpack, CLAIMS_SEED);
	unpack_key(&unpack, "vault");
	sealed->vault = unpack_bin_of(&unpack, HASH_SIZE);
	code = unpack_end(&unpack, "sealed part (design 5.3)", err);
	return code != ERR_NONE ? code : fields_check(&sealed->fields, FIELDS_READER, err);
}
