/* Reading frames and writing them at the end.  Walking: journal_walk.c. */
#include "node/store/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "node/store/disk.h"
#include "proto/hash.h"

#define READ_FIRST 8192 /* most frames come whole with the first read */
#define PENDING_FLUSH (1024 * 1024)
#define PENDING_MAX (2 * PENDING_FLUSH + JOURNAL_HEADER + JOURNAL_BODY_MAX)

static int
torn(struct err *err, const struct file_use *use, struct journal_at at, const char *why)
{
	return err_set(err, ERR_DAMAGED, "%s, offset %" PRIu32 ": %s", use->name, at.offset, why);
}

static int
read_covered(
    struct file_use *use, struct journal_frame *frame, struct buffer *bytes, struct err *err)
{
	/* A caller that expects little gives a small buffer: of secrets, which locked memory holds. */
	size_t first_size = bytes->limit < READ_FIRST ? bytes->limit : READ_FIRST;
	size_t got;
	size_t whole;
	uint8_t checksum[JOURNAL_CHECKSUM];
	uint8_t *first;
	int result;

	buffer_clear(bytes);
	first = buffer_extend(bytes, first_size);
	if (first == NULL)
		return err_set(err, ERR_MEMORY, "no memory to read the journal");
	result = disk_read(use->fd, first, first_size, frame->at.offset, &got, use->name, err);
	if (result != 0)
		return result;
	if (got < JOURNAL_HEADER)
		return torn(err, use, frame->at, "the file ends before a frame does");
	if (!journal_header_decode(&frame->header, first))
		return torn(err, use, frame->at, "no frame begins here");
	whole = JOURNAL_HEADER + frame->header.covered;
	if (whole > got && got == first_size) {
		uint8_t *more = buffer_extend(bytes, whole - first_size);
		size_t added;

		if (more == NULL)
			return err_set(err, ERR_MEMORY, "no memory to read the journal");
		result = disk_read(use->fd, more, whole - first_size,
		    (uint64_t)frame->at.offset + first_size, &added, use->name, err);
		if (result != 0)
			return result;
		got += added;
	}
	if (whole > got)
		return torn(err, use, frame->at, "the file ends before a frame does");
	bytes->size = whole;
	frame->covered = view_of(bytes->data + JOURNAL_HEADER, frame->header.covered);
	journal_checksum(checksum, &frame->header, frame->at, frame->covered);
	if (memcmp(checksum, frame->header.checksum, JOURNAL_CHECKSUM) != 0)
		return torn(err, use, frame->at, "the checksum of a frame does not hold");
	return journal_frame_decode(frame, err);
}

int
journal_read(struct files *files, struct journal_frame *frame, struct buffer *bytes,
    struct journal_at at, struct err *err)
{
	struct file_use use;
	int result;

	frame->at = at;
	result = files_get(files, at.file, &use, err);
	if (result == ERR_NOT_FOUND)
		return err_set(err, ERR_DAMAGED, "journal file %" PRIu32 " is not there", at.file);
	if (result != 0)
		return result;
	result = read_covered(&use, frame, bytes, err);
	files_put(files, &use);
	return result;
}

int
journal_read_part(struct files *files, struct buffer *bytes, const struct journal_frame *frame,
    const struct journal_part *part, struct err *err)
{
	uint64_t offset = (uint64_t)frame->at.offset + JOURNAL_HEADER + part->offset;
	uint8_t digest[HASH_SIZE];
	struct file_use use;
	size_t got = 0;
	uint8_t *to;
	int result;

	buffer_clear(bytes);
	to = buffer_extend(bytes, part->size);
	if (to == NULL && part->size != 0)
		return err_set(err, ERR_MEMORY, "no memory to read a part");
	result = files_get(files, frame->at.file, &use, err);
	if (result != 0)
		return result;
	if (part->size != 0)
		result = disk_read(use.fd, to, part->size, offset, &got, use.name, err);
	hash_sha256(digest, buffer_view(bytes));
	if (result == 0 && (got != part->size || memcmp(digest, part->digest, HASH_SIZE) != 0))
		result = err_set(err, ERR_DAMAGED,
		    "%s, offset %" PRIu64 ": the part %.*s is not what was stored", use.name,
		    offset, (int)part->name.size, (const char *)part->name.data);
	if (result != 0)
		buffer_clear(bytes);
	files_put(files, &use);
	return result;
}

