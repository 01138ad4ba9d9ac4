/*
 * P1 (durable): what is committed is there after closing and opening, after a crash between journal and
 * index, and after reindex; what was not committed is not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/store/store_private.h"
#include "proto/hash.h"
#include "tests/store/fixture.h"
#include "tests/unit/vectors.h"

struct place {
	char *folder;
	char *path;
	struct storage *storage;
};

static struct err err; /* of the call that ok() looks at */

#define ok(call)                                                   \
	do {                                                       \
		if ((call) != 0)                                   \
			fail_msg("%s: %s", #call, err_text(&err)); \
	} while (0)

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place->folder = fixture_folder();
	if (asprintf(&place->path, "%s/store", place->folder) < 0)
		return -1;
	ok(store_create(place->path, &err));
	ok(store_open(place->path, &place->storage, &err));
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	storage_close(place->storage);
	fixture_remove(place->folder);
	free(place->path);
	free(place);
	return 0;
}

static void
reopen(struct place *place)
{
	storage_close(place->storage);
	ok(store_open(place->path, &place->storage, &err));
}

static void
fill(struct place *place)
{
	struct batch *batch;

	ok(batch_begin(place->storage, &batch, &err));
	assert_int_equal(fixture_log(batch, 0), 0);
	assert_int_equal(fixture_log(batch, 1), 1);
	assert_int_equal(fixture_log(batch, 0), 0);
	ok(batch_commit(batch, &err));
	ok(fixture_append(place->storage, 0, 0, 40, &err));
	ok(fixture_append(place->storage, 1, 0, 17, &err));
	ok(fixture_append(place->storage, 0, 40, 41, &err));
	ok(fixture_append(place->storage, 0, 41, 100, &err));
	ok(fixture_extras(place->storage, 1, &err));
}

static void
check_all(struct place *place, uint32_t log, uint64_t size)
{
	struct snapshot *snapshot;

	ok(snapshot_begin(place->storage, &snapshot, &err));
	for (uint64_t i = 0; i < size; i++)
		ok(fixture_check(snapshot, log, i, &err));
	snapshot_end(snapshot);
}

static void
test_keep(void **state)
{
	struct place *place = *state;
	struct storage_counts counts;
	struct snapshot *snapshot;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;
	uint64_t answers_after;

	fill(place);
	check_all(place, 0, 100);
	check_all(place, 1, 17);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_counts(snapshot, &counts, &err));
	snapshot_end(snapshot);
	assert_int_equal(counts.logs, 2);
	assert_int_equal(counts.entries, 117);
	assert_int_equal(counts.payloads + counts.wants, 50 + 9);
	assert_int_equal(counts.wants, 5);
	assert_int_equal(counts.part_wants, 11);
	fixture_digest(place->storage, before, &answers);
	assert_true(answers > 2000);
	reopen(place);
	fixture_digest(place->storage, after, &answers_after);
	assert_int_equal(answers, answers_after);
	assert_memory_equal(before, after, HASH_SIZE);
}

/* The tree of the store is the tree of its records. */
static void
test_tree(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct snapshot_tree source = {.log = 0};
	struct snapshot *snapshot;
	uint8_t root[HASH_SIZE];
	struct tree_proof proof;
	struct storage_log log;
	struct tree tree;

	fill(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	source.snapshot = snapshot;
	tree_init(&tree);
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		assert_int_equal(tree_append(&tree, entry->append.id, NULL, NULL), 0);
	}
	tree_root(&tree, root);
	ok(snapshot_log(snapshot, &log, 0, &err));
	assert_int_equal(log.size, 100);
	assert_memory_equal(log.root, root, HASH_SIZE);
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		ok(tree_prove_inclusion(&proof, i, 100, snapshot_tree_read, &source));
		ok(tree_check_inclusion(entry->append.id, i, 100, root,
		    (const uint8_t(*)[HASH_SIZE])proof.hashes, proof.count, &err));
	}
	snapshot_end(snapshot);
	free(entry);
}

