/* A grant has one form: written again from its stanzas, it is the same but for the MAC. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct age_x25519 stanzas[GRANT_STANZAS_MAX];
	const uint8_t file_key[AGE_FILE_KEY] = {0};
	struct age_header header;
	struct age_stanza stanza;
	struct buffer again;
	struct view rest;
	size_t count = 0;

	if (sodium_init() < 0)
		abort();
	if (grant_parse(&header, view_of(data, size), NULL) != 0)
		return 0;
	for (rest = header.stanzas; age_stanza_next(&rest, &stanza); count++)
		if (count == GRANT_STANZAS_MAX ||
		    age_stanza_x25519(&stanzas[count], &stanza, NULL) != 0)
			abort();
	buffer_init(&again, AGE_HEADER_MAX);
	age_header_write(&again, stanzas, count, file_key);
	if (again.err != 0 || again.size != size ||
	    memcmp(again.data, data, header.covered.size) != 0)
		abort();
	buffer_fini(&again);
	return 0;
}
