/* A disclosure that parses takes every byte, and opens no root but the one that its path gives. */
#include <stdlib.h>

#include "proto/disclosure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t root[HASH_SIZE] = {0};
	struct disclosure disclosure;
	size_t least = 1 + 1 + 2 + CLAIMS_SALT + 1 + 1 + CLAIMS_DEPTH * (2 + HASH_SIZE);
	struct fields fields = {.kind = FIELD_DEPOSIT};

	if (disclosure_parse(&disclosure, view_of(data, size), NULL) != 0)
		return 0;
	if (disclosure.slot >= FIELD_SLOTS || size < least ||
	    (disclosure.value.size > 0 && size != least - 1 + disclosure.value.size))
		abort();
	if (disclosure_check(&disclosure, FIELD_DEPOSIT, root, NULL) != ERR_FORGED)
		abort();
	fields.values[disclosure.slot] = disclosure.value;
	(void)fields_check(&fields, FIELDS_ALL, NULL);
	(void)fields_bytes(&fields, disclosure.slot);
	return 0;
}