/* A prefix finds what begins with it, in every log, and nothing else. */
static void
test_find(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct storage_place found[200];
	struct snapshot *snapshot;
	size_t all = 0;
	size_t count;

	fill(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	for (uint64_t i = 0; i < 100; i++) {
		fixture_entry(entry, 0, i);
		for (unsigned nibbles = 8; nibbles <= 64; nibbles += 7) {
			ok(snapshot_find(
			    snapshot, found, 10, &count, entry->append.id, nibbles, &err));
			assert_int_equal(count, 1);
			assert_int_equal(found[0].log, 0);
			assert_int_equal(found[0].index, i);
		}
		entry->append.id[31] ^= 1;
		ok(snapshot_find(snapshot, found, 10, &count, entry->append.id, 64, &err));
		assert_int_equal(count, 0);
	}
	for (unsigned nibble = 0; nibble < 16; nibble++) {
		uint8_t prefix[HASH_SIZE] = {(uint8_t)(nibble << 4 | 7)};

		ok(snapshot_find(snapshot, found, 200, &count, prefix, 1, &err));
		all += count;
		ok(snapshot_find(snapshot, found, 1, &count, prefix, 1, &err));
		assert_true(count <= 1);
	}
	assert_int_equal(all, 117);
	ok(snapshot_find(snapshot, found, 200, &count, entry->append.id, 0, &err));
	assert_int_equal(count, 117);
	assert_int_equal(
	    snapshot_find(snapshot, found, 1, &count, entry->append.id, 65, NULL), ERR_USAGE);
	snapshot_end(snapshot);
	free(entry);
}

/* A batch sees itself, and nobody else sees it. */
static void
test_inside(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct snapshot *inside;
	struct snapshot *outside;
	uint8_t id[HASH_SIZE];
	struct storage_log log;
	struct storage_log same;
	struct batch *batch;

	fill(place);
	ok(batch_begin(place->storage, &batch, &err));
	inside = batch_snapshot(batch);
	ok(snapshot_begin(place->storage, &outside, &err));
	assert_int_equal(fixture_log(batch, 7), 2);
	assert_int_equal(fixture_log(batch, 7), 2);
	ok(snapshot_log(inside, &log, 2, &err));
	ok(snapshot_log_by_id(inside, &same, log.id, &err));
	assert_int_equal(same.number, 2);
	assert_int_equal(snapshot_log_by_id(outside, &same, log.id, &err), ERR_NOT_FOUND);
	fixture_entry(entry, 0, 100);
	assert_non_null(entry->append.known);
	assert_int_equal(snapshot_known(inside, id, entry->known, &err), ERR_NOT_FOUND);
	ok(batch_append(batch, &entry->append, &err));
	ok(snapshot_known(inside, id, entry->known, &err));
	assert_memory_equal(id, entry->append.id, HASH_SIZE);
	ok(snapshot_log(inside, &log, 0, &err));
	assert_int_equal(log.size, 101);
	ok(snapshot_log(outside, &log, 0, &err));
	assert_int_equal(log.size, 100);
	assert_int_equal(snapshot_known(outside, id, entry->known, &err), ERR_NOT_FOUND);
	snapshot_end(outside);
	batch_abort(batch);
	free(entry);
}

/* What aborted, or failed and stuck, leaves nothing. */
static void
test_abort(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	struct batch *batch;
	struct stat status;
	uint64_t answers;
	char file[4096];
	off_t size;

	fill(place);
	(void)snprintf(file, sizeof(file), "%s/journal/00000001.jrn", place->path);
	assert_int_equal(stat(file, &status), 0);
	size = status.st_size;
	fixture_digest(place->storage, before, &answers);
	ok(batch_begin(place->storage, &batch, &err));
	fixture_entry(entry, 0, 100);
	ok(batch_append(batch, &entry->append, &err));
	ok(fixture_check(batch_snapshot(batch), 0, 100, &err)); /* seen inside */
	fixture_entry(entry, 0, 102);                           /* not the next one */
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_USAGE);
	fixture_entry(entry, 0, 101);
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_USAGE);
	assert_int_equal(batch_commit(batch, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "102"));
	ok(batch_begin(place->storage, &batch, &err));
	fixture_entry(entry, 0, 100);
	entry->append.id[3] ^= 1;
	assert_int_equal(batch_append(batch, &entry->append, &err), ERR_FORGED);
	batch_abort(batch);
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_size, size);
	free(entry);
}

