/* Builds a set of fields from what a user gives by name, and places it into slots. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/fields.h"
#include "proto/pack.h"
#include "proto/text.h"
#include "proto/when.h"

#define ENTRIES_MAX 256
#define BYTES_MAX (192 * 1024) /* a part is 256 KiB at most, readers included */
#define NAME_MAX_BYTES 255
#define NAMED_COUNT (FIELD_NAMED_LAST - FIELD_NAMED_FIRST + 1)

/* Places in the builder's bytes, which may move. */
struct place {
	size_t at;
	size_t size;
};

struct entry {
	struct place name;
	struct place value;
	enum fields_access access;
};

struct fields_builder {
	enum field_kind kind;
	unsigned count;
	struct entry entries[ENTRIES_MAX];
	struct buffer bytes;
	struct buffer built; /* the values of slots 47 to 63 */
	struct buffer value; /* scratch for one value */
};

struct fields_builder *
fields_builder_new(enum field_kind kind)
{
	struct fields_builder *builder = calloc(1, sizeof(*builder));

	if (builder == NULL)
		return NULL;
	builder->kind = kind;
	buffer_init(&builder->bytes, BYTES_MAX);
	buffer_init(&builder->built, BYTES_MAX);
	buffer_init(&builder->value, BYTES_MAX);
	return builder;
}

void
fields_builder_free(struct fields_builder *builder)
{
	if (builder == NULL)
		return;
	buffer_fini(&builder->bytes);
	buffer_fini(&builder->built);
	buffer_fini(&builder->value);
	free(builder);
}

void
fields_builder_clear(struct fields_builder *builder)
{
	builder->count = 0;
	buffer_clear(&builder->bytes);
	buffer_clear(&builder->built);
}

static struct view
view_at(const struct fields_builder *builder, struct place place)
{
	return view_of(builder->bytes.data + place.at, place.size);
}

static struct place
keep(struct fields_builder *builder, struct view bytes)
{
	struct place place = {.at = builder->bytes.size, .size = bytes.size};

	buffer_append(&builder->bytes, bytes.data, bytes.size);
	return place;
}

static struct entry *
find(const struct fields_builder *builder, struct view name)
{
	unsigned i;

	for (i = 0; i < builder->count; i++) {
		if (view_equal(view_at(builder, builder->entries[i].name), name))
			return (struct entry *)&builder->entries[i];
	}
	return NULL;
}

bool
fields_builder_has(const struct fields_builder *builder, struct view name)
{
	return find(builder, name) != NULL;
}

static int
refuse(struct view name, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, "field '%.*s': %s", name.size > 64 ? 64 : (int)name.size,
	    (const char *)name.data, why);
}

static uint32_t
list_count(struct view value)
{
	struct unpack unpack;

	unpack_init(&unpack, value);
	return unpack_peek(&unpack) == UNPACK_ARRAY ? unpack_array(&unpack) : 1;
}

/* The elements of a list without its head; of anything else, the thing itself. */
static struct view
list_elements(struct view value)
{
	struct unpack unpack;

	unpack_init(&unpack, value);
	if (unpack_peek(&unpack) != UNPACK_ARRAY)
		return value;
	(void)unpack_array(&unpack);
	return view_of(unpack.at, (size_t)(unpack.end - unpack.at));
}

/* Two texts (or lists of them) or two lists of links become one list. */
static int
join(struct fields_builder *builder, struct entry *entry, struct view name, struct view value,
    struct err *err)
{
	struct view old = view_at(builder, entry->value);
	int slot = field_slot(builder->kind, name);
	enum field_type type =
	    slot < 0 ? FIELD_T_TEXT : field_at(builder->kind, (unsigned)slot)->type;
	struct buffer joined;
	struct unpack unpack;

	unpack_init(&unpack, old);
	if (type == FIELD_T_TEXT && (field_check(FIELD_DEPOSIT, FIELD_TITLE, old, NULL) != 0 ||
	                                field_check(FIELD_DEPOSIT, FIELD_TITLE, value, NULL) != 0))
		type = FIELD_T_NONE;
	if (type != FIELD_T_TEXT && type != FIELD_T_LINK)
		return refuse(name, "given twice, and it has one value", err);
	buffer_init(&joined, BYTES_MAX);
	pack_array(&joined, list_count(old) + list_count(value));
	pack_raw(&joined, list_elements(old));
	pack_raw(&joined, list_elements(value));
	entry->value = keep(builder, buffer_view(&joined));
	if (joined.err != ERR_NONE && builder->bytes.err == ERR_NONE)
		builder->bytes.err = joined.err;
	buffer_fini(&joined);
	return ERR_NONE;
}

