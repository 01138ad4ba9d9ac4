/* C2SP tlog-cosignature, "Ed25519 signed message". */
#include "proto/cosignature.h"

#include <inttypes.h>
#include <stdio.h>

#define TAG_MAX 64

static void
tag_of(char tag[static TAG_MAX], uint64_t seconds)
{
	(void)snprintf(tag, TAG_MAX, "cosignature/v1\ntime %" PRIu64 "\n", seconds);
}

int
cosignature_make(uint8_t cosignature[static COSIGNATURE_SIZE], const uint8_t seed[static KEY_SEED],
    uint64_t seconds, struct view text)
{
	char tag[TAG_MAX];

	tag_of(tag, seconds);
	put_u64(cosignature, seconds);
	return key_sign(cosignature + 8, seed, tag, text);
}

int
cosignature_check(uint64_t *seconds, const uint8_t key[static KEY_SIZE],
    const uint8_t cosignature[static COSIGNATURE_SIZE], struct view text)
{
	uint64_t time = get_u64(cosignature);
	char tag[TAG_MAX];
	int result;

	if (time >> 63 != 0)
		return ERR_FORGED;
	tag_of(tag, time);
	result = key_verify(key, cosignature + 8, tag, text);
	if (result == 0 && seconds != NULL)
		*seconds = time;
	return result;
}
