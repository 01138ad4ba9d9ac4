#ifndef DALIL_TESTS_UNIT_ARCHIVE_FIXTURE_H
#define DALIL_TESTS_UNIT_ARCHIVE_FIXTURE_H

#include "node/archive.h"

/*
 * Purpose: a store in a temporary folder, and files of every awkward size to deposit in it, for the
 * tests of the archive.
 */

#define MIB ((size_t)1 << 20)
#define RESULTS_MAX 512
#define FIXTURE_SIZES 11

extern const size_t fixture_sizes[FIXTURE_SIZES];

struct fixture {
	char folder[64];
	char store[128];
	struct archive *archive;
	uint8_t root_seed[ARCHIVE_SEED];
	bool blind; /* without the vault's key nothing is compared */
	unsigned count;
	struct deposit_result results[RESULTS_MAX];
	char texts[RESULTS_MAX][200];
};

void fixture_require(int code, const struct err *err, const char *what);
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
void fixture_path(const struct fixture *fixture, char path[static 256], size_t number);
void fixture_write(const char *path, size_t number, size_t size);
void fixture_check(const char *path, size_t number, size_t size);
/* A `deposit_done`; ${cookie} is the fixture. */
void fixture_keep_result(void *cookie, const struct deposit_result *result);
struct deposit_run *fixture_begin(struct fixture *fixture, bool again);
void fixture_add(struct deposit_run *run, const struct deposit_file *file);
void fixture_finish(struct deposit_run *run);
void fixture_deposit(struct fixture *fixture, bool open, bool again);
struct storage_place fixture_place(struct fixture *fixture, size_t result);
void
fixture_get_all(struct fixture *fixture, struct archive_reader *reader, enum archive_access wanted);
struct archive_reader *fixture_reader(struct fixture *fixture, const uint8_t *identity);
void fixture_reopen_locked(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);

#endif
