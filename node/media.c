/* The media type of a file by its first bytes. */
#include "node/media.h"

#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "proto/text.h"

/* Nothing here unpacks or runs: only the head is compared with patterns. */
#define FLAGS                                                                                  \
	(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CSV | \
	    MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_APPTYPE)

struct media {
	magic_t magic;
};

struct media *
media_new(void)
{
	struct media *media = calloc(1, sizeof(*media));

	if (media == NULL)
		return NULL;
	media->magic = magic_open(FLAGS);
	if (media->magic == NULL || magic_load(media->magic, NULL) != 0) {
		media_free(media);
		return NULL;
	}
	return media;
}

void
media_free(struct media *media)
{
	if (media == NULL)
		return;
	if (media->magic != NULL)
		magic_close(media->magic);
	free(media);
}

static bool
ends_in(struct view name, const char *ending)
{
	size_t size = strlen(ending);

	return name.size > size &&
	       strncasecmp((const char *)name.data + name.size - size, ending, size) == 0;
}

/*
 * libmagic takes 0.2 to 0.8 ms a file, several times what hashing and encrypting a document costs.
 * Types that the first bytes decide alone, and text without any marks of a format, are told here.
 */
static const struct {
	const char *bytes;
	size_t size;
	const char *type;
} signatures[] = {
    {"\xff\xd8\xff", 3, "image/jpeg"},
    {"\x89PNG\r\n\x1a\n", 8, "image/png"},
    {"GIF87a", 6, "image/gif"},
    {"GIF89a", 6, "image/gif"},
    {"%PDF-", 5, "application/pdf"},
    {"fLaC", 4, "audio/flac"},
};

static const char *
by_signature(struct view head)
{
	size_t i;

	for (i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		if (head.size >= signatures[i].size &&
		    memcmp(head.data, signatures[i].bytes, signatures[i].size) == 0)
			return signatures[i].type;
	}
	return NULL;
}

/* A first line that looks like the head of a mail, a source, a list: libmagic's to say. */
static bool
begins_in_prose(struct view head)
{
	size_t i;

	for (i = 0; i < head.size && head.data[i] != ' '; i++) {
		uint8_t byte = head.data[i];

		if (!(byte >= 0x80 || (byte >= 'a' && byte <= 'z') ||
		        (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
		        byte == ',' || byte == '.'))
			return byte == '\n' || byte == '\r';
	}
	return i > 0 && (head.size < 5 || memcmp(head.data, "From ", 5) != 0);
}

/* UTF-8 (but for a last character that the head cuts off) without control characters. */
static bool
is_prose(struct view head)
{
	struct view text = head;
	unsigned cut;
	size_t i;

	for (i = 0; i < head.size; i++) {
		uint8_t byte = head.data[i];

		if (byte == 0x7f || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t'))
			return false;
	}
	for (cut = 0; cut < 4 && text.size > 0; cut++) {
		if (text_is_utf8(text))
			return begins_in_prose(head);
		text.size--;
	}
	return false;
}

/* Text whose kind shows in nothing but its name. */
static const struct {
	const char *ending;
	const char *type;
} texts[] = {
    {".csv", "text/csv"},
    {".tsv", "text/tab-separated-values"},
    {".md", "text/markdown"},
};

/* Only the form that RFC 6838 gives a type: what libmagic says is claimed and shown. */
static bool
is_type(const char *type)
{
	size_t size = strspn(type, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                           "!#$&-^_.+/");

	return type[size] == '\0' && size > 2 && size < MEDIA_TYPE && strchr(type, '/') != NULL;
}

void
media_type(struct media *media, char type[static MEDIA_TYPE], struct view head, struct view name)
{
	const char *found = NULL;
	size_t i;

	if (head.size > MEDIA_HEAD)
		head.size = MEDIA_HEAD;
	if (head.size > 0)
		found = by_signature(head);
	if (found == NULL && head.size > 0 && is_prose(head))
		found = "text/plain";
	if (found == NULL && media != NULL && head.size > 0)
		found = magic_buffer(media->magic, head.data, head.size);
	if (found == NULL || !is_type(found))
		found = "application/octet-stream";
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(found, "text/plain") == 0 && ends_in(name, texts[i].ending))
			found = texts[i].type;
	}
	(void)snprintf(type, MEDIA_TYPE, "%s", found);
}
