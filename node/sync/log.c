/* Logs: what is held of them, who may have them, and what peers offer. */
#include <stdlib.h>

#include "node/sync/sync_internal.h"

#define OFFERS_FIRST 4

void
head_copy(struct head *to, const struct head *from)
{
	struct chunk *note = chunk_take(from->note);

	head_fini(to);
	to->size = from->size;
	memcpy(to->root, from->root, HASH_SIZE);
	to->note = note;
}

void
head_fini(struct head *head)
{
	chunk_drop(head->note);
	memset(head, 0, sizeof *head);
}

struct log *
log_find(const struct sync *sync, const uint8_t *id)
{
	size_t i;

	for (i = 0; i < sync->log_count; i++)
		if (memcmp(sync->logs[i]->id, id, HASH_SIZE) == 0)
			return sync->logs[i];
	return NULL;
}

void
log_enrol(struct log *log)
{
	const struct charter_node *node = charter_node_of_log(log->organisation->charter, log->id);

	if (node == NULL)
		return;
	if (vkey_parse(&log->vkey, view_text(node->vkey), NULL) != ERR_NONE)
		return;
	memcpy(log->record_key, node->record, RECORD_KEY);
	log->enrolled = true;
}

struct log *
log_add(struct sync *sync, const uint8_t *id, struct organisation *organisation)
{
	struct log *log;

	if (sync->log_count == SYNC_LOGS_MAX)
		return NULL;
	log = calloc(1, sizeof *log);
	if (log == NULL)
		return NULL;
	memcpy(log->id, id, HASH_SIZE);
	log->organisation = organisation;
	tree_init(&log->tree);
	log_enrol(log);
	sync->logs[sync->log_count++] = log;
	if (memcmp(id, sync->config.log, HASH_SIZE) == 0)
		sync->own = log;
	return log;
}

void
log_free(struct log *log)
{
	size_t i;

	for (i = 0; i < log->offer_count; i++)
		head_fini(&log->offers[i].head);
	free(log->offers);
	head_fini(&log->head);
	head_fini(&log->seen);
	head_fini(&log->pull.target);
	free(log->share);
	free(log);
}