void
journal_writer_init(struct journal_writer *writer, struct files *files, struct journal_at at,
    uint64_t sequence, uint32_t file_max)
{
	writer->files = files;
	writer->file_max = file_max;
	writer->start = at;
	writer->at = at;
	writer->sequence = sequence;
	writer->unsynced = false;
	buffer_init(&writer->pending, PENDING_MAX);
}

void
journal_writer_fini(struct journal_writer *writer)
{
	buffer_fini(&writer->pending);
}

int
journal_writer_flush(struct journal_writer *writer, struct err *err)
{
	struct file_use use;
	int result;

	if (writer->pending.size == 0)
		return 0;
	result = files_get(writer->files, writer->at.file, &use, err);
	if (result != 0)
		return result;
	writer->unsynced = true;
	result = disk_write(use.fd, buffer_view(&writer->pending),
	    writer->at.offset - (uint32_t)writer->pending.size, use.name, err);
	files_put(writer->files, &use);
	buffer_clear(&writer->pending);
	return result;
}

int
journal_writer_sync(struct journal_writer *writer, struct err *err)
{
	struct file_use use;
	int result = journal_writer_flush(writer, err);

	if (result != 0 || !writer->unsynced)
		return result;
	result = files_get(writer->files, writer->at.file, &use, err);
	if (result != 0)
		return result;
	result = disk_sync(use.fd, use.name, err);
	files_put(writer->files, &use);
	if (result == 0)
		writer->unsynced = false;
	return result;
}

/* The file is full: go on in the next one, which an undone batch may have left, empty. */
static int
next_file(struct journal_writer *writer, struct err *err)
{
	uint64_t size;
	int result = journal_writer_sync(writer, err);

	if (result == 0)
		result = files_make(writer->files, writer->at.file + 1, err);
	if (result == ERR_EXISTS)
		result = files_size(writer->files, writer->at.file + 1, &size, err);
	else
		size = 0;
	if (result != 0)
		return result;
	if (size != 0)
		return err_set(err, ERR_DAMAGED,
		    "journal file %" PRIu32 " stands where none should", writer->at.file + 1);
	writer->at = (struct journal_at){.file = writer->at.file + 1, .offset = 0};
	return 0;
}

int
journal_writer_append(struct journal_writer *writer, struct journal_at *at, enum journal_kind kind,
    struct view covered, const struct view *tail, size_t tail_count, struct err *err)
{
	struct journal_header header = {.covered = (uint32_t)covered.size, .kind = (uint8_t)kind};
	size_t body = covered.size;
	uint8_t *to;
	int result;

	for (size_t i = 0; i < tail_count; i++)
		body += tail[i].size;
	if (body > JOURNAL_BODY_MAX)
		return err_set(err, ERR_LIMIT, "%zu bytes are too many for a frame", body);
	if (writer->at.offset >= writer->file_max && (result = next_file(writer, err)) != 0)
		return result;
	if (writer->pending.size > PENDING_FLUSH &&
	    (result = journal_writer_flush(writer, err)) != 0)
		return result;
	*at = writer->at;
	header.body = (uint32_t)body;
	header.sequence = writer->sequence + 1;
	journal_checksum(header.checksum, &header, *at, covered);
	to = buffer_extend(&writer->pending, JOURNAL_HEADER);
	if (to != NULL)
		journal_header_encode(to, &header);
	buffer_append(&writer->pending, covered.data, covered.size);
	for (size_t i = 0; i < tail_count; i++)
		buffer_append(&writer->pending, tail[i].data, tail[i].size);
	if (writer->pending.err != 0)
		return err_set(err, ERR_MEMORY, "no memory for the journal");
	writer->sequence++;
	writer->at.offset += JOURNAL_HEADER + (uint32_t)body;
	return 0;
}

