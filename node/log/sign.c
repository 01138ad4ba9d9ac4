/*
 * Signing (design 5.4).  The happy path: the gate is open, our tree extends
 * every head of it that anyone is known to hold and everything that was about
 * to be signed before; {size, root} become durable; only then is the
 * signature made and kept as the newest checkpoint.
 * Possible failures leave either nothing, or a durable {size, root} without a
 * signature, which the next run signs again or extends.
 */
#include <inttypes.h>

#include "node/log/log.h"
#include "proto/checkpoint.h"

int
log_gate_check(const struct log_gate *gate, struct err *err)
{
	if (gate->frozen)
		return err_set(err, ERR_REFUSED,
		    "the log is frozen: nothing is signed in it any more (design 5.4)");
	if (gate->moved)
		return err_set(err, ERR_REFUSED,
		    "the store is on another machine than before: if the old one signs no more, "
		    "run dalil log adopt (design 5.4)");
	if (gate->peers && !gate->heads_read && !gate->alone)
		return err_set(err, ERR_REFUSED,
		    "no peer has said yet what it holds of this log: run dalil sync, or "
		    "dalil log sign --alone if none can be reached (design 5.4)");
	return 0;
}

int
log_check_head(
    struct snapshot *snapshot, uint32_t number, const struct log_head *head, struct err *err)
{
	struct snapshot_tree cookie = {.snapshot = snapshot, .log = number, .err = err};
	struct storage_log log;
	struct tree tree;
	uint8_t root[HASH_SIZE];
	int result = snapshot_log(snapshot, &log, number, err);

