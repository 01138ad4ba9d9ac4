/*
 * The floor under a deposit, a verification and a reading: what the machine needs for the same bytes
 * with nothing around them.  Two threads read, hash, encrypt, hash and write, with one sync.
 *
 *	floor deposit OUT PATH...	files, and directories with all below, into OUT and OUT.index
 *	floor verify OUT		every leaf and every file's hash
 *	floor get OUT DEST		the same, written to one file
 */
#include <err.h>
#include <fcntl.h>
#include <fts.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/aead.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/tree.h"

#define THREADS 2
#define PATH_MAX_HERE 512

enum mode { MODE_DEPOSIT, MODE_VERIFY, MODE_GET };

struct file {
	char path[PATH_MAX_HERE];
	uint64_t size;
	uint64_t padded;
	uint64_t offset; /* in OUT */
	uint64_t start;  /* in DEST */
	uint8_t sha256[HASH_SIZE];
	struct hash *hash; /* while its leaves go by */
	uint64_t hashed;   /* leaves */
	int fd;
};

struct work {
	enum mode mode;
	int out;
	int dest;
	struct file *files;
	size_t count;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	size_t next_file;
	uint64_t next_leaf;
	atomic_uint leaves; /* their hashes are used, so that nobody leaves them out */
};

struct item {
	struct file *file;
	uint64_t leaf;
	bool last;
	size_t plain; /* bytes of the padded file */
	size_t real;  /* of these, bytes of the file itself */
};

static void
fill_item(struct item *item, struct file *file, uint64_t leaf)
{
	uint64_t at = leaf * PAYLOAD_LEAF_PLAIN;

	item->file = file;
	item->leaf = leaf;
	item->last = leaf + 1 == payload_leaf_count(payload_size(file->padded));
	item->plain = item->last ? (size_t)(file->padded - at) : PAYLOAD_LEAF_PLAIN;
	item->real = file->size < at               ? 0 :
	             file->size - at < item->plain ? (size_t)(file->size - at) :
	                                             item->plain;
}

static bool
take_item(struct work *work, struct item *item)
{
	struct file *file;

	pthread_mutex_lock(&work->lock);
	if (work->next_file == work->count) {
		pthread_mutex_unlock(&work->lock);
		return false;
	}
	file = &work->files[work->next_file];
	fill_item(item, file, work->next_leaf++);
	if (item->leaf == 0) {
		file->hash = hash_new();
		if (work->mode == MODE_DEPOSIT && (file->fd = open(file->path, O_RDONLY)) < 0)
			err(1, "%s", file->path);
	}
	if (item->last) {
		work->next_file++;
		work->next_leaf = 0;
	}
	pthread_mutex_unlock(&work->lock);
	return true;
}

/* A file's hash wants its leaves in order; whoever comes early waits. */
static void
hash_in_turn(struct work *work, const struct item *item, const uint8_t *plain)
{
	struct file *file = item->file;
	uint8_t digest[HASH_SIZE];

	pthread_mutex_lock(&work->lock);
	while (file->hashed != item->leaf)
		pthread_cond_wait(&work->turn, &work->lock);
	pthread_mutex_unlock(&work->lock);
	hash_update(file->hash, view_of(plain, item->real));
	if (item->last) {
		hash_finish(file->hash, digest);
		hash_free(file->hash);
		if (work->mode == MODE_DEPOSIT)
			memcpy(file->sha256, digest, HASH_SIZE);
		else if (memcmp(file->sha256, digest, HASH_SIZE) != 0)
			errx(1, "%s: another hash", file->path);
		return;
	}
	pthread_mutex_lock(&work->lock);
	file->hashed++;
	pthread_cond_broadcast(&work->turn);
	pthread_mutex_unlock(&work->lock);
}

static void
transfer(
    ssize_t (*move)(int, void *, size_t, off_t), int fd, uint8_t *bytes, size_t size, uint64_t at)
{
	size_t done = 0;

	while (done < size) {
		ssize_t moved = move(fd, bytes + done, size - done, (off_t)(at + done));

		if (moved <= 0)
			err(1, "reading or writing");
		done += (size_t)moved;
	}
}

static ssize_t
write_at(int fd, void *bytes, size_t size, off_t at)
{
	return pwrite(fd, bytes, size, at);
}

static void
deposit_leaf(
    struct work *work, struct aead *aead, const struct item *item, uint8_t *plain, uint8_t *sealed)
{
	size_t size = (size_t)payload_size(item->plain);
	uint64_t at = item->leaf * PAYLOAD_LEAF_PLAIN;
	uint8_t digest[HASH_SIZE];

	transfer(pread, item->file->fd, plain, item->real, at);
	memset(plain + item->real, 0, item->plain - item->real);
	hash_in_turn(work, item, plain);
	if (item->last)
		(void)close(item->file->fd);
	if (payload_seal_leaf(aead, sealed, item->leaf, item->last, view_of(plain, item->plain)) !=
	    0)
		errx(1, "sealing");
	tree_leaf(digest, view_of(sealed, size));
	atomic_fetch_add(&work->leaves, digest[0]);
	transfer(write_at, work->out, sealed, size, item->file->offset + item->leaf * PAYLOAD_LEAF);
}

static void
read_leaf(
    struct work *work, struct aead *aead, const struct item *item, uint8_t *plain, uint8_t *sealed)
{
	size_t size = (size_t)payload_size(item->plain);
	uint8_t digest[HASH_SIZE];

