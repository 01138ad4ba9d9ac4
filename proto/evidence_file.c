/* Is this the file: its hash and size as claimed, its payload as signed (design 5.1, 5.7). */
#include <stdlib.h>

#include "proto/evidence.h"
#include "proto/exhibit.h"
#include "proto/hash.h"
#include "proto/payload.h"
#include "proto/tree.h"

struct evidence_file {
	const struct evidence *evidence;
	struct aead *aead;
	struct hash *hash;
	struct tree tree;
	uint64_t size;       /* bytes of the file so far */
	uint64_t plain_size; /* of the payload: what the file is padded to */
	uint64_t leaf_count;
	size_t filled; /* of the leaf in hand */
	uint8_t plain[PAYLOAD_LEAF_PLAIN];
	uint8_t sealed[PAYLOAD_LEAF];
};

struct evidence_file *
evidence_file_new(const struct evidence *evidence, const uint8_t payload_key[static AEAD_KEY])
{
	struct evidence_file *file = calloc(1, sizeof(*file));
	uint64_t size = evidence->record.as.deposit.size;

	if (file == NULL)
		return NULL;
	file->evidence = evidence;
	file->aead = aead_new();
	file->hash = hash_new();
	file->plain_size = payload_plain_size(size);
	file->leaf_count = payload_leaf_count(size);
	tree_init(&file->tree);
	if (file->aead == NULL || file->hash == NULL || aead_key(file->aead, payload_key) != 0) {
		evidence_file_free(file);
		return NULL;
	}
	return file;
}

void
evidence_file_free(struct evidence_file *file)
{
	if (file == NULL)
		return;
	aead_free(file->aead);
	hash_free(file->hash);
	free(file);
}

/* Seal the leaf in hand and add it to the tree. */
static int
close_leaf(struct evidence_file *file, struct err *err)
{
	uint64_t leaf = file->tree.size;
	bool last = leaf + 1 == file->leaf_count;
	struct view plain = view_of(file->plain, file->filled);
	uint8_t hash[HASH_SIZE];

	if (payload_seal_leaf(file->aead, file->sealed, leaf, last, plain) != 0)
		return err_set(err, ERR_MEMORY, "no memory to encrypt the file again");
	tree_leaf(hash, view_of(file->sealed, (size_t)payload_size(plain.size)));
	file->filled = 0;
	return tree_append(&file->tree, hash, NULL, NULL);
}

/* Take plaintext; NULL data is zeros. A full leaf is closed only when more follows it. */
static int
take(struct evidence_file *file, const uint8_t *data, uint64_t size, struct err *err)
{
	while (size > 0) {
		size_t room = PAYLOAD_LEAF_PLAIN - file->filled;
		size_t piece = size < room ? (size_t)size : room;
		int rc;

		if (room == 0) {
			if ((rc = close_leaf(file, err)) != 0)
				return rc;
			continue;
		}
		if (data != NULL) {
			memcpy(file->plain + file->filled, data, piece);
			data += piece;
		} else {
			memset(file->plain + file->filled, 0, piece);
		}
		file->filled += piece;
		size -= piece;
	}
	return 0;
}

int
evidence_file_update(struct evidence_file *file, struct view bytes, struct err *err)
{
	if (bytes.size > file->plain_size - file->size)
		return err_set(err, ERR_FORGED, "the file is longer than the payload (design 5.1)");
	file->size += bytes.size;
	hash_update(file->hash, bytes);
	return take(file, bytes.data, bytes.size, err);
}

int
evidence_file_finish(struct evidence_file *file, struct err *err)
{
	const struct deposit *deposit = &file->evidence->record.as.deposit;
	uint8_t sha256[HASH_SIZE], root[HASH_SIZE];
	int rc;

	hash_finish(file->hash, sha256);
	rc = exhibit_check_file(&file->evidence->fields, sha256, file->size, err);
	if (rc != 0)
		return rc;
	if (file->plain_size != file->size && file->plain_size != payload_padded(file->size))
		return err_set(
		    err, ERR_FORGED, "the payload has another size than this file's (design 5.1)");
	if ((rc = take(file, NULL, file->plain_size - file->size, err)) != 0 ||
	    (rc = close_leaf(file, err)) != 0)
		return rc;
	tree_root(&file->tree, root);
	if (memcmp(root, deposit->root, HASH_SIZE) != 0)
		return err_set(err, ERR_FORGED,
		    "the file under this key is not the payload of the record (design 5.1)");
	return 0;
}
