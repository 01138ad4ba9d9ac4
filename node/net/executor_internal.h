#ifndef DALIL_NODE_NET_EXECUTOR_INTERNAL_H
#define DALIL_NODE_NET_EXECUTOR_INTERNAL_H

#include "node/net/executor.h"

/* Purpose: what disk.c, executor_read.c and executor_write.c share: jobs, and functions that run on workers. */

struct job {
	struct job *next;
	struct executor *executor;
	uv_work_t work;
	struct sync_disk *request; /* NULL: the three below */
	executor_work *run;
	executor_after *after;
	void *argument;
	bool ready; /* checked */
};

/* Fill in what a read asks for. */
void executor_read(struct storage *storage, struct sync_disk *request);
/*
 * Execute a list of writes in one batch; where one of them spoils it, each in a batch of its own.
 */
void executor_write(struct storage *storage, struct job *jobs);
/* Put a list of checked leaves and sync once.  *fetch is made when it is NULL. */
void executor_write_leaves(struct storage *storage, struct payload_fetch **fetch, struct job *jobs);

#endif