	transfer(pread, work->out, sealed, size, item->file->offset + item->leaf * PAYLOAD_LEAF);
	tree_leaf(digest, view_of(sealed, size));
	atomic_fetch_add(&work->leaves, digest[0]);
	if (payload_open_leaf(aead, plain, item->leaf, item->last, view_of(sealed, size), NULL) !=
	    0)
		errx(1, "%s: a leaf does not open", item->file->path);
	hash_in_turn(work, item, plain);
	if (work->mode == MODE_GET)
		transfer(write_at, work->dest, plain, item->real,
		    item->file->start + item->leaf * PAYLOAD_LEAF_PLAIN);
}

static void *
run_thread(void *cookie)
{
	static const uint8_t key[AEAD_KEY] = {1, 2, 3};
	struct work *work = cookie;
	uint8_t *plain = malloc(PAYLOAD_LEAF_PLAIN);
	uint8_t *sealed = malloc(PAYLOAD_LEAF);
	struct aead *aead = aead_new();
	struct item item;

	if (plain == NULL || sealed == NULL || aead == NULL)
		errx(1, "no memory");
	while (take_item(work, &item)) {
		/* Each file has a key of its own. */
		if (aead_key(aead, key) != 0)
			errx(1, "no memory");
		if (work->mode == MODE_DEPOSIT)
			deposit_leaf(work, aead, &item, plain, sealed);
		else
			read_leaf(work, aead, &item, plain, sealed);
	}
	aead_free(aead);
	free(plain);
	free(sealed);
	return NULL;
}

static void
run(struct work *work)
{
	pthread_t threads[THREADS];
	int i;

	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->turn, NULL);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run_thread, work) != 0)
			errx(1, "no thread");
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	pthread_cond_destroy(&work->turn);
	pthread_mutex_destroy(&work->lock);
	if (work->mode != MODE_VERIFY &&
	    fsync(work->mode == MODE_DEPOSIT ? work->out : work->dest) != 0)
		err(1, "sync");
}

static void
list_files(struct work *work, char **paths)
{
	FTS *tree = fts_open(paths, FTS_PHYSICAL, NULL);
	uint64_t offset = 0;
	size_t room = 0;
	FTSENT *entry;

	if (tree == NULL)
		err(1, "fts_open");
	while ((entry = fts_read(tree)) != NULL) {
		struct file *file;

		if (entry->fts_info != FTS_F)
			continue;
		if (work->count == room) {
			room = room == 0 ? 64 : 2 * room;
			work->files = realloc(work->files, room * sizeof(*work->files));
			if (work->files == NULL)
				errx(1, "no memory");
		}
		file = &work->files[work->count++];
		memset(file, 0, sizeof(*file));
		(void)snprintf(file->path, sizeof(file->path), "%s", entry->fts_path);
		file->size = (uint64_t)entry->fts_statp->st_size;
		file->padded = payload_padded(file->size);
		file->offset = offset;
		offset += payload_size(file->padded);
	}
	(void)fts_close(tree);
}

static FILE *
open_index(const char *out, const char *how)
{
	char path[PATH_MAX_HERE];
	FILE *index;

	(void)snprintf(path, sizeof(path), "%s.index", out);
	index = fopen(path, how);
	if (index == NULL)
		err(1, "%s", path);
	return index;
}

static void
save_index(const struct work *work, const char *out)
{
	FILE *index = open_index(out, "wb");
	size_t i;

	for (i = 0; i < work->count; i++)
		if (fwrite(&work->files[i], sizeof(struct file), 1, index) != 1)
			err(1, "index");
	if (fclose(index) != 0)
		err(1, "index");
}

static void
load_index(struct work *work, const char *out)
{
	FILE *index = open_index(out, "rb");
	uint64_t start = 0;
	struct stat info;
	size_t i;

	if (fstat(fileno(index), &info) != 0)
		err(1, "index");
	work->count = (size_t)info.st_size / sizeof(struct file);
	work->files = calloc(work->count + 1, sizeof(struct file));
	if (work->files == NULL ||
	    fread(work->files, sizeof(struct file), work->count, index) != work->count)
		errx(1, "index");
	for (i = 0; i < work->count; i++) {
		work->files[i].hashed = 0;
		work->files[i].start = start;
		start += work->files[i].size;
	}
	(void)fclose(index);
}

static int
usage(void)
{
	(void)fprintf(stderr, "usage: floor deposit OUT PATH... | verify OUT | get OUT DEST\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct work work = {.mode = MODE_DEPOSIT};

	if (argc < 3 || sodium_init() < 0)
		return usage();
	if (strcmp(argv[1], "deposit") == 0 && argc > 3) {
		list_files(&work, argv + 3);
		work.out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	} else if (strcmp(argv[1], "verify") == 0 && argc == 3) {
		work.mode = MODE_VERIFY;
	} else if (strcmp(argv[1], "get") == 0 && argc == 4) {
		work.mode = MODE_GET;
		work.dest = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	} else {
		return usage();
	}
	if (work.mode != MODE_DEPOSIT) {
		load_index(&work, argv[2]);
		work.out = open(argv[2], O_RDONLY);
	}
	if (work.out < 0 || work.dest < 0)
		err(1, "open");
	run(&work);
	if (work.mode == MODE_DEPOSIT)
		save_index(&work, argv[2]);
	free(work.files);
	return 0;
}
