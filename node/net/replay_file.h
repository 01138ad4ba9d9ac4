#ifndef DALIL_NODE_NET_REPLAY_FILE_H
#define DALIL_NODE_NET_REPLAY_FILE_H

#include "proto/err.h"
#include "proto/replay.h"

/*
 * Purpose: the replay memory in STORE/replay, so that it outlives a restart (design section 6).  The
 * file is 320 KiB at most and no truth: without it, or with a damaged one, the node forgets
 * which handshakes it has seen, and goes on.  It is not synced: a restart is not a power cut.
 */

struct replay_file;

/* ${store}: the directory; NULL keeps nothing.  ERR_MEMORY, or what opening says. */
int replay_file_open(struct replay_file **file, const char *store, struct err *err);
void replay_file_close(struct replay_file *file); /* NULL is fine */
struct replay *replay_file_memory(struct replay_file *file);
/* Write one slot; where that fails, nothing more is kept until the next start. */
void replay_file_keep(struct replay_file *file, unsigned slot);

#endif
