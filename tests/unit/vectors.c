#include "tests/unit/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/pack.h"
#include "proto/text.h"

const char *
vectors_path(const char *name)
{
	static char path[4096];
	const char *folder = getenv("DALIL_VECTORS");
	FILE *file;

	if (folder == NULL ||
	    snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
		print_message("skipped: DALIL_VECTORS names no folder of test vectors\n");
		skip();
	}
	file = fopen(path, "rb");
	if (file == NULL) {
		print_message("skipped: no test vectors at %s\n", path);
		skip();
	}
	(void)fclose(file);
	return path;
}

json_t *
vectors_load(const char *name)
{
	const char *path = vectors_path(name);
	json_error_t error;
	json_t *json = json_load_file(path, JSON_ALLOW_NUL, &error);

	if (json == NULL)
		fail_msg("%s: line %d: %s", path, error.line, error.text);
	return json;
}

struct view
vectors_hex(const json_t *string)
{
	struct view hex;
	uint8_t *bytes;

	assert_true(json_is_string(string));
	hex = view_of(json_string_value(string), json_string_length(string));
	bytes = malloc(hex.size / 2 + 1);
	assert_non_null(bytes);
	assert_true(text_unhex(bytes, hex.size / 2, hex));
	return view_of(bytes, hex.size / 2);
}

struct view
vectors_hex_of(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (member == NULL)
		fail_msg("the vector has no member %s", key);
	return vectors_hex(member);
}

void
vectors_bytes(uint8_t *out, size_t size, const json_t *object, const char *key)
{
	struct view bytes = vectors_hex_of(object, key);

	assert_int_equal(bytes.size, size);
	memcpy(out, bytes.data, size);
	vectors_free(bytes);
}

void
vectors_free(struct view view)
{
	free((void *)(uintptr_t)view.data);
}

struct view
vectors_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long size;

	if (file == NULL)
		fail_msg("cannot open %s", path);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	assert_true(size >= 0);
	rewind(file);
	bytes = malloc((size_t)size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
	(void)fclose(file);
	return view_of(bytes, (size_t)size);
}

uint64_t
vectors_uint(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_integer(member) || json_integer_value(member) < 0)
		fail_msg("the vector's %s is no unsigned number", key);
	return (uint64_t)json_integer_value(member);
}

const char *
vectors_text(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_string(member))
		fail_msg("the vector's %s is no text", key);
	return json_string_value(member);
}

static void
pack_number(struct buffer *out, const char *text)
{
	if (text[0] == '-')
		pack_int(out, strtoll(text, NULL, 10));
	else
		pack_uint(out, strtoull(text, NULL, 10));
}

static void
pack_map_of(struct buffer *out, const json_t *pairs)
{
	const json_t *pair;
	size_t i;

	pack_map(out, (uint32_t)json_array_size(pairs));
	json_array_foreach(pairs, i, pair)
	{
		const json_t *key = json_array_get(pair, 0);

		pack_str(out, view_of(json_string_value(key), json_string_length(key)));
		vectors_pack(out, json_array_get(pair, 1));
	}
}

void
vectors_pack(struct buffer *out, const json_t *value)
{
	const json_t *inner;
	const json_t *element;
	size_t i;

	if ((inner = json_object_get(value, "int")) != NULL) {
		pack_number(out, json_string_value(inner));
	} else if ((inner = json_object_get(value, "str")) != NULL) {
		pack_str(out, view_of(json_string_value(inner), json_string_length(inner)));
	} else if ((inner = json_object_get(value, "bin")) != NULL) {
		struct view bytes = vectors_hex(inner);

		pack_bin(out, bytes);
		vectors_free(bytes);
	} else if ((inner = json_object_get(value, "array")) != NULL) {
		pack_array(out, (uint32_t)json_array_size(inner));
		json_array_foreach(inner, i, element) vectors_pack(out, element);
	} else if ((inner = json_object_get(value, "map")) != NULL) {
		pack_map_of(out, inner);
	} else if ((inner = json_object_get(value, "bool")) != NULL) {
		pack_bool(out, json_is_true(inner));
	} else if (json_object_get(value, "nil") != NULL) {
		pack_nil(out);
	} else {
		fail_msg("a vector value of no known type");
	}
}
