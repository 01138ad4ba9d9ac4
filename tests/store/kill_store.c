/*
 * P1 (durable), P2 (immutable): two processes append to logs of their own and to a shared one, a
 * third fetches payloads, a fourth reads; all are killed with SIGKILL at random instants.  Whatever was
 * acknowledged must be there afterwards, the journal must be whole, and the index must agree with it.
 * Usage: kill_store [ROUNDS [SEED]]
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/store/store_private.h"
#include "tests/store/fixture.h"

#define SHORT 6 /* rounds; and with DALIL_SOAK */
#define SOAK 200
#define SHARED 2
#define LOGS 3
#define FETCHER 3 /* acknowledges payloads instead of entries */
#define FETCHED ((uint64_t)2 * STORAGE_LEAF + 77)
#define FETCHED_LEAVES 3
#define CHILDREN 4

struct acknowledgement {
	uint32_t log;
	uint32_t leaf;
	uint64_t index; /* entries below it are acknowledged; or the number of the payload */
};

static uint64_t sizes[LOGS]; /* acknowledged */
static uint64_t payloads;    /* the last payload of which a leaf is acknowledged */
static unsigned leaves;      /* bits, of that payload */
static uint64_t before;      /* the one before it, which a kill may have left unfinished */
static unsigned before_leaves;
static uint64_t total_acknowledged;

static void
die(const char *what, const struct err *err)
{
	(void)fprintf(stderr, "kill_store: %s: %s\n", what, err == NULL ? "" : err_text(err));
	_exit(1);
}

static struct storage *
open_store(const char *path)
{
	struct storage *storage;
	struct store *store;
	struct err err;

	if (store_open(path, &storage, &err) != 0)
		die("opening", &err);
	store = (struct store *)storage;
	store->journal_file_max = 300000; /* so that files are changed too */
	store->segment_max = 200000;
	return storage;
}

static void
acknowledge(int fd, uint32_t log, uint64_t index, uint32_t leaf)
{
	struct acknowledgement done = {.log = log, .index = index, .leaf = leaf};

	if (write(fd, &done, sizeof(done)) != sizeof(done))
		_exit(0);
}

static uint64_t
log_size(struct snapshot *snapshot, uint32_t number)
{
	struct storage_log log;
	struct err err;

	if (snapshot_log(snapshot, &log, number, &err) != 0)
		die("a log", &err);
	return log.size;
}

/* Entries into the log of everybody: their indexes are known only inside the batch. */
static void
append_shared(struct storage *storage, unsigned count, int fd)
{
	struct fixture_entry *entry = malloc(sizeof(*entry));
	struct batch *batch;
	struct err err;
	uint64_t from;

	if (batch_begin(storage, &batch, &err) != 0)
		die("batch_begin", &err);
	from = log_size(batch_snapshot(batch), SHARED);
	for (unsigned i = 0; i < count; i++) {
		fixture_entry(entry, SHARED, from + i);
		if (batch_append(batch, &entry->append, &err) != 0)
			die("batch_append", &err);
	}
	if (batch_commit(batch, &err) != 0)
		die("batch_commit", &err);
	acknowledge(fd, SHARED, from + count, 0);
	free(entry);
}

static void
run_writer(const char *path, uint32_t log, unsigned seed, int fd)
{
	struct storage *storage = open_store(path);
	struct snapshot *snapshot;
	struct err err;
	uint64_t from;

	for (;;) {
		unsigned count = 1 + (unsigned)rand_r(&seed) % 40;

		if (snapshot_begin(storage, &snapshot, &err) != 0)
			die("snapshot_begin", &err);
		from = log_size(snapshot, log);
		snapshot_end(snapshot);
		if (fixture_append(storage, log, from, from + count, &err) != 0)
			die("appending", &err);
		acknowledge(fd, log, from + count, 0);
		append_shared(storage, 1 + count / 4, fd);
	}
}

static void
put_leaf(struct payload_fetch *fetch, const struct storage_payload *payload, uint64_t number,
    uint64_t index)
{
	static uint8_t leaf[STORAGE_LEAF];
	uint8_t hash[HASH_SIZE];
	struct err err;
	size_t size;

	fixture_leaf(leaf, &size, number, FETCHED, index);
	tree_leaf(hash, view_of(leaf, size));
	if (payload_fetch_put(fetch, payload, index, view_of(leaf, size), hash, &err) != 0)
		die("payload_fetch_put", &err);
}