int
log_open_head(const struct log *log, struct head *head, struct view bytes, struct err *err)
{
	struct checkpoint checkpoint;
	struct note *note;
	uint8_t *data;
	int code;

	memset(head, 0, sizeof *head);
	if (!log->enrolled)
		return err_set(err, ERR_UNKNOWN, "the charter does not enrol this log");
	note = malloc(sizeof *note);
	if (note == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a note");
	code = checkpoint_open(&checkpoint, note, bytes, &log->vkey, err);
	free(note);
	if (code != ERR_NONE)
		return code;
	head->note = chunk_new(bytes.size, &data);
	if (head->note == NULL)
		return err_set(err, ERR_MEMORY, "no memory for a note");
	memcpy(data, bytes.data, bytes.size);
	head->size = checkpoint.size;
	memcpy(head->root, checkpoint.root, HASH_SIZE);
	return ERR_NONE;
}

void
log_share(struct sync *sync, struct log *log, const uint8_t (*share)[HASH_SIZE], unsigned count)
{
	uint8_t(*copy)[HASH_SIZE] = malloc((size_t)(count > 0 ? count : 1) * HASH_SIZE);

	if (copy == NULL) {
		sync->starved = true;
		return;
	}
	if (count > 0)
		memcpy(copy, share, (size_t)count * HASH_SIZE);
	free(log->share);
	log->share = copy;
	log->share_count = count;
	log->shared = true;
	log->changed = ++sync->generation;
}

bool
log_allowed(const struct sync *sync, const struct peer *peer, const struct log *log)
{
	unsigned i;

	(void)sync;
	if (peer->organisation == log->organisation)
		return peer_node(peer) != NULL;
	for (i = 0; i < log->share_count; i++)
		if (memcmp(log->share[i], peer->config.organisation, HASH_SIZE) == 0)
			return true;
	return false;
}

struct offer *
log_offer(const struct log *log, unsigned peer)
{
	size_t i;

	for (i = 0; i < log->offer_count; i++)
		if (log->offers[i].peer == peer)
			return &log->offers[i];
	return NULL;
}

struct offer *
log_offer_add(struct log *log, unsigned peer)
{
	struct offer *offer = log_offer(log, peer);

	if (offer != NULL)
		return offer;
	if (log->offer_count == log->offer_capacity) {
		size_t capacity = log->offer_capacity * 2 + OFFERS_FIRST;
		struct offer *offers = realloc(log->offers, capacity * sizeof *offers);

		if (offers == NULL)
			return NULL;
		log->offers = offers;
		log->offer_capacity = capacity;
	}
	offer = &log->offers[log->offer_count++];
	memset(offer, 0, sizeof *offer);
	offer->peer = peer;
	return offer;
}

void
log_offers_drop(struct sync *sync, struct peer *peer)
{
	size_t i;

	for (i = 0; i < sync->log_count; i++) {
		struct log *log = sync->logs[i];
		struct offer *offer = log_offer(log, peer->slot);

		if (offer == NULL)
			continue;
		head_fini(&offer->head);
		*offer = log->offers[--log->offer_count];
	}
}

void
log_put_head(struct sync *sync, const struct log *log, const struct head *head)
{
	struct sync_disk *disk = disk_new(SYNC_DISK_HEAD_PUT);

	if (disk == NULL) {
		sync->starved = true;
		return;
	}
	memcpy(disk->as.head.log, log->id, HASH_SIZE);
	disk->as.head.size = head->size;
	disk->chunk = chunk_take(head->note);
	disk->as.head.note = head->note->bytes;
	action_disk(sync, disk);
}

/* Take over a stored note, whose root must be that of the tree where they are of one size. */
static int
load_head(struct log *log, struct head *to, struct view note, struct err *err)
{
	uint8_t root[HASH_SIZE];
	struct head head;
	int code;

	if (note.size == 0)
		return ERR_NONE;
	code = log_open_head(log, &head, note, err);
	if (code != ERR_NONE)
		return code;
	tree_root(&log->tree, root);
	if (head.size == log->tree.size && memcmp(head.root, root, HASH_SIZE) != 0) {
		head_fini(&head);
		return err_set(err, ERR_DAMAGED, "a stored checkpoint is not of the stored log");
	}
	if (head.size >= to->size) {
		head_fini(to);
		*to = head;
	} else {
		head_fini(&head);
	}
	return ERR_NONE;
}

static bool
same_share(const struct log *log, const struct sync_log_state *state)
{
	return log->shared == state->shared && log->share_count == state->share_count &&
	       (log->share_count == 0 ||
	           memcmp(log->share, state->share, (size_t)log->share_count * HASH_SIZE) == 0);
}

int
sync_load_log(struct sync *sync, const struct sync_log_state *state, struct err *err)
{
	struct organisation *organisation = organisation_add(sync, state->organisation);
	struct log *log = log_find(sync, state->log);
	uint64_t before;
	int code;

	if (log == NULL && organisation != NULL)
		log = log_add(sync, state->log, organisation);
	if (log == NULL)
		return err_set(err, ERR_LIMIT, "more logs than can be held (docs/wire 7)");
	log->stored = true;
	/* What the disk has not told yet of our own writes may be in it: they are told later. */
	if (state->tree.size > log->tree.size)
		log->tree = state->tree;
	before = log->head.size;
	code = load_head(log, &log->head, state->head, err);
	if (code == ERR_NONE && state->seen.size > 0)
		code = load_head(log, &log->seen, state->seen, err);
	if (state->shared && !same_share(log, state))
		log_share(sync, log, state->share, state->share_count);
	if (log->head.size != before)
		log->changed = ++sync->generation;
	if (log == sync->own && log->head.size != before)
		sync->signing = false;
	sync->wants_dirty = true;
	return code;
}
