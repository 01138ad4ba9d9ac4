#ifndef DALIL_NODE_STORE_GUARD_H
#define DALIL_NODE_STORE_GUARD_H

/*
 * Purpose: a damaged index must not end in a signal (design 5.6).  LMDB follows what its file
 * says without checksums, so a flipped bit there may make it fault.  index.c brackets every call of
 * LMDB with guard_enter and guard_leave; a SIGSEGV, SIGBUS, SIGFPE or SIGABRT between the two, or
 * an assertion of LMDB's, ends the process with "the index is damaged: run dalil reindex" and exit 5.
 * Outside, the fault goes to whatever handled it before.
 *
 * Why not recover: after a fault inside LMDB its locks are held and its memory may be anything.
 * Ending here is as safe as kill -9, for the journal is the truth.
 *
 * Threads: the bracket is kept per thread; installing is done once per process.
 */

/* Install the handlers, and have a file-size limit be an error (EFBIG) rather than a death. */
void guard_install(void);
void guard_enter(void);
void guard_leave(void);
/* Says the sentence and ends the process with exit 5; what a handler and LMDB's assertions call. */
_Noreturn void guard_index_damaged(void);

#endif
