#ifndef DALIL_NODE_NET_EXECUTOR_H
#define DALIL_NODE_NET_EXECUTOR_H

#include <uv.h>

#include "node/storage.h"
#include "node/sync/disk.h"

/*
 * Purpose: execute what node/sync asks of the disk (node/sync/disk.h) on libuv's workers against
 * node/storage.h: checks and reads many at once, writes in order and many in one batch, leaves in
 * groups that share one sync.  Other work that must not run beside writes (loading what the
 * store holds, signing) stands in the same order.
 *
 * Ownership: executor_submit takes the request; ${done} gives it back.  executor_free only once
 * executor_idle.  Threads: the loop's.
 */

struct executor;

typedef void executor_done(void *cookie, struct sync_disk *request);
typedef void executor_work(void *argument);  /* on a worker */
typedef void executor_after(void *argument); /* on the loop */

/* NULL without memory. */
struct executor *
executor_new(uv_loop_t *loop, struct storage *storage, executor_done *done, void *cookie);
void executor_free(struct executor *executor);
bool executor_idle(const struct executor *executor);

void executor_submit(struct executor *executor, struct sync_disk *request);
/* Run ${work} alone among the writes, in its turn, then ${after}.  ERR_MEMORY. */
int executor_alone(
    struct executor *executor, executor_work *work, executor_after *after, void *argument);

#endif
