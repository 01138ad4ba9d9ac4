/*
 * A hostile peer: two nodes replicate both ways, and the input says what happens to what node 1 sends
 * to node 0: bits flipped, messages replaced, repeated, lost.  Whatever it is, node 0 keeps its
 * bounds (the simulation aborts otherwise) and stores nothing of node 1's log but the truth.
 */
#include <stdlib.h>

#include "tests/sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

static uint8_t
next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

static bool
meddle(void *cookie, unsigned from, unsigned to, struct buffer *bytes)
{
	struct input *input = cookie;
	uint8_t what;
	size_t at;

	if (from != 1 || to != 0)
		return true;
	what = next(input);
	switch (what % 8) {
	case 4:
		at = (size_t)next(input) << 8;
		at |= next(input);
		if (bytes->size > 0)
			bytes->data[at % bytes->size] ^= (uint8_t)(next(input) | 1);
		return true;
	case 5:
		at = next(input);
		if (at > (size_t)(input->end - input->at))
			at = (size_t)(input->end - input->at);
		buffer_clear(bytes);
		buffer_append(bytes, input->at, at);
		input->at += at;
		return true;
	case 6:
		return false;
	case 7:
		at = (size_t)next(input) << 2;
		if (at < bytes->size)
			bytes->size = at;
		return true;
	default:
		return true;
	}
}

/* What node 0 has of node 1's log is a prefix of it, and so are the leaves of its payloads. */
static void
check_truth(const struct sim *sim)
{
	const struct sim_node *liar = &sim->nodes[1];
	const struct sim_disk *disk = &sim->nodes[0].disk;
	const struct sim_log *truth = sim_disk_log(&liar->disk, liar->log);
	const struct sim_log *copy = sim_disk_log(disk, liar->log);
	size_t i;
	size_t j;

	for (i = 0; copy != NULL && i < copy->count; i++)
		if (i >= truth->count || !view_equal(buffer_view(&copy->entries[i].record),
		                             buffer_view(&truth->entries[i].record)))
			abort();
	for (i = 0; i < disk->payload_count; i++) {
		const struct sim_payload *payload = &disk->payloads[i];
		const struct sim_payload *true_one =
		    sim_disk_payload(&liar->disk, payload->root, payload->size);

		if (memcmp(payload->log, liar->log, HASH_SIZE) != 0)
			continue;
		for (j = 0; j < payload->count; j++)
			if (payload->leaves[j].size > 0 &&
			    (true_one == NULL || !view_equal(buffer_view(&payload->leaves[j]),
			                             buffer_view(&true_one->leaves[j]))))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {.at = data, .end = data + size};
	struct sim sim;
	unsigned i;

	sim_init(&sim, 1);
	sim.delay_most = 3;
	for (i = 0; i < 2; i++) {
		sim_found(&sim, i);
		sim_enrol(&sim, i, i);
		sim_share(&sim, i, (unsigned[]){1 - i}, 1);
		sim_deposit(&sim, i, 10);
		sim_deposit(&sim, i, 3000);
		sim_sign(&sim, i);
	}
	sim_pair(&sim, 0, 1);
	sim.tamper = meddle;
	sim.tamper_cookie = &input;
	sim_up(&sim, 0);
	sim_up(&sim, 1);
	sim_run(&sim, 1500);
	check_truth(&sim);
	sim_fini(&sim);
	return 0;
}
