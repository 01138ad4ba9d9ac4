#ifndef DALIL_NODE_DEPOSIT_INTERNAL_H
#define DALIL_NODE_DEPOSIT_INTERNAL_H

#include <pthread.h>
#include <sys/stat.h>

#include "node/archive_internal.h"
#include "node/media.h"
#include "node/pool.h"
#include "proto/box.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/vault.h"

/*
 * Purpose: what the files of a deposit run share.
 *
 *   deposit_run.c     the run: add, report in order, finish
 *   deposit_file.c    one file: opened, read, hashed, encrypted, by a worker or by all of them
 *   deposit_record.c  its fields, claims, parts and record
 *   deposit_commit.c  the committer: batches that share one sync
 *
 * A job goes: added (the run's window), worked on (a worker), pending (the committer's list), over
 * (reported in order by the thread that adds, and freed).
 *
 * Locks: run->lock guards the window, the pending list and the counters; run->writer_lock guards
 * the writer that small files share.  Of the two writers one takes leaves while the other is
 * being synced.  No lock is held while a file is read or a batch committed.
 */

#define DEPOSIT_WINDOW 1536            /* jobs added and not reported */
#define DEPOSIT_QUEUE 64               /* jobs added and not begun by a worker */
#define DEPOSIT_BATCH 512              /* jobs of one batch */
#define DEPOSIT_PENDING (8u << 20)     /* bytes of records and parts before workers wait */
#define DEPOSIT_SYNC_BYTES (32u << 20) /* bytes of payload after which a batch is due */
#define DEPOSIT_LINGER_MS 100          /* a batch waits so long for company */
#define DEPOSIT_RUN_KEY_MS (3600u * 1000)

#define DEPOSIT_SEEDS 2 /* reader and vault */

#define DEPOSIT_RANDOM 4096 /* bytes of randomness that a worker asks for at a time */

/* The secrets of one file, in sodium_malloc memory of the worker. */
struct deposit_secrets {
	uint8_t random[DEPOSIT_RANDOM]; /* not used yet: from random_used on */
	size_t random_used;
	uint8_t file_key[VAULT_FILE_KEY];
	uint8_t seeds[DEPOSIT_SEEDS][CLAIMS_SEED];
	uint8_t payload_key[AEAD_KEY];
};

/* What one worker has of its own; hangs on struct pool_thread. */
struct deposit_worker {
	struct media *media;
	struct deposit_secrets *secrets;
	struct buffer sealed_value; /* secret: what goes into the parts, before it is encrypted */
	struct buffer vault_value;
	struct hash *hash;
	struct hash *sha512;
};

enum job_state { JOB_FREE, JOB_ADDED, JOB_OVER };

struct job {
	struct pool_task task;
	struct deposit_run *run;
	enum job_state state;
	struct deposit_file file; /* path and name copied */
	char *path;
	char *name;
	char *folder;
	uint8_t (*readers)[HASH_SIZE];
	struct job *next; /* in the pending list */
	struct err err;
	struct deposit_result result;
	/* What the committer needs. */
	struct buffer record;
	struct buffer parts[PART_COUNT];
	uint8_t digests[PART_COUNT][HASH_SIZE];
	struct parts part_digests;
	struct storage_location location;
	bool has_location;
	bool has_known;
	uint8_t known[HASH_SIZE];
	struct payload_writer *writer; /* a large file's own */
	struct fields *fields;         /* dry run: views into file.fields */
	size_t bytes;                  /* of record and parts */
};

struct deposit_run {
	struct archive *archive;
	struct deposit_options options;
	struct pool *pool;
	struct deposit_worker workers[POOL_THREADS_MAX + 1];
	uint8_t *record_secret; /* RECORD_SECRET */
	uint8_t *known_key;     /* HASH_SIZE, or NULL: files are not compared */
	uint8_t vault[HASH_SIZE];
	uint8_t (*share)[HASH_SIZE];

	pthread_mutex_t lock;
	pthread_cond_t told; /* the thread that adds: room for jobs, or the next one is over */
	pthread_cond_t due; /* the committer: a first job is pending, a batch is due, all is done */
	pthread_cond_t taken; /* workers: the committer took what was pending */
	struct job window[DEPOSIT_WINDOW];
	uint64_t added;
	uint64_t begun;
	uint64_t reported;
	struct job *pending;
	struct job **pending_end;
	unsigned pending_count;
	size_t pending_bytes;
	uint64_t pending_payload;
	unsigned working; /* jobs that a worker has in hand */
	uint64_t bytes_read;
	bool finishing;
	struct err fatal; /* what ended the run */

	pthread_mutex_t writer_lock;
	struct payload_writer *writers[2];
	unsigned active;

	pthread_mutex_t vault_lock;
	struct vault_writer *vault_writer;
	struct vault_writer *old_vault_writers[64]; /* freed at the end */
	unsigned old_count;
	uint64_t vault_since;

	pthread_t committer;
	bool committer_started;
};

/* deposit_file.c: a pool task. */
void deposit_work(struct pool_task *task, struct pool_thread *thread);

/* Fresh random bytes, from the worker's supply: the system is asked for them in larger pieces. */
void deposit_random(struct deposit_secrets *secrets, uint8_t *bytes, size_t size);
/* Is a batch due?  With run->lock held. */
bool deposit_due(const struct deposit_run *run);
/* Have all jobs that were added gone through a worker?  With run->lock held. */
bool deposit_idle(const struct deposit_run *run);

/* deposit_record.c */
struct deposit_facts {
	uint8_t sha256[HASH_SIZE];
	uint8_t sha512[64];
	uint64_t size;
	char media_type[MEDIA_TYPE];
	uint8_t nonce[DEPOSIT_NONCE];
};
/* The builder's fields and what dalil claims itself; ${fields} views job->file.fields. */
int deposit_fields(
    struct job *job, const struct deposit_facts *facts, struct fields *fields, struct err *err);
/* Claims, parts and the signed record, into the job. */
int deposit_record(struct job *job, struct deposit_worker *worker,
    const struct deposit_facts *facts, const struct fields *fields, struct err *err);
/* The vault's writer of this hour. NULL and ${err}. */
struct vault_writer *deposit_vault_writer(struct deposit_run *run, struct err *err);

/* deposit_commit.c */
void *deposit_commit_main(void *cookie);
/* Hand a job over: to the committer, or where its result.code says why not, over. */
void deposit_hand_over(struct job *job);

/* Is a file of that HMAC here?  Fills id and index of the result; ERR_NOT_FOUND. */
int deposit_lookup(const struct deposit_run *run, struct snapshot *snapshot,
    const uint8_t known[static HASH_SIZE], struct deposit_result *result, struct err *err);
/* HMAC of a file's SHA-256 under the run's key: what the index knows a file by (design 5.1). */
void deposit_known(
    const struct deposit_run *run, uint8_t known[static HASH_SIZE], const uint8_t *sha256);
/* The key for that, from the vault's secret; ERR_LOCKED, ERR_NOT_FOUND. */
int deposit_known_key(struct archive *archive, uint8_t key[static HASH_SIZE], struct err *err);

#endif
