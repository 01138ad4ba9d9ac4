#ifndef DALIL_NODE_ARCHIVE_VERIFY_H
#define DALIL_NODE_ARCHIVE_VERIFY_H

#include "node/archive_read.h"

/*
 * Purpose: checking what is here (cli.md `verify`): of each exhibit the record, its signature, the
 * charter behind it, its place in the signed log, its parts against their digests, every leaf of the
 * payload against the payload root, and where readable the file against its claims.
 *
 * Exhibits are checked in parallel, the leaves of a large payload too; memory stays bounded.
 */

enum verify_result { VERIFY_INTACT, VERIFY_DAMAGED, VERIFY_MISSING };

struct verify_exhibit {
	uint8_t id[HASH_SIZE];
	struct storage_place place;
	enum verify_result result;
	bool ciphertext_only; /* no key here opens it: checked as ciphertext */
	bool is_signed;       /* a checkpoint covers it */
	unsigned problem_count;
	const char *const *problems; /* sentences; they die with the call */
	struct view name;            /* for showing, msgpack-decoded; empty where not readable */
};

struct verify_summary {
	uint64_t exhibits;
	uint64_t intact;
	uint64_t damaged;
	uint64_t missing;
	uint64_t ciphertext_only; /* of the intact */
	uint64_t bytes;           /* of payload read */
	uint64_t other_problems;  /* told to found: logs, records that are no deposit, the index */
};

struct verify_options {
	unsigned threads; /* 0: the number of cores, at least 2 */
	/* All called on the calling thread.  In log order where all are verified. */
	void (*done)(void *cookie, const struct verify_exhibit *exhibit);
	void (*found)(void *cookie, const char *problem); /* not about one exhibit; may be NULL */
	void (*progress)(void *cookie, uint64_t bytes, uint64_t all); /* may be NULL */
	void *cookie;
};

/*
 * Verify ${count} exhibits, or with ${places} NULL all of the store, its logs' trees against their
 * checkpoints, and the index against the journal.  0 if the checks could be made, whatever they
 * found: the summary tells.
 */
int archive_verify(struct archive *archive, const struct storage_place *places, size_t count,
    const uint8_t *const *identities, unsigned identity_count, const struct verify_options *options,
    struct verify_summary *summary, struct err *err);

#endif
