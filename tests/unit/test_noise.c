/* P6, P7: the handshake on public vectors, and what it refuses (design 6). */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/noise.h"
#include "tests/unit/vectors.h"

#define CACOPHONY "noise/cacophony-25519-chachapoly.json"

struct side {
	struct noise noise;
	struct noise_result result;
	uint8_t ephemeral[NOISE_KEY];
	uint64_t sent, received;
};

static const uint8_t *
optional_key(uint8_t key[static NOISE_KEY], const json_t *vector, const char *name)
{
	if (json_object_get(vector, name) == NULL)
		return NULL;
	vectors_bytes(key, NOISE_KEY, vector, name);
	return key;
}

static void
side_init(struct side *side, const json_t *vector, enum noise_role role)
{
	uint8_t secret[NOISE_KEY], remote[NOISE_KEY], psk[NOISE_KEY];
	bool initiator = role == NOISE_INITIATOR;
	const json_t *psks = json_object_get(vector, initiator ? "init_psks" : "resp_psks");
	struct view prologue =
	    vectors_hex_of(vector, initiator ? "init_prologue" : "resp_prologue");
	struct noise_keys keys = {
	    .secret = optional_key(secret, vector, initiator ? "init_static" : "resp_static"),
	    .remote = optional_key(
	        remote, vector, initiator ? "init_remote_static" : "resp_remote_static")};

	memset(side, 0, sizeof(*side));
	if (psks != NULL) {
		struct view bytes = vectors_hex(json_array_get(psks, 0));

		assert_int_equal(json_array_size(psks), 1);
		assert_int_equal(bytes.size, NOISE_KEY);
		memcpy(psk, bytes.data, NOISE_KEY);
		vectors_free(bytes);
		keys.psk = psk;
	}
	if (optional_key(
	        side->ephemeral, vector, initiator ? "init_ephemeral" : "resp_ephemeral") == NULL)
		randombytes_buf(side->ephemeral, NOISE_KEY);
	assert_int_equal(noise_init(&side->noise, vectors_text(vector, "protocol_name"), role,
	                     prologue, &keys, NULL),
	    0);
	vectors_free(prologue);
}

static void
nonce_of(uint8_t nonce[static 12], uint64_t count)
{
	memset(nonce, 0, 12);
	nonce[4] = (uint8_t)count;
}

/* A transport message of the vectors: the bare cipher of the split, without our frames. */
static void
transport(struct side *from, struct side *to, struct view payload, struct view expected)
{
	uint8_t sealed[1000];
	uint8_t opened[1000];
	uint8_t nonce[12];

	assert_int_equal(expected.size, payload.size + NOISE_TAG);
	nonce_of(nonce, from->sent++);
	assert_int_equal(crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, payload.data,
	                     payload.size, NULL, 0, NULL, nonce, from->result.send),
	    0);
	assert_memory_equal(sealed, expected.data, expected.size);
	nonce_of(nonce, to->received++);
	assert_int_equal(crypto_aead_chacha20poly1305_ietf_decrypt(opened, NULL, NULL, sealed,
	                     expected.size, NULL, 0, nonce, to->result.receive),
	    0);
	assert_memory_equal(opened, payload.data, payload.size);
}

static void
handshake_step(struct side *from, struct side *to, struct view payload, struct view expected)
{
	struct buffer message;
	struct buffer opened;

	buffer_init(&message, NOISE_MESSAGE_MAX);
	buffer_init(&opened, NOISE_MESSAGE_MAX);
	assert_true(noise_writes(&from->noise));
	assert_int_equal(noise_write(&from->noise, from->ephemeral, payload, &message, NULL), 0);
	assert_true(view_equal(buffer_view(&message), expected));
	assert_int_equal(noise_read(&to->noise, expected, &opened, NULL), 0);
	assert_true(view_equal(buffer_view(&opened), payload));
	buffer_fini(&message);
	buffer_fini(&opened);
}

static void
split(struct side *side, const json_t *vector)
{
	struct view hash = vectors_hex_of(vector, "handshake_hash");

	assert_int_equal(noise_split(&side->noise, &side->result, NULL), 0);
	assert_int_equal(hash.size, HASH_SIZE);
	assert_memory_equal(side->result.hash, hash.data, HASH_SIZE);
	vectors_free(hash);
	noise_fini(&side->noise);
	assert_true(sodium_is_zero(side->noise.chaining_key, HASH_SIZE));
	assert_true(sodium_is_zero(side->noise.psk, NOISE_KEY));
}

