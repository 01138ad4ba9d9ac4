#ifndef DALIL_NODE_ARCHIVE_READER_H
#define DALIL_NODE_ARCHIVE_READER_H

#include "node/archive_internal.h"
#include "node/pool.h"
#include "proto/age_header.h"
#include "proto/box.h"
#include "proto/exhibit.h"
#include "proto/hash.h"
#include "proto/payload.h"

/*
 * Purpose: what the reading and the checking files share: a reader with its identities and buffers,
 * and the walk over the leaves of one payload.
 */

#define READER_IDENTITIES_MAX 64

struct archive_reader {
	struct archive *archive;
	unsigned identity_count;
	struct age_identity *identities[READER_IDENTITIES_MAX];
	struct vault_reader *vaults[READER_IDENTITIES_MAX];
	struct archive_exhibit exhibit;
	struct claims claims;
	struct open_part open_part;
	struct buffer record; /* of exhibit */
	struct buffer part;
	struct buffer value; /* secret: the opened part that exhibit.fields views */
	unsigned loaded;     /* PART_BITs of the exhibit's parts that were read and held */
	/* Newest checkpoint of the log that was last asked for. */
	uint32_t signed_log;
	uint64_t signed_size;
	uint64_t signed_changes;
	bool signed_known;
	struct pool *pool; /* made by the first file */
};

/* archive_read within a snapshot; ${trouble} of the exhibit is set as said there. */
int archive_reader_load(struct archive_reader *reader, struct snapshot *snapshot,
    struct storage_place place, struct err *err);

/* What one walk over a payload does with it. */
struct archive_leaves {
	struct payload_reader *payload;
	uint64_t payload_size;
	const uint8_t *payload_key; /* NULL: ciphertext only */
	uint64_t data_size;         /* bytes of the file within the plaintext */
	int fd;                     /* plaintext goes there, or -1 */
	bool put_sealed;            /* the payload itself goes to fd */
	uint8_t sha256[HASH_SIZE];  /* out, of the file: where payload_key */
	void (*progress)(void *cookie, uint64_t done, uint64_t all);
	void *cookie;
	struct hash *hash; /* the walk's */
};

/* Read all leaves, check each; ${pool} and the calling thread's own share the work. */
int archive_leaves_walk(
    struct archive_leaves *leaves, struct pool *pool, struct pool_thread *thread, struct err *err);
/* The same for a payload of one leaf, on this thread alone. */
int
archive_leaves_single(struct archive_leaves *leaves, struct pool_thread *thread, struct err *err);

/* Bytes of the original file in the exhibit's payload: by its claim `size`, else all plaintext. */
int archive_data_size(const struct archive_exhibit *exhibit, uint64_t *size, struct err *err);

#endif
