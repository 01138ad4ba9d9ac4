/*
 * P2 (immutable), P7 (bounded): one bit is flipped somewhere in the journal, a segment or the index.
 * Whoever reads the store then gets what was stored or an error, and never dies by a signal or runs for
 * ever; what is damaged is named; whoever appends to it does no further harm; and reindex brings back
 * all that a flip in the index hid.
 * Usage: flip_store [FLIPS [SEED [FILE]]], FILE being the number of one file below
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/store/store_private.h"
#include "tests/store/fixture.h"

#define SHORT 60 /* flips; and with DALIL_SOAK */
#define SOAK 2000
#define ENTRIES_0 120
#define ENTRIES_1 40
#define SECONDS 60 /* for each process, sanitizers considered */

enum { NOTICED = 10, UNNOTICED = 0, OTHER_CONTENT = 98, EXIT_GUARD = 5 };

static const char *const files[] = {
    "journal/00000001.jrn", "segments/00000001.seg", "index/data.mdb", "format"};
#define FILES 4

static char *folder;
static char *good; /* the store as it should be */
static char *work; /* the copy that is flipped */
static uint8_t good_digest[HASH_SIZE];

static char *
join(const char *path, const char *name)
{
	char *joined;

	if (asprintf(&joined, "%s/%s", path, name) < 0)
		exit(1);
	return joined;
}

static void
must(int result, const struct err *err)
{
	if (result == 0)
		return;
	(void)fprintf(stderr, "flip_store: %s\n", err_text(err));
	exit(1);
}

static void
make_good(void)
{
	struct storage *storage;
	struct batch *batch;
	struct err err;
	uint64_t answers;

	must(store_create(good, &err), &err);
	must(store_open(good, &storage, &err), &err);
	must(batch_begin(storage, &batch, &err), &err);
	(void)fixture_log(batch, 0);
	(void)fixture_log(batch, 1);
	must(batch_commit(batch, &err), &err);
	for (uint64_t i = 0; i < ENTRIES_0; i += 20)
		must(fixture_append(storage, 0, i, i + 20, &err), &err);
	must(fixture_append(storage, 1, 0, ENTRIES_1, &err), &err);
	must(fixture_extras(storage, 1, &err), &err);
	fixture_digest(storage, good_digest, &answers);
	storage_close(storage);
	must(store_create(work, &err), &err);
}

static void
copy_good(void)
{
	static const char *const rest[] = {"index/lock.mdb"};

	for (unsigned i = 0; i < FILES + 1; i++) {
		const char *name = i < FILES ? files[i] : rest[0];
		char *from = join(good, name);
		char *to = join(work, name);

		fixture_copy(to, from);
		free(from);
		free(to);
	}
}

/* The files that a flip or a writer may have added. */
static void
start_over(void)
{
	struct err err;

	fixture_remove(work);
	work = join(folder, "work");
	must(store_create(work, &err), &err);
	{
		char *segment = join(work, files[1]);

		(void)close(open(segment, O_CREAT | O_RDWR, 0600));
		free(segment);
	}
	copy_good();
}

static uint64_t
flip(const char *name, unsigned *seed, unsigned *bit)
{
	char *path = join(work, name);
	int fd = open(path, O_RDWR);
	struct stat status;
	uint64_t random = (uint64_t)rand_r(seed) << 31 | (uint64_t)rand_r(seed);
	uint64_t offset;
	uint8_t byte;

	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
		exit(1);
	offset = random % (uint64_t)status.st_size;
	*bit = (unsigned)rand_r(seed) % 8;
	if (pread(fd, &byte, 1, (off_t)offset) != 1)
		exit(1);
	byte ^= (uint8_t)(1U << *bit);
	if (pwrite(fd, &byte, 1, (off_t)offset) != 1)
		exit(1);
	(void)close(fd);
	free(path);
	return offset;
}

static void
note(void *cookie, const struct store_finding *finding)
{
	(void)finding;
	(*(unsigned *)cookie)++;
}

