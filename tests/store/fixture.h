#ifndef DALIL_TESTS_STORE_FIXTURE_H
#define DALIL_TESTS_STORE_FIXTURE_H

#include "node/storage.h"

/*
 * Purpose: what the tests of the store share: a folder of their own, entries and payloads that
 * follow from their numbers alone, so that any process can say what must stand where, and a digest of
 * everything that a store answers.
 *
 * Every function but those that return an int ends the process with a message when something
 * fails.
 */

/* An empty folder below $TMPDIR or /tmp, and its removal with all that is in it. */
char *fixture_folder(void); /* heap */
void fixture_remove(char *folder);
/* Make the file ${to} a copy of the file ${from}. */
void fixture_copy(const char *to, const char *from);

/* Bytes that follow from ${seed} and the number. */
void fixture_bytes(uint8_t *to, size_t size, uint64_t seed, uint64_t number);

#define FIXTURE_RECORD_MAX 2048
#define FIXTURE_PARTS 3

/* The entry ${index} of log ${log}: record, three parts, for some also about, known and payload. */
struct fixture_entry {
	struct storage_append append; /* points into the rest */
	uint8_t record[FIXTURE_RECORD_MAX];
	uint8_t part_bytes[FIXTURE_PARTS][1024];
	uint8_t digests[FIXTURE_PARTS][HASH_SIZE];
	struct storage_part_given parts[FIXTURE_PARTS];
	uint8_t about[HASH_SIZE];
	uint8_t known[HASH_SIZE];
	struct storage_payload payload;
};
void fixture_entry(struct fixture_entry *entry, uint32_t log, uint64_t index);

/* Payload ${number} of so many bytes: its leaves, root and size. */
void fixture_leaf(uint8_t *leaf, size_t *size, uint64_t number, uint64_t bytes, uint64_t index);
void fixture_payload(struct storage_payload *payload, uint64_t number, uint64_t bytes);
/* Write it; ${location} is to be committed and freed. */
int fixture_write(struct payload_writer *writer, struct storage_location *location, uint64_t number,
    uint64_t bytes, struct err *err);
/* Bytes of the payload that entry ${index} of any log names. */
uint64_t fixture_payload_bytes(uint64_t index);

/* A log whose vkey is "fixture log N", of the organisation of N's bytes. */
uint32_t fixture_log(struct batch *batch, uint32_t number);
/* Append entries ${from} up to ${to} with their payloads, in one batch. */
int
fixture_append(struct storage *storage, uint32_t log, uint64_t from, uint64_t to, struct err *err);
/* Facts, statements, heads and a signing, some of them written twice. */
int fixture_extras(struct storage *storage, uint32_t log, struct err *err);

/* A digest of every answer of the store; *answers counts them. */
void fixture_digest(struct storage *storage, uint8_t digest[static HASH_SIZE], uint64_t *answers);
/*
 * Check one entry against what fixture_entry says: 0, or what the store said.  Ends the process if the
 * store gives other content.
 */
int fixture_check(struct snapshot *snapshot, uint32_t log, uint64_t index, struct err *err);

#endif
