/* The state of a charter: what accepted statements change in it, and questions (design 5.5). */
#include "proto/charter.h"

#include <stdlib.h>

#include "proto/charter_internal.h"
#include "proto/hash.h"
#include "proto/vkey.h"

struct charter *
charter_new(void)
{
	return calloc(1, sizeof(struct charter));
}

static void
node_fini(struct charter_node *node)
{
	free((char *)node->name);
	free((char *)node->origin);
	free((char *)node->vkey);
}

void
charter_free(struct charter *charter)
{
	size_t i;

	if (charter == NULL)
		return;
	for (i = 0; i < charter->node_room.count; i++)
		node_fini(&charter->nodes[i]);
	free(charter->name);
	free(charter->hashes);
	free(charter->epochs);
	free(charter->nodes);
	free(charter->members);
	free(charter->served);
	free(charter);
}

/* Make room for ${more} elements of ${size} bytes; false if memory is gone. */
static bool
reserve(void **array, struct charter_room *room, size_t more, size_t size)
{
	size_t capacity = room->capacity == 0 ? 4 : room->capacity;
	void *grown;

	if (more <= room->capacity - room->count)
		return true;
	while (capacity < room->count + more)
		capacity *= 2;
	grown = realloc(*array, capacity * size);
	if (grown == NULL)
		return false;
	*array = grown;
	room->capacity = capacity;
	return true;
}

static char *
copy_text(struct view text)
{
	char *copy = malloc(text.size + 1);

	if (copy != NULL) {
		if (text.size > 0)
			memcpy(copy, text.data, text.size);
		copy[text.size] = '\0';
	}
	return copy;
}

static int
node_from(struct charter_node *node, const struct statement *statement)
{
	const struct statement_enrol *enrol = &statement->enrol;
	struct buffer text;
	struct vkey vkey;
	int rc;

	*node = (struct charter_node){.seq = statement->seq, .state = CHARTER_IN_FORCE};
	rc = vkey_make(&vkey, enrol->origin, VKEY_ED25519, enrol->log, NULL);
	if (rc != 0)
		return rc;
	buffer_init(&text, VKEY_TEXT_MAX);
	vkey_text(&text, &vkey);
	if (text.err == 0)
		node->vkey = copy_text(buffer_view(&text));
	buffer_fini(&text);
	vkey_log(node->id, &vkey);
	node->name = copy_text(enrol->name);
	node->origin = copy_text(enrol->origin);
	memcpy(node->record, enrol->record, 32);
	memcpy(node->log, enrol->log, 32);
	memcpy(node->witness, enrol->witness, 32);
	memcpy(node->mirror, enrol->mirror, 32);
	memcpy(node->transport, enrol->transport, 32);
	memcpy(node->inbox, enrol->inbox, 32);
	if (enrol->country.size == 2)
		memcpy(node->country, enrol->country.data, 2);
	if (node->vkey == NULL || node->name == NULL || node->origin == NULL) {
		node_fini(node);
		return ERR_MEMORY;
	}
	return 0;
}

static void
copy_keys(uint8_t to[][STATEMENT_KEY], const struct statement_keys *keys)
{
	unsigned i;

	for (i = 0; i < keys->count; i++)
		memcpy(to[i], keys->keys[i], STATEMENT_KEY);
}

void
charter_roots_from(struct charter_roots *roots, const struct statement *statement)
{
	const struct statement_roots *from = &statement->roots;

	*roots = (struct charter_roots){
	    .count = from->keys.count,
	    .threshold = (unsigned)from->threshold,
	    .next_count = from->next.count,
	    .next_threshold = (unsigned)from->next_threshold,
	    .seq = statement->seq,
	};
	copy_keys(roots->keys, &from->keys);
	copy_keys(roots->next, &from->next);
}