static void
run_fetcher(const char *path, uint64_t number, int fd)
{
	struct storage *storage = open_store(path);
	struct payload_fetch *fetch;
	struct storage_payload payload;
	struct err err;

	if (payload_fetch_new(storage, &fetch, &err) != 0)
		die("payload_fetch_new", &err);
	for (;; number++) {
		fixture_payload(&payload, number, FETCHED);
		for (uint32_t i = 0; i < FETCHED_LEAVES; i++) {
			uint32_t index = (i + (uint32_t)number) % FETCHED_LEAVES;

			put_leaf(fetch, &payload, number, index);
			if (payload_fetch_sync(fetch, NULL, NULL, &err) != 0)
				die("payload_fetch_sync", &err);
			acknowledge(fd, FETCHER, number, index);
		}
	}
}

static void
run_reader(const char *path, unsigned seed)
{
	struct storage *storage = open_store(path);
	struct snapshot *snapshot;
	struct err err;

	for (;;) {
		if (snapshot_begin(storage, &snapshot, &err) != 0)
			die("snapshot_begin", &err);
		for (uint32_t log = 0; log < LOGS; log++) {
			uint64_t size = log_size(snapshot, log);

			if (size > 0 &&
			    fixture_check(snapshot, log, (uint64_t)rand_r(&seed) % size, &err) != 0)
				die("reading", &err);
		}
		snapshot_end(snapshot);
	}
}

static pid_t
start_child(const char *path, unsigned which, unsigned seed, int fd)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	if (which < 2)
		run_writer(path, which, seed, fd);
	else if (which == 2)
		run_fetcher(path, payloads + 1, fd);
	else
		run_reader(path, seed);
	_exit(1);
}

static void
take(const struct acknowledgement *done)
{
	total_acknowledged++;
	if (done->log < LOGS) {
		if (done->index > sizes[done->log])
			sizes[done->log] = done->index;
		return;
	}
	if (done->index != payloads) {
		before = payloads;
		before_leaves = leaves;
		leaves = 0;
	}
	payloads = done->index;
	leaves |= 1U << done->leaf;
}

/* Read acknowledgements for so long; a negative time: until all writers are gone. */
static void
drain(int fd, int milliseconds)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct acknowledgement done;
	struct timespec start;
	struct timespec time;
	int left = milliseconds;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (milliseconds < 0 || left > 0) {
		if (poll(&wait, 1, milliseconds < 0 ? -1 : left) > 0) {
			if (read(fd, &done, sizeof(done)) != sizeof(done))
				return;
			take(&done);
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &time);
		left = milliseconds - (int)((time.tv_sec - start.tv_sec) * 1000 +
		                            (time.tv_nsec - start.tv_nsec) / 1000000);
	}
}

static void
stop(pid_t child, const char *what)
{
	int status;

	(void)kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL) {
		(void)fprintf(stderr, "kill_store: the %s ended by itself\n", what);
		exit(1);
	}
}

static void
tell(void *cookie, const struct store_finding *finding)
{
	(*(unsigned *)cookie)++;
	(void)fprintf(stderr, "kill_store: %s\n", finding->text);
}

