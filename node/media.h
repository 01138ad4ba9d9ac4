#ifndef DALIL_NODE_MEDIA_H
#define DALIL_NODE_MEDIA_H

#include "proto/bytes.h"

/*
 * Purpose: the media type of a file by its first bytes (libmagic), which every deposit claims.
 *
 * Threads: one at a time; each worker has its own.  The database is mapped, not copied.
 */

#define MEDIA_HEAD 8192 /* bytes that are looked at */
#define MEDIA_TYPE 128  /* room of a type */

struct media;

/* NULL where libmagic or its database is not there: every file is application/octet-stream then. */
struct media *media_new(void);
void media_free(struct media *media);
/*
 * The type of a file that begins with ${head} and is called ${name}; NUL-terminated into ${type}.
 * ${media} may be NULL.
 */
void
media_type(struct media *media, char type[static MEDIA_TYPE], struct view head, struct view name);

#endif
