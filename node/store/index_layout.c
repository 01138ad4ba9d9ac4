/* Keys and values of the index's tables. */
#include "node/store/index_layout.h"

#include "proto/hash.h"

#define CHECK_SIZE 8
#define META_SIZE (4 + 9 * 8 + 2 * 4 + CHECK_SIZE)
#define LOG_SIZE (4 * HASH_SIZE + 3 * 8 + 1 + CHECK_SIZE)
#define ENTRY_SIZE (8 + HASH_SIZE + 1)
#define PAYLOAD_SIZE 9
#define WANT_SIZE (HASH_SIZE + 8 + 4 + 8)
#define SEGMENT_SIZE (8 + CHECK_SIZE)

const char *
index_table_name(enum index_table table)
{
	static const char *const names[INDEX_TABLES] = {"meta", "logs", "log-ids", "entries",
	    "nodes", "kinds", "ids", "about", "known", "payloads", "wants", "progress", "parts",
	    "part-wants", "statements", "heads", "signings", "facts", "segments"};

	return names[table];
}

static void
key_bytes(struct index_key *key, const void *bytes, size_t size)
{
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

static void
key_u8(struct index_key *key, unsigned value)
{
	key->bytes[key->size++] = (uint8_t)value;
}

static void
key_u32(struct index_key *key, uint32_t value)
{
	put_u32(key->bytes + key->size, value);
	key->size += 4;
}

static void
key_u64(struct index_key *key, uint64_t value)
{
	put_u64(key->bytes + key->size, value);
	key->size += 8;
}

struct index_key
index_key_meta(void)
{
	struct index_key key = {.size = 0};

	key_bytes(&key, "meta", 4);
	return key;
}

struct index_key
index_key_u32(uint32_t number)
{
	struct index_key key = {.size = 0};

	key_u32(&key, number);
	return key;
}

struct index_key
index_key_hash(const uint8_t hash[static HASH_SIZE])
{
	struct index_key key = {.size = 0};

	key_bytes(&key, hash, HASH_SIZE);
	return key;
}

struct index_key
index_key_place(struct storage_place place)
{
	struct index_key key = {.size = 0};

	key_u32(&key, place.log);
	key_u64(&key, place.index);
	return key;
}

struct index_key
index_key_node(uint32_t log, unsigned level, uint64_t index)
{
	struct index_key key = {.size = 0};

	key_u32(&key, log);
	key_u8(&key, level);
	key_u64(&key, index);
	return key;
}

struct index_key
index_key_kind(uint32_t log, uint8_t kind, uint64_t index)
{
	return index_key_node(log, kind, index);
}

struct index_key
index_key_id(const uint8_t id[static HASH_SIZE], uint32_t log)
{
	struct index_key key = index_key_hash(id);

	key_u32(&key, log);
	return key;
}

struct index_key
index_key_about(const uint8_t id[static HASH_SIZE], struct storage_place place)
{
	struct index_key key = index_key_id(id, place.log);

	key_u64(&key, place.index);
	return key;
}

struct index_key
index_key_payload(const struct storage_payload *payload)
{
	struct index_key key = index_key_hash(payload->root);

	key_u64(&key, payload->size);
	return key;
}

struct index_key
index_key_progress(const struct storage_payload *payload, uint32_t stretch)
{
	struct index_key key = index_key_payload(payload);

	key_u32(&key, stretch);
	return key;
}

struct index_key
index_key_u64(uint64_t position)
{
	struct index_key key = {.size = 0};

	key_u64(&key, position);
	return key;
}

struct index_key
index_key_part(struct storage_place place, struct view name)
{
	struct index_key key = index_key_place(place);

	key_bytes(
	    &key, name.data, name.size < STORAGE_PART_NAME_MAX ? name.size : STORAGE_PART_NAME_MAX);
	return key;
}

struct index_key
index_key_statement(const uint8_t organisation[static HASH_SIZE], uint64_t position)
{
	struct index_key key = index_key_hash(organisation);

	key_u64(&key, position);
	return key;
}

struct index_key
index_key_head(uint32_t log, uint64_t size)
{
	return index_key_place((struct storage_place){.log = log, .index = size});
}

struct index_key
index_key_fact(uint8_t kind, struct view fact)
{
	struct index_key key = {.size = 0};

	key_u8(&key, kind);
	if (fact.size > 0)
		key_bytes(
		    &key, fact.data, fact.size < STORAGE_KEY_MAX ? fact.size : STORAGE_KEY_MAX);
	return key;
}

static void
value_bytes(struct index_value *value, const void *bytes, size_t size)
{
	memcpy(value->bytes + value->size, bytes, size);
	value->size += size;
}

static void
value_u64(struct index_value *value, uint64_t number)
{
	put_u64(value->bytes + value->size, number);
	value->size += 8;
}

static void
value_u32(struct index_value *value, uint32_t number)
{
	put_u32(value->bytes + value->size, number);
	value->size += 4;
}

static void
check_of(uint8_t check[static CHECK_SIZE], enum index_table table, uint32_t number,
    const struct index_value *value, size_t size)
{
	uint8_t head[8];
	uint8_t digest[HASH_SIZE];
	struct view views[2];

	put_u32(head, (uint32_t)table);
	put_u32(head + 4, number);
	views[0] = view_of(head, sizeof(head));
	views[1] = view_of(value->bytes, size);
	hash_sha256_of(digest, views, 2);
	memcpy(check, digest, CHECK_SIZE);
}

static void
value_seal(struct index_value *value, enum index_table table, uint32_t number)
{
	uint8_t check[CHECK_SIZE];

	check_of(check, table, number, value, value->size);
	value_bytes(value, check, CHECK_SIZE);
}

static bool
value_sealed(const struct index_value *value, enum index_table table, uint32_t number, size_t size)
{
	uint8_t check[CHECK_SIZE];

	if (value->size != size)
		return false;
	check_of(check, table, number, value, size - CHECK_SIZE);
	return memcmp(check, value->bytes + size - CHECK_SIZE, CHECK_SIZE) == 0;
}

struct index_value
index_meta_encode(const struct index_meta *meta)
{
	struct index_value value = {.size = 0};

	value_u32(&value, INDEX_VERSION);
	value_u64(&value, meta->position);
	value_u64(&value, meta->sequence);
	value_u64(&value, meta->entries);
	value_u64(&value, meta->payloads);
	value_u64(&value, meta->payload_bytes);
	value_u64(&value, meta->wants);
	value_u64(&value, meta->part_wants);
	value_u64(&value, meta->segment_sum);
	value_u64(&value, meta->log_sum);
	value_u32(&value, meta->logs);
	value_u32(&value, meta->segments);
	value_seal(&value, INDEX_META, 0);
	return value;
}

bool
index_meta_decode(struct index_meta *meta, const struct index_value *value)
{
	const uint8_t *at = value->bytes;

	if (!value_sealed(value, INDEX_META, 0, META_SIZE) || get_u32(at) != INDEX_VERSION)
		return false;
	meta->position = get_u64(at + 4);
	meta->sequence = get_u64(at + 12);
	meta->entries = get_u64(at + 20);
	meta->payloads = get_u64(at + 28);
	meta->payload_bytes = get_u64(at + 36);
	meta->wants = get_u64(at + 44);
	meta->part_wants = get_u64(at + 52);
	meta->segment_sum = get_u64(at + 60);
	meta->log_sum = get_u64(at + 68);
	meta->logs = get_u32(at + 76);
	meta->segments = get_u32(at + 80);
	return true;
}

struct index_value
index_log_encode(uint32_t number, const struct index_log *log)
{
	struct index_value value = {.size = 0};
	uint8_t broken = log->broken;

	value_bytes(&value, log->id, HASH_SIZE);
	value_bytes(&value, log->organisation, HASH_SIZE);
	value_bytes(&value, log->root, HASH_SIZE);
	value_bytes(&value, log->last_id, HASH_SIZE);
	value_u64(&value, log->size);
	value_u64(&value, log->position);
	value_u64(&value, log->last);
	value_bytes(&value, &broken, 1);
	value_seal(&value, INDEX_LOGS, number);
	return value;
}

bool
index_log_decode(struct index_log *log, uint32_t number, const struct index_value *value)
{
	const uint8_t *at = value->bytes;

	if (!value_sealed(value, INDEX_LOGS, number, LOG_SIZE))
		return false;
	memcpy(log->id, at, HASH_SIZE);
	memcpy(log->organisation, at + HASH_SIZE, HASH_SIZE);
	memcpy(log->root, at + 2 * HASH_SIZE, HASH_SIZE);
	memcpy(log->last_id, at + 3 * HASH_SIZE, HASH_SIZE);
	at += 4 * HASH_SIZE;
	log->size = get_u64(at);
	log->position = get_u64(at + 8);
	log->last = get_u64(at + 16);
	log->broken = at[24] != 0;
	return true;
}

struct index_value
index_entry_encode(const struct index_entry *entry)
{
	struct index_value value = {.size = 0};

	value_u64(&value, entry->position);
	value_bytes(&value, entry->id, HASH_SIZE);
	value_bytes(&value, &entry->kind, 1);
	return value;
}

bool
index_entry_decode(struct index_entry *entry, const struct index_value *value)
{
	if (value->size != ENTRY_SIZE)
		return false;
	entry->position = get_u64(value->bytes);
	memcpy(entry->id, value->bytes + 8, HASH_SIZE);
	entry->kind = value->bytes[8 + HASH_SIZE];
	return true;
}

struct index_value
index_payload_encode(const struct index_payload *payload)
{
	struct index_value value = index_value_u8(payload->whole);

	value_u64(&value, payload->position);
	return value;
}

bool
index_payload_decode(struct index_payload *payload, const struct index_value *value)
{
	if (value->size != PAYLOAD_SIZE || value->bytes[0] > 1)
		return false;
	payload->whole = value->bytes[0] == 1;
	payload->position = get_u64(value->bytes + 1);
	return true;
}

struct index_value
index_want_encode(const struct index_want *want)
{
	struct index_value value = index_value_hash(want->payload.root);

	value_u64(&value, want->payload.size);
	value_u32(&value, want->place.log);
	value_u64(&value, want->place.index);
	return value;
}

bool
index_want_decode(struct index_want *want, const struct index_value *value)
{
	if (value->size != WANT_SIZE)
		return false;
	memcpy(want->payload.root, value->bytes, HASH_SIZE);
	want->payload.size = get_u64(value->bytes + HASH_SIZE);
	want->place.log = get_u32(value->bytes + HASH_SIZE + 8);
	want->place.index = get_u64(value->bytes + HASH_SIZE + 12);
	return true;
}

struct index_value
index_segment_encode(uint32_t number, uint64_t end)
{
	struct index_value value = index_value_u64(end);

	value_seal(&value, INDEX_SEGMENTS, number);
	return value;
}

bool
index_segment_decode(uint64_t *end, uint32_t number, const struct index_value *value)
{
	*end = 0;
	if (!value_sealed(value, INDEX_SEGMENTS, number, SEGMENT_SIZE))
		return false;
	*end = get_u64(value->bytes);
	return true;
}

struct index_value
index_value_none(void)
{
	return (struct index_value){.size = 0};
}

struct index_value
index_value_u8(uint8_t number)
{
	struct index_value value = {.size = 0};

	value_bytes(&value, &number, 1);
	return value;
}

bool
index_value_u8_decode(uint8_t *number, const struct index_value *value)
{
	*number = value->bytes[0];
	return value->size == 1;
}

struct index_value
index_value_u32(uint32_t number)
{
	struct index_value value = {.size = 0};

	value_u32(&value, number);
	return value;
}

bool
index_value_u32_decode(uint32_t *number, const struct index_value *value)
{
	*number = get_u32(value->bytes);
	return value->size == 4;
}

struct index_value
index_value_u64(uint64_t number)
{
	struct index_value value = {.size = 0};

	value_u64(&value, number);
	return value;
}

bool
index_value_u64_decode(uint64_t *number, const struct index_value *value)
{
	*number = get_u64(value->bytes);
	return value->size == 8;
}

struct index_value
index_value_hash(const uint8_t hash[static HASH_SIZE])
{
	struct index_value value = {.size = 0};

	value_bytes(&value, hash, HASH_SIZE);
	return value;
}

bool
index_value_hash_decode(uint8_t hash[static HASH_SIZE], const struct index_value *value)
{
	memcpy(hash, value->bytes, HASH_SIZE);
	return value->size == HASH_SIZE;
}