/* The value of a field that has a slot must fit it, whoever is to read it. */
static int
check_value(const struct fields_builder *builder, struct view name, struct view value,
    enum fields_access access, struct err *err)
{
	int slot = field_slot(builder->kind, name);
	struct err why = {.code = 0};

	if (slot < 0 && field_is_reserved(builder->kind, name))
		return refuse(name, "the name of a slot, not of a field", err);
	if (slot >= 0 && field_check(builder->kind, (unsigned)slot, value, &why) != ERR_NONE)
		return refuse(name, why.text, err);
	if (slot == FIELD_LINK && access == FIELDS_TO_VAULT)
		return refuse(name, "links cannot be kept in the vault", err);
	return ERR_NONE;
}

static int
put(struct fields_builder *builder, struct view name, struct view value, enum fields_access access,
    struct err *err)
{
	struct entry *entry = find(builder, name);
	int code = check_value(builder, name, value, access, err);

	if (code != ERR_NONE)
		return code;
	if (name.size == 0 || name.size > NAME_MAX_BYTES || !text_is_utf8(name))
		return refuse(name, "a name is 1 to 255 bytes of UTF-8", err);
	if (field_slot(builder->kind, name) == FIELD_SOURCE)
		access = FIELDS_TO_VAULT;
	if (entry != NULL) {
		if (entry->access != access)
			return refuse(name, "given both for readers and for the vault", err);
		code = join(builder, entry, name, value, err);
	} else if (builder->count == ENTRIES_MAX) {
		return err_set(err, ERR_LIMIT, "more than %d fields", ENTRIES_MAX);
	} else {
		entry = &builder->entries[builder->count++];
		entry->access = access;
		entry->name = keep(builder, name);
		entry->value = keep(builder, value);
	}
	if (builder->bytes.err != ERR_NONE)
		return err_set(err, (enum err_code)builder->bytes.err, "fields of over 192 KiB");
	return code;
}

static int
put_scratch(
    struct fields_builder *builder, struct view name, enum fields_access access, struct err *err)
{
	if (builder->value.err != ERR_NONE)
		return err_set(err, (enum err_code)builder->value.err, "a field of over 192 KiB");
	return put(builder, name, buffer_view(&builder->value), access, err);
}

int
fields_builder_copy(
    struct fields_builder *builder, const struct fields_builder *from, struct err *err)
{
	unsigned i;

	for (i = 0; i < from->count; i++) {
		int code = put(builder, view_at(from, from->entries[i].name),
		    view_at(from, from->entries[i].value), from->entries[i].access, err);

		if (code != ERR_NONE)
			return code;
	}
	return ERR_NONE;
}

int
fields_put_text(struct fields_builder *builder, struct view name, struct view text,
    enum fields_access access, struct err *err)
{
	if (text.size == 0)
		return refuse(name, "an empty text", err);
	if (!text_is_utf8(text))
		return refuse(name, "not UTF-8", err);
	buffer_clear(&builder->value);
	pack_str(&builder->value, text);
	return put_scratch(builder, name, access, err);
}

int
fields_put_path(struct fields_builder *builder, unsigned slot, struct view path, struct err *err)
{
	buffer_clear(&builder->value);
	if (text_is_utf8(path))
		pack_str(&builder->value, path);
	else
		pack_bin(&builder->value, path);
	return put_scratch(
	    builder, view_text(field_at(builder->kind, slot)->name), FIELDS_TO_READERS, err);
}

int
fields_put_uint(struct fields_builder *builder, struct view name, uint64_t value, struct err *err)
{
	buffer_clear(&builder->value);
	pack_uint(&builder->value, value);
	return put_scratch(builder, name, FIELDS_TO_READERS, err);
}

int
fields_put_int(struct fields_builder *builder, struct view name, int64_t value,
    enum fields_access access, struct err *err)
{
	buffer_clear(&builder->value);
	pack_int(&builder->value, value);
	return put_scratch(builder, name, access, err);
}

