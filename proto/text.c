#include "proto/text.h"

#include <sodium.h>
#include <stdio.h>

/* Unicode standard, table 3-7. */
size_t
text_character(struct view text, uint32_t *point)
{
	uint8_t first = text.size > 0 ? text.data[0] : 0xff;
	uint32_t smallest;
	size_t length;
	size_t i;

	if (first < 0x80) {
		*point = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) {
		length = 2;
		smallest = 0x80;
		*point = first & 0x1fu;
	} else if (first >= 0xe0 && first <= 0xef) {
		length = 3;
		smallest = 0x800;
		*point = first & 0x0fu;
	} else if (first >= 0xf0 && first <= 0xf4) {
		length = 4;
		smallest = 0x10000;
		*point = first & 0x07u;
	} else {
		return 0;
	}
	if (text.size < length)
		return 0;
	for (i = 1; i < length; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (text.data[i] & 0x3fu);
	}
	if (*point < smallest || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return length;
}

static struct view
view_from(struct view text, size_t start)
{
	return view_of(text.data + start, text.size - start);
}

bool
text_is_utf8(struct view text)
{
	size_t at = 0;
	uint32_t point;

	while (at < text.size) {
		size_t length = text_character(view_from(text, at), &point);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

/*
 * What could move a cursor, change a colour, reverse what is read, or hide: the
 * C0 and C1 controls, zero-width and bidirectional formatting, line and paragraph separators,
 * the byte order mark, interlinear and tag characters, and the lone backslash that would
 * make an escape ambiguous.
 */
static bool
is_unsafe(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == '\\' || point == 0xad ||
	       point == 0x61c || point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) ||
	       point == 0xfeff || (point >= 0xfff9 && point <= 0xfffb) ||
	       (point >= 0xe0000 && point <= 0xe0fff);
}

void
text_escape(struct buffer *out, struct view text)
{
	char escaped[16];
	uint32_t point;
	size_t at = 0;

	while (at < text.size) {
		size_t length = text_character(view_from(text, at), &point);

		if (length == 0) {
			(void)snprintf(escaped, sizeof(escaped), "\\x%02x", text.data[at]);
			buffer_append_text(out, escaped);
			length = 1;
		} else if (point == '\\') {
			buffer_append_text(out, "\\\\");
		} else if (point == '\n') {
			buffer_append_text(out, "\\n");
		} else if (point == '\t') {
			buffer_append_text(out, "\\t");
		} else if (is_unsafe(point)) {
			(void)snprintf(escaped, sizeof(escaped), "\\u{%x}", point);
			buffer_append_text(out, escaped);
		} else {
			buffer_append(out, text.data + at, length);
		}
		at += length;
	}
}

bool
text_line(struct view *rest, struct view *line)
{
	const uint8_t *end = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);

	if (end == NULL)
		return false;
	*line = view_of(rest->data, (size_t)(end - rest->data));
	*rest = view_from(*rest, line->size + 1);
	return true;
}

bool
text_number(uint64_t *number, struct view text)
{
	uint64_t value = 0;
	size_t i;

	if (text.size == 0 || text.size > 19 || (text.size > 1 && text.data[0] == '0'))
		return false;
	for (i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.data[i] - '0'); /* 19 digits fit 64 bits */
	}
	if (value >> 63 != 0)
		return false;
	*number = value;
	return true;
}

void
text_hex(char *hex, struct view bytes)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < bytes.size; i++) {
		hex[2 * i] = digits[bytes.data[i] >> 4];
		hex[2 * i + 1] = digits[bytes.data[i] & 15];
	}
	hex[2 * bytes.size] = '\0';
}

static int
hex_digit(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

bool
text_unhex(uint8_t *bytes, size_t size, struct view hex)
{
	size_t i;

	if (hex.size % 2 != 0 || hex.size / 2 != size)
		return false;
	for (i = 0; i < size; i++) {
		int high = hex_digit(hex.data[2 * i]);
		int low = hex_digit(hex.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int
variant_of(enum text_base64 variant)
{
	switch (variant) {
	case TEXT_BASE64_PADDED:
		return sodium_base64_VARIANT_ORIGINAL;
	case TEXT_BASE64_UNPADDED:
		return sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	case TEXT_BASE64_URL:
		return sodium_base64_VARIANT_URLSAFE_NO_PADDING;
	}
	return sodium_base64_VARIANT_ORIGINAL;
}

/* libsodium wants room for a final zero byte, which is taken off again. */
void
text_base64(struct buffer *out, enum text_base64 variant, struct view bytes)
{
	size_t length = sodium_base64_encoded_len(bytes.size, variant_of(variant));
	uint8_t *at = buffer_extend(out, length);

	if (at == NULL)
		return;
	(void)sodium_bin2base64((char *)at, length, bytes.data, bytes.size, variant_of(variant));
	out->size -= 1;
}

/*
 * libsodium refuses unused bits that are not zero and wrong padding; white space is not ignored.
 * But 1.0.18 takes every byte above ASCII for a 63, so these are refused here first.
 */
bool
text_unbase64(struct buffer *out, enum text_base64 variant, struct view text)
{
	size_t room = text.size / 4 * 3 + 3;
	size_t written = 0;
	uint8_t *at;
	size_t i;

	if (text.size == 0)
		return true;
	for (i = 0; i < text.size; i++)
		if (text.data[i] > 0x7e)
			return false;
	at = buffer_extend(out, room);
	if (at == NULL)
		return false;
	if (sodium_base642bin(at, room, (const char *)text.data, text.size, NULL, &written, NULL,
	        variant_of(variant)) != 0) {
		out->size -= room;
		return false;
	}
	out->size -= room - written;
	return true;
}
