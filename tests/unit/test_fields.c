/*
 * Building fields from what a user gives, and WHEN. Defends P6: what is for the vault never gets
 * into a slot that readers see.
 */
#include <stdio.h>

#include "proto/pack.h"
#include "proto/when.h"
#include "tests/unit/vectors.h"

static struct fields_builder *
deposit_builder(void)
{
	static const uint8_t digest[HASH_SIZE] = {1};
	struct fields_builder *builder = fields_builder_new(FIELD_DEPOSIT);

	assert_non_null(builder);
	assert_int_equal(
	    fields_put_bin(builder, view_text("sha256"), view_of(digest, HASH_SIZE), NULL), 0);
	assert_int_equal(fields_put_uint(builder, view_text("size"), 7, NULL), 0);
	assert_int_equal(fields_put_path(builder, FIELD_NAME, view_text("a.txt"), NULL), 0);
	assert_int_equal(fields_put_typed(builder, view_text("media-type"), view_text("text/plain"),
	                     FIELDS_TO_READERS, NULL),
	    0);
	assert_int_equal(fields_put_text(builder, view_text("deposited-by"), view_text("node one"),
	                     FIELDS_TO_READERS, NULL),
	    0);
	return builder;
}

static void
put(struct fields_builder *builder, const char *name, const char *text, enum fields_access access)
{
	struct err err;

	if (fields_put_typed(builder, view_text(name), view_text(text), access, &err) != 0)
		fail_msg("%s: %s", name, err.text);
}

static void
assert_refused(
    struct fields_builder *builder, const char *name, const char *text, enum fields_access access)
{
	struct err err = {0};

	assert_int_equal(
	    fields_put_typed(builder, view_text(name), view_text(text), access, &err), ERR_USAGE);
	assert_true(err.text[0] != '\0');
}

static void
assert_value(const struct fields *fields, unsigned slot, const char *bytes, size_t size)
{
	if (!view_equal(fields->values[slot], view_of(bytes, size)))
		fail_msg("slot %u holds other bytes", slot);
}

static void
test_builder(void **state)
{
	struct fields_builder *builder = deposit_builder();
	static const uint8_t id[HASH_SIZE] = {9};
	struct fields fields;
	struct err err;

	(void)state;
	put(builder, "title", "T", FIELDS_TO_READERS);
	put(builder, "language", "uz", FIELDS_TO_READERS);
	put(builder, "language", "ru", FIELDS_TO_READERS);
	put(builder, "language", "kk", FIELDS_TO_READERS);
	put(builder, "latitude", "-41.3", FIELDS_TO_READERS);
	put(builder, "shoe", "42", FIELDS_TO_READERS);
	put(builder, "colour", "blue", FIELDS_TO_READERS);
	put(builder, "source", "G", FIELDS_TO_READERS);
	put(builder, "place", "P", FIELDS_TO_VAULT);
	put(builder, "author", "A", FIELDS_TO_VAULT);
	put(builder, "captured", "2019-06", FIELDS_TO_VAULT);
	assert_int_equal(fields_put_link(builder, view_text("reply-to"), id, &err), 0);
	assert_int_equal(fields_put_link(builder, view_text("part-of"), id, &err), 0);
	assert_int_equal(fields_put_link(builder, view_text("copy-of"), id, &err), ERR_USAGE);
	if (fields_build(builder, &fields, &err) != 0)
		fail_msg("%s", err.text);
	assert_value(&fields, FIELD_TITLE, "\xa1T", 2);
	assert_value(&fields, FIELD_LANGUAGE, "\x93\xa2uz\xa2ru\xa2kk", 10);
	assert_value(&fields, 12, "\xd2\xfd\x89\xcf\xe0", 5);
	assert_value(&fields, FIELD_OTHER,
	    "\x82\xa6"
	    "colour\xa4"
	    "blue\xa4shoe\xa2"
	    "42",
	    21);
	assert_value(&fields, FIELD_SOURCE, "\xa1G", 2);
	assert_value(&fields, 49,
	    "\x92\xa6"
	    "author\xa1"
	    "A",
	    10);
	assert_value(&fields, 51, "\x92\xa5place\xa1P", 9);
	assert_int_equal(fields.values[52].size, 0);
	assert_int_equal(fields.values[FIELD_PLACE].size, 0);
	assert_int_equal(fields.values[15].size, 0);
	assert_int_equal(fields.values[FIELD_CAPTURED].size, 0);
	assert_int_equal(fields.values[FIELD_LINK].data[0], 0x92);
	assert_int_equal(fields_check(&fields, FIELDS_READER, NULL), ERR_MALFORMED);
	fields_builder_free(builder);
}

static void
test_refused(void **state)
{
	struct fields_builder *builder = deposit_builder();

	(void)state;
	put(builder, "type", "testimony", FIELDS_TO_READERS);
	put(builder, "place", "P", FIELDS_TO_READERS);
	assert_refused(builder, "type", "letter", FIELDS_TO_READERS);
	assert_refused(builder, "place", "Q", FIELDS_TO_VAULT);
	assert_refused(builder, "title", "", FIELDS_TO_READERS);
	assert_refused(builder, "title", "\xff", FIELDS_TO_READERS);
	assert_refused(builder, "sha256", "00", FIELDS_TO_READERS);
	assert_refused(builder, "size", "5", FIELDS_TO_READERS);
	assert_refused(builder, "deposited-by", "me", FIELDS_TO_READERS);
	assert_refused(builder, "other", "x", FIELDS_TO_READERS);
	assert_refused(builder, "vault-3", "x", FIELDS_TO_VAULT);
	assert_refused(builder, "latitude", "91", FIELDS_TO_READERS);
	assert_refused(builder, "latitude", "north", FIELDS_TO_READERS);
	assert_refused(builder, "captured", "2019-06-30T14:05", FIELDS_TO_READERS);
	assert_refused(builder, "", "x", FIELDS_TO_READERS);
	fields_builder_free(builder);
}

