#ifndef DALIL_PROTO_TEXT_H
#define DALIL_PROTO_TEXT_H

#include "proto/bytes.h"

/*
 * Purpose: text from others: is it UTF-8, and how is it shown without letting
 * it speak to a terminal; hex and base64 in their one strict form.
 */

/* Valid UTF-8 by RFC 3629: shortest forms, no surrogates, at most U+10FFFF. */
bool text_is_utf8(struct view text);

/*
 * Length of the UTF-8 character at the start of ${text}, its code point in
 * ${point}; 0 if there is none.
 */
size_t text_character(struct view text, uint32_t *point);

/* Take a line off the front of ${rest}, without its newline; false if no newline is left. */
bool text_line(struct view *rest, struct view *line);

/* ASCII decimal below 2^63 with no leading zero, sign or space. */
bool text_number(uint64_t *number, struct view text);

/*
 * Append ${text} so that a terminal shows it and obeys none of it: control
 * characters, bidirectional overrides, line separators and bytes that are not
 * UTF-8 become \xNN or \u{N}, the backslash \\.
 */
void text_escape(struct buffer *out, struct view text);

/* Lower-case hex; ${hex} takes 2 * bytes.size + 1 characters. */
void text_hex(char *hex, struct view bytes);
/* Exactly 2 * size lower-case hex digits; false otherwise. */
bool text_unhex(uint8_t *bytes, size_t size, struct view hex);

enum text_base64 {
	TEXT_BASE64_PADDED,   /* standard alphabet with padding: notes, checkpoints */
	TEXT_BASE64_UNPADDED, /* standard alphabet without: age */
	TEXT_BASE64_URL       /* URL alphabet without padding: invites */
};

void text_base64(struct buffer *out, enum text_base64 variant, struct view bytes);
/*
 * Append the bytes; false, with nothing appended, unless ${text} is the
 * canonical encoding of some bytes (padding exact, unused bits zero, no white space).
 */
bool text_unbase64(struct buffer *out, enum text_base64 variant, struct view text);

#endif
