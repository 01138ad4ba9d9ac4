#ifndef DALIL_TESTS_STORE_PLACE_H
#define DALIL_TESTS_STORE_PLACE_H

#include "node/store/store_private.h"
#include "tests/store/fixture.h"
#include "tests/unit/vectors.h"

/*
 * Purpose: a store in a folder of its own for each cmocka test, and what such tests do with it.
 */

struct place {
	char *folder;
	char *path; /* the store, in it */
	struct storage *storage;
};

/* Set up and tear down of a test: *state is a struct place. */
int place_setup(void **state);
int place_teardown(void **state);
#define place_test(function) cmocka_unit_test_setup_teardown(function, place_setup, place_teardown)

/* Fail the running test, with what ${err} says, unless ${result} is 0. */
void place_must(int result, const struct err *err, const char *call);

/* Close the store and open it again. */
void place_reopen(struct place *place);
/* Two logs of 100 and 17 entries, facts and the rest. */
void place_fill(struct place *place);
/* The first ${size} entries of the log are right. */
void place_check(struct place *place, uint32_t log, uint64_t size);

#endif
