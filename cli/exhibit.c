#include "cli/exhibit.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/text.h"
#include "proto/unpack.h"

unsigned
exhibit_copies(const struct archive_exhibit *exhibit)
{
	return exhibit->state == STORAGE_PAYLOAD_WHOLE ? 1 : 0;
}

/* Calls for each text of a T field (formats "Fields and slots"): a text, or a list of them. */
static struct view
next_text(struct unpack *unpack, uint32_t *left)
{
	if (*left == 0)
		return (struct view){0};
	(*left)--;
	return unpack_str(unpack);
}

static uint32_t
open_texts(struct unpack *unpack, struct view value)
{
	if (value.size == 0 || unpack_open(unpack, value, UNPACK_NIL_REFUSED, NULL) != 0)
		return 0;
	if (unpack_peek(unpack) == UNPACK_ARRAY)
		return unpack_array(unpack);
	return unpack_peek(unpack) == UNPACK_STR ? 1 : 0;
}

struct view
exhibit_text(const struct fields *fields, unsigned slot)
{
	struct unpack unpack;
	uint32_t left = open_texts(&unpack, fields->values[slot]);

	return next_text(&unpack, &left);
}

bool
exhibit_has_text(const struct fields *fields, unsigned slot, struct view text)
{
	struct unpack unpack;
	uint32_t left = open_texts(&unpack, fields->values[slot]);

	while (left > 0)
		if (view_equal(next_text(&unpack, &left), text))
			return true;
	return false;
}

static int
log_of(struct exhibit_logs *logs, uint32_t number)
{
	int code = ERR_NONE;

	if (!logs->known || logs->last.log.number != number)
		code = archive_log_at(logs->archive, number, &logs->last, NULL);
	logs->known = code == ERR_NONE;
	return code;
}

static void
set_links(json_t *object, struct view value)
{
	json_t *links = json_array();
	struct unpack unpack;
	uint32_t count;

	if (value.size > 0 && unpack_open(&unpack, value, UNPACK_NIL_REFUSED, NULL) == 0)
		for (count = unpack_array(&unpack); count > 0 && unpack.err == 0; count--) {
			json_t *link = json_object();

			unpack_array_of(&unpack, 2);
			output_set_text(link, "relation", unpack_str(&unpack));
			output_set_hex(link, "record", unpack_bin(&unpack));
			(void)json_array_append_new(links, link);
		}
	(void)json_object_set_new(object, "links", links);
}

static void
set_captured(json_t *object, struct view value)
{
	struct captured captured;

	if (value.size > 0 && captured_read(&captured, value))
		output_set_text(object, "captured", captured.text);
}

static void
set_field(json_t *object, const char *key, const struct fields *fields, unsigned slot)
{
	if (fields->values[slot].size > 0)
		(void)json_object_set_new(object, key, output_value(fields->values[slot]));
}

static void
set_fields(json_t *object, const struct fields *fields)
{
	set_field(object, "title", fields, FIELD_TITLE);
	set_field(object, "type", fields, FIELD_TYPE);
	if (fields->values[FIELD_NAME].size > 0)
		output_set_text(object, "name", fields_bytes(fields, FIELD_NAME));
	set_field(object, "media_type", fields, FIELD_MEDIA_TYPE);
	set_field(object, "sha256", fields, FIELD_SHA256);
	set_field(object, "size", fields, FIELD_SIZE);
	set_field(object, "case", fields, FIELD_CASE);
	set_field(object, "place", fields, FIELD_PLACE);
	set_captured(object, fields->values[FIELD_CAPTURED]);
	set_field(object, "language", fields, FIELD_LANGUAGE);
	set_field(object, "source", fields, FIELD_SOURCE);
}

json_t *
exhibit_json(struct exhibit_logs *logs, const struct archive_exhibit *exhibit)
{
	json_t *object = json_object();
	uint64_t time;

	if (object == NULL)
		return NULL;
	output_set_hex(object, "record", view_of(exhibit->id, HASH_SIZE));
	if (log_of(logs, exhibit->place.log) == ERR_NONE) {
		output_set_text(object, "origin", view_text(logs->last.origin));
		output_set_text(object, "org", view_text(logs->last.organisation_name));
	}
	output_set_uint(object, "index", exhibit->place.index);
	if (record_time(&exhibit->record, &time))
		output_set_uint(object, "time", time);
	output_set_text(object, "kind", view_text(record_kind_name(exhibit->record.kind)));
	set_fields(object, &exhibit->fields);
	(void)json_object_set_new(object, "open", json_boolean(exhibit->is_open));
	(void)json_object_set_new(
	    object, "readable", json_boolean(exhibit->access != ARCHIVE_CLOSED));
	output_set_uint(object, "copies", exhibit_copies(exhibit));
	set_links(object, exhibit->fields.values[FIELD_LINK]);
	(void)json_object_set_new(object, "signed", json_boolean(exhibit->is_signed));
	return object;
}