/* Leaves are compared with their hashes here, as every reader has to. */
static unsigned
read_payload(struct snapshot *snapshot, uint32_t log, uint64_t index)
{
	static uint8_t leaf[STORAGE_LEAF];
	struct payload_reader *reader;
	struct fixture_entry entry;
	uint8_t wanted[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	unsigned errors = 0;
	size_t size;

	fixture_entry(&entry, log, index);
	if (entry.append.payload == NULL || index % 13 == 4)
		return 0;
	if (payload_reader_new(snapshot, &reader, &entry.payload, NULL) != 0)
		return 1;
	if (payload_reader_leaf(reader, leaf, &size, 0, NULL) != 0 ||
	    payload_reader_hash(reader, wanted, 0, NULL) != 0) {
		errors = 1;
	} else {
		tree_leaf(hash, view_of(leaf, size));
		errors = memcmp(hash, wanted, HASH_SIZE) != 0;
		if (errors == 0 && memcmp(hash, entry.payload.root, HASH_SIZE) != 0)
			_exit(OTHER_CONTENT);
	}
	payload_reader_free(reader);
	return errors;
}

static unsigned
read_all(struct storage *storage)
{
	struct snapshot *snapshot;
	unsigned errors = 0;

	if (snapshot_begin(storage, &snapshot, NULL) != 0)
		return 1;
	for (uint32_t log = 0; log < 2; log++) {
		for (uint64_t i = 0; i < (log == 0 ? ENTRIES_0 : ENTRIES_1); i++) {
			errors += fixture_check(snapshot, log, i, NULL) != 0;
			errors += read_payload(snapshot, log, i);
		}
	}
	snapshot_end(snapshot);
	return errors;
}

/* Read everything; is the damage named?  If not, every answer must be the right one. */
static int
child_reads(void)
{
	uint8_t digest[HASH_SIZE];
	struct storage *storage;
	unsigned findings = 0;
	uint64_t answers;

	if (store_open(work, &storage, NULL) != 0)
		return NOTICED;
	findings = read_all(storage);
	if (store_compare(storage, NULL, note, &findings, NULL) != 0)
		findings++;
	if (findings > 0)
		return NOTICED;
	fixture_digest(storage, digest, &answers);
	if (memcmp(digest, good_digest, HASH_SIZE) != 0)
		return OTHER_CONTENT;
	storage_close(storage);
	return UNNOTICED;
}

static int
child_writes(void)
{
	struct storage *storage;
	int result = store_open(work, &storage, NULL);

	if (result == 0)
		result = fixture_append(storage, 0, ENTRIES_0, ENTRIES_0 + 3, NULL);
	if (result == 0)
		(void)read_all(storage);
	return result == 0 ? UNNOTICED : NOTICED;
}

/* After reindex: how many entries and payloads are not right? */
static int
child_mends(void)
{
	struct storage *storage;
	unsigned errors;

	if (store_reindex(work, NULL, NULL, NULL, NULL) != 0 ||
	    store_open(work, &storage, NULL) != 0)
		return 90;
	errors = read_all(storage);
	return errors > 80 ? 80 : (int)errors;
}

static int
run(int (*child)(void), const char *what, const char *where)
{
	pid_t process = fork();
	int status;

	if (process == 0) {
		int devnull = open("/dev/null", O_WRONLY);

		(void)dup2(devnull, STDERR_FILENO);
		(void)alarm(SECONDS);
		_exit(child());
	}
	if (waitpid(process, &status, 0) != process)
		exit(1);
	if (WIFSIGNALED(status)) {
		(void)printf("%s: %s died by signal %d\n", where, what, WTERMSIG(status));
		exit(1);
	}
	if (WEXITSTATUS(status) == OTHER_CONTENT) {
		(void)printf("%s: %s got other content\n", where, what);
		exit(1);
	}
	return WEXITSTATUS(status);
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
	unsigned flips = count_of(argc, argv);
	unsigned seed = seed_of(argc, argv);
	unsigned first_seed = seed;
	int only = argc > 3 ? (int)strtol(argv[3], NULL, 10) % FILES : -1;
	unsigned counts[FILES][2] = {{0}};
	unsigned guarded = 0;

	folder = fixture_folder();
	good = join(folder, "good");
	work = join(folder, "work");
	make_good();
	for (unsigned i = 0; i < flips; i++) {
		unsigned file = only >= 0 ? (unsigned)only : i % 40 == 39 ? 3 : i % 3;
		uint64_t offset;
		char where[128];
		unsigned bit;
		int noticed;
		int left;

		start_over();
		offset = flip(files[file], &seed, &bit);
		(void)snprintf(where, sizeof(where), "flip %u: %s, byte %" PRIu64 ", bit %u", i,
		    files[file], offset, bit);
		noticed = run(child_reads, "reading", where);
		guarded += noticed == EXIT_GUARD;
		counts[file][noticed != UNNOTICED]++;
		if (noticed == UNNOTICED && file != 2) {
			(void)printf("%s was not noticed\n", where);
			return 1;
		}
		if (file == 3)
			continue;
		(void)run(child_writes, "appending", where);
		left = run(child_mends, "mending", where);
		/* One flip in the journal costs one entry, or one payload's place, or none. */
		if ((file == 2 && left > 0) || left > 2) {
			(void)printf("%s: %d are not right after reindex\n", where, left);
			return 1;
		}
	}
	(void)printf("%u flips (seed %u): ", flips, first_seed);
	for (unsigned i = 0; i < FILES; i++)
		(void)printf("%s %u noticed %u harmless; ", files[i], counts[i][1], counts[i][0]);
	(void)printf("%u ended by the guard\n", guarded);
	fixture_remove(work);
	fixture_remove(good);
	fixture_remove(folder);
	return 0;
}
