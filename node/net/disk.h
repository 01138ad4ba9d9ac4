#ifndef DALIL_NODE_NET_DISK_H
#define DALIL_NODE_NET_DISK_H

#include <uv.h>

#include "node/storage.h"
#include "node/sync/disk.h"

/*
 * Purpose: execute what node/sync asks of the disk (node/sync/disk.h) on libuv's workers against
 * node/storage.h: checks and reads many at once, writes in order and many in one batch, leaves in
 * groups that share one sync.  Other work that must not run beside writes (loading what the
 * store holds, signing) stands in the same order.
 *
 * Ownership: disk_submit takes the request; ${done} gives it back.  disk_free only once
 * disk_idle.  Threads: the loop's.
 */

struct disk;

typedef void disk_done(void *cookie, struct sync_disk *request);
typedef void disk_work(void *argument);  /* on a worker */
typedef void disk_after(void *argument); /* on the loop */

/* NULL without memory. */
struct disk *executor_new(uv_loop_t *loop, struct storage *storage, disk_done *done, void *cookie);
void disk_free(struct disk *disk);
bool disk_idle(const struct disk *disk);

void disk_submit(struct disk *disk, struct sync_disk *request);
/* Run ${work} alone among the writes, in its turn, then ${after}.  ERR_MEMORY. */
int disk_alone(struct disk *disk, disk_work *work, disk_after *after, void *argument);

#endif
