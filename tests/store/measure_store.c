/*
 * How fast the store is on this disk: entries in batches of 1,000 with 3 KiB of parts and a small
 * payload each, large payloads, reading back, reindex; and how many bytes of index a record takes.
 * Usage: measure_store FOLDER [ENTRIES [MEBIBYTES]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "node/store/store.h"
#include "proto/hash.h"
#include "tests/store/fixture.h"

#define BATCH 1000
#define PART 1024
#define PAYLOAD 20000

static double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
must(int result, const struct err *err)
{
	if (result == 0)
		return;
	(void)fprintf(stderr, "measure_store: %s\n", err_text(err));
	exit(5);
}

static void
random_bytes(uint8_t *to, size_t size, uint64_t *state)
{
	for (size_t i = 0; i < size; i += 8) {
		*state = *state * 6364136223846793005U + 1442695040888963407U;
		for (size_t j = 0; j < 8 && i + j < size; j++)
			to[i + j] = (uint8_t)(*state >> (8 * j));
	}
}

static uint8_t record[1200];
static uint8_t part[PART];
static uint8_t small[PAYLOAD];

static double
append_batch(struct storage *storage, uint64_t first, bool payloads)
{
	static struct storage_location locations[BATCH];
	uint64_t state = first + 1;
	struct storage_part_given parts[3] = {{.name = "grant", .bytes = view_of(part, PART)},
	    {.name = "sealed", .bytes = view_of(part, PART)},
	    {.name = "vault", .bytes = view_of(part, PART)}};
	uint8_t digest[HASH_SIZE];
	uint8_t known[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	struct payload_writer *writer = NULL;
	struct batch *batch;
	struct err err;
	double start;

	random_bytes(part, PART, &state);
	hash_sha256(digest, view_of(part, PART));
	for (int i = 0; i < 3; i++)
		parts[i].digest = digest;
	start = now();
	if (payloads) {
		must(payload_writer_new(storage, &writer, &err), &err);
		for (uint64_t i = 0; i < BATCH; i++) {
			put_u64(small, first + i);
			tree_leaf(hash, view_of(small, PAYLOAD));
			must(payload_writer_put(writer, view_of(small, PAYLOAD), hash, &err), &err);
			must(payload_writer_end(writer, &locations[i], &err), &err);
		}
		must(payload_writer_sync(writer, &err), &err);
	}
	must(batch_begin(storage, &batch, &err), &err);
	for (uint64_t i = 0; i < BATCH; i++) {
		struct storage_append append = {.place = {.log = 0, .index = first + i},
		    .record = view_of(record, sizeof(record)),
		    .kind = 1,
		    .known = known,
		    .part_count = 3,
		    .parts = parts};

		random_bytes(record, sizeof(record), &state);
		random_bytes(known, sizeof(known), &state);
		tree_leaf(append.id, append.record);
		if (payloads) {
			append.payload = &locations[i].payload;
			must(batch_payload(batch, &locations[i], &err), &err);
		}
		must(batch_append(batch, &append, &err), &err);
		if (payloads)
			storage_location_fini(&locations[i]);
	}
	must(batch_commit(batch, &err), &err);
	payload_writer_free(writer);
	return now() - start;
}

static void
measure_entries(struct storage *storage, const char *path, uint64_t entries)
{
	char name[5000];
	struct stat status;
	struct batch *batch;
	struct err err;
	uint32_t log;
	double plain = 0;
	double full = 0;
	uint64_t done;

	must(batch_begin(storage, &batch, &err), &err);
	must(batch_log(batch, &log, view_text("measured"), record, &err), &err);
	must(batch_commit(batch, &err), &err);
	for (done = 0; done < entries; done += BATCH)
		full += append_batch(storage, done, true);
	(void)snprintf(name, sizeof(name), "%s/index/data.mdb", path);
	(void)stat(name, &status);
	(void)printf("%" PRIu64 " entries with payloads of 20 kB: %.0f a second, %.0f MB/s; index "
	             "%.0f bytes an entry\n",
	    done, (double)done / full, (double)done * PAYLOAD / full / 1e6,
	    (double)status.st_blocks * 512 / (double)done);
	for (uint64_t i = 0; i < entries; i += BATCH)
		plain += append_batch(storage, done + i, false);
	(void)printf("%" PRIu64 " entries without payloads: %.0f a second\n", entries,
	    (double)entries / plain);
}

static void
measure_leaves(struct storage *storage, uint64_t mebibytes)
{
	uint8_t *leaf = malloc(STORAGE_LEAF);
	struct storage_location location;
	struct payload_writer *writer;
	struct payload_reader *reader;
	struct snapshot *snapshot;
	uint8_t hash[HASH_SIZE] = {0};
	struct batch *batch;
	struct err err;
	uint64_t state = 5;
	double start = now();
	size_t size;

	random_bytes(leaf, STORAGE_LEAF, &state);
	must(payload_writer_new(storage, &writer, &err), &err);
	for (uint64_t i = 0; i < mebibytes; i++) {
		put_u64(leaf, i);
		put_u64(hash, i);
		must(payload_writer_put(writer, view_of(leaf, STORAGE_LEAF), hash, &err), &err);
	}
	must(payload_writer_end(writer, &location, &err), &err);
	must(payload_writer_sync(writer, &err), &err);
	must(batch_begin(storage, &batch, &err), &err);
	must(batch_payload(batch, &location, &err), &err);
	must(batch_commit(batch, &err), &err);
	payload_writer_free(writer);
	(void)printf("leaves: %" PRIu64 " MiB written and synced at %.0f MB/s\n", mebibytes,
	    (double)mebibytes * STORAGE_LEAF / (now() - start) / 1e6);
	start = now();
	must(snapshot_begin(storage, &snapshot, &err), &err);
	must(payload_reader_new(snapshot, &reader, &location.payload, &err), &err);
	snapshot_end(snapshot);
	for (uint64_t i = 0; i < mebibytes; i++) {
		must(payload_reader_leaf(reader, leaf, &size, i, &err), &err);
		must(payload_reader_hash(reader, hash, i, &err), &err);
	}
	(void)printf(
	    "leaves read at %.0f MB/s\n", (double)mebibytes * STORAGE_LEAF / (now() - start) / 1e6);
	payload_reader_free(reader);
	storage_location_fini(&location);
	free(leaf);
}

static void
measure_reading(struct storage *storage, uint64_t entries)
{
	struct storage_entry entry;
	struct snapshot *snapshot;
	struct buffer bytes;
	struct err err;
	double start = now();

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	must(snapshot_begin(storage, &snapshot, &err), &err);
	for (uint64_t i = 0; i < entries; i++)
		must(snapshot_entry(snapshot, &entry, &bytes,
		         (struct storage_place){.log = 0, .index = i}, &err),
		    &err);
	snapshot_end(snapshot);
	buffer_fini(&bytes);
	(void)printf("entries read: %.0f a second\n", (double)entries / (now() - start));
}

int
main(int argc, char **argv)
{
	uint64_t entries = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
	uint64_t mebibytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 1024;
	struct storage *storage;
	struct err err;
	char path[4096];
	double start;

	if (argc < 2 || snprintf(path, sizeof(path), "%s/store", argv[1]) >= (int)sizeof(path)) {
		(void)fprintf(stderr, "usage: measure_store FOLDER [ENTRIES [MEBIBYTES]]\n");
		return 2;
	}
	must(store_create(path, &err), &err);
	must(store_open(path, &storage, &err), &err);
	measure_entries(storage, path, entries);
	measure_reading(storage, entries);
	measure_leaves(storage, mebibytes);
	storage_close(storage);
	start = now();
	must(store_reindex(path, NULL, NULL, NULL, &err), &err);
	(void)printf("reindex: %.0f entries a second\n", 2 * (double)entries / (now() - start));
	return 0;
}