/* Returns the number of transport messages. */
static unsigned
run_vector(const json_t *vector)
{
	const json_t *messages = json_object_get(vector, "messages");
	const json_t *message;
	struct side sides[2];
	bool one_way = false;
	unsigned transported = 0;
	size_t i;

	side_init(&sides[0], vector, NOISE_INITIATOR);
	side_init(&sides[1], vector, NOISE_RESPONDER);
	json_array_foreach(messages, i, message)
	{
		struct view payload = vectors_hex_of(message, "payload");
		struct view expected = vectors_hex_of(message, "ciphertext");

		if (i > 0 && noise_done(&sides[0].noise)) {
			one_way = i == 1;
			split(&sides[0], vector);
			split(&sides[1], vector);
		}
		if (sides[0].noise.err == 0) {
			handshake_step(&sides[i % 2], &sides[1 - i % 2], payload, expected);
		} else {
			size_t from = one_way ? 0 : i % 2;

			transport(&sides[from], &sides[1 - from], payload, expected);
			transported++;
		}
		vectors_free(payload);
		vectors_free(expected);
	}
	return transported;
}

static bool
expressed(const char *name)
{
	unsigned i;

	for (i = 0; i < noise_pattern_count(); i++) {
		if (strcmp(noise_pattern_name(i), name) == 0)
			return true;
	}
	return false;
}

/* 24 of the 48 are SHA-256, all of which the table expresses; the rest are BLAKE2b. */
static void
test_cacophony(void **state)
{
	json_t *file = vectors_load(CACOPHONY);
	const json_t *vector;
	unsigned handshakes = 0, transported = 0, ours = 0, blake = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(file, "vectors"), i, vector)
	{
		const char *name = vectors_text(vector, "protocol_name");

		if (!expressed(name)) {
			assert_non_null(strstr(name, "_BLAKE2b"));
			blake++;
			continue;
		}
		transported += run_vector(vector);
		handshakes++;
		if (strcmp(name, NOISE_DALIL) == 0)
			ours++;
	}
	json_decref(file);
	assert_int_equal(noise_pattern_count(), 24);
	assert_int_equal(handshakes, 24);
	assert_int_equal(blake, 24);
	assert_int_equal(ours, 1);
	assert_int_equal(transported, 98);
	print_message("%u of 48 handshakes, %u transport messages\n", handshakes, transported);
}

struct pairing {
	uint8_t remote[NOISE_KEY];
	uint8_t psk[NOISE_KEY];
	unsigned asked;
};

static int
find_psk(void *cookie, const uint8_t remote[static NOISE_KEY], uint8_t psk[static NOISE_KEY])
{
	struct pairing *pairing = cookie;

	pairing->asked++;
	if (memcmp(remote, pairing->remote, NOISE_KEY) != 0)
		return ERR_REFUSED;
	memcpy(psk, pairing->psk, NOISE_KEY);
	return ERR_NONE;
}

/* Both ends of NOISE_DALIL; the test spoils what it likes before running it. */
struct dalil {
	uint8_t secrets[2][NOISE_KEY], keys[2][NOISE_KEY], psk[NOISE_KEY];
	struct pairing pairing;
	struct view prologues[2];
	struct noise sides[2];
	struct buffer messages[3];
};

static void
dalil_init(struct dalil *dalil)
{
	unsigned i;

	memset(dalil, 0, sizeof(*dalil));
	for (i = 0; i < 2; i++) {
		memset(dalil->secrets[i], (int)i + 1, NOISE_KEY);
		assert_int_equal(noise_public_key(dalil->keys[i], dalil->secrets[i]), 0);
		dalil->prologues[i] = view_text(NOISE_PROLOGUE);
	}
	memset(dalil->psk, 3, NOISE_KEY);
	memset(dalil->pairing.psk, 3, NOISE_KEY);
	memcpy(dalil->pairing.remote, dalil->keys[0], NOISE_KEY);
	for (i = 0; i < 3; i++)
		buffer_init(&dalil->messages[i], 200);
}

static void
dalil_fini(struct dalil *dalil)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		noise_fini(&dalil->sides[i]);
	for (i = 0; i < 3; i++)
		buffer_fini(&dalil->messages[i]);
}

