/*
 * P5 (provable anywhere): notes are those of everyone else's tools, byte for
 * byte; P7 (bounded): at most 100 signatures.  Vectors: golang/mod's notes, C2SP's example.
 */
#include "proto/note.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/text.h"
#include "tests/unit/vectors.h"

#define KEYS_MAX 4

static struct buffer
base64_of(const char *text)
{
	struct buffer bytes;

	buffer_init(&bytes, NOTE_MAX);
	assert_true(text_unbase64(&bytes, TEXT_BASE64_PADDED, view_text(text)));
	return bytes;
}

static void
check_verified(const json_t *want, const struct vkey *vkeys, const bool *verified, size_t count)
{
	size_t seen = 0;
	size_t i, j;

	for (i = 0; i < count; i++) {
		bool wanted = false;

		for (j = 0; j < json_array_size(want); j++)
			wanted |=
			    strcmp(json_string_value(json_array_get(want, j)), vkeys[i].name) == 0;
		assert_int_equal(verified[i], wanted);
		seen += verified[i];
	}
	assert_int_equal(seen, json_array_size(want));
}

static void
open_case(const json_t *item)
{
	const json_t *keys = json_object_get(item, "vkeys");
	const char *want = vectors_text(item, "result");
	struct buffer bytes = base64_of(vectors_text(item, "note_b64"));
	struct vkey vkeys[KEYS_MAX];
	bool verified[KEYS_MAX];
	struct note note;
	struct err err = {0};
	size_t i;
	int result;

	assert_true(json_array_size(keys) <= KEYS_MAX);
	for (i = 0; i < json_array_size(keys); i++)
		assert_int_equal(vkey_parse(&vkeys[i],
		                     view_text(json_string_value(json_array_get(keys, i))), &err),
		    0);
	result = note_parse(&note, buffer_view(&bytes), &err);
	if (strcmp(want, "malformed") == 0) {
		assert_int_equal(result, ERR_MALFORMED);
	} else {
		assert_int_equal(result, 0);
		result = note_open(&note, vkeys, json_array_size(keys), verified, &err);
		if (strcmp(want, "ok") == 0) {
			assert_int_equal(result, 0);
			check_verified(json_object_get(item, "verified_names"), vkeys, verified,
			    json_array_size(keys));
		} else if (strcmp(want, "unverified") == 0) {
			assert_int_equal(result, ERR_REFUSED);
		} else if (strcmp(want, "invalid-signature") == 0) {
			assert_int_equal(result, ERR_FORGED);
		} else {
			assert_string_equal(want, "error");
			assert_int_equal(result, ERR_USAGE);
		}
	}
	buffer_fini(&bytes);
}

static void
test_open(void **state)
{
	json_t *json = vectors_load("tlog/signed-note.json");
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "open"), i, item)
	{
		/* Known keys that stand twice are ambiguous only where the note names them. */
		if (strcmp(vectors_text(item, "name"), "unused duplicate verifier") == 0)
			assert_int_equal(json_array_size(json_object_get(item, "vkeys")), 3);
		open_case(item);
	}
	assert_int_equal(i, 17);
	json_decref(json);
}

/* PRIVATE+KEY+<name>+<id>+<base64 of type ‖ seed>: the form of others' test keys. */
static void
parse_skey(struct vkey *vkey, uint8_t seed[static KEY_SEED], const char *text)
{
	static const char prefix[] = "PRIVATE+KEY+";
	const char *name = text + strlen(prefix);
	const char *id = strchr(name, '+') + 1;
	struct buffer material = base64_of(strchr(id, '+') + 1);
	uint8_t key[KEY_SIZE];
	uint8_t want[4];

	assert_int_equal(strncmp(text, prefix, strlen(prefix)), 0);
	assert_int_equal(material.size, 33);
	memcpy(seed, material.data + 1, KEY_SEED);
	key_ed25519_public(key, seed);
	assert_int_equal(
	    vkey_make(vkey, view_of(name, (size_t)(id - name) - 1), VKEY_ED25519, key, NULL), 0);
	assert_true(text_unhex(want, 4, view_of(id, 8)));
	assert_int_equal(vkey->id, get_u32(want));
	buffer_fini(&material);
}

