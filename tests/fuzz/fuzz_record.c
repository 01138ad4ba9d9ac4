/* A record that parses is canonical, and what its kind packs from it is its body. */
#include <stdlib.h>

#include "proto/pack.h"
#include "proto/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
repack(struct buffer *out, const struct record *record)
{
	uint8_t(*ids)[HASH_SIZE];
	unsigned i;

	switch (record->kind) {
	case RECORD_CHARTER:
		charter_record_pack(out, record->as.charter.statement);
		return;
	case RECORD_DEPOSIT:
		deposit_pack(out, &record->as.deposit);
		return;
	case RECORD_GRANT:
		grant_record_pack(out, &record->as.grant);
		return;
	case RECORD_SHARE:
		ids = malloc((size_t)record->as.share.count * HASH_SIZE + 1);
		if (ids == NULL)
			abort();
		for (i = 0; i < record->as.share.count; i++)
			memcpy(ids[i], share_at(&record->as.share, i), HASH_SIZE);
		share_pack(out, (const uint8_t(*)[HASH_SIZE])ids, record->as.share.count,
		    record->as.share.time);
		free(ids);
		return;
	case RECORD_ENDORSE:
	case RECORD_CUSTODY:
	case RECORD_ANNOTATE:
	case RECORD_WITHDRAW:
	case RECORD_COUNTERMAND:
	case RECORD_TIMESTAMP:
	case RECORD_FREEZE:
		pack_raw(out, record->body);
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	struct buffer out;

	if (record_parse(&record, view_of(data, size), NULL) != 0)
		return 0;
	if (record.signed_size + 2 + RECORD_SIGNATURE != size)
		abort();
	buffer_init(&out, RECORD_MAX);
	repack(&out, &record);
	if (!view_equal(buffer_view(&out), record.body))
		abort();
	buffer_fini(&out);
	(void)record_verify(&record, NULL);
	return 0;
}
