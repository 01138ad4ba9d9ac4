#include "proto/replay.h"

#define EPHEMERAL 32

/* A slot of zeros, or with a count of zero, holds nothing. */
static bool
slot_used(const uint8_t *slot)
{
	return get_u64(slot) != 0;
}

/* Counts go up by one from slot to slot; a damaged one must not make us skip the ring. */
void
replay_init(struct replay *replay, struct view stored)
{
	size_t slots = stored.size / REPLAY_SLOT;
	size_t i;

	memset(replay, 0, sizeof(*replay));
	if (slots > REPLAY_SLOTS)
		slots = REPLAY_SLOTS;
	for (i = 0; i < slots; i++) {
		const uint8_t *slot = stored.data + i * REPLAY_SLOT;

		if (!slot_used(slot) || get_u64(slot) % REPLAY_SLOTS != i ||
		    get_u64(slot) > UINT64_MAX / 2)
			continue;
		memcpy(replay->slots[i], slot, REPLAY_SLOT);
		if (get_u64(slot) > replay->count)
			replay->count = get_u64(slot);
	}
}

bool
replay_known(const struct replay *replay, const uint8_t ephemeral[static EPHEMERAL])
{
	size_t i;

	for (i = 0; i < REPLAY_SLOTS; i++) {
		if (memcmp(replay->slots[i] + 8, ephemeral, EPHEMERAL) == 0 &&
		    slot_used(replay->slots[i]))
			return true;
	}
	return false;
}

unsigned
replay_remember(struct replay *replay, const uint8_t ephemeral[static EPHEMERAL])
{
	unsigned slot;

	replay->count++;
	slot = (unsigned)(replay->count % REPLAY_SLOTS);
	put_u64(replay->slots[slot], replay->count);
	memcpy(replay->slots[slot] + 8, ephemeral, EPHEMERAL);
	return slot;
}
