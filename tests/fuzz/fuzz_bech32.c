/* A key's text has one form: written again it is the same. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view bytes = view_of(data, size);
	char text[BECH32_IDENTITY_TEXT + 1];
	uint8_t key[32];

	if (sodium_init() < 0)
		abort();
	if (bech32_parse_recipient(key, bytes, NULL) == 0) {
		bech32_recipient(text, key);
		if (!view_equal(view_text(text), bytes))
			abort();
	}
	if (bech32_parse_identity(key, bytes, NULL) == 0) {
		bech32_identity(text, key);
		if (!view_equal(view_text(text), bytes))
			abort();
	}
	return 0;
}
