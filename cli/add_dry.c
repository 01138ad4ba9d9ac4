#include <stdio.h>
#include <stdlib.h>

#include "cli/add.h"
#include "proto/unpack.h"

static void
print_value(struct view value)
{
	json_t *json = output_value(value);
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);

	if (json_is_string(json))
		output_text(view_of(json_string_value(json), json_string_length(json)));
	else if (text != NULL)
		printf("%s", text);
	free(text);
	json_decref(json);
}

enum audience { AUDIENCE_PUBLIC, AUDIENCE_READERS, AUDIENCE_US };

static bool
belongs(const struct deposit_result *result, unsigned slot, enum audience audience)
{
	bool is_public =
	    result->open && slot < FIELD_VAULT_FIRST && (result->open_slots >> slot & 1) != 0;

	switch (audience) {
	case AUDIENCE_PUBLIC:
		return is_public;
	case AUDIENCE_READERS:
		return !is_public && slot < FIELD_VAULT_FIRST;
	case AUDIENCE_US:
		return slot >= FIELD_VAULT_FIRST;
	}
	return false;
}

static void
print_audience(const struct deposit_result *result, enum audience audience, const char *who)
{
	unsigned slot;
	bool any = false;

	for (slot = 0; slot < FIELD_SLOTS; slot++) {
		struct view value = result->fields->values[slot];

		if (value.size == 0 || !belongs(result, slot, audience))
			continue;
		if (!any)
			printf("  %s\n", who);
		any = true;
		printf("    %-14s ", field_at(FIELD_DEPOSIT, slot)->name);
		print_value(value);
		printf("\n");
	}
	if (!any)
		printf("  %s: nothing\n", who);
}

static json_t *
audience_json(const struct deposit_result *result, enum audience audience)
{
	json_t *object = json_object();
	unsigned slot;

	for (slot = 0; slot < FIELD_SLOTS; slot++)
		if (result->fields->values[slot].size > 0 && belongs(result, slot, audience))
			(void)json_object_set_new(object, field_at(FIELD_DEPOSIT, slot)->name,
			    output_value(result->fields->values[slot]));
	return object;
}

void
add_show_dry(struct add *add, const struct deposit_result *result)
{
	if (add->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "path", view_text(result->path));
		(void)json_object_set_new(object, "already", json_boolean(result->already));
		(void)json_object_set_new(object, "public", audience_json(result, AUDIENCE_PUBLIC));
		(void)json_object_set_new(
		    object, "readers", audience_json(result, AUDIENCE_READERS));
		(void)json_object_set_new(object, "vault", audience_json(result, AUDIENCE_US));
		output_json(object);
		return;
	}
	output_text(view_text(result->path));
	printf("%s\n", result->already ? " (already here)" : "");
	print_audience(result, AUDIENCE_PUBLIC,
	    result->open ? "everybody sees the file itself, and" : "everybody sees");
	print_audience(result, AUDIENCE_READERS,
	    result->reader_count > 0 ? "we and the readers named see" : "we see");
	print_audience(result, AUDIENCE_US, "only we see");
}