static void
check_payload(struct snapshot *snapshot, uint64_t number, unsigned acknowledged)
{
	enum storage_payload_state state;
	uint8_t bitmap[STORAGE_STRETCH / 8];
	struct storage_payload payload;
	struct payload_reader *reader;
	static uint8_t leaf[STORAGE_LEAF];
	uint8_t wanted[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	struct err err;
	size_t size;

	fixture_payload(&payload, number, FETCHED);
	if (snapshot_payload_state(snapshot, &state, &payload, &err) != 0)
		die("a payload's state", &err);
	if (state != STORAGE_PAYLOAD_WHOLE) {
		if (snapshot_payload_progress(snapshot, bitmap, &payload, 0, &err) != 0)
			die("a payload's progress", &err);
		if ((bitmap[0] & acknowledged) != acknowledged)
			die("an acknowledged leaf is gone", NULL);
		return;
	}
	if (payload_reader_new(snapshot, &reader, &payload, &err) != 0)
		die("a payload", &err);
	for (uint64_t i = 0; i < FETCHED_LEAVES; i++) {
		if (payload_reader_leaf(reader, leaf, &size, i, &err) != 0 ||
		    payload_reader_hash(reader, wanted, i, &err) != 0)
			die("a leaf", &err);
		tree_leaf(hash, view_of(leaf, size));
		if (memcmp(hash, wanted, HASH_SIZE) != 0)
			die("a leaf has other content", NULL);
	}
	payload_reader_free(reader);
}

static void
check_store(const char *path, uint64_t *checked)
{
	struct storage *storage = open_store(path);
	struct snapshot *snapshot;
	unsigned findings = 0;
	struct err err;

	if (snapshot_begin(storage, &snapshot, &err) != 0)
		die("snapshot_begin", &err);
	for (uint32_t log = 0; log < LOGS; log++) {
		uint64_t size = log_size(snapshot, log);

		if (size < sizes[log])
			die("acknowledged entries are gone", NULL);
		for (uint64_t i = checked[log]; i < size; i++) {
			if (fixture_check(snapshot, log, i, &err) != 0)
				die("an entry", &err);
		}
		checked[log] = size > 50 ? size - 50 : 0;
	}
	if (payloads > 0)
		check_payload(snapshot, payloads, leaves);
	if (before > 0)
		check_payload(snapshot, before, before_leaves);
	snapshot_end(snapshot);
	if (store_compare(storage, NULL, tell, &findings, &err) != 0 || findings > 0)
		die("index and journal differ", &err);
	storage_close(storage);
}

static void
check_reindex(const char *path)
{
	struct storage *storage = open_store(path);
	uint8_t old[HASH_SIZE];
	uint8_t after[HASH_SIZE];
	unsigned findings = 0;
	uint64_t answers;
	struct err err;

	fixture_digest(storage, old, &answers);
	storage_close(storage);
	if (store_reindex(path, NULL, tell, &findings, &err) != 0 || findings > 0)
		die("reindex", &err);
	storage = open_store(path);
	fixture_digest(storage, after, &answers);
	storage_close(storage);
	if (memcmp(old, after, HASH_SIZE) != 0)
		die("reindex gives other answers", NULL);
}

static void
run_round(const char *path, unsigned *seed, uint64_t *checked)
{
	static const char *const names[CHILDREN] = {"writer", "second writer", "fetcher", "reader"};
	pid_t children[CHILDREN];
	int ends[2];

	if (pipe(ends) != 0)
		exit(1);
	for (unsigned i = 0; i < CHILDREN; i++)
		children[i] = start_child(path, i, (unsigned)rand_r(seed), ends[1]);
	(void)close(ends[1]);
	/* One writer is killed first; the others go on over what it left. */
	drain(ends[0], 5 + (int)(rand_r(seed) % 700));
	stop(children[0], names[0]);
	drain(ends[0], 1 + (int)(rand_r(seed) % 300));
	for (unsigned i = 1; i < CHILDREN; i++)
		stop(children[i], names[i]);
	drain(ends[0], -1);
	(void)close(ends[0]);
	check_store(path, checked);
}

static unsigned
count_of(int argc, char **argv)
{
	if (argc > 1)
		return (unsigned)strtoul(argv[1], NULL, 10);
	return getenv("DALIL_SOAK") != NULL ? SOAK : SHORT;
}

static unsigned
seed_of(int argc, char **argv)
{
	const char *given = argc > 2 ? argv[2] : getenv("DALIL_SEED");

	return given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
}

int
main(int argc, char **argv)
{
	unsigned rounds = count_of(argc, argv);
	unsigned seed = seed_of(argc, argv);
	unsigned first_seed = seed;
	char *folder = fixture_folder();
	uint64_t checked[LOGS] = {0};
	struct storage *storage;
	struct batch *batch;
	struct err err;
	char *path;

	if (asprintf(&path, "%s/store", folder) < 0 || store_create(path, &err) != 0)
		die("creating", &err);
	storage = open_store(path);
	if (batch_begin(storage, &batch, &err) != 0)
		die("batch_begin", &err);
	for (uint32_t i = 0; i < LOGS; i++)
		(void)fixture_log(batch, i);
	if (batch_commit(batch, &err) != 0)
		die("batch_commit", &err);
	storage_close(storage);
	for (unsigned i = 0; i < rounds; i++)
		run_round(path, &seed, checked);
	if (rounds <= 20)
		check_reindex(path);
	(void)printf("%u rounds (seed %u), %" PRIu64 " acknowledgements, %" PRIu64
	             " entries, %" PRIu64 " payloads: nothing lost\n",
	    rounds, first_seed, total_acknowledged, sizes[0] + sizes[1] + sizes[2], payloads);
	(void)fflush(stdout);
	if (total_acknowledged < rounds)
		die("hardly anything was acknowledged: this shows nothing", NULL);
	fixture_remove(folder);
	free(path);
	return 0;
}
