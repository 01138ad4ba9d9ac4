/* Everything that a store answers, in one digest; and folders. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/hash.h"
#include "tests/store/fixture.h"

struct digest {
	struct snapshot *snapshot;
	struct hash *hash;
	struct buffer bytes;
	struct buffer more;
	uint64_t answers;
};

static void
add(struct digest *digest, const void *bytes, size_t size)
{
	uint8_t length[8];

	put_u64(length, size);
	hash_update(digest->hash, view_of(length, sizeof(length)));
	hash_update(digest->hash, view_of(bytes, size));
	digest->answers++;
}

static void
add_number(struct digest *digest, uint64_t number)
{
	uint8_t bytes[8];

	put_u64(bytes, number);
	add(digest, bytes, sizeof(bytes));
}

static void
add_buffer(struct digest *digest)
{
	add(digest, digest->bytes.data, digest->bytes.size);
}

/* Results are answers too. */
static bool
ok(struct digest *digest, int result)
{
	add_number(digest, (uint64_t)(int64_t)result);
	return result == 0;
}

static void
digest_payload(struct digest *digest, const struct storage_payload *payload)
{
	enum storage_payload_state state = STORAGE_PAYLOAD_UNKNOWN;
	uint8_t bitmap[STORAGE_STRETCH / 8];
	static uint8_t leaf[STORAGE_LEAF]; /* a sanitizer would paint a new one each time */
	struct payload_reader *reader;
	struct tree_proof proof;
	uint8_t hash[HASH_SIZE];
	size_t size;

	if (ok(digest, snapshot_payload_state(digest->snapshot, &state, payload, NULL)))
		add_number(digest, state);
	if (ok(digest, snapshot_payload_progress(digest->snapshot, bitmap, payload, 0, NULL)))
		add(digest, bitmap, sizeof(bitmap));
	if (ok(digest, payload_reader_new(digest->snapshot, &reader, payload, NULL))) {
		for (uint64_t i = 0; i < payload_reader_leaves(reader); i++) {
			if (ok(digest, payload_reader_leaf(reader, leaf, &size, i, NULL)))
				add(digest, leaf, size);
			if (ok(digest, payload_reader_hash(reader, hash, i, NULL)))
				add(digest, hash, HASH_SIZE);
			if (ok(digest, payload_reader_prove(reader, &proof, i, NULL)))
				add(digest, proof.hashes, proof.count * HASH_SIZE);
		}
		payload_reader_free(reader);
	}
}

static void
digest_entry(struct digest *digest, struct storage_place place)
{
	struct storage_place found[4];
	struct storage_entry entry;
	uint8_t id[HASH_SIZE];
	size_t count;
	uint8_t kind;

	if (ok(digest, snapshot_entry_id(digest->snapshot, id, &kind, place, NULL))) {
		add(digest, id, HASH_SIZE);
		add_number(digest, kind);
		if (ok(digest, snapshot_find(digest->snapshot, found, 4, &count, id, 9, NULL))) {
			add_number(digest, count);
			for (size_t i = 0; i < count; i++)
				add_number(digest, found[i].index ^ (uint64_t)found[i].log << 40);
		}
	}
	if (!ok(digest, snapshot_entry(digest->snapshot, &entry, &digest->bytes, place, NULL)))
		return;
	add(digest, entry.record.data, entry.record.size);
	for (unsigned i = 0; i < entry.part_count; i++) {
		add(digest, &entry.parts[i].here, 1);
		add_number(digest, entry.parts[i].size);
		if (ok(digest, snapshot_part(digest->snapshot, &digest->bytes, place,
		                   entry.parts[i].name, NULL)))
			add_buffer(digest);
	}
	if (entry.has_payload)
		digest_payload(digest, &entry.payload);
}

static void
digest_log(struct digest *digest, uint32_t number)
{
	uint8_t hash[HASH_SIZE];
	uint64_t cursor;
	struct storage_log log;

	if (!ok(digest, snapshot_log(digest->snapshot, &log, number, NULL)))
		return;
	add(digest, log.id, HASH_SIZE);
	add(digest, log.organisation, HASH_SIZE);
	add(digest, log.root, HASH_SIZE);
	add_number(digest, log.size);
	if (ok(digest, snapshot_log_by_id(digest->snapshot, &log, log.id, NULL)))
		add_number(digest, log.number);
	if (ok(digest, snapshot_log_vkey(digest->snapshot, &digest->bytes, number, NULL)))
		add_buffer(digest);
	for (uint64_t i = 0; i < log.size; i++)
		digest_entry(digest, (struct storage_place){.log = number, .index = i});
	for (unsigned level = 0; level < 64 && log.size >> level > 0; level++) {
		for (uint64_t i = 0; i < log.size >> level; i++) {
			if (ok(digest,
			        snapshot_node(digest->snapshot, hash, number, level, i, NULL)))
				add(digest, hash, HASH_SIZE);
		}
	}
	for (uint8_t kind = 0; kind < 4; kind++) {
		cursor = STORAGE_START;
		while (
		    ok(digest, snapshot_kind_next(digest->snapshot, &cursor, number, kind, NULL)))
			add_number(digest, cursor);
		if (ok(digest, snapshot_kind_last(digest->snapshot, &cursor, number, kind, NULL)))
			add_number(digest, cursor);
	}
	cursor = STORAGE_START;
	while (
	    ok(digest, snapshot_head_next(digest->snapshot, &digest->bytes, &cursor, number, NULL)))
		add_buffer(digest);
	if (ok(digest, snapshot_head_last(digest->snapshot, &digest->bytes, &cursor, number, NULL)))
		add_buffer(digest);
	if (ok(digest, snapshot_signing(digest->snapshot, &cursor, hash, number, NULL)))
		add_number(digest, cursor);
}

