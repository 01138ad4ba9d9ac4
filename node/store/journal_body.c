/* The bodies of frames.  The cursor's error sticks: a decoder looks once, at its end. */
#include <string.h>

#include "node/store/journal_frame.h"

struct cursor {
	const uint8_t *at;
	size_t left;
	bool failed;
};

static const uint8_t *
take(struct cursor *cursor, size_t size)
{
	static const uint8_t zeros[HASH_SIZE];
	const uint8_t *at = cursor->at;

	if (cursor->failed || size > cursor->left) {
		cursor->failed = true;
		return zeros; /* at most HASH_SIZE bytes are read without looking */
	}
	cursor->at += size;
	cursor->left -= size;
	return at;
}

static struct view
take_view(struct cursor *cursor, size_t size)
{
	const uint8_t *data = take(cursor, size);

	return cursor->failed ? view_of(NULL, 0) : view_of(data, size);
}

static struct view
take_rest(struct cursor *cursor)
{
	return take_view(cursor, cursor->left);
}

static uint8_t
take_u8(struct cursor *cursor)
{
	return *take(cursor, 1);
}

static uint32_t
take_u32(struct cursor *cursor)
{
	return get_u32(take(cursor, 4));
}

static uint64_t
take_u64(struct cursor *cursor)
{
	return get_u64(take(cursor, 8));
}

static void
append_payload(struct buffer *out, const struct storage_payload *payload)
{
	buffer_append(out, payload->root, HASH_SIZE);
	buffer_append_u64(out, payload->size);
}

static void
take_payload(struct cursor *cursor, struct storage_payload *payload)
{
	memcpy(payload->root, take(cursor, HASH_SIZE), HASH_SIZE);
	payload->size = take_u64(cursor);
}

static void
append_place(struct buffer *out, struct storage_place place)
{
	buffer_append_u32(out, place.log);
	buffer_append_u64(out, place.index);
}

static struct storage_place
take_place(struct cursor *cursor)
{
	struct storage_place place;

	place.log = take_u32(cursor);
	place.index = take_u64(cursor);
	return place;
}

void
journal_log_encode(struct buffer *out, const struct journal_log *log)
{
	buffer_append_u32(out, log->number);
	buffer_append(out, log->organisation, HASH_SIZE);
	buffer_append(out, log->vkey.data, log->vkey.size);
}

static void
decode_log(struct cursor *cursor, struct journal_log *log)
{
	log->number = take_u32(cursor);
	log->organisation = take(cursor, HASH_SIZE);
	log->vkey = take_rest(cursor);
}

/* part = u8 name bytes | name | digest | u32 size, or 2^32 - 1 where it is not here */
#define PART_ABSENT UINT32_MAX

static void
append_part(struct buffer *out, const struct journal_part *part)
{
	buffer_append_u8(out, (uint8_t)part->name.size);
	buffer_append(out, part->name.data, part->name.size);
	buffer_append(out, part->digest, HASH_SIZE);
	buffer_append_u32(out, part->here ? part->size : PART_ABSENT);
}

static void
take_part(struct cursor *cursor, struct journal_part *part)
{
	uint8_t size = take_u8(cursor);
	uint32_t bytes;

	if (size == 0 || size > STORAGE_PART_NAME_MAX)
		cursor->failed = true;
	part->name = take_view(cursor, size);
	part->digest = take(cursor, HASH_SIZE);
	bytes = take_u32(cursor);
	part->here = bytes != PART_ABSENT;
	part->size = part->here ? bytes : 0;
	if (part->size > STORAGE_PART_MAX)
		cursor->failed = true;
}

enum { ENTRY_PAYLOAD = 1, ENTRY_ABOUT = 2, ENTRY_KNOWN = 4 };

