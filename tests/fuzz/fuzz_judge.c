/* Entries, each behind a 16-bit length, of one log: once refused always refused, frozen for good. */
#include <stdlib.h>

#include "proto/judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool refused = false, frozen = false;
	struct judge *judge;

	if (size < HASH_SIZE)
		return 0;
	judge = judge_new(data, NULL);
	if (judge == NULL)
		return 0;
	data += HASH_SIZE;
	size -= HASH_SIZE;
	while (size >= 2) {
		enum judge_verdict verdict = JUDGE_GOOD;
		size_t length = get_u16(data);
		int rc;

		length = length > size - 2 ? size - 2 : length;
		rc = judge_entry(judge, view_of(data + 2, length), &verdict, NULL);
		if (refused && rc == 0)
			abort();
		if (frozen && rc == 0 && verdict != JUDGE_BAD)
			abort();
		refused = refused || rc == ERR_REFUSED;
		frozen = judge_frozen(judge);
		data += 2 + length;
		size -= 2 + length;
	}
	judge_free(judge);
	return 0;
}