static void
digest_rest(struct digest *digest)
{
	struct storage_place place = STORAGE_PLACE_START;
	uint8_t organisation[HASH_SIZE] = {0};
	struct storage_want want;
	uint64_t cursor = STORAGE_START;
	uint8_t about[HASH_SIZE];

	while (ok(digest, snapshot_want_next(digest->snapshot, &want, &cursor, NULL)))
		add(digest, want.payload.root, HASH_SIZE);
	while (ok(digest, snapshot_part_want_next(digest->snapshot, &place, NULL)))
		add_number(digest, place.index);
	for (uint64_t i = 0; i < 3; i++) {
		fixture_bytes(about, HASH_SIZE, 50, i);
		place = STORAGE_PLACE_START;
		while (ok(digest, snapshot_about_next(digest->snapshot, &place, about, NULL)))
			add_number(digest, place.index);
	}
	for (uint64_t i = 0; i < 200; i++) {
		fixture_bytes(about, HASH_SIZE, 60 + i % 3, i);
		if (ok(digest, snapshot_known(digest->snapshot, organisation, about, NULL)))
			add(digest, organisation, HASH_SIZE);
	}
	memset(organisation, 0, HASH_SIZE);
	while (ok(digest, snapshot_organisation_next(digest->snapshot, organisation, NULL))) {
		add(digest, organisation, HASH_SIZE);
		cursor = STORAGE_START;
		while (ok(digest, snapshot_statement_next(digest->snapshot, &digest->bytes, &cursor,
		                      organisation, NULL)))
			add_buffer(digest);
	}
	for (int kind = STORAGE_FACT_SETTING; kind <= STORAGE_FACT_NODE; kind++) {
		buffer_clear(&digest->more);
		while (ok(digest, snapshot_fact_next(digest->snapshot, &digest->more,
		                      &digest->bytes, (enum storage_fact)kind, NULL))) {
			add(digest, digest->more.data, digest->more.size);
			add_buffer(digest);
		}
	}
}

void
fixture_digest(struct storage *storage, uint8_t out[static HASH_SIZE], uint64_t *answers)
{
	struct digest digest = {.hash = hash_new()};
	struct storage_counts counts;

	buffer_init(&digest.bytes, STORAGE_BYTES_MAX);
	buffer_init(&digest.more, STORAGE_KEY_MAX);
	if (snapshot_begin(storage, &digest.snapshot, NULL) != 0)
		_exit(97);
	if (ok(&digest, snapshot_counts(digest.snapshot, &counts, NULL))) {
		add_number(&digest, counts.sequence);
		add_number(&digest, counts.logs);
		add_number(&digest, counts.entries);
		add_number(&digest, counts.payloads);
		add_number(&digest, counts.payload_bytes);
		add_number(&digest, counts.wants);
		add_number(&digest, counts.part_wants);
		for (uint32_t i = 0; i <= counts.logs; i++)
			digest_log(&digest, i);
	}
	digest_rest(&digest);
	snapshot_end(digest.snapshot);
	hash_finish(digest.hash, out);
	hash_free(digest.hash);
	buffer_fini(&digest.bytes);
	buffer_fini(&digest.more);
	*answers = digest.answers;
}

char *
fixture_folder(void)
{
	const char *base = getenv("TMPDIR");
	char *folder;

	if (asprintf(&folder, "%s/dalil-store-XXXXXX", base == NULL ? "/tmp" : base) < 0 ||
	    mkdtemp(folder) == NULL)
		_exit(96);
	return folder;
}

static void
remove_inside(const char *folder)
{
	DIR *list = opendir(folder);
	struct dirent *entry;
	struct stat status;
	char *path;

	while (list != NULL && (entry = readdir(list)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    asprintf(&path, "%s/%s", folder, entry->d_name) < 0)
			continue;
		if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
			remove_inside(path);
			(void)rmdir(path);
		} else {
			(void)unlink(path);
		}
		free(path);
	}
	if (list != NULL)
		(void)closedir(list);
}

void
fixture_remove(char *folder)
{
	remove_inside(folder);
	(void)rmdir(folder);
	free(folder);
}

void
fixture_copy(const char *to, const char *from)
{
	char piece[65536];
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	size_t got;

	if (in == NULL || out == NULL)
		_exit(95);
	while ((got = fread(piece, 1, sizeof(piece), in)) > 0) {
		if (fwrite(piece, 1, got, out) != got)
			_exit(95);
	}
	if (fclose(in) != 0 || fclose(out) != 0)
		_exit(95);
}
