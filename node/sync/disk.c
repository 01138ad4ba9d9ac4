/* Disk requests: their names, what an executor checks before it stores, and their end. */
#include "node/sync/disk.h"

#include <stdlib.h>

#include "proto/payload.h"

bool
sync_disk_writes(enum sync_disk_kind kind)
{
	switch (kind) {
	case SYNC_DISK_LOG_PUT:
	case SYNC_DISK_STATEMENT_PUT:
	case SYNC_DISK_HEAD_PUT:
	case SYNC_DISK_ENTRY_PUT:
	case SYNC_DISK_LEAF_PUT:
		return true;
	case SYNC_DISK_WANTS:
	case SYNC_DISK_PACKAGE:
	case SYNC_DISK_ENTRIES:
	case SYNC_DISK_CONSISTENCY:
	case SYNC_DISK_ROOT:
	case SYNC_DISK_LEAF:
		return false;
	}
	return false;
}

const char *
sync_disk_name(enum sync_disk_kind kind)
{
	switch (kind) {
	case SYNC_DISK_LOG_PUT:
		return "storing a new log";
	case SYNC_DISK_STATEMENT_PUT:
		return "storing a statement";
	case SYNC_DISK_HEAD_PUT:
		return "storing a checkpoint";
	case SYNC_DISK_ENTRY_PUT:
		return "storing a record";
	case SYNC_DISK_LEAF_PUT:
		return "storing a payload leaf";
	case SYNC_DISK_WANTS:
		return "listing what is wanted";
	case SYNC_DISK_PACKAGE:
		return "proving a package";
	case SYNC_DISK_ENTRIES:
		return "reading records";
	case SYNC_DISK_CONSISTENCY:
		return "proving consistency";
	case SYNC_DISK_ROOT:
		return "reading a root";
	case SYNC_DISK_LEAF:
		return "reading a payload leaf";
	}
	return "a disk request";
}

/* The machine has parsed the record; left is what takes time. */
static void
check_entry(struct sync_disk_entry *entry)
{
	entry->good = entry->understood &&
	              memcmp(entry->record.key, entry->record_key, RECORD_KEY) == 0 &&
	              record_verify_known(&entry->record, NULL) == ERR_NONE;
}

static int
check_leaf(struct sync_disk *disk)
{
	struct sync_disk_leaf_put *put = &disk->as.leaf_put;
	uint64_t count = payload_leaf_count(put->size);
	int code;

	if (put->leaf >= count || put->bytes.size != payload_leaf_size(put->size, put->leaf))
		return err_set(
		    &disk->err, ERR_FORGED, "a leaf of a size it cannot have (design 5.1)");
	tree_leaf(put->hash, put->bytes);
	code = tree_check_inclusion(put->hash, put->leaf, count, put->root,
	    (const uint8_t(*)[HASH_SIZE])put->proof.hashes, put->proof.count, &disk->err);
	if (code != ERR_NONE)
		return err_set(
		    &disk->err, ERR_FORGED, "a leaf that is not in the payload (design 5.1, 6)");
	return ERR_NONE;
}

int
sync_disk_check(struct sync_disk *disk)
{
	if (disk->kind == SYNC_DISK_ENTRY_PUT)
		check_entry(&disk->as.entry);
	else if (disk->kind == SYNC_DISK_LEAF_PUT)
		return check_leaf(disk);
	return ERR_NONE;
}

void
sync_disk_free(struct sync_disk *disk)
{
	if (disk == NULL)
		return;
	if (disk->kind == SYNC_DISK_WANTS)
		free(disk->as.wants.wants);
	else if (disk->kind == SYNC_DISK_ENTRIES)
		free(disk->as.entries.entries);
	chunk_drop(disk->chunk);
	free(disk);
}
