/* The grammar of an age v1 header, its MAC, and its writing.  What stanzas mean: age_stanza.c. */
#include "proto/age_header.h"

#include <sodium.h>

#include "proto/age_base64.h"
#include "proto/hash.h"
#include "proto/text.h"

#define VERSION_LINE "age-encryption.org/v1\n"
#define BODY_COLUMNS 64
#define MAC_LINE (4 + AGE_BASE64_32 + 1) /* "--- ", the MAC, a newline */
#define STANZA_SIZE (10 + AGE_BASE64_32 + 1 + AGE_BASE64_32 + 1)

bool
age_base64_decode(uint8_t *bytes, size_t size, struct view text)
{
	uint8_t memory[AGE_BASE64_MAX + 3];
	struct buffer out = {.data = memory, .capacity = sizeof(memory), .limit = sizeof(memory)};
	bool good;

	if (size > AGE_BASE64_MAX || text.size != (size * 8 + 5) / 6)
		return false;
	good = text_unbase64(&out, TEXT_BASE64_UNPADDED, text) && out.size == size;
	if (good)
		memcpy(bytes, memory, size);
	sodium_memzero(memory, sizeof(memory));
	return good;
}

static void
append_base64(struct buffer *out, const uint8_t bytes[static 32])
{
	text_base64(out, TEXT_BASE64_UNPADDED, view_of(bytes, 32));
}

/* The next line without its newline. */
static bool
take_line(struct view *line, struct view *rest)
{
	const uint8_t *newline = rest->size == 0 ? NULL : memchr(rest->data, '\n', rest->size);

	if (newline == NULL)
		return false;
	*line = view_of(rest->data, (size_t)(newline - rest->data));
	*rest = view_of(newline + 1, rest->size - line->size - 1);
	return true;
}

/* "-> " and one or more arguments of visible ASCII, one space between; the first is the type. */
static bool
parse_arguments(struct age_stanza *stanza, struct view line)
{
	size_t start = 3;
	size_t i;

	memset(stanza, 0, sizeof(*stanza));
	if (line.size < 4 || memcmp(line.data, "-> ", 3) != 0)
		return false;
	for (i = start; i <= line.size; i++) {
		struct view argument = view_of(line.data + start, i - start);

		if (i < line.size && line.data[i] != ' ') {
			if (line.data[i] < 33 || line.data[i] > 126)
				return false;
			continue;
		}
		if (argument.size == 0)
			return false;
		if (stanza->type.data == NULL)
			stanza->type = argument;
		else if (stanza->argument_count++ < AGE_ARGUMENTS_MAX)
			stanza->arguments[stanza->argument_count - 1] = argument;
		start = i + 1;
	}
	return true;
}

static const char *
parse_stanza(struct age_stanza *stanza, struct view *rest)
{
	uint8_t decoded[BODY_COLUMNS / 4 * 3];
	const uint8_t *body;
	struct view line;

	if (!take_line(&line, rest) || !parse_arguments(stanza, line))
		return "a stanza's first line is malformed";
	body = rest->data;
	do {
		if (!take_line(&line, rest))
			return "a stanza's body has no short last line";
		if (line.size > BODY_COLUMNS)
			return "a line of a stanza's body is over 64 characters";
		if (!age_base64_decode(decoded, line.size * 6 / 8, line))
			return "a stanza's body is not canonical base64";
	} while (line.size == BODY_COLUMNS);
	stanza->body = view_of(body, (size_t)(rest->data - body));
	return NULL;
}

bool
age_stanza_next(struct view *rest, struct age_stanza *stanza)
{
	return rest->size > 0 && parse_stanza(stanza, rest) == NULL;
}

static const char *
parse_last_line(struct age_header *header, struct view bytes, struct view *rest)
{
	struct view line;

	header->covered = view_of(bytes.data, (size_t)(rest->data - bytes.data) + 3);
	if (!take_line(&line, rest) || line.size != MAC_LINE - 1 || line.data[3] != ' ' ||
	    !age_base64_decode(header->mac, HASH_SIZE, view_of(line.data + 4, AGE_BASE64_32)))
		return "the MAC's line is malformed";
	header->bytes = view_of(bytes.data, (size_t)(rest->data - bytes.data));
	return NULL;
}

/* The stanzas up to the line of the MAC. */
static const char *
parse_stanzas(struct age_header *header, struct view *rest)
{
	const uint8_t *start = rest->data;
	struct age_stanza stanza;
	const char *why;

	while (rest->size < 3 || memcmp(rest->data, "---", 3) != 0) {
		if (header->stanza_count++ == AGE_STANZAS_MAX)
			return "over 2,048 stanzas";
		why = parse_stanza(&stanza, rest);
		if (why != NULL)
			return why;
	}
	header->stanzas = view_of(start, (size_t)(rest->data - start));
	return header->stanza_count == 0 ? "no stanza" : NULL;
}

int
age_header_parse(struct age_header *header, struct view bytes, struct err *err)
{
	struct view rest = bytes;
	struct view line;
	const char *why = NULL;

	memset(header, 0, sizeof(*header));
	if (rest.size > AGE_HEADER_MAX)
		rest.size = AGE_HEADER_MAX;
	if (!take_line(&line, &rest) || line.size != sizeof(VERSION_LINE) - 2 ||
	    memcmp(line.data, VERSION_LINE, line.size) != 0)
		why = "no line age-encryption.org/v1";
	if (why == NULL)
		why = parse_stanzas(header, &rest);
	if (why == NULL)
		why = parse_last_line(header, bytes, &rest);
	if (why == NULL)
		return ERR_NONE;
	memset(header, 0, sizeof(*header));
	return err_set(err, ERR_MALFORMED, "age header: %s", why);
}

void
age_header_mac(
    uint8_t mac[static HASH_SIZE], const uint8_t file_key[static AGE_FILE_KEY], struct view covered)
{
	uint8_t key[HASH_SIZE];

	hash_hkdf(key, sizeof(key), view_of(file_key, AGE_FILE_KEY), view_of(NULL, 0),
	    view_text("header"));
	hash_hmac(mac, view_of(key, sizeof(key)), &covered, 1);
	sodium_memzero(key, sizeof(key));
}

size_t
age_header_size(size_t count)
{
	return sizeof(VERSION_LINE) - 1 + count * STANZA_SIZE + MAC_LINE;
}

void
age_header_write(struct buffer *out, const struct age_x25519 *stanzas, size_t count,
    const uint8_t file_key[static AGE_FILE_KEY])
{
	size_t start = out->size;
	uint8_t mac[HASH_SIZE];
	size_t i;

	buffer_append_text(out, VERSION_LINE);
	for (i = 0; i < count; i++) {
		buffer_append_text(out, "-> X25519 ");
		append_base64(out, stanzas[i].share);
		buffer_append_text(out, "\n");
		append_base64(out, stanzas[i].body);
		buffer_append_text(out, "\n");
	}
	buffer_append_text(out, "---");
	if (out->err != 0)
		return;
	age_header_mac(mac, file_key, view_of(out->data + start, out->size - start));
	buffer_append_text(out, " ");
	append_base64(out, mac);
	buffer_append_text(out, "\n");
}
