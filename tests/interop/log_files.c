/*
 * Writes the files of a log of 300 records into a directory, for other people's verifiers: vkey,
 * checkpoint, entries, NNN.tlog-proof, consistency-M.  The log is the one that node/log keeps.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/log/log.h"
#include "proto/note.h"
#include "proto/text.h"
#include "tests/sim/memory_storage.h"

#define RECORDS 300

static const uint8_t seed[KEY_SEED] = {3, 1, 4, 1, 5};

static void
must(int code, const char *what)
{
	if (code == 0)
		return;
	fprintf(stderr, "log_files: %s: %s\n", what, err_name(code));
	exit(1);
}

static void
write_file(const char *directory, const char *name, const struct buffer *bytes)
{
	char path[4096];
	FILE *file;

	must(bytes->err, name);
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		must(ERR_USAGE, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes->data, 1, bytes->size, file) != bytes->size ||
	    fclose(file) != 0)
		must(ERR_IO, path);
}

/* Batches of ten; the last record of each is as large as records may be. */
static void
fill(struct storage *storage, uint32_t number)
{
	static uint8_t records[10][STORAGE_RECORD_MAX];
	struct storage_append appends[10] = {0};
	struct batch *batch;
	unsigned i, j;

	for (i = 0; i < RECORDS; i += 10) {
		for (j = 0; j < 10; j++) {
			put_u32(records[j], i + j);
			appends[j].kind = 2;
			appends[j].record =
			    view_of(records[j], j == 9 && i == 0 ? STORAGE_RECORD_MAX : i + j);
		}
		must(batch_begin(storage, &batch, NULL), "begin");
		must(log_append(batch, number, appends, 10, NULL), "append");
		must(batch_commit(batch, NULL), "commit");
	}
}

static void
write_proofs(const char *directory, struct snapshot *snapshot, uint32_t number)
{
	static const uint64_t indexes[] = {0, 1, 9, 127, 255, 256, 299};
	struct buffer proof;
	char name[64];
	size_t i;

	buffer_init(&proof, STORAGE_BYTES_MAX);
	for (i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
		buffer_clear(&proof);
		must(log_prove(snapshot, &proof, number, indexes[i], NULL), "prove");
		(void)snprintf(name, sizeof(name), "%" PRIu64 ".tlog-proof", indexes[i]);
		write_file(directory, name, &proof);
	}
	buffer_fini(&proof);
}

static void
write_consistencies(const char *directory, struct snapshot *snapshot, uint32_t number)
{
	static const uint64_t sizes[] = {1, 2, 37, 128, 255, 256, 299, 300};
	struct tree_proof proof;
	struct buffer lines;
	char name[64];
	size_t i;
	unsigned j;

	buffer_init(&lines, 10000);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		must(log_prove_consistency(snapshot, &proof, number, sizes[i], RECORDS, NULL),
		    "consistency");
		buffer_clear(&lines);
		for (j = 0; j < proof.count; j++) {
			text_base64(
			    &lines, TEXT_BASE64_PADDED, view_of(proof.hashes[j], HASH_SIZE));
			buffer_append_u8(&lines, '\n');
		}
		(void)snprintf(name, sizeof(name), "consistency-%" PRIu64, sizes[i]);
		write_file(directory, name, &lines);
	}
	buffer_fini(&lines);
}

int
main(int argc, char **argv)
{
	static const uint8_t organisation[HASH_SIZE];
	static const struct log_gate gate = {.peers = false};
	struct storage *storage;
	struct log_signed result;
	struct snapshot *snapshot;
	struct batch *batch;
	struct buffer bytes;
	struct vkey vkey;
	uint8_t key[KEY_SIZE];
	uint32_t number;

	if (argc != 2 || sodium_init() < 0)
		return 2;
	storage = memory_storage_new();
	key_ed25519_public(key, seed);
	must(
	    vkey_make(&vkey, view_text("org.dalil/node-00000000"), VKEY_ED25519, key, NULL), "key");
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	vkey_text(&bytes, &vkey);
	must(batch_begin(storage, &batch, NULL), "begin");
	must(batch_log(batch, &number, buffer_view(&bytes), organisation, NULL), "log");
	must(batch_commit(batch, NULL), "commit");
	buffer_append_u8(&bytes, '\n');
	write_file(argv[1], "vkey", &bytes);
	fill(storage, number);
	must(log_sign(storage, number, &vkey, seed, &gate, &bytes, &result, NULL), "sign");
	write_file(argv[1], "checkpoint", &bytes);
	must(snapshot_begin(storage, &snapshot, NULL), "snapshot");
	buffer_clear(&bytes);
	must(log_bundle(snapshot, &bytes, number, 0, RECORDS, NULL), "bundle");
	write_file(argv[1], "entries", &bytes);
	write_proofs(argv[1], snapshot, number);
	write_consistencies(argv[1], snapshot, number);
	snapshot_end(snapshot);
	buffer_fini(&bytes);
	storage_close(storage);
	return 0;
}
