#ifndef DALIL_PROTO_ORIGIN_H
#define DALIL_PROTO_ORIGIN_H

#include "proto/bytes.h"
#include "proto/key.h"

/*
 * Purpose: the default origin of a log (design 5.4, formats "Origin slug"):
 * ORG-SLUG.dalil/NODE-SLUG-XXXXXXXX.  It is chosen once, at init; nobody re-derives one, so the
 * transliteration of Cyrillic is ours to choose.
 */

#define ORIGIN_SLUG_MAX 40
#define ORIGIN_MAX (ORIGIN_SLUG_MAX + 7 + ORIGIN_SLUG_MAX + 9 + 1)

/* ${slug} ends in a zero byte; bytes that are not UTF-8 count as other characters. */
void origin_slug(char slug[static ORIGIN_SLUG_MAX + 1], struct view name);

void origin_make(char origin[static ORIGIN_MAX], struct view organisation, struct view node,
    const uint8_t log_key[static KEY_SIZE]);

#endif
