/* Slugs: ASCII letters and digits, Cyrillic spelled in Latin letters, one dash for the rest. */
#include "proto/origin.h"

#include <stdio.h>

#include "proto/hash.h"
#include "proto/text.h"

/* Lower case, U+0430 to U+045F: Russian, Ukrainian, Belarusian, Serbian, Macedonian. */
static const char *const cyrillic[] = {
    "a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", /* 0430 */
    "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu",
    "ya", /* 0440 */
    "e", "yo", "dj", "gj", "ye", "dz", "i", "yi", "j", "lj", "nj", "c", "kj", "i", "u",
    "dz", /* 0450 */
};

/* Letters of Central Asia and the Caucasus, and old or rare Slavic ones. */
static const struct {
	uint32_t point;
	const char *latin;
} more[] = {
    {0x491, "g"},
    {0x493, "gh"},
    {0x495, "gh"},
    {0x497, "zh"},
    {0x499, "dh"},
    {0x49b, "q"},
    {0x49d, "g"},
    {0x49f, "q"},
    {0x4a1, "q"},
    {0x4a3, "ng"},
    {0x4a5, "ng"},
    {0x4a7, "p"},
    {0x4a9, "o"},
    {0x4ab, "s"},
    {0x4ad, "t"},
    {0x4af, "u"},
    {0x4b1, "u"},
    {0x4b3, "h"},
    {0x4b5, "ts"},
    {0x4b7, "j"},
    {0x4b9, "j"},
    {0x4bb, "h"},
    {0x4cf, "i"},
    {0x4d9, "a"},
    {0x4e3, "i"},
    {0x4e9, "o"},
    {0x4ef, "u"},
};

static uint32_t
lower(uint32_t point)
{
	if ((point >= 'A' && point <= 'Z') || (point >= 0x410 && point <= 0x42f))
		return point + 0x20;
	if (point >= 0x400 && point <= 0x40f)
		return point + 0x50;
	if (point == 0x4c0)
		return 0x4cf;
	if (point >= 0x490 && point <= 0x4ff && point % 2 == 0)
		return point + 1;
	return point;
}

/* The Latin letters for a character, "" for a letter without sound, NULL for no letter. */
static const char *
latin_of(uint32_t point)
{
	size_t i;

	if (point >= 0x430 && point <= 0x45f)
		return cyrillic[point - 0x430];
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].point == point)
			return more[i].latin;
	return NULL;
}

struct slug {
	char *text;
	size_t size;
	bool dash; /* a run of other characters was passed */
};

static void
slug_put(struct slug *slug, const char *letters)
{
	if (slug->dash && slug->size > 0 && slug->size < ORIGIN_SLUG_MAX)
		slug->text[slug->size++] = '-';
	slug->dash = false;
	while (*letters != '\0' && slug->size < ORIGIN_SLUG_MAX)
		slug->text[slug->size++] = *letters++;
}

void
origin_slug(char text[static ORIGIN_SLUG_MAX + 1], struct view name)
{
	struct slug slug = {.text = text};
	struct view rest = name;

	while (rest.size > 0 && slug.size < ORIGIN_SLUG_MAX) {
		uint32_t point = 0;
		size_t length = text_character(rest, &point);
		const char *latin;

		point = length == 0 ? 0 : lower(point);
		if (length == 0)
			length = 1;
		rest = view_of(rest.data + length, rest.size - length);
		latin = latin_of(point);
		if ((point >= 'a' && point <= 'z') || (point >= '0' && point <= '9'))
			slug_put(&slug, (const char[]){(char)point, '\0'});
		else if (latin != NULL && *latin != '\0')
			slug_put(&slug, latin);
		else if (latin == NULL)
			slug.dash = true;
	}
	while (slug.size > 0 && text[slug.size - 1] == '-')
		slug.size--;
	if (slug.size == 0)
		text[slug.size++] = 'x';
	text[slug.size] = '\0';
}

void
origin_make(char origin[static ORIGIN_MAX], struct view organisation, struct view node,
    const uint8_t log_key[static KEY_SIZE])
{
	char first[ORIGIN_SLUG_MAX + 1];
	char second[ORIGIN_SLUG_MAX + 1];
	char suffix[9];
	uint8_t digest[HASH_SIZE];

	origin_slug(first, organisation);
	origin_slug(second, node);
	hash_sha256(digest, view_of(log_key, KEY_SIZE));
	text_hex(suffix, view_of(digest, 4));
	(void)snprintf(origin, ORIGIN_MAX, "%s.dalil/%s-%s", first, second, suffix);
}