static void
test_sign(void **state)
{
	json_t *json = vectors_load("tlog/signed-note.json");
	const json_t *sign = json_object_get(json, "sign");
	struct vkey vkey;
	struct buffer out;
	uint8_t seed[KEY_SEED];

	(void)state;
	parse_skey(&vkey, seed, vectors_text(sign, "skey"));
	buffer_init(&out, NOTE_MAX);
	assert_int_equal(
	    note_sign(&out, view_text(vectors_text(sign, "text")), &vkey, seed, NULL), 0);
	assert_true(view_equal(buffer_view(&out), view_text(vectors_text(sign, "expect"))));
	assert_int_equal(note_sign(&out, view_text("no newline"), &vkey, seed, NULL), ERR_USAGE);
	buffer_fini(&out);
	json_decref(json);
}

static void
expect_vkey(const char *text, int want)
{
	struct vkey vkey;
	struct buffer out;

	assert_int_equal(vkey_parse(&vkey, view_text(text), NULL), want);
	if (want != 0)
		return;
	buffer_init(&out, VKEY_TEXT_MAX);
	vkey_text(&out, &vkey);
	assert_true(view_equal(buffer_view(&out), view_text(text)));
	buffer_fini(&out);
}

static void
test_vkey(void **state)
{
	char name[VKEY_NAME_MAX + 2];
	struct vkey vkey;
	uint8_t key[KEY_SIZE];

	(void)state;
	expect_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", 0);
	expect_vkey(
	    "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ERR_MALFORMED);
	expect_vkey(
	    "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ERR_MALFORMED);
	expect_vkey(
	    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T=", ERR_MALFORMED);
	expect_vkey(
	    "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ERR_MALFORMED);
	expect_vkey("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ERR_MALFORMED);
	expect_vkey(
	    "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ERR_REFUSED);
	expect_vkey("PeterNeumann+c74f20a3", ERR_MALFORMED);
	expect_vkey("PeterNeumann+c74f20a3+", ERR_MALFORMED);
	expect_vkey("", ERR_MALFORMED);
	/* A key of small order. */
	expect_vkey("x+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ERR_REFUSED);
	key_ed25519_public(key, (const uint8_t[KEY_SEED]){1});
	memset(name, 'a', sizeof(name));
	assert_int_equal(
	    vkey_make(&vkey, view_of(name, VKEY_NAME_MAX), VKEY_ED25519, key, NULL), 0);
	assert_int_equal(
	    vkey_make(&vkey, view_of(name, VKEY_NAME_MAX + 1), VKEY_ED25519, key, NULL), ERR_LIMIT);
	assert_true(vkey_name_valid(view_text("\xd1\x83\xd0\xb7\xd0\xb5\xd0\xbb.example/x")));
	assert_false(vkey_name_valid(view_text("a\xc2\xa0"
	                                       "b")));
	assert_false(vkey_name_valid(view_text("a\xe3\x80\x80")));
	assert_false(vkey_name_valid(view_text("a\xff")));
	assert_false(vkey_name_valid(view_of("a\0b", 3)));
}

/* A signature too long to be kept is of a type nobody here knows: it is passed over. */
static void
test_unknown_signature(void **state)
{
	static uint8_t material[KEY_SIZE + 4000] = {9, 9, 9, 9};
	uint8_t key[KEY_SIZE];
	struct buffer out;
	struct note *note = calloc(1, sizeof(*note));
	struct vkey vkey;

	(void)state;
	assert_non_null(note);
	key_ed25519_public(key, (const uint8_t[KEY_SEED]){1});
	assert_int_equal(vkey_make(&vkey, view_text("log"), VKEY_ED25519, key, NULL), 0);
	buffer_init(&out, NOTE_MAX);
	assert_int_equal(
	    note_sign(&out, view_text("text\n\n"), &vkey, (const uint8_t[KEY_SEED]){1}, NULL), 0);
	buffer_append_text(&out, "\xe2\x80\x94 other ");
	text_base64(&out, TEXT_BASE64_PADDED, view_of(material, sizeof(material)));
	buffer_append_text(&out, "\n");
	assert_int_equal(out.err, 0);
	assert_int_equal(note_parse(note, buffer_view(&out), NULL), 0);
	assert_int_equal(note->count, 2);
	assert_int_equal(note->signatures[1].id, 0x09090909);
	assert_int_equal(note->signatures[1].size, KEY_SIZE + 4000 - 4);
	assert_true(view_equal(note->text, view_text("text\n\n")));
	assert_int_equal(note_open(note, &vkey, 1, NULL, NULL), 0);
	free(note);
	buffer_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_vkey),
	    cmocka_unit_test(test_unknown_signature),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