int
fields_put_bin(struct fields_builder *builder, struct view name, struct view bytes, struct err *err)
{
	buffer_clear(&builder->value);
	pack_bin(&builder->value, bytes);
	return put_scratch(builder, name, FIELDS_TO_READERS, err);
}

int
fields_put_captured(struct fields_builder *builder, struct view name,
    const struct captured *captured, enum fields_access access, struct err *err)
{
	if (!text_is_utf8(captured->text))
		return refuse(name, "not UTF-8", err);
	buffer_clear(&builder->value);
	captured_pack(&builder->value, captured);
	return put_scratch(builder, name, access, err);
}

int
fields_put_link(struct fields_builder *builder, struct view relation,
    const uint8_t id[static HASH_SIZE], struct err *err)
{
	if (!field_is_relation(relation))
		return refuse(view_text("link"),
		    "the relation is one of translation-of, transcript-of, redaction-of, "
		    "excerpt-of, "
		    "edition-of, attachment-of, reply-to, same-event, part-of, refers-to",
		    err);
	buffer_clear(&builder->value);
	pack_array(&builder->value, 1);
	pack_array(&builder->value, 2);
	pack_str(&builder->value, relation);
	pack_bin(&builder->value, view_of(id, HASH_SIZE));
	return put_scratch(builder, view_text("link"), FIELDS_TO_READERS, err);
}

int
fields_put_value(struct fields_builder *builder, struct view name, struct view value,
    enum fields_access access, struct err *err)
{
	int code = unpack_check(value, UNPACK_NIL_ALLOWED, err);

	return code != ERR_NONE ? code : put(builder, name, value, access, err);
}

/* Degrees with up to six decimals, as millionths; false for anything else. */
static bool
parse_degrees(int64_t *millionths, struct view text)
{
	bool negative = text.size > 0 && text.data[0] == '-';
	size_t i = negative || (text.size > 0 && text.data[0] == '+') ? 1 : 0;
	unsigned decimals = 0;
	unsigned digits = 0;
	bool point = false;

	*millionths = 0;
	for (; i < text.size; i++) {
		if (!point && (text.data[i] == '.' || text.data[i] == ',')) {
			point = true;
			continue;
		}
		if (text.data[i] < '0' || text.data[i] > '9' || ++digits > 9 || decimals == 6)
			return false;
		decimals += point;
		*millionths = *millionths * 10 + (text.data[i] - '0');
	}
	for (; decimals < 6; decimals++)
		*millionths *= 10;
	if (negative)
		*millionths = -*millionths;
	return digits > 0;
}

static int
put_captured_text(struct fields_builder *builder, struct view name, struct view text,
    enum fields_access access, struct err *err)
{
	struct captured captured;
	int code = when_parse(&captured, text, err);

	return code != ERR_NONE ? code : fields_put_captured(builder, name, &captured, access, err);
}

int
fields_put_typed(struct fields_builder *builder, struct view name, struct view text,
    enum fields_access access, struct err *err)
{
	int slot = field_slot(builder->kind, name);
	int64_t number;

	if (slot < 0)
		return fields_put_text(builder, name, text, access, err);
	switch (field_at(builder->kind, (unsigned)slot)->type) {
	case FIELD_T_STR:
		if (builder->kind == FIELD_DEPOSIT && slot == FIELD_DEPOSITED_BY)
			return refuse(name, "dalil claims it itself", err);
		return fields_put_text(builder, name, text, access, err);
	case FIELD_T_TEXT:
	case FIELD_T_STR_OR_BIN:
		return fields_put_text(builder, name, text, access, err);
	case FIELD_T_LATITUDE:
	case FIELD_T_LONGITUDE:
		if (!parse_degrees(&number, text))
			return refuse(
			    name, "degrees with up to six decimals, as in 41.299496", err);
		return fields_put_int(builder, name, number, access, err);
	case FIELD_T_CAPTURED:
		return put_captured_text(builder, name, text, access, err);
	case FIELD_T_NONE:
	case FIELD_T_UINT:
	case FIELD_T_BIN32:
	case FIELD_T_BIN64:
	case FIELD_T_LINK:
	case FIELD_T_MEMBER:
	case FIELD_T_MAP:
	case FIELD_T_OTHER:
	case FIELD_T_NAMED:
		return refuse(name, "it cannot be given as text", err);
	}
	return refuse(name, "it cannot be given as text", err);
}