/* Twenty vault fields: 14 in slots, with the times among them, the rest in the last map. */
static void
test_many_vault(void **state)
{
	struct fields_builder *builder = deposit_builder();
	struct fields fields;
	struct captured captured;
	struct view value;
	struct view name;
	struct err err;
	char text[8];
	int i;

	(void)state;
	for (i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "f%02d", i);
		put(builder, text, "x", FIELDS_TO_VAULT);
	}
	put(builder, "captured", "2019", FIELDS_TO_VAULT);
	assert_int_equal(when_parse(&captured, view_text("2020"), NULL), 0);
	assert_int_equal(
	    fields_put_captured(builder, view_text("zz-seen"), &captured, FIELDS_TO_VAULT, NULL),
	    0);
	if (fields_build(builder, &fields, &err) != 0)
		fail_msg("%s", err.text);
	field_named(fields.values[FIELD_NAMED_LAST], &name, &value);
	assert_true(view_equal(name, view_text("zz-seen")));
	assert_int_equal(fields.values[FIELD_REST].data[0], 0x88);
	fields_builder_free(builder);
}

static void
test_copy(void **state)
{
	struct fields_builder *common = fields_builder_new(FIELD_DEPOSIT);
	struct fields_builder *builder = deposit_builder();
	struct fields fields;
	int round;

	(void)state;
	put(common, "case", "one", FIELDS_TO_READERS);
	put(common, "source", "S", FIELDS_TO_VAULT);
	for (round = 0; round < 3; round++) {
		fields_builder_free(builder);
		builder = deposit_builder();
		assert_int_equal(fields_builder_copy(builder, common, NULL), 0);
		put(builder, "case", "two", FIELDS_TO_READERS);
		assert_true(fields_builder_has(builder, view_text("source")));
		assert_int_equal(fields_build(builder, &fields, NULL), 0);
		assert_value(&fields, FIELD_CASE, "\x92\xa3one\xa3two", 9);
	}
	fields_builder_clear(builder);
	assert_false(fields_builder_has(builder, view_text("source")));
	assert_int_equal(fields_build(builder, &fields, NULL), ERR_MALFORMED);
	fields_builder_free(builder);
	fields_builder_free(common);
}

struct when_case {
	const char *text;
	int64_t earliest;
	int64_t latest;
	int offset; /* 9999: none */
};

static void
test_when(void **state)
{
	static const struct when_case cases[] = {
	    {"2019-06", 1559347200000, 1561939199999, 9999},
	    {"1970", 0, 31535999999, 9999},
	    {"1969-12-31", -86400000, -1, 9999},
	    {"2024-02-29", 1709164800000, 1709251199999, 9999},
	    {"2000", 946684800000, 978307199999, 9999},
	    {"2023-11-14T22:13:20+05:00", 1699982000000, 1699982000000, 300},
	    {"2023-11-14T22:13:20Z", 1700000000000, 1700000000000, 0},
	    {"2023-11-14 22:13:20.5 -0330", 1700012600500, 1700012600500, -210},
	    {"2023-11-14T22:13Z", 1699999980000, 1700000039999, 0},
	};
	static const char *const refused[] = {"", "19", "2019-", "2019-13", "2019-00", "2019-02-29",
	    "2019-06-31", "2019-06-30T14", "2019-06-30T14:05", "2019-06-30T14:05:09",
	    "2019-06-30T24:00Z", "2019-06-30T14:60Z", "2019-06-30T14:05Zx", "2019-06-30T14:05+5",
	    "0000", "2019-6", "yesterday", "30.06.2019", "2019-06-30T14:05:09.Z", "-2019"};
	char shown[WHEN_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct captured captured;
		struct err err;

		if (when_parse(&captured, view_text(cases[i].text), &err) != 0)
			fail_msg("%s", err.text);
		assert_true(view_equal(captured.text, view_text(cases[i].text)));
		assert_int_equal(captured.earliest, cases[i].earliest);
		assert_int_equal(captured.latest, cases[i].latest);
		assert_int_equal(captured.has_offset, cases[i].offset != 9999);
		if (captured.has_offset)
			assert_int_equal(captured.offset, cases[i].offset);
	}
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct captured captured;

		if (when_parse(&captured, view_text(refused[i]), NULL) != ERR_USAGE)
			fail_msg("accepted: %s", refused[i]);
	}
	when_show(shown, 1700000000000);
	assert_string_equal(shown, "2023-11-14 22:13:20 UTC");
	when_show(shown, -1);
	assert_string_equal(shown, "1969-12-31 23:59:59 UTC");
	when_show(shown, 1709164800000);
	assert_string_equal(shown, "2024-02-29 00:00:00 UTC");
	when_show(shown, INT64_MIN);
	when_show(shown, INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_builder),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_many_vault),
	    cmocka_unit_test(test_copy),
	    cmocka_unit_test(test_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