void
journal_entry_encode(struct buffer *out, const struct journal_entry *entry)
{
	unsigned flags = (entry->has_payload ? ENTRY_PAYLOAD : 0U) |
	                 (entry->about != NULL ? ENTRY_ABOUT : 0U) |
	                 (entry->known != NULL ? ENTRY_KNOWN : 0U);

	append_place(out, entry->place);
	buffer_append(out, entry->root, HASH_SIZE);
	buffer_append(out, entry->previous, HASH_SIZE);
	buffer_append_u8(out, (uint8_t)flags);
	buffer_append_u8(out, entry->kind);
	if (entry->has_payload)
		append_payload(out, &entry->payload);
	if (entry->about != NULL)
		buffer_append(out, entry->about, HASH_SIZE);
	if (entry->known != NULL)
		buffer_append(out, entry->known, HASH_SIZE);
	buffer_append_u16(out, (uint16_t)entry->record.size);
	buffer_append(out, entry->record.data, entry->record.size);
	buffer_append_u8(out, (uint8_t)entry->part_count);
	for (unsigned i = 0; i < entry->part_count; i++)
		append_part(out, &entry->parts[i]);
}

static void
decode_entry(struct cursor *cursor, struct journal_entry *entry, uint32_t covered)
{
	uint32_t offset = covered;
	uint8_t flags;

	entry->place = take_place(cursor);
	entry->root = take(cursor, HASH_SIZE);
	entry->previous = take(cursor, HASH_SIZE);
	flags = take_u8(cursor);
	entry->kind = take_u8(cursor);
	entry->has_payload = (flags & ENTRY_PAYLOAD) != 0;
	if (entry->has_payload)
		take_payload(cursor, &entry->payload);
	entry->about = (flags & ENTRY_ABOUT) != 0 ? take(cursor, HASH_SIZE) : NULL;
	entry->known = (flags & ENTRY_KNOWN) != 0 ? take(cursor, HASH_SIZE) : NULL;
	entry->record = take_view(cursor, get_u16(take(cursor, 2)));
	entry->part_count = take_u8(cursor);
	if (entry->part_count > STORAGE_PARTS_MAX || flags > 7) {
		cursor->failed = true;
		entry->part_count = 0;
	}
	for (unsigned i = 0; i < entry->part_count; i++) {
		take_part(cursor, &entry->parts[i]);
		entry->parts[i].offset = offset;
		offset += entry->parts[i].size;
	}
}

void
journal_part_encode(struct buffer *out, const struct journal_late_part *late)
{
	append_place(out, late->place);
	append_part(out, &late->part);
}

static void
decode_part(struct cursor *cursor, struct journal_late_part *late, uint32_t covered)
{
	late->place = take_place(cursor);
	take_part(cursor, &late->part);
	late->part.offset = covered;
}

void
journal_payload_encode(struct buffer *out, const struct storage_location *location)
{
	append_payload(out, &location->payload);
	buffer_append_u32(out, location->stretch_count);
	for (uint32_t i = 0; i < location->stretch_count; i++) {
		buffer_append_u32(out, location->stretches[i].segment);
		buffer_append_u64(out, location->stretches[i].offset);
		buffer_append(out, location->stretches[i].root, HASH_SIZE);
	}
}

static void
decode_payload(struct cursor *cursor, struct journal_payload *payload)
{
	take_payload(cursor, &payload->payload);
	payload->stretch_count = take_u32(cursor);
	if (payload->stretch_count == 0 ||
	    payload->stretch_count != journal_stretch_count(payload->payload.size)) {
		cursor->failed = true;
		payload->stretch_count = 0;
	}
	payload->stretches =
	    take_view(cursor, (size_t)payload->stretch_count * JOURNAL_STRETCH).data;
}

void
journal_stretch_decode(
    struct storage_stretch *stretch, const struct journal_payload *payload, uint32_t index)
{
	const uint8_t *bytes = payload->stretches + (size_t)index * JOURNAL_STRETCH;

	stretch->segment = get_u32(bytes);
	stretch->offset = get_u64(bytes + 4);
	memcpy(stretch->root, bytes + 12, HASH_SIZE);
}

void
journal_progress_encode(struct buffer *out, const struct journal_progress *progress)
{
	append_payload(out, &progress->payload);
	buffer_append_u32(out, progress->stretch);
	buffer_append_u32(out, progress->segment);
	buffer_append_u64(out, progress->offset);
	buffer_append(out, progress->bitmap, STORAGE_STRETCH / 8);
}

static void
decode_progress(struct cursor *cursor, struct journal_progress *progress)
{
	take_payload(cursor, &progress->payload);
	progress->stretch = take_u32(cursor);
	progress->segment = take_u32(cursor);
	progress->offset = take_u64(cursor);
	progress->bitmap = take(cursor, STORAGE_STRETCH / 8);
	if (progress->stretch >= journal_stretch_count(progress->payload.size))
		cursor->failed = true;
}

