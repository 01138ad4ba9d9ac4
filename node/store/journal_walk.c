/* From frame to frame, and over damage to the next whole one. */
#include <inttypes.h>

#include "node/store/disk.h"
#include "node/store/journal.h"
#include "proto/hash.h"

#define WINDOW 65536
#define SEQUENCE_AHEAD ((uint64_t)1 << 40) /* more than what is lost can have held */

void
journal_walk_init(
    struct journal_walk *walk, struct files *files, struct journal_at at, uint64_t sequence)
{
	walk->files = files;
	walk->at = at;
	walk->sequence = sequence;
	walk->check_parts = false;
	buffer_init(&walk->bytes, JOURNAL_HEADER + JOURNAL_BODY_MAX);
}

void
journal_walk_fini(struct journal_walk *walk)
{
	buffer_fini(&walk->bytes);
}

/* At the end of a file: go to the next one that has bytes.  ERR_NOT_FOUND: there is none. */
static int
end_of_file(struct journal_walk *walk, struct err *err)
{
	uint64_t size;
	int result = files_size(walk->files, walk->at.file, &size, err);

	if (result == ERR_NOT_FOUND)
		return err_set(
		    err, ERR_DAMAGED, "journal file %" PRIu32 " is not there", walk->at.file);
	if (result != 0)
		return result;
	if (size > walk->at.offset)
		return 0;
	if (size < walk->at.offset)
		return err_set(err, ERR_DAMAGED,
		    "journal file %" PRIu32 " ends at %" PRIu64 ", before offset %" PRIu32,
		    walk->at.file, size, walk->at.offset);
	if (files_size(walk->files, walk->at.file + 1, &size, NULL) != 0 || size == 0)
		return ERR_NOT_FOUND;
	walk->at = (struct journal_at){.file = walk->at.file + 1, .offset = 0};
	return 0;
}

static int
check_part(struct journal_walk *walk, const struct journal_frame *frame,
    const struct journal_part *part, struct err *err)
{
	struct buffer bytes;
	int result;

	if (!part->here)
		return 0;
	buffer_init(&bytes, STORAGE_PART_MAX);
	result = journal_read_part(walk->files, &bytes, frame, part, err);
	buffer_fini(&bytes);
	return result;
}

static int
check_parts(struct journal_walk *walk, const struct journal_frame *frame, struct err *err)
{
	int result = 0;

	if (frame->kind == JOURNAL_PART)
		return check_part(walk, frame, &frame->part.part, err);
	if (frame->kind != JOURNAL_ENTRY)
		return 0;
	for (unsigned i = 0; result == 0 && i < frame->entry.part_count; i++)
		result = check_part(walk, frame, &frame->entry.parts[i], err);
	return result;
}

/* The file must hold the whole body, parts included. */
static int
check_body(struct journal_walk *walk, const struct journal_frame *frame, struct err *err)
{
	uint64_t end = (uint64_t)frame->at.offset + JOURNAL_HEADER + frame->header.body;
	uint64_t size;
	int result = files_size(walk->files, frame->at.file, &size, err);

	if (result == 0 && size < end)
		result = err_set(err, ERR_DAMAGED,
		    "journal %" PRIu32 ", offset %" PRIu32 ": the file ends before a frame does",
		    frame->at.file, frame->at.offset);
	if (result == 0 && walk->check_parts)
		result = check_parts(walk, frame, err);
	return result;
}

int
journal_walk_next(struct journal_walk *walk, struct journal_frame *frame, struct err *err)
{
	int result = end_of_file(walk, err);

	if (result == 0)
		result = journal_read(walk->files, frame, &walk->bytes, walk->at, err);
	if (result != 0)
		return result;
	if (frame->header.sequence != walk->sequence + 1)
		return err_set(err, ERR_DAMAGED,
		    "journal %" PRIu32 ", offset %" PRIu32 ": frame %" PRIu64
		    " follows frame %" PRIu64,
		    walk->at.file, walk->at.offset, frame->header.sequence, walk->sequence);
	result = check_body(walk, frame, err);
	if (result != 0)
		return result;
	walk->sequence++;
	walk->at.offset += JOURNAL_HEADER + frame->header.body;
	return 0;
}

/* Is there a whole frame at ${at}, later than what was seen? */
static bool
whole_at(struct journal_walk *walk, struct journal_at at)
{
	struct journal_frame frame;
	int result = journal_read(walk->files, &frame, &walk->bytes, at, NULL);

	if (result != 0 && result != ERR_VERSION)
		return false;
	if (frame.header.sequence <= walk->sequence ||
	    frame.header.sequence - walk->sequence > SEQUENCE_AHEAD ||
	    check_body(walk, &frame, NULL) != 0)
		return false;
	walk->sequence = frame.header.sequence - 1;
	walk->at = at;
	return true;
}

/* Whether a header could begin here: what rules out nearly all offsets without reading a body. */
static bool
header_plausible(const struct journal_walk *walk, const uint8_t *bytes)
{
	struct journal_header header;

	return journal_header_decode(&header, bytes) && header.sequence > walk->sequence &&
	       header.sequence - walk->sequence <= SEQUENCE_AHEAD;
}

/* Look at every offset of the file from ${offset} on. */
static int
scan_file(struct journal_walk *walk, uint32_t file, uint64_t offset, struct err *err)
{
	uint8_t window[WINDOW];
	struct file_use use;
	size_t got = sizeof(window);
	int result = files_get(walk->files, file, &use, err);
	bool found = false;

	if (result != 0)
		return result;
	while (result == 0 && !found && got >= JOURNAL_HEADER) {
		result = disk_read(use.fd, window, sizeof(window), offset, &got, use.name, err);
		for (size_t i = 0; result == 0 && !found && i + JOURNAL_HEADER <= got; i++) {
			struct journal_at at = {.file = file, .offset = (uint32_t)(offset + i)};

			found = header_plausible(walk, window + i) && whole_at(walk, at);
		}
		offset += sizeof(window) - JOURNAL_HEADER + 1;
		if (got < sizeof(window))
			break;
	}
	files_put(walk->files, &use);
	if (result != 0)
		return result;
	return found ? 0 : ERR_NOT_FOUND;
}

int
journal_walk_skip(struct journal_walk *walk, struct err *err)
{
	uint32_t last;
	int result = files_last(walk->files, &last, err);

	if (result != 0)
		return result;
	result = ERR_NOT_FOUND;
	if (files_exist(walk->files, walk->at.file))
		result = scan_file(walk, walk->at.file, (uint64_t)walk->at.offset + 1, err);
	for (uint32_t file = walk->at.file; result == ERR_NOT_FOUND && file < last;) {
		file++;
		if (files_exist(walk->files, file))
			result = scan_file(walk, file, 0, err);
	}
	return result;
}

uint64_t
journal_bytes(struct files *files, struct journal_at until)
{
	uint64_t all = 0;
	uint64_t size;
	uint32_t last;

	if (files_last(files, &last, NULL) != 0)
		return 0;
	for (uint32_t file = 1; file <= last && file <= until.file; file++) {
		if (file == until.file)
			all += until.offset;
		else if (files_size(files, file, &size, NULL) == 0)
			all += size;
	}
	return all;
}