/* Entries to be placed by name, for sorting. */
struct named {
	struct view name;
	struct view value;
	bool in_slot; /* a captured or a map: slot 63 may not hold it */
};

static int
compare_named(const void *a, const void *b)
{
	return view_compare(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static bool
needs_slot(struct view value)
{
	struct unpack unpack;

	if (captured_read(&(struct captured){.offset = 0}, value))
		return true;
	unpack_init(&unpack, value);
	return unpack_peek(&unpack) == UNPACK_MAP;
}

static struct place
build_map(struct fields_builder *builder, const struct named *named, unsigned count)
{
	struct place place = {.at = builder->built.size};
	unsigned i;

	pack_map(&builder->built, count);
	for (i = 0; i < count; i++) {
		pack_str(&builder->built, named[i].name);
		pack_raw(&builder->built, named[i].value);
	}
	place.size = builder->built.size - place.at;
	return place;
}

static struct place
build_pair(struct fields_builder *builder, const struct named *named)
{
	struct place place = {.at = builder->built.size};

	pack_array(&builder->built, 2);
	pack_str(&builder->built, named->name);
	pack_raw(&builder->built, named->value);
	place.size = builder->built.size - place.at;
	return place;
}

/*
 * The first 14 by name stand in slots of their own, the rest in one map.  Where there are more than
 * 14, what the map may not hold comes before what it may.
 */
static int
build_vault(struct fields_builder *builder, struct named *named, unsigned count,
    struct place places[static FIELD_SLOTS], struct err *err)
{
	struct named rest[ENTRIES_MAX];
	unsigned must = 0;
	unsigned room;
	unsigned in_rest = 0;
	unsigned slot = FIELD_NAMED_FIRST;
	unsigned i;

	qsort(named, count, sizeof(*named), compare_named);
	for (i = 0; i < count; i++)
		must += named[i].in_slot;
	if (must > NAMED_COUNT)
		return err_set(
		    err, ERR_USAGE, "more than %d times or maps for the vault", NAMED_COUNT);
	room = NAMED_COUNT - must;
	for (i = 0; i < count; i++) {
		if (!named[i].in_slot && room == 0) {
			rest[in_rest++] = named[i];
			continue;
		}
		room -= !named[i].in_slot;
		places[slot++] = build_pair(builder, &named[i]);
	}
	if (in_rest > 0)
		places[FIELD_REST] = build_map(builder, rest, in_rest);
	return ERR_NONE;
}

int
fields_build(struct fields_builder *builder, struct fields *fields, struct err *err)
{
	struct place places[FIELD_SLOTS] = {{0}};
	struct named others[ENTRIES_MAX];
	struct named vault[ENTRIES_MAX];
	unsigned other_count = 0;
	unsigned vault_count = 0;
	unsigned i;
	int code;

	*fields = (struct fields){.kind = builder->kind};
	buffer_clear(&builder->built);
	for (i = 0; i < builder->count; i++) {
		const struct entry *entry = &builder->entries[i];
		struct named named = {
		    .name = view_at(builder, entry->name), .value = view_at(builder, entry->value)};
		int slot = field_slot(builder->kind, named.name);

		named.in_slot = needs_slot(named.value);
		if (slot >= 0 && (entry->access == FIELDS_TO_READERS || slot == FIELD_SOURCE))
			fields->values[slot] = named.value;
		else if (entry->access == FIELDS_TO_READERS)
			others[other_count++] = named;
		else
			vault[vault_count++] = named;
	}
	qsort(others, other_count, sizeof(*others), compare_named);
	if (other_count > 0)
		places[FIELD_OTHER] = build_map(builder, others, other_count);
	code = build_vault(builder, vault, vault_count, places, err);
	if (code != ERR_NONE)
		return code;
	if (builder->built.err != ERR_NONE)
		return err_set(err, (enum err_code)builder->built.err, "fields of over 192 KiB");
	for (i = FIELD_OTHER; i < FIELD_SLOTS; i++) {
		if (places[i].size > 0)
			fields->values[i] =
			    view_of(builder->built.data + places[i].at, places[i].size);
	}
	return fields_check(fields, FIELDS_ALL, err);
}
