/*
 * The responder of NOISE_DALIL fed hostile bytes: the first message and the third, one after the
 * other.  It finishes for the one honest handshake that these keys and ephemerals make, and for
 * no other bytes.
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t secrets[2][NOISE_KEY] = {{1}, {2}};
static const uint8_t ephemerals[3][NOISE_KEY] = {{3}, {4}, {5}};
static const uint8_t psk[NOISE_KEY] = {6};

static int
find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t out[static NOISE_KEY])
{
	uint8_t key[NOISE_KEY];

	(void)cookie;
	if (noise_public_key(key, secrets[0]) != 0 || memcmp(key, remote, NOISE_KEY) != 0)
		return ERR_REFUSED;
	memcpy(out, psk, NOISE_KEY);
	return ERR_NONE;
}

/* The honest first and third messages for a responder whose second is ${second}. */
static void
honest(struct buffer *messages, struct view second)
{
	uint8_t remote[NOISE_KEY];
	struct noise_keys keys = {.secret = secrets[0], .remote = remote, .psk = psk};
	struct buffer payload;
	struct noise noise;

	buffer_init(&payload, 64);
	if (noise_public_key(remote, secrets[1]) != 0 ||
	    noise_init(&noise, NOISE_DALIL, NOISE_INITIATOR, view_text(NOISE_PROLOGUE), &keys,
	        NULL) != 0 ||
	    noise_write(&noise, ephemerals[0], view_of("", 0), messages, NULL) != 0 ||
	    noise_read(&noise, second, &payload, NULL) != 0 ||
	    noise_write(&noise, ephemerals[2], view_of("", 0), messages, NULL) != 0)
		abort();
	noise_fini(&noise);
	buffer_fini(&payload);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise_keys keys = {.secret = secrets[1], .find_psk = find_psk};
	size_t first = size < NOISE_DALIL_FIRST ? size : NOISE_DALIL_FIRST;
	struct buffer payload, second, expected;
	struct noise noise;

	if (sodium_init() < 0)
		abort();
	buffer_init(&payload, 64);
	buffer_init(&second, 64);
	buffer_init(&expected, 200);
	if (noise_init(
	        &noise, NOISE_DALIL, NOISE_RESPONDER, view_text(NOISE_PROLOGUE), &keys, NULL) != 0)
		abort();
	if (noise_read(&noise, view_of(data, first), &payload, NULL) == 0) {
		if (noise_write(&noise, ephemerals[1], view_of("", 0), &second, NULL) != 0)
			abort();
		if (noise_read(&noise, view_of(data + first, size - first), &payload, NULL) == 0) {
			honest(&expected, buffer_view(&second));
			if (!noise_done(&noise) || payload.size != 0 ||
			    !view_equal(buffer_view(&expected), view_of(data, size)))
				abort();
		}
	}
	noise_fini(&noise);
	buffer_fini(&payload);
	buffer_fini(&second);
	buffer_fini(&expected);
	return 0;
}
