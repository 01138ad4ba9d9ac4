#ifndef DALIL_NODE_STORE_STORE_H
#define DALIL_NODE_STORE_STORE_H

#include "node/storage.h"

/*
 * Purpose: the store on disk (design 5.6, docs/store.md): how one is made, opened, reindexed and
 * compared.  Everything else goes through node/storage.h.
 *
 * In STORE/: `format`, `journal/`, `segments/`, `index/`, `lock`.  Other names there belong to others.
 *
 * The first store that is opened in a process installs handlers for SIGSEGV, SIGBUS, SIGFPE and
 * SIGABRT: a fault inside the index ends the process with "the index is damaged: run dalil
 * reindex" and exit 5 (design 5.6); any other fault goes on as if there were no handler.
 */

/* Make an empty store in ${path}, which exists or whose parent does; durable when this returns.
 * ERR_EXISTS if a store is there. */
int store_create(const char *path, struct err *err);

/*
 * Open it: rolls forward what a crash left between journal and index.  ERR_NOT_FOUND: no
 * store there; ERR_REFUSED: it belongs to another user (the text says what works); ERR_VERSION: made
 * by a newer dalil; ERR_INDEX: run dalil reindex; ERR_DAMAGED: the journal.  Close with storage_close.
 */
int store_open(const char *path, struct storage **storage, struct err *err);

/* Something that is not as it was stored. */
struct store_finding {
	enum err_code code; /* ERR_DAMAGED: journal or segment; ERR_INDEX: index */
	bool has_place;     /* it concerns this entry */
	struct storage_place place;
	const char *text; /* a sentence, dies with the call */
};
typedef void store_found(void *cookie, const struct store_finding *finding);
/* Bytes of journal done and in all; may be NULL. */
typedef void store_progress(void *cookie, uint64_t done, uint64_t all);

/*
 * Build the index anew from journal and segments, beside the old one, and put it in its place;
 * other processes go over to it by themselves.  Damaged frames are told to ${found} (may be NULL) and
 * left out; whatever else there is, is indexed.  Works without a usable index.
 */
int store_reindex(
    const char *path, store_progress *progress, store_found *found, void *cookie, struct err *err);

/*
 * Walk the journal and compare every frame with the index and every table's count with what
 * the journal holds; parts are checked against their digests.  0 if the walk came to its end, whatever
 * was found.  It looks at what was committed when it began, and nobody waits for it.
 */
int store_compare(struct storage *storage, store_progress *progress, store_found *found,
    void *cookie, struct err *err);

#endif