/* Returns the number of messages that the other side has taken; ${flip}: a bit to flip, or -1. */
static unsigned
dalil_run(struct dalil *dalil, int flip, int *code)
{
	struct noise_keys initiator = {
	    .secret = dalil->secrets[0], .remote = dalil->keys[1], .psk = dalil->psk};
	struct noise_keys responder = {
	    .secret = dalil->secrets[1], .find_psk = find_psk, .cookie = &dalil->pairing};
	unsigned i;
	int at = 0;

	*code = 0;
	assert_int_equal(noise_init(&dalil->sides[0], NOISE_DALIL, NOISE_INITIATOR,
	                     dalil->prologues[0], &initiator, NULL),
	    0);
	assert_int_equal(noise_init(&dalil->sides[1], NOISE_DALIL, NOISE_RESPONDER,
	                     dalil->prologues[1], &responder, NULL),
	    0);
	for (i = 0; i < 3; i++) {
		static const size_t sizes[] = {
		    NOISE_DALIL_FIRST, NOISE_DALIL_SECOND, NOISE_DALIL_THIRD};
		uint8_t ephemeral[NOISE_KEY];
		struct buffer payload;
		struct view message;

		memset(ephemeral, 10 + (int)i, sizeof(ephemeral));
		assert_int_equal(noise_write(&dalil->sides[i % 2], ephemeral, view_of("", 0),
		                     &dalil->messages[i], NULL),
		    0);
		message = buffer_view(&dalil->messages[i]);
		assert_int_equal(message.size, sizes[i]);
		if (flip >= at && flip < at + 8 * (int)message.size)
			dalil->messages[i].data[(flip - at) / 8] ^= (uint8_t)(1 << (flip - at) % 8);
		at += 8 * (int)message.size;
		buffer_init(&payload, 100);
		*code = noise_read(&dalil->sides[1 - i % 2], message, &payload, NULL);
		assert_int_equal(payload.size, 0);
		buffer_fini(&payload);
		if (*code != 0)
			return i;
	}
	return i;
}

static void
test_dalil(void **state)
{
	struct noise_result results[2];
	struct dalil dalil;
	int code;

	(void)state;
	dalil_init(&dalil);
	assert_int_equal(dalil_run(&dalil, -1, &code), 3);
	assert_int_equal(noise_split(&dalil.sides[0], &results[0], NULL), 0);
	assert_int_equal(noise_split(&dalil.sides[1], &results[1], NULL), 0);
	assert_memory_equal(results[0].send, results[1].receive, NOISE_KEY);
	assert_memory_equal(results[0].receive, results[1].send, NOISE_KEY);
	assert_memory_equal(results[0].chaining_key, results[1].chaining_key, HASH_SIZE);
	assert_memory_equal(results[0].hash, results[1].hash, HASH_SIZE);
	assert_memory_equal(results[1].remote, dalil.keys[0], NOISE_KEY);
	assert_int_equal(dalil.pairing.asked, 1);
	dalil_fini(&dalil);
}

/* No single bit of any message can be altered unnoticed by its reader. */
static void
test_every_bit(void **state)
{
	static const int bits = 8 * (NOISE_DALIL_FIRST + NOISE_DALIL_SECOND + NOISE_DALIL_THIRD);
	int flip;
	int refused = 0;
	int masked = 0;

	(void)state;
	for (flip = 0; flip < bits; flip++) {
		struct dalil dalil;
		int code;

		dalil_init(&dalil);
		(void)dalil_run(&dalil, flip, &code);
		if (code != 0)
			refused++;
		else
			masked++;
		dalil_fini(&dalil);
	}
	assert_int_equal(refused, bits);
	assert_int_equal(masked, 0);
	assert_int_equal(bits, 1280);
}