void
journal_statement_encode(struct buffer *out, const struct journal_statement *statement)
{
	buffer_append(out, statement->organisation, HASH_SIZE);
	buffer_append(out, statement->statement.data, statement->statement.size);
}

void
journal_head_encode(struct buffer *out, const struct journal_head *head)
{
	buffer_append_u32(out, head->log);
	buffer_append_u64(out, head->size);
	buffer_append(out, head->note.data, head->note.size);
}

void
journal_signing_encode(struct buffer *out, const struct journal_signing *signing)
{
	buffer_append_u32(out, signing->log);
	buffer_append_u64(out, signing->size);
	buffer_append(out, signing->root, HASH_SIZE);
}

void
journal_fact_encode(struct buffer *out, const struct journal_fact *fact)
{
	buffer_append_u8(out, fact->kind);
	buffer_append_u8(out, fact->set);
	buffer_append_u8(out, (uint8_t)fact->key.size);
	buffer_append(out, fact->key.data, fact->key.size);
	buffer_append(out, fact->value.data, fact->value.size);
}

static void
decode_fact(struct cursor *cursor, struct journal_fact *fact)
{
	uint8_t set;
	uint8_t size;

	fact->kind = take_u8(cursor);
	set = take_u8(cursor);
	size = take_u8(cursor);
	fact->set = set == 1;
	fact->key = take_view(cursor, size);
	fact->value = take_rest(cursor);
	if (set > 1 || size > STORAGE_KEY_MAX)
		cursor->failed = true;
}

static void
decode_body(struct cursor *cursor, struct journal_frame *frame)
{
	switch (frame->kind) {
	case JOURNAL_LOG:
		decode_log(cursor, &frame->log);
		break;
	case JOURNAL_ENTRY:
		decode_entry(cursor, &frame->entry, frame->header.covered);
		break;
	case JOURNAL_PART:
		decode_part(cursor, &frame->part, frame->header.covered);
		break;
	case JOURNAL_PAYLOAD:
		decode_payload(cursor, &frame->payload);
		break;
	case JOURNAL_PROGRESS:
		decode_progress(cursor, &frame->progress);
		break;
	case JOURNAL_STATEMENT:
		frame->statement.organisation = take(cursor, HASH_SIZE);
		frame->statement.statement = take_rest(cursor);
		break;
	case JOURNAL_HEAD:
		frame->head.log = take_u32(cursor);
		frame->head.size = take_u64(cursor);
		frame->head.note = take_rest(cursor);
		break;
	case JOURNAL_SIGNING:
		frame->signing.log = take_u32(cursor);
		frame->signing.size = take_u64(cursor);
		frame->signing.root = take(cursor, HASH_SIZE);
		break;
	case JOURNAL_FACT:
		decode_fact(cursor, &frame->fact);
		break;
	}
}

/* Bytes of parts after the covered ones, which the frame's sizes must agree with. */
static uint64_t
part_bytes(const struct journal_frame *frame)
{
	uint64_t bytes = 0;

	if (frame->kind == JOURNAL_PART)
		return frame->part.part.size;
	if (frame->kind == JOURNAL_ENTRY) {
		for (unsigned i = 0; i < frame->entry.part_count; i++)
			bytes += frame->entry.parts[i].size;
	}
	return bytes;
}

int
journal_frame_decode(struct journal_frame *frame, struct err *err)
{
	struct cursor cursor = {.at = frame->covered.data, .left = frame->covered.size};

	if (!journal_kind_known(frame->header.kind))
		return err_set(err, ERR_VERSION,
		    "the journal holds a frame of kind %u, which this dalil does not know",
		    frame->header.kind);
	frame->kind = (enum journal_kind)frame->header.kind;
	decode_body(&cursor, frame);
	if (cursor.failed || cursor.left != 0 ||
	    frame->header.covered + part_bytes(frame) != frame->header.body)
		return err_set(err, ERR_DAMAGED,
		    "journal %u, offset %u: the body is not that of a frame of kind %u",
		    frame->at.file, frame->at.offset, frame->header.kind);
	return 0;
}
