/*
 * Grants: the vectors are reproduced stanza by stanza, hostile ones refused, and what is made tells
 * nobody the readers' number. Defends P3 and P6.
 */
#include <sodium.h>
#include <stdlib.h>

#include "proto/grant.h"
#include "proto/hash.h"
#include "tests/unit/vectors.h"

#define GRANT_COUNT 4
#define READER_COUNT 6
#define REFUSED_COUNT 4

static void
count_up(void *cookie, uint8_t *bytes, size_t size)
{
	uint64_t *seed = cookie;
	uint8_t key[32] = {0};

	put_u64(key, (*seed)++);
	randombytes_buf_deterministic(bytes, size, key);
}

static struct age_identity *
identity_of(const json_t *json, size_t index)
{
	uint8_t secret[32];
	struct age_identity *identity;

	vectors_bytes(
	    secret, 32, json_array_get(json_object_get(json, "identities"), index), "secret");
	identity = age_identity_new(secret);
	assert_non_null(identity);
	return identity;
}

/* The stanza of a vector made anew from its ephemeral secret. */
static bool
make_stanza(struct age_x25519 *made, const json_t *json, const json_t *vector,
    const uint8_t file_key[static AGE_FILE_KEY])
{
	const char *who = vectors_text(vector, "who");
	struct age_identity *identity;
	uint8_t ephemeral[32];
	uint8_t expected[32];
	bool reader = strncmp(who, "reader ", 7) == 0;

	vectors_bytes(ephemeral, 32, vector, "ephemeral");
	vectors_bytes(expected, 32, vector, "share");
	if (reader) {
		identity = identity_of(json, (size_t)(who[7] - '0'));
		assert_int_equal(
		    age_x25519_wrap(made, file_key, identity->recipient, ephemeral), 0);
		age_identity_free(identity);
	} else {
		assert_int_equal(crypto_scalarmult_base(made->share, ephemeral), 0);
		vectors_bytes(made->body, 32, vector, "body");
	}
	assert_memory_equal(made->share, expected, 32);
	vectors_bytes(expected, 32, vector, "body");
	assert_memory_equal(made->body, expected, 32);
	return reader;
}

static void
check_readers(const json_t *json, struct view grant, const uint8_t file_key[static AGE_FILE_KEY],
    const bool readers[3])
{
	uint8_t opened[AGE_FILE_KEY];
	size_t i;

	for (i = 0; i < 3; i++) {
		struct age_identity *identity = identity_of(json, i);

		assert_int_equal(
		    grant_open(opened, grant, identity, NULL), readers[i] ? 0 : ERR_REFUSED);
		if (readers[i])
			assert_memory_equal(opened, file_key, AGE_FILE_KEY);
		else
			assert_true(sodium_is_zero(opened, AGE_FILE_KEY));
		age_identity_free(identity);
	}
}

static unsigned
run_grant(const json_t *json, const json_t *vector, const uint8_t file_key[static AGE_FILE_KEY])
{
	const json_t *stanzas = json_object_get(vector, "stanzas");
	struct view grant = vectors_hex_of(vector, "grant");
	struct age_x25519 made[8];
	bool readers[3] = {false};
	uint8_t digest[HASH_SIZE];
	uint8_t expected[HASH_SIZE];
	struct buffer out;
	unsigned count = 0;
	size_t i;

	for (i = 0; i < json_array_size(stanzas); i++) {
		const json_t *stanza = json_array_get(stanzas, i);

		if (make_stanza(&made[i], json, stanza, file_key)) {
			readers[vectors_text(stanza, "who")[7] - '0'] = true;
			count++;
		}
	}
	buffer_init(&out, 4096);
	age_header_write(&out, made, i, file_key);
	assert_true(view_equal(buffer_view(&out), grant));
	assert_int_equal(out.size, age_header_size(i));
	hash_sha256(digest, grant);
	vectors_bytes(expected, HASH_SIZE, vector, "sha256");
	assert_memory_equal(digest, expected, HASH_SIZE);
	check_readers(json, grant, file_key, readers);
	buffer_fini(&out);
	vectors_free(grant);
	return count;
}

static void
test_vectors(void **state)
{
	json_t *json = vectors_load("dalil/parts.json");
	uint8_t file_key[AGE_FILE_KEY];
	struct age_header header;
	const json_t *vector;
	unsigned count = 0;
	unsigned readers = 0;
	size_t i;

	(void)state;
	vectors_bytes(file_key, sizeof(file_key), json, "file_key");
	json_array_foreach(json_object_get(json, "grants"), i, vector)
	{
		readers += run_grant(json, vector, file_key);
		count++;
	}
	assert_int_equal(count, GRANT_COUNT);
	assert_int_equal(readers, READER_COUNT);
	count = 0;
	json_array_foreach(json_object_get(json, "refused_grants"), i, vector)
	{
		struct view grant = vectors_hex_of(vector, "grant");
		struct err err = {0};

		if (grant_parse(&header, grant, &err) != ERR_MALFORMED)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		vectors_free(grant);
		count++;
	}
	assert_int_equal(count, REFUSED_COUNT);
	json_decref(json);
}

