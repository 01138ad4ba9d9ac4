/* A key file that parses has the one form: written again from what was read, it is the same. */
#include <sodium.h>
#include <stdlib.h>

#include "proto/wrap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The corpus is wrapped under this key, so that the fuzzer can get behind the box. */
static const uint8_t key[WRAP_KEY_SIZE] = {4, 5, 6};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[WRAP_SECRET_MAX];
	const uint8_t nonce[WRAP_NONCE] = {1, 2, 3};
	struct buffer secret = {
	    .data = memory, .capacity = sizeof(memory), .limit = sizeof(memory)};
	struct buffer again;
	struct wrap wrap;
	const uint8_t *with;

	if (sodium_init() < 0)
		abort();
	if (wrap_parse(&wrap, view_of(data, size), NULL) != 0)
		return 0;
	with = wrap.protection == WRAP_NONE ? NULL : key;
	if (wrap_open(&secret, &wrap, with, NULL) != 0)
		return 0;
	buffer_init(&again, WRAP_FILE_MAX);
	if (wrap_seal(&again, &wrap, buffer_view(&secret), with, nonce, NULL) != 0)
		abort();
	if (again.size != size || memcmp(again.data, data, wrap.associated.size) != 0)
		abort();
	buffer_fini(&again);
	return 0;
}
