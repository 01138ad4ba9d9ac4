#ifndef DALIL_TESTS_SIM_MEMORY_STORAGE_H
#define DALIL_TESTS_SIM_MEMORY_STORAGE_H

#include "node/storage.h"

/*
 * Purpose: node/storage.h in memory, for tests and simulations: a virtual disk that can fail at any
 * write and lose what was not committed.
 *
 * It keeps the promises of storage.h but for durability beyond the process, and it is simple before
 * it is fast: lookups walk lists.  It keeps every payload in memory.  Threads: one.
 */

struct storage *memory_storage_new(void); /* aborts without memory; storage_close frees it */

/*
 * Let write number ${after} from now (0: the next) and all later ones fail with ${code}, until
 * memory_storage_heal.  Writes are what a disk could fail at: every batch, payload_writer and
 * payload_fetch call that changes something, the commit included.
 */
void memory_storage_fail(struct storage *storage, unsigned after, enum err_code code);
/* Whether a write has failed since; stops failing. */
bool memory_storage_heal(struct storage *storage);

/* The process dies: an open batch is gone, and the pointer to it dead. */
void memory_storage_crash(struct storage *storage);

#endif