static void
check_made(size_t count, size_t padded)
{
	uint64_t seed = count;
	const struct random random = {count_up, &seed};
	const uint8_t file_key[AGE_FILE_KEY] = {9, 9};
	const uint8_t secret[32] = {77};
	struct age_identity *identity = age_identity_new(secret);
	uint8_t(*recipients)[AGE_X25519] = calloc(count + 1, AGE_X25519);
	uint8_t opened[AGE_FILE_KEY];
	struct age_header header;
	struct buffer out;
	size_t i;

	for (i = 0; i < count; i++)
		memcpy(recipients[i], identity->recipient, AGE_X25519);
	buffer_init(&out, 1 << 20);
	assert_int_equal(grant_seal(&out, file_key, (const uint8_t(*)[AGE_X25519])recipients, count,
	                     &random, NULL),
	    0);
	assert_int_equal(out.size, age_header_size(padded));
	assert_int_equal(grant_parse(&header, buffer_view(&out), NULL), 0);
	assert_int_equal(header.stanza_count, padded);
	assert_int_equal(
	    grant_open(opened, buffer_view(&out), identity, NULL), count == 0 ? ERR_REFUSED : 0);
	if (count > 0)
		assert_memory_equal(opened, file_key, AGE_FILE_KEY);
	buffer_fini(&out);
	free(recipients);
	age_identity_free(identity);
}

static void
test_padding(void **state)
{
	static const size_t cases[][2] = {{0, 2}, {1, 2}, {2, 2}, {3, 4}, {4, 4}, {5, 8}, {9, 16}};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_made(cases[i][0], cases[i][1]);
}

static void
test_limits(void **state)
{
	uint64_t seed = 1;
	const struct random random = {count_up, &seed};
	const uint8_t file_key[AGE_FILE_KEY] = {1};
	const uint8_t low_order[1][AGE_X25519] = {{1}};
	uint8_t(*recipients)[AGE_X25519] = calloc(GRANT_STANZAS_MAX + 1, AGE_X25519);
	struct buffer out;

	(void)state;
	buffer_init(&out, 1 << 20);
	assert_int_equal(grant_seal(&out, file_key, low_order, 1, &random, NULL), ERR_REFUSED);
	assert_int_equal(grant_seal(&out, file_key, (const uint8_t(*)[AGE_X25519])recipients,
	                     GRANT_STANZAS_MAX + 1, &random, NULL),
	    ERR_LIMIT);
	assert_int_equal(out.size, 0);
	assert_true(age_header_size(GRANT_STANZAS_MAX) <= AGE_HEADER_MAX);
	buffer_fini(&out);
	free(recipients);
}

/* A reader stands anywhere: among 64 grants to one of two, both places occur. */
static void
test_shuffle(void **state)
{
	uint64_t seed = 5;
	const struct random random = {count_up, &seed};
	const uint8_t file_key[AGE_FILE_KEY] = {1};
	const uint8_t secret[32] = {77};
	struct age_identity *identity = age_identity_new(secret);
	unsigned first = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < 64; i++) {
		const uint8_t(*recipient)[AGE_X25519] =
		    (const uint8_t(*)[AGE_X25519])identity->recipient;
		struct age_x25519 x25519;
		struct age_stanza stanza;
		struct age_header header;
		struct buffer out;
		uint8_t shared[32];
		struct view rest;

		buffer_init(&out, 4096);
		assert_int_equal(grant_seal(&out, file_key, recipient, 1, &random, NULL), 0);
		assert_int_equal(grant_parse(&header, buffer_view(&out), NULL), 0);
		rest = header.stanzas;
		assert_true(age_stanza_next(&rest, &stanza));
		assert_int_equal(age_stanza_x25519(&x25519, &stanza, NULL), 0);
		assert_int_equal(crypto_scalarmult(shared, identity->secret, x25519.share), 0);
		/* Only one stanza: a header of the first alone parses and tells by its MAC. */
		header.stanzas.size -= rest.size;
		header.stanza_count = 1;
		first += age_header_open(shared, &header, identity, NULL) == 0;
		buffer_fini(&out);
	}
	assert_in_range(first, 16, 48);
	age_identity_free(identity);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_padding),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_shuffle),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
