#include "proto/bytes.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/err.h"

int
view_compare(struct view a, struct view b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

void
buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
}

void
buffer_init_secret(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit, .secret = true};
	buffer->data = sodium_malloc(limit == 0 ? 1 : limit);
	if (buffer->data == NULL)
		buffer->err = ERR_MEMORY;
	else
		buffer->capacity = limit;
}

void
buffer_fini(struct buffer *buffer)
{
	if (buffer->secret)
		sodium_free(buffer->data);
	else
		free(buffer->data);
	*buffer = (struct buffer){.limit = 0};
}

void
buffer_clear(struct buffer *buffer)
{
	if (buffer->secret && buffer->data != NULL)
		sodium_memzero(buffer->data, buffer->size);
	buffer->size = 0;
	buffer->err = buffer->secret && buffer->data == NULL ? ERR_MEMORY : ERR_NONE;
}

/* Growth doubles, so that n appends cost O(n); a secret buffer never moves. */
static int
buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
	uint8_t *data;

	if (buffer->err != ERR_NONE)
		return buffer->err;
	if (more > buffer->limit - buffer->size)
		return buffer->err = ERR_LIMIT;
	if (more <= buffer->capacity - buffer->size)
		return ERR_NONE;
	while (capacity - buffer->size < more)
		capacity = capacity > SIZE_MAX / 2 ? SIZE_MAX : capacity * 2;
	if (capacity > buffer->limit)
		capacity = buffer->limit;
	data = realloc(buffer->data, capacity);
	if (data == NULL)
		return buffer->err = ERR_MEMORY;
	buffer->data = data;
	buffer->capacity = capacity;
	return ERR_NONE;
}

uint8_t *
buffer_extend(struct buffer *buffer, size_t size)
{
	uint8_t *at;

	if (buffer_reserve(buffer, size) != ERR_NONE)
		return NULL;
	at = buffer->data + buffer->size;
	buffer->size += size;
	return at;
}

void
buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	uint8_t *at;

	if (size == 0)
		return;
	at = buffer_extend(buffer, size);
	if (at != NULL)
		memcpy(at, data, size);
}

void
buffer_append_u8(struct buffer *buffer, uint8_t value)
{
	buffer_append(buffer, &value, 1);
}

void
buffer_append_u16(struct buffer *buffer, uint16_t value)
{
	uint8_t bytes[2];

	put_u16(bytes, value);
	buffer_append(buffer, bytes, sizeof(bytes));
}

void
buffer_append_u32(struct buffer *buffer, uint32_t value)
{
	uint8_t bytes[4];

	put_u32(bytes, value);
	buffer_append(buffer, bytes, sizeof(bytes));
}

void
buffer_append_u64(struct buffer *buffer, uint64_t value)
{
	uint8_t bytes[8];

	put_u64(bytes, value);
	buffer_append(buffer, bytes, sizeof(bytes));
}

void
buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}