static void
print_json_text(const json_t *value)
{
	size_t i;

	if (json_is_string(value)) {
		output_text(view_of(json_string_value(value), json_string_length(value)));
	} else if (json_is_integer(value)) {
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_array(value)) {
		for (i = 0; i < json_array_size(value); i++) {
			printf("%s", i > 0 ? ", " : "");
			print_json_text(json_array_get(value, i));
		}
	} else {
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

		if (text != NULL)
			output_text(view_text(text));
		free(text);
	}
}

/* ID (16 digits), date of deposit, open or sealed, what it is called: 80 columns. */
void
exhibit_print_line(const json_t *object)
{
	const json_t *called = json_object_get(object, "title");
	const json_t *time = json_object_get(object, "time");
	char when[OUTPUT_TIME_SIZE] = "";
	const char *access = "closed";

	if (called == NULL)
		called = json_object_get(object, "name");
	if (json_is_integer(time))
		output_time(when, json_integer_value(time));
	if (json_is_true(json_object_get(object, "open")))
		access = "open";
	else if (json_is_true(json_object_get(object, "readable")))
		access = "sealed";
	printf("%.16s  %.10s  %-6s  ", json_string_value(json_object_get(object, "record")), when,
	    access);
	if (called != NULL)
		print_json_text(called);
	else
		printf("(not readable here)");
	printf("\n");
}

static void
print_member(const json_t *object, const char *key, const char *label)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL)
		return;
	printf("%-14s ", label);
	print_json_text(value);
	printf("\n");
}

/* The fields that the JSON object does not name, by the names of their slots. */
static void
print_other_fields(const struct archive_exhibit *exhibit)
{
	static const unsigned slots[] = {4, 8, 10, 12, 13, 15, 16, 17, 18, 19, 20, 21, 24, 47};
	size_t i;
	unsigned slot;

	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		json_t *value;

		if (exhibit->fields.values[slots[i]].size == 0)
			continue;
		value = output_value(exhibit->fields.values[slots[i]]);
		printf("%-14s ", field_at(FIELD_DEPOSIT, slots[i])->name);
		print_json_text(value);
		printf("\n");
		json_decref(value);
	}
	for (slot = FIELD_NAMED_FIRST; slot <= FIELD_NAMED_LAST; slot++) {
		struct view name;
		struct view value;
		json_t *shown;

		if (exhibit->fields.values[slot].size == 0)
			continue;
		field_named(exhibit->fields.values[slot], &name, &value);
		shown = output_value(value);
		printf("vault ");
		output_text(name);
		printf(": ");
		print_json_text(shown);
		printf("\n");
		json_decref(shown);
	}
}

static const char *
access_sentence(const struct archive_exhibit *exhibit)
{
	switch (exhibit->access) {
	case ARCHIVE_CLOSED:
		return "sealed; no key here opens it";
	case ARCHIVE_OPEN:
		return "open: what is shown is public";
	case ARCHIVE_SEALED:
		return exhibit->is_open ? "open; read here as one of its readers" :
		                          "sealed; read here as one of its readers";
	case ARCHIVE_VAULT:
		return exhibit->is_open ? "open; read here with the vault key" :
		                          "sealed; read here with the vault key";
	}
	return "";
}

static const char *
state_sentence(enum storage_payload_state state)
{
	switch (state) {
	case STORAGE_PAYLOAD_WHOLE:
		return "whole here";
	case STORAGE_PAYLOAD_WANTED:
		return "not (wholly) here yet: dalil sync fetches it";
	case STORAGE_PAYLOAD_UNKNOWN:
		return "not here";
	}
	return "";
}

void
exhibit_print(const json_t *object, const struct archive_exhibit *exhibit)
{
	const json_t *time = json_object_get(object, "time");
	char when[OUTPUT_TIME_SIZE];

	print_member(object, "record", "record");
	print_member(object, "org", "organisation");
	print_member(object, "origin", "log");
	print_member(object, "index", "index");
	if (json_is_integer(time)) {
		output_time(when, json_integer_value(time));
		printf("%-14s %s by the depositing node's clock\n", "deposited", when);
	}
	printf("%-14s %s\n", "access", access_sentence(exhibit));
	if (exhibit->access == ARCHIVE_VAULT && !exhibit->is_open)
		printf(
		    "%-14s %u beside the organisation itself\n", "readers", exhibit->reader_count);
	print_member(object, "title", "title");
	print_member(object, "name", "name");
	print_member(object, "type", "type");
	print_member(object, "media_type", "media type");
	print_member(object, "size", "size");
	print_member(object, "sha256", "sha256");
	print_member(object, "case", "case");
	print_member(object, "captured", "captured");
	print_member(object, "place", "place");
	print_member(object, "language", "language");
	print_member(object, "source", "source");
	print_other_fields(exhibit);
	if (json_array_size(json_object_get(object, "links")) > 0)
		print_member(object, "links", "links");
	printf("%-14s %s\n", "payload", state_sentence(exhibit->state));
	printf("%-14s %s\n", "signed",
	    exhibit->is_signed ? "a checkpoint of the log covers it" : "not yet");
	if (exhibit->trouble.code != ERR_NONE)
		printf("%-14s %s\n", "trouble", err_text(&exhibit->trouble));
}
