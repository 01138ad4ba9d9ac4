#ifndef DALIL_NODE_STORE_JOURNAL_FRAME_H
#define DALIL_NODE_STORE_JOURNAL_FRAME_H

#include "node/storage.h"

/*
 * Purpose: the frames of the journal, made and read (docs/store.md "Journal").  Pure: bytes in,
 * bytes out.
 *
 * Shapes: header = u32 body bytes | u32 covered bytes | u8 kind | 3 zeros | u64 sequence | 16 bytes
 * checksum; then the body.  The checksum is SHA-256 over a tag, the frame's position, the header's
 * first 20 bytes and the covered bytes of the body, cut to 16.  What is not covered are the bytes of
 * parts: a withdrawal erases them in place, and the covered bytes hold their digests.
 *
 * Ownership: decoding gives views and pointers into the bytes given.
 */

#define JOURNAL_HEADER 36
#define JOURNAL_CHECKSUM 16
#define JOURNAL_BODY_MAX (4 * 1024 * 1024)
#define JOURNAL_ENTRY_COVERED_MAX (STORAGE_RECORD_MAX + 1024)

/* Where a frame begins; the order of positions is the order of frames.  Files count from 1, so
 * that a packed position is never 0. */
struct journal_at {
	uint32_t file;
	uint32_t offset;
};

static inline uint64_t
journal_pack(struct journal_at at)
{
	return (uint64_t)at.file << 32 | at.offset;
}

static inline struct journal_at
journal_unpack(uint64_t packed)
{
	return (struct journal_at){.file = (uint32_t)(packed >> 32), .offset = (uint32_t)packed};
}

enum journal_kind {
	JOURNAL_LOG = 1,
	JOURNAL_ENTRY = 2,
	JOURNAL_PART = 3,
	JOURNAL_PAYLOAD = 4,
	JOURNAL_PROGRESS = 5,
	JOURNAL_STATEMENT = 6,
	JOURNAL_HEAD = 7,
	JOURNAL_SIGNING = 8,
	JOURNAL_FACT = 9
};

struct journal_header {
	uint32_t body;
	uint32_t covered;
	uint8_t kind; /* as read: may be none of enum journal_kind */
	uint64_t sequence;
	uint8_t checksum[JOURNAL_CHECKSUM];
};

/* False if it can be no header: sizes or zeros are off, the kind or the sequence is 0. */
bool
journal_header_decode(struct journal_header *header, const uint8_t bytes[static JOURNAL_HEADER]);
void
journal_header_encode(uint8_t bytes[static JOURNAL_HEADER], const struct journal_header *header);
void journal_checksum(uint8_t checksum[static JOURNAL_CHECKSUM],
    const struct journal_header *header, struct journal_at at, struct view covered);
bool journal_kind_known(uint8_t kind);

struct journal_log {
	uint32_t number;
	const uint8_t *organisation;
	struct view vkey;
};

struct journal_part {
	struct view name;
	const uint8_t *digest;
	uint32_t size;
	bool here;
	uint32_t offset; /* of its bytes, in the body; decoding fills it */
};

struct journal_entry {
	struct storage_place place;
	const uint8_t *root;     /* of the log's tree with this entry */
	const uint8_t *previous; /* id of the entry before, zeros before the first: so that one
	                            damaged frame does not cost the tree */
	uint8_t kind;
	bool has_payload;
	struct storage_payload payload;
	const uint8_t *about; /* or NULL */
	const uint8_t *known; /* or NULL */
	struct view record;
	unsigned part_count;
	struct journal_part parts[STORAGE_PARTS_MAX];
};

struct journal_late_part {
	struct storage_place place;
	struct journal_part part;
};

struct journal_payload {
	struct storage_payload payload;
	uint32_t stretch_count;
	const uint8_t *stretches; /* JOURNAL_STRETCH bytes each */
};

#define JOURNAL_STRETCH (4 + 8 + HASH_SIZE)

struct journal_progress {
	struct storage_payload payload;
	uint32_t stretch;
	uint32_t segment;
	uint64_t offset;
	const uint8_t *bitmap; /* STORAGE_STRETCH / 8 bytes */
};

struct journal_statement {
	const uint8_t *organisation;
	struct view statement;
};

struct journal_head {
	uint32_t log;
	uint64_t size;
	struct view note;
};

struct journal_signing {
	uint32_t log;
	uint64_t size;
	const uint8_t *root;
};

struct journal_fact {
	uint8_t kind;
	bool set;
	struct view key;
	struct view value;
};

/* Append the covered bytes of a body.  Part bytes follow them in the order of the parts. */
void journal_log_encode(struct buffer *out, const struct journal_log *log);
void journal_entry_encode(struct buffer *out, const struct journal_entry *entry);
void journal_part_encode(struct buffer *out, const struct journal_late_part *late);
void journal_payload_encode(struct buffer *out, const struct storage_location *location);
void journal_progress_encode(struct buffer *out, const struct journal_progress *progress);
void journal_statement_encode(struct buffer *out, const struct journal_statement *statement);
void journal_head_encode(struct buffer *out, const struct journal_head *head);
void journal_signing_encode(struct buffer *out, const struct journal_signing *signing);
void journal_fact_encode(struct buffer *out, const struct journal_fact *fact);

/* A frame whose checksum holds, decoded. */
struct journal_frame {
	struct journal_at at;
	struct journal_header header;
	struct view covered; /* of the body */
	enum journal_kind kind;
	union {
		struct journal_log log;
		struct journal_entry entry;
		struct journal_late_part part;
		struct journal_payload payload;
		struct journal_progress progress;
		struct journal_statement statement;
		struct journal_head head;
		struct journal_signing signing;
		struct journal_fact fact;
	};
};

/* Fill the union from header and covered.  ERR_VERSION for a kind that this dalil does not know,
 * ERR_DAMAGED where the body is not what its kind says. */
int journal_frame_decode(struct journal_frame *frame, struct err *err);

/* One stretch of a payload frame; ${index} below stretch_count. */
void journal_stretch_decode(
    struct storage_stretch *stretch, const struct journal_payload *payload, uint32_t index);

/* Bytes of a stretch in its segment, its leaf hashes included.  0 if there is no such stretch. */
uint64_t journal_stretch_bytes(uint64_t payload_size, uint32_t stretch);
uint32_t journal_stretch_count(uint64_t payload_size);

#endif
