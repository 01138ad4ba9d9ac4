/*
 * Fields, claims and disclosures against the vectors. Defends P2 (a claim cannot be changed), P6
 * (one field is disclosed without the others) and P7.
 *
 * The vectors' `members` and `refused_members` belong to the issue that brings members; here a
 * `member` is judged by its shape alone.
 */
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "proto/disclosure.h"
#include "proto/exhibit.h"
#include "proto/pack.h"
#include "tests/unit/vectors.h"

#define CASE_COUNT 4
#define REJECT_COUNT 8
#define REFUSED_COUNT 19
#define SLOT_NAMES 147

static enum field_kind
kind_of(const char *name)
{
	static const char *const names[] = {
	    "deposit", "annotate", "endorse", "custody", "withdraw"};
	int kind;

	for (kind = FIELD_DEPOSIT; kind <= FIELD_WITHDRAW; kind++) {
		if (strcmp(name, names[kind]) == 0)
			return (enum field_kind)kind;
	}
	fail_msg("kind %s", name);
	return FIELD_DEPOSIT;
}

/* The vectors' fields as [[slot, value]...]. */
static void
pack_fields(struct buffer *out, const json_t *list)
{
	const json_t *pair;
	size_t i;

	buffer_init(out, 1 << 20);
	pack_array(out, (uint32_t)json_array_size(list));
	json_array_foreach(list, i, pair)
	{
		pack_array(out, 2);
		pack_uint(out, (uint64_t)json_integer_value(json_array_get(pair, 0)));
		vectors_pack(out, json_array_get(pair, 1));
	}
	assert_int_equal(out->err, 0);
}

static void
test_slots(void **state)
{
	json_t *json = vectors_load("dalil/claims.json");
	const json_t *list;
	const char *kind_name;
	unsigned count = 0;

	(void)state;
	json_object_foreach(json_object_get(json, "slots"), kind_name, list)
	{
		enum field_kind kind = kind_of(kind_name);
		unsigned named = 0;
		const json_t *pair;
		unsigned slot;
		size_t i;

		json_array_foreach(list, i, pair)
		{
			slot = (unsigned)json_integer_value(json_array_get(pair, 0));
			assert_string_equal(
			    field_at(kind, slot)->name, json_string_value(json_array_get(pair, 1)));
			count++;
		}
		for (slot = 0; slot < FIELD_SLOTS; slot++)
			named += field_at(kind, slot)->name != NULL;
		assert_int_equal(named, json_array_size(list));
	}
	assert_int_equal(count, SLOT_NAMES);
	json_decref(json);
}

static void
check_hashes(const json_t *list, const uint8_t *bytes, size_t size)
{
	size_t i;

	assert_int_equal(json_array_size(list), FIELD_SLOTS);
	for (i = 0; i < FIELD_SLOTS; i++) {
		struct view want = vectors_hex(json_array_get(list, i));

		assert_true(view_equal(want, view_of(bytes + i * size, size)));
		vectors_free(want);
	}
}

static void
check_disclosures(const json_t *list, const struct claims *claims, const struct fields *fields)
{
	unsigned slot;

	assert_int_equal(json_array_size(list), FIELD_SLOTS);
	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		struct view want = vectors_hex(json_array_get(list, slot));
		struct disclosure disclosure;
		struct buffer out;
		struct err err;

		buffer_init(&out, 1 << 20);
		disclosure_pack(&out, claims, fields, slot);
		assert_true(view_equal(want, buffer_view(&out)));
		assert_int_equal(disclosure_parse(&disclosure, want, &err), 0);
		assert_int_equal(disclosure.slot, slot);
		assert_int_equal(
		    disclosure_check(&disclosure, fields->kind, claims_root(claims), &err), 0);
		buffer_fini(&out);
		vectors_free(want);
	}
}