/* Never sign less, or otherwise, than before (design 5.4). */
static void
test_signing(void **state)
{
	struct place *place = *state;
	uint8_t root[HASH_SIZE] = {1};
	uint8_t other[HASH_SIZE] = {2};
	struct batch *batch;

	fill(place);
	ok(batch_begin(place->storage, &batch, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	assert_int_equal(batch_signing(batch, 0, 50, other, &err), ERR_REFUSED);
	assert_int_equal(batch_commit(batch, &err), ERR_REFUSED);
	ok(batch_begin(place->storage, &batch, &err));
	ok(batch_signing(batch, 0, 50, root, &err));
	ok(batch_commit(batch, &err));
	ok(batch_begin(place->storage, &batch, &err));
	assert_int_equal(batch_signing(batch, 0, 49, root, &err), ERR_REFUSED);
	batch_abort(batch);
}

static void
test_late_part(void **state)
{
	struct place *place = *state;
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct storage_part_given part;
	struct storage_counts counts;
	struct snapshot *snapshot;
	struct buffer bytes;
	struct batch *batch;
	uint8_t sealed[1024];

	fill(place);
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	fixture_entry(entry, 0, 5);
	fixture_bytes(sealed, sizeof(sealed), 1 + 101, 5);
	assert_null(entry->parts[1].bytes.data);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	assert_int_equal(
	    snapshot_part(snapshot, &bytes, entry->append.place, "sealed", NULL), ERR_MISSING);
	assert_int_equal(
	    snapshot_part(snapshot, &bytes, entry->append.place, "open", NULL), ERR_NOT_FOUND);
	snapshot_end(snapshot);
	part = entry->parts[1];
	part.bytes = view_of(sealed, sizeof(sealed));
	for (int i = 0; i < 2; i++) { /* a second time changes nothing */
		ok(batch_begin(place->storage, &batch, &err));
		ok(batch_part(batch, entry->append.place, &part, &err));
		ok(snapshot_part(
		    batch_snapshot(batch), &bytes, entry->append.place, "sealed", &err));
		ok(batch_commit(batch, &err));
	}
	reopen(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(snapshot_part(snapshot, &bytes, entry->append.place, "sealed", &err));
	assert_true(view_equal(buffer_view(&bytes), part.bytes));
	ok(snapshot_counts(snapshot, &counts, &err));
	assert_int_equal(counts.part_wants, 10);
	snapshot_end(snapshot);
	ok(batch_begin(place->storage, &batch, &err));
	part.name = "other";
	assert_int_equal(batch_part(batch, entry->append.place, &part, NULL), ERR_DAMAGED);
	batch_abort(batch);
	buffer_fini(&bytes);
	free(entry);
}

/* Put an older index back: the journal rolls forward. */
static void
test_roll_forward(void **state)
{
	struct place *place = *state;
	char *index = NULL;
	char *old = NULL;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	struct batch *batch;
	uint64_t answers;
	int fd;

	ok(batch_begin(place->storage, &batch, &err));
	(void)fixture_log(batch, 0);
	(void)fixture_log(batch, 1);
	ok(batch_commit(batch, &err));
	ok(fixture_append(place->storage, 0, 0, 40, &err));
	storage_close(place->storage);
	place->storage = NULL;
	assert_true(asprintf(&index, "%s/index/data.mdb", place->path) > 0);
	assert_true(asprintf(&old, "%s/old", place->folder) > 0);
	fixture_copy(old, index);
	ok(store_open(place->path, &place->storage, &err));
	ok(fixture_append(place->storage, 1, 0, 17, &err));
	ok(fixture_append(place->storage, 0, 40, 100, &err));
	ok(fixture_extras(place->storage, 1, &err));
	fixture_digest(place->storage, before, &answers);
	storage_close(place->storage);
	place->storage = NULL;
	fixture_copy(index, old);
	/* and a torn frame behind it all */
	free(old);
	assert_true(asprintf(&old, "%s/journal/00000001.jrn", place->path) > 0);
	fd = open(old, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\0\0\1\0\0\0\1\0\2\0", 10), 10);
	(void)close(fd);
	ok(store_open(place->path, &place->storage, &err));
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	ok(fixture_append(place->storage, 0, 100, 120, &err));
	check_all(place, 0, 120);
	free(index);
	free(old);
}

static void
count_finding(void *cookie, const struct store_finding *finding)
{
	(void)finding;
	(*(unsigned *)cookie)++;
}

/*
 * Whatever a crash or power loss has left behind the index's end, opening makes a whole store of it:
 * the frames before the first one that is not whole, and nothing else.
 */
static void
test_torn(void **state)
{
	struct place *place = *state;
	struct stat status;
	char *names[6] = {NULL};
	unsigned seed = 5;
	uint64_t kept = 0;
	off_t from;

	assert_true(asprintf(&names[0], "%s/data.mdb", place->folder) > 0);
	assert_true(asprintf(&names[1], "%s/index/data.mdb", place->path) > 0);
	assert_true(asprintf(&names[2], "%s/00000001.jrn", place->folder) > 0);
	assert_true(asprintf(&names[3], "%s/journal/00000001.jrn", place->path) > 0);
	assert_true(asprintf(&names[4], "%s/00000001.seg", place->folder) > 0);
	assert_true(asprintf(&names[5], "%s/segments/00000001.seg", place->path) > 0);
	fill(place);
	assert_int_equal(stat(names[3], &status), 0);
	from = status.st_size;
	storage_close(place->storage);
	fixture_copy(names[0], names[1]);
	ok(store_open(place->path, &place->storage, &err));
	ok(fixture_append(place->storage, 0, 100, 140, &err));
	ok(fixture_append(place->storage, 1, 17, 30, &err));
	storage_close(place->storage);
	fixture_copy(names[2], names[3]);
	fixture_copy(names[4], names[5]);
	assert_int_equal(stat(names[3], &status), 0);
	for (unsigned i = 0; i < 40; i++) {
		off_t at = from + rand_r(&seed) % (status.st_size - from);
		unsigned findings = 0;
		struct snapshot *snapshot;
		struct storage_log log;
		int fd;

		fixture_copy(names[1], names[0]);
		fixture_copy(names[3], names[2]);
		fixture_copy(names[5], names[4]);
		fd = open(names[3], O_RDWR);
		if (i % 2 == 0)
			assert_int_equal(ftruncate(fd, at), 0);
		else
			assert_int_equal(pwrite(fd, (uint8_t[700]){0}, 700, at), 700);
		(void)close(fd);
		ok(store_open(place->path, &place->storage, &err));
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_int_equal(findings, 0);
		ok(snapshot_begin(place->storage, &snapshot, &err));
		ok(snapshot_log(snapshot, &log, 0, &err));
		snapshot_end(snapshot);
		assert_in_range(log.size, 100, 140);
		kept += log.size - 100;
		check_all(place, 0, log.size);
		ok(fixture_append(place->storage, 0, log.size, log.size + 1, &err));
		storage_close(place->storage);
	}
	assert_true(kept > 100);
	ok(store_open(place->path, &place->storage, &err));
	for (int i = 0; i < 6; i++)
		free(names[i]);
}

static void
test_reindex(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	uint8_t before[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	uint64_t answers;

	store->journal_file_max = 50000; /* many files */
	store->segment_max = 30000;
	fill(place);
	ok(fixture_append(place->storage, 1, 17, 60, &err));
	fixture_digest(place->storage, before, &answers);
	assert_true(files_exist(&store->journal, 5));
	assert_true(files_exist(&store->segments, 3));
	ok(store_reindex(place->path, NULL, NULL, NULL, &err));
	/* The open store goes over to the new index by itself. */
	fixture_digest(place->storage, after, &answers);
	assert_memory_equal(before, after, HASH_SIZE);
	ok(fixture_append(place->storage, 1, 60, 70, &err));
	reopen(place);
	check_all(place, 1, 70);
	check_all(place, 0, 100);
}

static void
overwrite(struct place *place, const char *name, off_t offset, const void *bytes, size_t size)
{
	char *path;
	int fd;

	assert_true(asprintf(&path, "%s/%s", place->path, name) > 0);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	(void)close(fd);
	free(path);
}

/* The offset of the frame of entry ${index} of log 0, and of the record in it. */
static struct journal_at
entry_at(struct place *place, uint64_t index)
{
	struct index_key key = index_key_place((struct storage_place){.log = 0, .index = index});
	struct store_snapshot *snapshot;
	struct index_entry entry;
	struct index_value value;

	ok(store_snapshot_open((struct store *)place->storage, &snapshot, &err));
	ok(index_get(snapshot->txn, INDEX_ENTRIES, &key, &value, &err));
	assert_true(index_entry_decode(&entry, &value));
	store_snapshot_end(&snapshot->base);
	return journal_unpack(entry.position);
}

static void
test_compare(void **state)
{
	struct place *place = *state;
	struct index_key key = index_key_fact(STORAGE_FACT_PEER, view_of("\0\0\0\0\0\0\0\2", 8));
	struct store *store = (struct store *)place->storage;
	struct store_write write;
	unsigned findings = 0;

	fill(place);
	ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
	assert_int_equal(findings, 0);
	/* rows that go missing are named */
	for (int i = 0; i < 3; i++) {
		ok(write_begin(store, &write, &err));
		if (i == 0)
			ok(index_delete(write.txn, INDEX_FACTS, &key, &err));
		key = index_key_place((struct storage_place){.log = 0, .index = 7});
		if (i == 1)
			ok(index_delete(write.txn, INDEX_ENTRIES, &key, &err));
		key = index_key_node(0, 3, 2);
		if (i == 2)
			ok(index_delete(write.txn, INDEX_NODES, &key, &err));
		ok(write_commit(&write, &err));
		write_end(&write);
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
		ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_int_equal(findings, 0);
	}
}

/* A row that was right once, as a damaged page may show it, must not have a log forked. */
static void
test_stale_row(void **state)
{
	struct place *place = *state;
	struct store *store = (struct store *)place->storage;
	struct index_key key = index_key_u32(0);
	struct index_value old;
	struct store_write write;
	struct batch *batch;

	fill(place);
	ok(write_begin(store, &write, &err));
	ok(index_get(write.txn, INDEX_LOGS, &key, &old, &err));
	write_end(&write);
	ok(fixture_append(place->storage, 0, 100, 101, &err));
	ok(write_begin(store, &write, &err));
	ok(index_put(write.txn, INDEX_LOGS, &key, &old, false, &err));
	ok(write_commit(&write, &err));
	write_end(&write);
	assert_int_equal(batch_begin(place->storage, &batch, &err), ERR_INDEX);
	ok(store_reindex(place->path, NULL, NULL, NULL, &err));
	ok(fixture_append(place->storage, 0, 101, 102, &err));
	check_all(place, 0, 102);
}

/* A frame that rots costs its own entry and nothing else, also after reindex. */
static void
test_rot(void **state)
{
	struct place *place = *state;
	struct snapshot *snapshot;
	struct journal_at at;
	unsigned findings = 0;

	fill(place);
	at = entry_at(place, 30);
	overwrite(place, "journal/00000001.jrn", at.offset + 150, "rot", 3);
	for (int i = 0; i < 2; i++) {
		ok(snapshot_begin(place->storage, &snapshot, &err));
		for (uint64_t index = 0; index < 100; index++)
			assert_int_equal(
			    fixture_check(snapshot, 0, index, &err), index == 30 ? ERR_DAMAGED : 0);
		for (uint64_t index = 0; index < 17; index++)
			ok(fixture_check(snapshot, 1, index, &err));
		snapshot_end(snapshot);
		findings = 0;
		ok(store_compare(place->storage, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
		findings = 0;
		ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
		assert_true(findings > 0);
	}
	/* the tree is whole: the log goes on */
	ok(fixture_append(place->storage, 0, 100, 110, &err));
	check_all(place, 1, 17);
	reopen(place);
	/* three frames in a row are too many: the log is read, and not written */
	at = entry_at(place, 50);
	for (uint64_t index = 50; index < 53; index++) {
		at = entry_at(place, index);
		overwrite(place, "journal/00000001.jrn", at.offset + 150, "rot", 3);
	}
	ok(store_reindex(place->path, NULL, count_finding, &findings, &err));
	reopen(place);
	ok(snapshot_begin(place->storage, &snapshot, &err));
	ok(fixture_check(snapshot, 0, 49, &err));
	assert_int_equal(fixture_check(snapshot, 0, 51, &err), ERR_DAMAGED);
	ok(fixture_check(snapshot, 0, 60, &err));
	snapshot_end(snapshot);
	assert_int_equal(fixture_append(place->storage, 0, 110, 111, &err), ERR_DAMAGED);
	ok(fixture_append(place->storage, 1, 17, 20, &err));
}

static void
test_refusals(void **state)
{
	struct place *place = *state;
	char path[4096];
	struct storage *other;
	int fd;

	assert_int_equal(store_create(place->path, &err), ERR_EXISTS);
	assert_int_equal(store_open(place->folder, &other, &err), ERR_NOT_FOUND);
	assert_int_equal(store_open("/nonexistent/dalil", &other, &err), ERR_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/format", place->path);
	fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "2\n", 2), 2);
	assert_int_equal(store_open(place->path, &other, &err), ERR_VERSION);
	assert_int_equal(pwrite(fd, "x\n", 2, 0), 2);
	assert_int_equal(store_open(place->path, &other, &err), ERR_DAMAGED);
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_find, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_inside, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_signing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_late_part, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_roll_forward, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_reindex, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_stale_row, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_rot, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