/* Where ${digest} stands among the served, or would. */
static size_t
served_position(const struct charter *charter, const uint8_t digest[static HASH_SIZE])
{
	size_t low = 0, high = charter->served_room.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(charter->served[middle], digest, HASH_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
charter_served(const struct charter *charter, const uint8_t digest[static HASH_SIZE])
{
	size_t at = served_position(charter, digest);

	return at < charter->served_room.count &&
	       memcmp(charter->served[at], digest, HASH_SIZE) == 0;
}

static void
serve(struct charter *charter, const struct charter_fresh *fresh)
{
	unsigned i;

	for (i = 0; i < fresh->count; i++) {
		size_t at = served_position(charter, fresh->digests[i]);

		memmove(charter->served + at + 1, charter->served + at,
		    (charter->served_room.count - at) * HASH_SIZE);
		memcpy(charter->served[at], fresh->digests[i], HASH_SIZE);
		charter->served_room.count++;
	}
}

static void
end_apply(struct charter *charter, const struct statement *statement)
{
	const struct statement_end *end = &statement->end;
	enum charter_state state =
	    statement->kind == STATEMENT_RETIRE ? CHARTER_RETIRED : CHARTER_REVOKED;

	if (end->node != NULL) {
		struct charter_node *node = charter_find_node(charter, end->node);

		node->state = state;
		node->end_seq = statement->seq;
		node->last_good_size = end->size;
		memcpy(node->last_good_root, end->root, HASH_SIZE);
	} else {
		charter_find_member(charter, end->member)->state = state;
	}
}

/* Take all memory that the statement may need, so that nothing after it fails. */
static bool
reserve_all(struct charter *charter, unsigned fresh)
{
	return reserve((void **)&charter->hashes, &charter->hash_room, 1, HASH_SIZE) &&
	       reserve(
	           (void **)&charter->epochs, &charter->epoch_room, 1, sizeof(*charter->epochs)) &&
	       reserve((void **)&charter->nodes, &charter->node_room, 1, sizeof(*charter->nodes)) &&
	       reserve((void **)&charter->members, &charter->member_room, 1,
	           sizeof(*charter->members)) &&
	       reserve((void **)&charter->served, &charter->served_room, fresh, HASH_SIZE);
}

static int
apply_kind(struct charter *charter, const struct statement *statement)
{
	struct charter_member_entry *member;
	int rc = 0;

	switch (statement->kind) {
	case STATEMENT_FOUND:
		charter->name = copy_text(statement->name);
		if (charter->name == NULL)
			return ERR_MEMORY;
		/* fall through */
	case STATEMENT_ROTATE:
		charter_roots_from(&charter->epochs[charter->epoch_room.count++], statement);
		break;
	case STATEMENT_VAULT:
		memcpy(charter->vault, statement->recipient, 32);
		charter->has_vault = true;
		break;
	case STATEMENT_ENROL:
		rc = node_from(&charter->nodes[charter->node_room.count], statement);
		if (rc == 0)
			charter->node_room.count++;
		break;
	case STATEMENT_MEMBER:
		member = &charter->members[charter->member_room.count++];
		memcpy(member->digest, statement->digest, HASH_SIZE);
		member->state = CHARTER_IN_FORCE;
		break;
	case STATEMENT_RETIRE:
	case STATEMENT_REVOKE:
		end_apply(charter, statement);
		break;
	}
	return rc;
}

int
charter_apply(
    struct charter *charter, const struct statement *statement, const struct charter_fresh *fresh)
{
	int rc;

	if (!reserve_all(charter, fresh->count))
		return ERR_MEMORY;
	rc = apply_kind(charter, statement);
	if (rc != 0)
		return rc;
	serve(charter, fresh);
	memcpy(charter->hashes[charter->hash_room.count++], statement->hash, HASH_SIZE);
	charter->bytes += statement->signed_size;
	charter->count++;
	return 0;
}

const struct charter_roots *
charter_roots_for(const struct charter *charter, uint64_t seq)
{
	size_t i = charter->epoch_room.count - 1;

	while (i > 0 && charter->epochs[i].seq >= seq)
		i--;
	return &charter->epochs[i];
}

struct charter_node *
charter_find_node(const struct charter *charter, const uint8_t id[static HASH_SIZE])
{
	size_t i;

	for (i = 0; i < charter->node_room.count; i++)
		if (memcmp(charter->nodes[i].id, id, HASH_SIZE) == 0)
			return &charter->nodes[i];
	return NULL;
}

struct charter_member_entry *
charter_find_member(const struct charter *charter, const uint8_t digest[static HASH_SIZE])
{
	size_t i;

	for (i = 0; i < charter->member_room.count; i++)
		if (memcmp(charter->members[i].digest, digest, HASH_SIZE) == 0)
			return &charter->members[i];
	return NULL;
}

uint64_t
charter_count(const struct charter *charter)
{
	return charter->count;
}

const uint8_t *
charter_hash(const struct charter *charter, uint64_t seq)
{
	return seq < charter->count ? charter->hashes[seq] : NULL;
}

const uint8_t *
charter_organisation(const struct charter *charter)
{
	return charter_hash(charter, 0);
}

const uint8_t *
charter_last(const struct charter *charter)
{
	return charter->count == 0 ? NULL : charter->hashes[charter->count - 1];
}

const char *
charter_name(const struct charter *charter)
{
	return charter->name;
}

const uint8_t *
charter_vault(const struct charter *charter)
{
	return charter->has_vault ? charter->vault : NULL;
}

const struct charter_roots *
charter_roots(const struct charter *charter)
{
	return charter->count == 0 ? NULL : &charter->epochs[charter->epoch_room.count - 1];
}

size_t
charter_node_count(const struct charter *charter)
{
	return charter->node_room.count;
}

const struct charter_node *
charter_node_at(const struct charter *charter, size_t index)
{
	return index < charter->node_room.count ? &charter->nodes[index] : NULL;
}

const struct charter_node *
charter_node_of_log(const struct charter *charter, const uint8_t id[static HASH_SIZE])
{
	return charter_find_node(charter, id);
}

const struct charter_node *
charter_node_of_transport(const struct charter *charter, const uint8_t key[static 32])
{
	size_t i;

	for (i = 0; i < charter->node_room.count; i++)
		if (memcmp(charter->nodes[i].transport, key, 32) == 0)
			return &charter->nodes[i];
	return NULL;
}

bool
charter_member(const struct charter *charter, const uint8_t digest[static HASH_SIZE],
    enum charter_state *state)
{
	const struct charter_member_entry *member = charter_find_member(charter, digest);

	if (member != NULL && state != NULL)
		*state = member->state;
	return member != NULL;
}