static void
check_case(const json_t *vector)
{
	uint8_t reader_seed[CLAIMS_SEED];
	uint8_t vault_seed[CLAIMS_SEED];
	uint8_t hash[HASH_SIZE];
	struct fields fields;
	struct claims claims;
	struct unpack unpack;
	struct buffer packed;
	struct err err;

	vectors_bytes(reader_seed, sizeof(reader_seed), vector, "reader_seed");
	vectors_bytes(vault_seed, sizeof(vault_seed), vector, "vault_seed");
	pack_fields(&packed, json_object_get(vector, "fields"));
	unpack_init(&unpack, buffer_view(&packed));
	fields_read(&fields, kind_of(vectors_text(vector, "kind")), &unpack);
	assert_int_equal(unpack_end(&unpack, "fields", &err), 0);
	if (fields_check(&fields, FIELDS_ALL, &err) != 0)
		fail_msg("%s", err.text);
	claims_make(&claims, &fields, reader_seed, vault_seed);
	check_hashes(json_object_get(vector, "salts"), &claims.salts[0][0], CLAIMS_SALT);
	check_hashes(json_object_get(vector, "leaves"), &claims.nodes[0][0], HASH_SIZE);
	vectors_bytes(hash, HASH_SIZE, vector, "vault_subtree");
	assert_memory_equal(hash, claims_vault(&claims), HASH_SIZE);
	claims_reader_root(hash, &fields, reader_seed, claims_vault(&claims));
	assert_memory_equal(hash, claims_root(&claims), HASH_SIZE);
	vectors_bytes(hash, HASH_SIZE, vector, "claims");
	assert_memory_equal(hash, claims_root(&claims), HASH_SIZE);
	check_disclosures(json_object_get(vector, "disclosures"), &claims, &fields);
	buffer_fini(&packed);
}

static void
test_cases(void **state)
{
	json_t *json = vectors_load("dalil/claims.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "cases"), i, vector)
	{
		check_case(vector);
		count++;
	}
	assert_int_equal(count, CASE_COUNT);
	json_decref(json);
}

static void
test_reject(void **state)
{
	json_t *json = vectors_load("dalil/claims.json");
	uint8_t root[HASH_SIZE];
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	vectors_bytes(root, HASH_SIZE, json_array_get(json_object_get(json, "cases"), 0), "claims");
	json_array_foreach(json_object_get(json, "reject"), i, vector)
	{
		struct view bytes = vectors_hex_of(vector, "disclosure");
		struct disclosure disclosure;
		struct err err = {0};
		int code = disclosure_parse(&disclosure, bytes, &err);

		if (code == 0)
			code = disclosure_check(&disclosure, FIELD_DEPOSIT, root, &err);
		if (code == 0)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, REJECT_COUNT);
	json_decref(json);
}

static void
test_refused_fields(void **state)
{
	json_t *json = vectors_load("dalil/claims.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "refused_fields"), i, vector)
	{
		struct fields fields;
		struct unpack unpack;
		struct buffer packed;
		struct err err = {0};
		int code;

		pack_fields(&packed, json_object_get(vector, "fields"));
		unpack_init(&unpack, buffer_view(&packed));
		fields_read(&fields, kind_of(vectors_text(vector, "kind")), &unpack);
		code = unpack_end(&unpack, "fields", &err);
		if (code == 0)
			code = fields_check(&fields, FIELDS_ALL, &err);
		if (code != ERR_MALFORMED)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		buffer_fini(&packed);
		count++;
	}
	assert_int_equal(count, REFUSED_COUNT);
	json_decref(json);
}

/* The file that was decrypted must be the one that the fields name. */
static void
test_exhibit_file(void **state)
{
	static const uint8_t digest[HASH_SIZE] = {1};
	static const uint8_t other[HASH_SIZE] = {2};
	struct fields fields = {.kind = FIELD_DEPOSIT};
	struct buffer sha256;
	struct buffer size;

	(void)state;
	assert_int_equal(exhibit_check_file(&fields, digest, 5, NULL), ERR_UNKNOWN);
	buffer_init(&sha256, 100);
	buffer_init(&size, 100);
	pack_bin(&sha256, view_of(digest, HASH_SIZE));
	pack_uint(&size, 5);
	fields.values[FIELD_SHA256] = buffer_view(&sha256);
	fields.values[FIELD_SIZE] = buffer_view(&size);
	assert_int_equal(exhibit_check_file(&fields, digest, 5, NULL), 0);
	assert_int_equal(exhibit_check_file(&fields, other, 5, NULL), ERR_FORGED);
	assert_int_equal(exhibit_check_file(&fields, digest, 6, NULL), ERR_FORGED);
	buffer_fini(&sha256);
	buffer_fini(&size);
}

static double
now(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Says what the claims of one deposit cost; the bound only catches a wrong order of magnitude. */
static void
test_cost(void **state)
{
	static const uint8_t seed[CLAIMS_SEED] = {7};
	struct fields fields = {.kind = FIELD_DEPOSIT};
	struct claims claims;
	double start;
	double cost;
	int i;

	(void)state;
	claims_make(&claims, &fields, seed, seed);
	start = now();
	for (i = 0; i < 1000; i++)
		claims_make(&claims, &fields, seed, seed);
	cost = (now() - start) / 1000;
	print_message("claims of one deposit: %.1f microseconds\n", cost);
	assert_true(cost < 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_reject),
	    cmocka_unit_test(test_refused_fields),
	    cmocka_unit_test(test_exhibit_file),
	    cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
