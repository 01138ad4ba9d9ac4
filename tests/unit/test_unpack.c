/* Canonical msgpack: every vector decodes, encodes back, or is refused. Defends P7. */
#include "proto/pack.h"
#include "proto/unpack.h"
#include "tests/unit/vectors.h"

#define ACCEPT_COUNT 45
#define REJECT_COUNT 57

static enum unpack_nil
nil_of(const json_t *vector)
{
	return json_is_true(json_object_get(vector, "nil")) ? UNPACK_NIL_ALLOWED :
	                                                      UNPACK_NIL_REFUSED;
}

static void
test_accept(void **state)
{
	json_t *json = vectors_load("dalil/msgpack.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "accept"), i, vector)
	{
		struct view bytes = vectors_hex_of(vector, "hex");
		struct unpack unpack;
		struct buffer packed;
		struct err err = {0};

		if (unpack_check(bytes, nil_of(vector), &err) != 0)
			fail_msg("accept %zu refused: %s", i, err.text);
		unpack_init(&unpack, bytes);
		assert_true(view_equal(unpack_value(&unpack), bytes));
		buffer_init(&packed, 1 << 20);
		vectors_pack(&packed, json_object_get(vector, "value"));
		assert_int_equal(packed.err, 0);
		if (!view_equal(buffer_view(&packed), bytes))
			fail_msg("accept %zu does not encode back", i);
		buffer_fini(&packed);
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, ACCEPT_COUNT);
	json_decref(json);
}

static void
test_reject(void **state)
{
	json_t *json = vectors_load("dalil/msgpack.json");
	const json_t *vector;
	unsigned count = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "reject"), i, vector)
	{
		struct view bytes = vectors_hex_of(vector, "hex");
		struct err err = {0};

		if (unpack_check(bytes, nil_of(vector), &err) != ERR_MALFORMED)
			fail_msg("reject %zu accepted: %s", i, vectors_text(vector, "why"));
		assert_true(err.text[0] != '\0');
		vectors_free(bytes);
		count++;
	}
	assert_int_equal(count, REJECT_COUNT);
	json_decref(json);
}

/* The cursor's error sticks, and reads after it give nothing. */
static void
test_cursor(void **state)
{
	struct unpack unpack;
	struct buffer out;
	struct err err;

	(void)state;
	buffer_init(&out, 100);
	pack_array(&out, 3);
	pack_uint(&out, 7);
	pack_int(&out, -7);
	pack_text(&out, "x");
	assert_int_equal(unpack_open(&unpack, buffer_view(&out), UNPACK_NIL_REFUSED, &err), 0);
	unpack_array_of(&unpack, 3);
	assert_int_equal(unpack_uint(&unpack), 7);
	assert_int_equal(unpack_int(&unpack), -7);
	unpack_tag(&unpack, "x");
	assert_int_equal(unpack_end(&unpack, "test", &err), 0);
	unpack_init(&unpack, buffer_view(&out));
	unpack_array_of(&unpack, 3);
	assert_int_equal(unpack_uint(&unpack), 7);
	assert_int_equal(unpack_uint(&unpack), 0);
	assert_int_equal(unpack_str(&unpack).size, 0);
	assert_int_equal(unpack_end(&unpack, "test", &err), ERR_MALFORMED);
	assert_string_equal(err.text, "test: an unsigned field is negative or 2^63 and above");
	buffer_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accept),
	    cmocka_unit_test(test_reject),
	    cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