	if (result != 0)
		return result;
	if (head->size > log.size)
		return err_set(err, ERR_UNKNOWN,
		    "%" PRIu64 " records of this log are known, but only %" PRIu64 " are here",
		    head->size, log.size);
	if (head->size == log.size) {
		memcpy(root, log.root, HASH_SIZE);
	} else {
		result = tree_load(&tree, head->size, snapshot_tree_read, &cookie);
		if (result != 0)
			return result;
		tree_root(&tree, root);
	}
	if (memcmp(root, head->root, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED,
		    "the log has forked: another tree of %" PRIu64 " records was signed than the "
		    "one that is here (design 5.4)",
		    head->size);
	return 0;
}

/* A head that must not be larger than what is here. */
static int
check_extends(struct snapshot *snapshot, uint32_t number, const struct log_head *head,
    const char *whose, struct err *err)
{
	int result = log_check_head(snapshot, number, head, err);

	if (result == ERR_UNKNOWN) {
		(void)err_set(err, ERR_REFUSED,
		    "%s holds %" PRIu64 " records of this log, more than are here: fetch them back "
		    "with dalil sync before anything is signed (design 5.4)",
		    whose, head->size);
		return ERR_REFUSED;
	}
	if (result == ERR_FORGED)
		(void)err_wrap(err, "%s", whose);
	return result;
}

/* One call of log_sign. */
struct signing {
	struct storage *storage;
	uint32_t number;
	const struct vkey *vkey;
	const uint8_t *seed;
	const struct log_gate *gate;
	struct log_head head; /* what will be signed, or is */
	struct buffer note;   /* the newest checkpoint */
	bool done;            /* it covers the log: nothing is to be signed */
};

static int
check_peers(const struct signing *signing, struct snapshot *snapshot, struct err *err)
{
	const struct log_gate *gate = signing->gate;
	size_t i;
	int result = 0;

	for (i = 0; result == 0 && i < gate->head_count; i++)
		result = check_extends(snapshot, signing->number, &gate->heads[i], "a peer", err);
	return result;
}

/* Our tree extends the newest checkpoint that is here; ERR_NOT_FOUND if there is none. */
static int
check_newest(struct signing *signing, struct snapshot *snapshot, struct err *err)
{
	struct checkpoint checkpoint;
	struct log_head head;
	struct note note;
	uint64_t size;
	int result = snapshot_head_last(snapshot, &signing->note, &size, signing->number, err);

	if (result != 0)
		return result;
	result =
	    checkpoint_open(&checkpoint, &note, buffer_view(&signing->note), signing->vkey, err);
	if (result != 0) {
		if (result == ERR_MEMORY)
			return result;
		return err_set(
		    err, ERR_DAMAGED, "the newest checkpoint that is stored is not the log's");
	}
	head.size = checkpoint.size;
	memcpy(head.root, checkpoint.root, HASH_SIZE);
	signing->done = head.size == signing->head.size;
	return check_extends(snapshot, signing->number, &head, "our newest checkpoint", err);
}

/* And what was promised but perhaps never signed. */
static int
check_promised(const struct signing *signing, struct snapshot *snapshot, struct err *err)
{
	struct log_head head;
	int result = snapshot_signing(snapshot, &head.size, head.root, signing->number, err);

	if (result != 0)
		return result;
	return check_extends(
	    snapshot, signing->number, &head, "what was about to be signed before", err);
}

/* The key is this log's, and the seed the key's. */
static int
check_key(const struct signing *signing, const struct storage_log *log, struct err *err)
{
	uint8_t id[HASH_SIZE];
	uint8_t key[KEY_SIZE];

	vkey_log(id, signing->vkey);
	key_ed25519_public(key, signing->seed);
	if (memcmp(id, log->id, HASH_SIZE) != 0 || memcmp(key, signing->vkey->key, KEY_SIZE) != 0)
		return err_set(err, ERR_REFUSED, "that key is not the key of this log");
	return 0;
}

/* All checks, then {size, root} into the batch, unless nothing is to be signed. */
static int
promise(struct signing *signing, struct batch *batch, struct err *err)
{
	struct snapshot *snapshot = batch_snapshot(batch);
	struct storage_log log;
	int result = snapshot_log(snapshot, &log, signing->number, err);

	if (result == 0)
		result = check_key(signing, &log, err);
	if (result != 0)
		return result;
	if (log.size == 0)
		return err_set(err, ERR_NOT_FOUND, "the log has no record to sign yet");
	signing->head.size = log.size;
	memcpy(signing->head.root, log.root, HASH_SIZE);
	result = check_peers(signing, snapshot, err);
	if (result != 0)
		return result;
	result = check_newest(signing, snapshot, err);
	if (result != 0 && result != ERR_NOT_FOUND)
		return result;
	result = check_promised(signing, snapshot, err);
	if (result != 0 && result != ERR_NOT_FOUND)
		return result;
	if (signing->done)
		return 0;
	return batch_signing(batch, signing->number, log.size, log.root, err);
}

/*
 * Sign, and keep the checkpoint, unless another process signed the same size
 * meanwhile: its note may carry cosignatures by now.
 */
static int
keep(struct signing *signing, struct batch *batch, struct err *err)
{
	struct note note;
	uint64_t size = signing->head.size;
	int result =
	    snapshot_head_at(batch_snapshot(batch), &signing->note, signing->number, size, err);

	if (result == 0 && note_parse(&note, buffer_view(&signing->note), NULL) == 0 &&
	    note_check(&note, signing->vkey, NULL, NULL) == 0)
		return 0;
	if (result != 0 && result != ERR_NOT_FOUND)
		return result;
	buffer_clear(&signing->note);
	result = checkpoint_sign(
	    &signing->note, signing->vkey, signing->seed, size, signing->head.root, err);
	if (result != 0)
		return result;
	return batch_head(batch, signing->number, size, buffer_view(&signing->note), err);
}

typedef int signing_step(struct signing *signing, struct batch *batch, struct err *err);

/* One step in a batch of its own, durable when this returns 0. */
static int
commit_step(struct signing *signing, signing_step *step, struct err *err)
{
	struct batch *batch;
	int result = batch_begin(signing->storage, &batch, err);

	if (result != 0)
		return result;
	result = step(signing, batch, err);
	if (result != 0 || signing->done) {
		batch_abort(batch);
		return result;
	}
	return batch_commit(batch, err);
}

int
log_sign(struct storage *storage, uint32_t number, const struct vkey *vkey,
    const uint8_t seed[static KEY_SEED], const struct log_gate *gate, struct buffer *note,
    struct log_signed *result, struct err *err)
{
	struct signing signing = {
	    .storage = storage, .number = number, .vkey = vkey, .seed = seed, .gate = gate};
	int code = log_gate_check(gate, err);

	*result = (struct log_signed){.fresh = false};
	if (code != 0)
		return code;
	buffer_init(&signing.note, STORAGE_BYTES_MAX);
	code = commit_step(&signing, promise, err);
	if (code == 0 && !signing.done) {
		code = commit_step(&signing, keep, err);
		result->fresh = code == 0;
	}
	if (code == 0) {
		result->size = signing.head.size;
		if (note != NULL) {
			buffer_clear(note);
			buffer_append(note, signing.note.data, signing.note.size);
			if (note->err != 0)
				code = err_set(err, (enum err_code)note->err, "no room for a note");
		}
	}
	buffer_fini(&signing.note);
	return code;
}
