/* Bodies of journal frames: what is decoded encodes to the same bytes.  Input: u8 kind, u32 bytes of
 * parts, then the covered bytes. */
#include <stdlib.h>

#include "node/store/journal_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode_payload(struct buffer *out, const struct journal_payload *payload)
{
	struct storage_location location = {
	    .payload = payload->payload, .stretch_count = payload->stretch_count};

	location.stretches = calloc(payload->stretch_count, sizeof(*location.stretches));
	if (location.stretches == NULL)
		abort();
	for (uint32_t i = 0; i < payload->stretch_count; i++)
		journal_stretch_decode(&location.stretches[i], payload, i);
	journal_payload_encode(out, &location);
	storage_location_fini(&location);
}

static void
encode(struct buffer *out, const struct journal_frame *frame)
{
	switch (frame->kind) {
	case JOURNAL_LOG:
		journal_log_encode(out, &frame->log);
		break;
	case JOURNAL_ENTRY:
		journal_entry_encode(out, &frame->entry);
		break;
	case JOURNAL_PART:
		journal_part_encode(out, &frame->part);
		break;
	case JOURNAL_PAYLOAD:
		encode_payload(out, &frame->payload);
		break;
	case JOURNAL_PROGRESS:
		journal_progress_encode(out, &frame->progress);
		break;
	case JOURNAL_STATEMENT:
		journal_statement_encode(out, &frame->statement);
		break;
	case JOURNAL_HEAD:
		journal_head_encode(out, &frame->head);
		break;
	case JOURNAL_SIGNING:
		journal_signing_encode(out, &frame->signing);
		break;
	case JOURNAL_FACT:
		journal_fact_encode(out, &frame->fact);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_header header;
	struct journal_frame frame = {.at = {.file = 1}};
	uint8_t bytes[JOURNAL_HEADER];
	struct buffer out;

	if (size >= JOURNAL_HEADER && journal_header_decode(&header, data)) {
		journal_header_encode(bytes, &header);
		if (memcmp(bytes, data, JOURNAL_HEADER) != 0)
			abort();
	}
	if (size < 5 || size > JOURNAL_BODY_MAX)
		return 0;
	frame.covered = view_of(data + 5, size - 5);
	frame.header = (struct journal_header){.kind = data[0],
	    .covered = (uint32_t)(size - 5),
	    .body = (uint32_t)(size - 5) + get_u32(data + 1) % JOURNAL_BODY_MAX,
	    .sequence = 1};
	if (journal_frame_decode(&frame, NULL) != 0)
		return 0;
	buffer_init(&out, JOURNAL_BODY_MAX);
	encode(&out, &frame);
	if (!view_equal(buffer_view(&out), frame.covered))
		abort();
	buffer_fini(&out);
	return 0;
}
