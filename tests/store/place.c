/* Stores of tests. */
#include "tests/store/place.h"

#include <stdio.h>
#include <stdlib.h>

static struct err err; /* of the call that ok() looks at */

#define ok(call) place_must((call), &err, #call)

void
place_must(int result, const struct err *error, const char *call)
{
	if (result != 0)
		fail_msg("%s: %s", call, err_text(error));
}

int
place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place->folder = fixture_folder();
	if (asprintf(&place->path, "%s/store", place->folder) < 0)
		return -1;
	ok(store_create(place->path, &err));
	ok(store_open(place->path, &place->storage, &err));
	*state = place;
	return 0;
}

int
place_teardown(void **state)
{
	struct place *place = *state;

	storage_close(place->storage);
	fixture_remove(place->folder);
	free(place->path);
	free(place);
	return 0;
}

void
place_reopen(struct place *place)
{
	storage_close(place->storage);
	ok(store_open(place->path, &place->storage, &err));
}

void
place_fill(struct place *place)
{
	struct batch *batch;

	ok(batch_begin(place->storage, &batch, &err));
	assert_int_equal(fixture_log(batch, 0), 0);
	assert_int_equal(fixture_log(batch, 1), 1);
	assert_int_equal(fixture_log(batch, 0), 0);
	ok(batch_commit(batch, &err));
	ok(fixture_append(place->storage, 0, 0, 40, &err));
	ok(fixture_append(place->storage, 1, 0, 17, &err));
	ok(fixture_append(place->storage, 0, 40, 41, &err));
	ok(fixture_append(place->storage, 0, 41, 100, &err));
	ok(fixture_extras(place->storage, 1, &err));
}

void
place_check(struct place *place, uint32_t log, uint64_t size)
{
	struct snapshot *snapshot;

	ok(snapshot_begin(place->storage, &snapshot, &err));
	for (uint64_t i = 0; i < size; i++)
		ok(fixture_check(snapshot, log, i, &err));
	snapshot_end(snapshot);
}
