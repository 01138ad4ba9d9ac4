#ifndef DALIL_NODE_ARCHIVE_READ_H
#define DALIL_NODE_ARCHIVE_READ_H

#include "node/storage.h"
#include "proto/claims.h"
#include "proto/record.h"

/*
 * Purpose: reading exhibits: lists, fields, files, with whatever keys are at hand (design 5.2).
 *
 * A reader holds the identities: the vault and attached reader keys of the store where they are
 * open, and those of --identity.  An exhibit is one deposit with what this reader can open of it.
 *
 * Threads: a reader and its exhibits belong to one thread at a time; several readers may be open.
 */

struct archive;
struct archive_reader;
struct archive_exhibit;

/* ${identities}: further X25519 secrets, copied.  Locked keys are no error: less is readable then. */
int archive_reader_new(struct archive_reader **reader, struct archive *archive,
    const uint8_t *const *identities, unsigned count, struct err *err);
void archive_reader_free(struct archive_reader *reader); /* NULL is fine */

enum archive_access {
	ARCHIVE_CLOSED, /* nothing can be read */
	ARCHIVE_OPEN,   /* what is public */
	ARCHIVE_SEALED, /* as a reader of its grant */
	ARCHIVE_VAULT   /* everything */
};

/* What can be read of one deposit.  Owned by the reader until the next read or its end. */
struct archive_exhibit {
	struct storage_place place;
	struct storage_entry entry; /* the parts that are here, too */
	struct record record;       /* parsed, of kind deposit; its signature is not checked here */
	uint8_t id[HASH_SIZE];
	enum archive_access access;
	struct fields fields; /* those that are readable, checked against the record's claims */
	bool is_open;         /* published to everybody */
	bool has_file_key;
	uint8_t file_key[16]; /* to re-wrap (export --age, grant) */
	bool has_payload_key;
	uint8_t payload_key[32];
	const struct claims *claims; /* with ARCHIVE_VAULT: from which anything can be disclosed */
	unsigned reader_count;       /* with ARCHIVE_VAULT: of its grant */
	enum storage_payload_state state;
	bool is_signed; /* the newest checkpoint here covers it */
	/* A part that is here but does not hold or fit: what is wrong with it; else code 0. */
	struct err trouble;
};

/* Read deposit ${place}.  ERR_NOT_FOUND: no such entry; ERR_USAGE: it is no deposit; ERR_DAMAGED. */
int archive_read(struct archive_reader *reader, struct storage_place place,
    const struct archive_exhibit **exhibit, struct err *err);

struct archive_filter {
	bool one_log;
	uint32_t log;   /* its number, where one_log */
	uint64_t since; /* ms, by the record's time; 0: none */
	uint64_t until; /* inclusive; 0: none */
};
/* Nonzero ends the walk and is returned. */
typedef int archive_each(void *cookie, const struct archive_exhibit *exhibit);
/*
 * All deposits, oldest first over all logs, by the time that their records claim.  Records that cannot
 * be parsed are left out.  Memory: 16 bytes an exhibit.
 */
int archive_walk(struct archive_reader *reader, const struct archive_filter *filter,
    archive_each *each, void *cookie, struct err *err);

/* ---- files ----------------------------------------------------------------------------------- */

struct archive_progress {
	/* May be NULL.  Called by one worker thread at a time. */
	void (*progress)(void *cookie, uint64_t done, uint64_t all);
	void *cookie;
};

/*
 * Write the original file of an exhibit to ${fd}, leaf by leaf, each only after its hash and its AEAD
 * hold; at the end the whole is compared with the claims `sha256` and `size`.  An error says that what
 * went into ${fd} is not the file: the caller wrote to a temporary file and renames it only after 0.
 * ERR_LOCKED: no key opens it; ERR_MISSING: the payload is not (wholly) here; ERR_DAMAGED: a leaf is not
 * what it was; ERR_FORGED: it opens, but is not the file that the record claims.
 */
int archive_get(struct archive_reader *reader, const struct archive_exhibit *exhibit, int fd,
    const struct archive_progress *progress, struct err *err);

/* What a caller of archive_get does around it: temporary file beside ${path}, sync, rename.
 * ERR_EXISTS unless ${overwrite}. */
int archive_get_file(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    const char *path, bool overwrite, const struct archive_progress *progress, struct err *err);

/*
 * A valid age file to ${fd}: the grant's header where ${recipients} is NULL, else a new header for
 * them (has_file_key is needed), then nonce and payload.
 */
int archive_export_age(struct archive_reader *reader, const struct archive_exhibit *exhibit,
    const uint8_t (*recipients)[HASH_SIZE], unsigned recipient_count, int fd,
    const struct archive_progress *progress, struct err *err);

/* Which exhibits are this file, byte for byte?  By SHA-256 of what is readable. */
struct archive_match {
	bool found;
	uint8_t id[HASH_SIZE];
	struct storage_place place;
	uint64_t compared; /* exhibits whose sha256 is readable here */
	uint64_t closed;   /* and those that are not */
};
int archive_which(struct archive_reader *reader, const uint8_t sha256[static HASH_SIZE],
    struct archive_match *match, struct err *err);

#endif