static int
cut_file(struct files *files, uint32_t number, uint64_t size, struct err *err)
{
	struct file_use use;
	uint64_t now;
	int result = files_get(files, number, &use, err);

	if (result != 0)
		return result;
	result = disk_size(use.fd, &now, use.name, err);
	if (result == 0 && now > size)
		result = disk_truncate(use.fd, size, use.name, err);
	if (result == 0)
		result = disk_sync(use.fd, use.name, err);
	files_put(files, &use);
	return result;
}

int
journal_writer_undo(struct journal_writer *writer, struct err *err)
{
	int result = 0;

	buffer_clear(&writer->pending);
	for (uint32_t file = writer->at.file; result == 0 && file > writer->start.file; file--)
		result = cut_file(writer->files, file, 0, err);
	if (result == 0)
		result = cut_file(writer->files, writer->start.file, writer->start.offset, err);
	writer->at = writer->start;
	return result;
}

/* Copy what is cut off to a file of its own, durably. */
static int
keep_torn(struct files *files, struct journal_at at, struct err *err)
{
	uint8_t piece[16384];
	char name[64];
	struct file_use use;
	uint64_t done = 0;
	size_t got = sizeof(piece);
	int fd;
	int result = files_get(files, at.file, &use, err);

	if (result != 0)
		return result;
	(void)snprintf(
	    name, sizeof(name), "%08" PRIu32 ".jrn.%" PRIu32 ".torn", at.file, at.offset);
	result = disk_open(files->dir, name, O_RDWR | O_CREAT | O_TRUNC, &fd, err);
	while (result == 0 && got == sizeof(piece)) {
		result =
		    disk_read(use.fd, piece, sizeof(piece), at.offset + done, &got, use.name, err);
		if (result == 0)
			result = disk_write(fd, view_of(piece, got), done, name, err);
		done += got;
	}
	if (result == 0)
		result = disk_sync(fd, name, err);
	if (fd >= 0)
		(void)close(fd);
	files_put(files, &use);
	return result != 0 ? result : disk_sync_directory(files->dir, ".", err);
}

/* A process that was killed leaves the beginning of a frame and nothing else. */
static int
is_beginning(struct files *files, struct journal_at at, bool *beginning, struct err *err)
{
	uint8_t bytes[JOURNAL_HEADER];
	struct journal_header header;
	struct file_use use;
	uint64_t size = 0;
	size_t got = 0;
	int result = files_get(files, at.file, &use, err);

	if (result != 0)
		return result;
	result = disk_size(use.fd, &size, use.name, err);
	if (result == 0)
		result = disk_read(use.fd, bytes, sizeof(bytes), at.offset, &got, use.name, err);
	files_put(files, &use);
	*beginning =
	    got < sizeof(bytes) || (journal_header_decode(&header, bytes) &&
	                               (uint64_t)at.offset + JOURNAL_HEADER + header.body > size);
	return result;
}

int
journal_cut(struct files *files, struct journal_at at, uint64_t sequence, struct err *err)
{
	struct journal_walk walk;
	bool beginning;
	uint64_t size;
	int result;

	if (files_size(files, at.file + 1, &size, NULL) == 0 && size > 0)
		return err_set(err, ERR_DAMAGED,
		    "journal %" PRIu32 ", offset %" PRIu32 " is damaged, with frames behind it: "
		    "run dalil reindex",
		    at.file, at.offset);
	result = is_beginning(files, at, &beginning, err);
	if (result == 0 && beginning) {
		/* Its size may be what is damaged: then whole frames stand behind it. */
		journal_walk_init(&walk, files, at, sequence);
		result = journal_walk_skip(&walk, err);
		journal_walk_fini(&walk);
		beginning = result == ERR_NOT_FOUND;
		result = result == ERR_NOT_FOUND ? 0 : result;
	}
	if (result == 0 && !beginning)
		result = keep_torn(files, at, err);
	return result != 0 ? result : cut_file(files, at.file, at.offset, err);
}
