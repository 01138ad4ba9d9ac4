/* Rows that are read in more than one place. */
#include "node/store/index.h"

int
index_bad_row(enum index_table table, struct err *err)
{
	return err_set(err, ERR_INDEX,
	    "a row of the table %s is not what it was: the index is damaged: run dalil reindex",
	    index_table_name(table));
}

int
index_meta_get(struct index_txn *txn, struct index_meta *meta, struct err *err)
{
	struct index_key key = index_key_meta();
	struct index_value value;
	int result = index_get(txn, INDEX_META, &key, &value, err);

	if (result == ERR_NOT_FOUND || (result == 0 && !index_meta_decode(meta, &value)))
		return index_bad_row(INDEX_META, err);
	return result;
}

int
index_log_get(struct index_txn *txn, uint32_t number, struct index_log *log, struct err *err)
{
	struct index_key key = index_key_u32(number);
	struct index_value value;
	int result = index_get(txn, INDEX_LOGS, &key, &value, err);

	if (result == 0 && !index_log_decode(log, number, &value))
		return index_bad_row(INDEX_LOGS, err);
	return result;
}

int
index_node_get(struct index_txn *txn, uint8_t hash[static HASH_SIZE], uint32_t log, unsigned level,
    uint64_t index, struct err *err)
{
	struct index_key key = index_key_node(log, level, index);
	struct index_value value;
	struct index_entry entry;
	int result;

	if (level > 63)
		return ERR_NOT_FOUND;
	if (level > 0) {
		result = index_get(txn, INDEX_NODES, &key, &value, err);
		if (result == 0 && !index_value_hash_decode(hash, &value))
			return index_bad_row(INDEX_NODES, err);
		return result;
	}
	key = index_key_place((struct storage_place){.log = log, .index = index});
	result = index_get(txn, INDEX_ENTRIES, &key, &value, err);
	if (result == 0 && !index_entry_decode(&entry, &value))
		return index_bad_row(INDEX_ENTRIES, err);
	if (result == 0)
		memcpy(hash, entry.id, HASH_SIZE);
	return result;
}
