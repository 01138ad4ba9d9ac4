#include "cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/text.h"
#include "proto/unpack.h"

#define TEXT_LIMIT ((size_t)16 << 20)

void
output_json(json_t *object)
{
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(object);
}

static json_t *
text_value(struct view text)
{
	struct buffer escaped;
	json_t *value;

	if (text_is_utf8(text))
		return json_stringn(text.size == 0 ? "" : (const char *)text.data, text.size);
	buffer_init(&escaped, TEXT_LIMIT);
	text_escape(&escaped, text);
	value = json_stringn((const char *)escaped.data, escaped.size);
	buffer_fini(&escaped);
	return value;
}

static json_t *
hex_value(struct view bytes)
{
	char *hex = malloc(2 * bytes.size + 1);
	json_t *value;

	if (hex == NULL)
		return NULL;
	text_hex(hex, bytes);
	value = json_string(hex);
	free(hex);
	return value;
}

void
output_set_text(json_t *object, const char *key, struct view text)
{
	(void)json_object_set_new(object, key, text_value(text));
}

void
output_set_hex(json_t *object, const char *key, struct view bytes)
{
	(void)json_object_set_new(object, key, hex_value(bytes));
}

void
output_set_uint(json_t *object, const char *key, uint64_t number)
{
	(void)json_object_set_new(object, key, json_integer((json_int_t)number));
}

static json_t *value_at(struct unpack *unpack, unsigned depth);

static json_t *
array_at(struct unpack *unpack, unsigned depth)
{
	uint32_t count = unpack_array(unpack);
	json_t *array = json_array();
	uint32_t i;

	for (i = 0; i < count && unpack->err == 0; i++)
		(void)json_array_append_new(array, value_at(unpack, depth + 1));
	return array;
}

/* jansson takes keys with a zero byte only as lengths; Debian 12's has no such call: they end there. */
static json_t *
map_at(struct unpack *unpack, unsigned depth)
{
	uint32_t count = unpack_map(unpack);
	json_t *map = json_object();
	uint32_t i;

	for (i = 0; i < count && unpack->err == 0; i++) {
		struct view key = unpack_str(unpack);
		char *name = strndup(key.size == 0 ? "" : (const char *)key.data, key.size);

		if (name != NULL)
			(void)json_object_set_new(map, name, value_at(unpack, depth + 1));
		free(name);
	}
	return map;
}

/* unpack_check has bounded the depth already; the count here keeps that visible. */
static json_t *
value_at(struct unpack *unpack, unsigned depth)
{
	if (depth > UNPACK_DEPTH)
		return json_null();
	switch (unpack_peek(unpack)) {
	case UNPACK_BOOL:
		return json_boolean(unpack_bool(unpack));
	case UNPACK_INT:
		return json_integer(unpack_int(unpack));
	case UNPACK_STR:
		return text_value(unpack_str(unpack));
	case UNPACK_BIN:
		return hex_value(unpack_bin(unpack));
	case UNPACK_ARRAY:
		return array_at(unpack, depth);
	case UNPACK_MAP:
		return map_at(unpack, depth);
	case UNPACK_NIL:
		unpack_nil(unpack);
		return json_null();
	case UNPACK_NONE:
		return json_null();
	}
	return json_null();
}

json_t *
output_value(struct view value)
{
	struct unpack unpack;

	if (unpack_open(&unpack, value, UNPACK_NIL_ALLOWED, NULL) != 0)
		return json_null();
	return value_at(&unpack, 0);
}

void
output_text(struct view text)
{
	struct buffer escaped;

	buffer_init(&escaped, TEXT_LIMIT);
	text_escape(&escaped, text);
	if (escaped.err == 0 && escaped.size > 0)
		(void)fwrite(escaped.data, 1, escaped.size, stdout);
	buffer_fini(&escaped);
}

void
output_time(char text[static OUTPUT_TIME_SIZE], int64_t milliseconds)
{
	time_t seconds = (time_t)(milliseconds / 1000 - (milliseconds % 1000 < 0));
	struct tm parts;

	if (gmtime_r(&seconds, &parts) == NULL ||
	    strftime(text, OUTPUT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
		(void)snprintf(text, OUTPUT_TIME_SIZE, "%" PRId64 " ms", milliseconds);
}
