#ifndef DALIL_PROTO_BYTES_H
#define DALIL_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Purpose: a view of bytes that somebody else owns, a buffer that grows up to
 * a limit, and big-endian integers.
 */

#define HASH_SIZE 32 /* SHA-256, everywhere */

/* Bytes owned by somebody else; dies with them. */
struct view {
	const uint8_t *data;
	size_t size;
};

static inline struct view
view_of(const void *data, size_t size)
{
	return (struct view){.data = data, .size = size};
}

static inline struct view
view_text(const char *text)
{
	return (struct view){.data = (const uint8_t *)text, .size = strlen(text)};
}

static inline bool
view_equal(struct view a, struct view b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Order by bytes, a prefix before what it begins. */
int view_compare(struct view a, struct view b);

/*
 * A buffer that grows on the heap up to ${limit} bytes.  Its error sticks: after
 * the first failure (ERR_MEMORY, ERR_LIMIT) every append does nothing, so that
 * a writer checks once, at the end.  A secret buffer (buffer_init_secret) lives in sodium_malloc
 * memory of its full limit from the start and is wiped.
 */
struct buffer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	size_t limit;
	int err;
	bool secret;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_init_secret(struct buffer *buffer, size_t limit);
void buffer_fini(struct buffer *buffer);
/* Forget the bytes (wiping them where secret) and the error; keep the memory. */
void buffer_clear(struct buffer *buffer);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_u16(struct buffer *buffer, uint16_t value);
void buffer_append_u32(struct buffer *buffer, uint32_t value);
void buffer_append_u64(struct buffer *buffer, uint64_t value);
void buffer_append_text(struct buffer *buffer, const char *text);
/* Append ${size} bytes that the caller fills; NULL once an error sticks. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);

static inline struct view
buffer_view(const struct buffer *buffer)
{
	return (struct view){.data = buffer->data, .size = buffer->size};
}

static inline void
put_u16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static inline void
put_u32(uint8_t *to, uint32_t value)
{
	put_u16(to, (uint16_t)(value >> 16));
	put_u16(to + 2, (uint16_t)value);
}

static inline void
put_u64(uint8_t *to, uint64_t value)
{
	put_u32(to, (uint32_t)(value >> 32));
	put_u32(to + 4, (uint32_t)value);
}

static inline uint16_t
get_u16(const uint8_t *from)
{
	return (uint16_t)((uint16_t)from[0] << 8 | from[1]);
}

static inline uint32_t
get_u32(const uint8_t *from)
{
	return (uint32_t)get_u16(from) << 16 | get_u16(from + 2);
}

static inline uint64_t
get_u64(const uint8_t *from)
{
	return (uint64_t)get_u32(from) << 32 | get_u32(from + 4);
}

#endif