static void
test_wrong_keys(void **state)
{
	struct dalil dalil;
	int code;

	(void)state;
	/* Another prologue, and another responder: the first message earns nothing. */
	dalil_init(&dalil);
	dalil.prologues[0] = view_text("dalil/2\n");
	assert_int_equal(dalil_run(&dalil, -1, &code), 0);
	assert_int_equal(code, ERR_FORGED);
	dalil_fini(&dalil);
	dalil_init(&dalil);
	memcpy(dalil.keys[1], dalil.keys[0], NOISE_KEY);
	assert_int_equal(dalil_run(&dalil, -1, &code), 0);
	assert_int_equal(code, ERR_FORGED);
	dalil_fini(&dalil);
	/* A pairing with somebody else, and another pre-shared key: refused at the third. */
	dalil_init(&dalil);
	dalil.pairing.remote[0] ^= 1;
	assert_int_equal(dalil_run(&dalil, -1, &code), 2);
	assert_int_equal(code, ERR_REFUSED);
	dalil_fini(&dalil);
	dalil_init(&dalil);
	dalil.psk[0] ^= 1;
	assert_int_equal(dalil_run(&dalil, -1, &code), 2);
	assert_int_equal(code, ERR_FORGED);
	dalil_fini(&dalil);
}

/* The twelve encodings of points of low order that X25519 can be given below 2^255. */
static void
test_low_order(void **state)
{
	static const char *const points[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
	unsigned refused = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct noise_keys keys;
		struct buffer payload;
		struct noise noise;
		uint8_t secret[NOISE_KEY] = {5};
		uint8_t message[NOISE_DALIL_FIRST] = {0};
		size_t length = 0;

		keys = (struct noise_keys){.secret = secret, .psk = secret};
		assert_int_equal(
		    sodium_hex2bin(message, NOISE_KEY, points[i], 64, NULL, &length, NULL), 0);
		assert_int_equal(noise_init(&noise, NOISE_DALIL, NOISE_RESPONDER,
		                     view_text(NOISE_PROLOGUE), &keys, NULL),
		    0);
		buffer_init(&payload, 100);
		if (noise_read(&noise, view_of(message, sizeof(message)), &payload, NULL) ==
		    ERR_REFUSED)
			refused++;
		assert_false(noise_writes(&noise));
		noise_fini(&noise);
		/* The same point as the responder's static key. */
		keys.remote = message;
		assert_int_equal(noise_init(&noise, NOISE_DALIL, NOISE_INITIATOR,
		                     view_text(NOISE_PROLOGUE), &keys, NULL),
		    0);
		if (noise_write(&noise, secret, view_of("", 0), &payload, NULL) == ERR_REFUSED)
			refused++;
		buffer_fini(&payload);
		noise_fini(&noise);
	}
	assert_int_equal(refused, 14);
}

static void
test_misuse(void **state)
{
	static const uint8_t key[NOISE_KEY] = {9};
	struct noise_keys keys = {.secret = key, .remote = NULL, .psk = key};
	struct view prologue = view_text(NOISE_PROLOGUE);
	struct noise_result result;
	struct buffer out;
	struct noise noise;
	struct err err;

	(void)state;
	assert_int_equal(noise_init(&noise, "Noise_XKpsk3_448_ChaChaPoly_SHA256", NOISE_INITIATOR,
	                     prologue, &keys, &err),
	    ERR_USAGE);
	assert_int_equal(
	    noise_init(&noise, NOISE_DALIL, NOISE_INITIATOR, prologue, &keys, &err), ERR_USAGE);
	keys.remote = key;
	keys.psk = NULL;
	assert_int_equal(
	    noise_init(&noise, NOISE_DALIL, NOISE_INITIATOR, prologue, &keys, &err), ERR_USAGE);
	keys.psk = key;
	assert_int_equal(
	    noise_init(&noise, NOISE_DALIL, NOISE_INITIATOR, prologue, &keys, &err), 0);
	assert_int_equal(noise_split(&noise, &result, &err), ERR_USAGE);
	buffer_init(&out, 20);
	assert_int_equal(noise_read(&noise, view_of(key, 32), &out, &err), ERR_USAGE);
	assert_int_equal(noise_write(&noise, key, view_of("", 0), &out, &err), ERR_LIMIT);
	assert_int_equal(noise_write(&noise, key, view_of("", 0), &out, &err), ERR_USAGE);
	buffer_fini(&out);
	noise_fini(&noise);
	assert_true(sizeof(struct noise) < 1024); /* design 7: state before authentication */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cacophony),
	    cmocka_unit_test(test_dalil),
	    cmocka_unit_test(test_every_bit),
	    cmocka_unit_test(test_wrong_keys),
	    cmocka_unit_test(test_low_order),
	    cmocka_unit_test(test_misuse),
	};

	assert_true(sodium_init() >= 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
