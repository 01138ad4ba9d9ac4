/* One exhibit checked with what a court has. Defends P5. Vectors: `exhibit` of dalil/log.json. */
#include <sodium.h>

#include "proto/evidence.h"
#include "tests/unit/vectors.h"

#define FIELD_COUNT 6
#define REFUSED_COUNT 12

/* Everything a vector gives, decoded; charter is NULL where it gives none. */
struct given {
	struct evidence_given given;
	struct charter *charter;
	struct view file;
	bool has_file; /* else the file is withheld */
	struct vkey vkey;
	uint8_t payload_key[AEAD_KEY];
};

static void
given_init(struct given *given, const json_t *vector)
{
	const json_t *statements = json_object_get(vector, "charter"), *statement;
	const char *proof = vectors_text(vector, "proof");
	enum charter_verdict verdict;
	struct err err = {0};
	size_t i;

	*given = (struct given){.has_file = !json_is_null(json_object_get(vector, "file"))};
	if (given->has_file)
		given->file = vectors_hex_of(vector, "file");
	given->given.record = vectors_hex_of(vector, "record");
	given->given.disclosures = vectors_hex_of(vector, "disclosures");
	given->given.proof = view_text(proof);
	given->given.log = &given->vkey;
	assert_int_equal(
	    vkey_parse(&given->vkey, view_text(vectors_text(vector, "vkey")), &err), 0);
	vectors_bytes(given->payload_key, AEAD_KEY, vector, "payload_key");
	if (json_array_size(statements) > 0)
		given->charter = charter_new();
	json_array_foreach(statements, i, statement)
	{
		struct view bytes = vectors_hex(statement);

		assert_int_equal(charter_feed(given->charter, bytes, &verdict, &err), 0);
		vectors_free(bytes);
	}
	given->given.charter = given->charter;
}

static void
given_fini(struct given *given)
{
	vectors_free(given->file);
	vectors_free(given->given.record);
	vectors_free(given->given.disclosures);
	charter_free(given->charter);
}

/* Feed the file in pieces of ${piece} bytes. */
static int
check_file(
    const struct evidence *evidence, const struct given *given, size_t piece, struct err *err)
{
	struct evidence_file *file = evidence_file_new(evidence, given->payload_key);
	size_t at, size;
	int rc = 0;

	assert_non_null(file);
	for (at = 0; at < given->file.size && rc == 0; at += size) {
		size = given->file.size - at < piece ? given->file.size - at : piece;
		rc = evidence_file_update(file, view_of(given->file.data + at, size), err);
	}
	if (rc == 0)
		rc = evidence_file_finish(file, err);
	evidence_file_free(file);
	return rc;
}

static void
check_fields(const json_t *fields, const struct evidence *evidence)
{
	const json_t *field;
	unsigned count = 0;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		unsigned slot = (unsigned)json_integer_value(json_array_get(field, 0));
		const json_t *value = json_array_get(field, 1);
		struct buffer packed;

		buffer_init(&packed, 4096);
		if (json_object_get(value, "nil") == NULL)
			vectors_pack(&packed, value);
		assert_true(evidence->shown >> slot & 1);
		assert_true(view_equal(buffer_view(&packed), evidence->fields.values[slot]));
		buffer_fini(&packed);
		count++;
	}
	assert_int_equal(count, FIELD_COUNT);
	assert_int_equal(__builtin_popcountll(evidence->shown), FIELD_COUNT);
}

static void
test_exhibit(void **state)
{
	json_t *json = vectors_load("dalil/log.json");
	const json_t *vector = json_object_get(json, "exhibit");
	struct evidence evidence;
	struct given given;
	struct err err = {0};
	size_t piece;

	(void)state;
	given_init(&given, vector);
	if (evidence_open(&evidence, &given.given, &err) != 0)
		fail_msg("%s", err.text);
	assert_true(evidence.by_charter);
	assert_int_equal(evidence.record.as.deposit.time, vectors_uint(vector, "time"));
	assert_int_equal(evidence.index, vectors_uint(vector, "index"));
	assert_int_equal(evidence.checkpoint.size, vectors_uint(vector, "size"));
	check_fields(json_object_get(vector, "fields"), &evidence);
	for (piece = 1; piece <= 101; piece += 50)
		if (check_file(&evidence, &given, piece, &err) != 0)
			fail_msg("%s", err.text);
	given_fini(&given);
	json_decref(json);
}

static void
test_refused(void **state)
{
	json_t *json = vectors_load("dalil/log.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "refused_exhibits"), i, vector)
	{
		struct evidence evidence;
		struct given given;
		struct err err = {0};
		int rc;

		given_init(&given, vector);
		rc = evidence_open(&evidence, &given.given, &err);
		if (rc == 0 && given.has_file)
			rc = check_file(&evidence, &given, 1000, &err);
		if (rc == 0)
			fail_msg("accepted: %s", vectors_text(vector, "why"));
		print_message("%s: %s\n", vectors_text(vector, "why"), err.text);
		given_fini(&given);
		count++;
	}
	assert_int_equal(count, REFUSED_COUNT);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exhibit),
	    cmocka_unit_test(test_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
