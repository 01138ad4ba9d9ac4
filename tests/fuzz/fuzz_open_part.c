/* An open part that parses names no slot twice, and its disclosures stay within its bytes. */
#include <stdlib.h>

#include "proto/exhibit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t root[HASH_SIZE] = {0};
	static struct open_part part;
	struct fields fields;
	uint64_t seen = 0;
	unsigned i;

	if (open_part_parse(&part, view_of(data, size), NULL) != 0)
		return 0;
	if (part.count > FIELD_SLOTS)
		abort();
	for (i = 0; i < part.count; i++) {
		const struct disclosure *disclosure = &part.disclosures[i];

		if ((seen >> disclosure->slot & 1u) != 0 || disclosure->salt < data ||
		    disclosure->path[CLAIMS_DEPTH - 1] + HASH_SIZE > data + size)
			abort();
		seen |= UINT64_C(1) << disclosure->slot;
	}
	if (exhibit_check_open(&part, FIELD_DEPOSIT, root, &fields, NULL) == 0 && part.count > 0)
		abort();
	return 0;
}
