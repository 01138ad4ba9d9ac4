/* What a sealed part holds packs back to the same bytes, for every kind that takes it. */
#include <stdlib.h>

#include "proto/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum field_kind kind;

	for (kind = FIELD_DEPOSIT; kind <= FIELD_WITHDRAW; kind++) {
		uint8_t root[HASH_SIZE];
		struct sealed sealed;
		struct buffer out;

		if (sealed_parse(&sealed, kind, view_of(data, size), NULL) != 0)
			continue;
		buffer_init(&out, size);
		sealed_pack(&out, &sealed.fields, sealed.seed, sealed.vault);
		if (!view_equal(buffer_view(&out), view_of(data, size)))
			abort();
		buffer_fini(&out);
		claims_reader_root(root, &sealed.fields, sealed.seed, sealed.vault);
	}
	return 0;
}
