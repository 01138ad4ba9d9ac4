/*
 * Statements, each behind a 16-bit length, fed to one charter: a refused one changes nothing, an
 * accepted one is then known.
 */
#include <stdlib.h>

#include "proto/charter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
feed(struct charter *charter, struct view bytes)
{
	enum charter_verdict verdict = CHARTER_KNOWN;
	uint64_t before = charter_count(charter);
	int rc = charter_feed(charter, bytes, &verdict, NULL);
	bool accepted = rc == 0 && verdict == CHARTER_ACCEPTED;

	if (charter_count(charter) != before + (accepted ? 1 : 0))
		abort();
	if (accepted &&
	    (charter_feed(charter, bytes, &verdict, NULL) != 0 || verdict != CHARTER_KNOWN))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct charter *charter = charter_new();

	while (charter != NULL && size >= 2) {
		size_t length = get_u16(data);

		length = length > size - 2 ? size - 2 : length;
		feed(charter, view_of(data + 2, length));
		data += 2 + length;
		size -= 2 + length;
	}
	charter_free(charter);
	return 0;
}
