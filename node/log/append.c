/* Appending: places and ids for records that come signed and verified. */
#include "node/log/log.h"

int
log_append(struct batch *batch, uint32_t number, struct storage_append *appends, size_t count,
    struct err *err)
{
	struct storage_log log;
	size_t i;
	int result = snapshot_log(batch_snapshot(batch), &log, number, err);

	if (result != 0)
		return result;
	for (i = 0; i < count; i++) {
		struct storage_append *append = &appends[i];

		if (append->record.size > STORAGE_RECORD_MAX)
			return err_set(err, ERR_LIMIT,
			    "a record of %zu bytes, more than %d (design 5.2)", append->record.size,
			    STORAGE_RECORD_MAX);
		append->place = (struct storage_place){.log = number, .index = log.size + i};
		tree_leaf(append->id, append->record);
		result = batch_append(batch, append, err);
		if (result != 0)
			return result;
	}
	return 0;
}
