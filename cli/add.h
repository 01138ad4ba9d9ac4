#ifndef DALIL_CLI_ADD_H
#define DALIL_CLI_ADD_H

#include "cli/manifest.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

/*
 * Purpose: what the parts of `dalil add` share: add.c (the command), add_file.c (what is known of
 * each file), add_dry.c (--dry-run), readers.c (WHO).
 */

struct progress;

struct add {
	struct context *context;
	struct options options;
	struct session session;
	struct deposit_run *run;
	struct progress *meter;
	bool dry_run;
	bool compared;
	bool open_all;                 /* --open */
	uint64_t open_slots;           /* DEPOSIT_OPEN_SLOTS and what --open names */
	uint8_t (*readers)[HASH_SIZE]; /* of --to */
	unsigned reader_count;
	uint8_t (*share)[HASH_SIZE]; /* for the log's first `share` */
	unsigned share_count;
	uint64_t open;
	uint64_t sealed;
	uint64_t granted;
	uint64_t already;
	uint64_t refused;
	uint64_t bytes;
};

/* Everything that is the same for all files: readers, open slots, share; bad options end here. */
int add_prepare(struct add *add, struct err *err);
void add_fini(struct add *add);
/* One path of the command line, or all rows of a manifest, into the run.  Trouble with one file is reported
 * and does not end the others; what is returned ends the run. */
int add_path(struct add *add, const char *path, struct err *err);
int add_manifest(struct add *add, const char *path, struct err *err);
/* --dry-run: who would see what of this file. */
void add_show_dry(struct add *add, const struct deposit_result *result);

/*
 * The X25519 key that WHO (age1..., or a paired organisation by its local name or id) reads with.
 * ERR_USAGE; ERR_NOT_FOUND where nobody is called so, or the organisation's charter names no vault.
 */
int
reader_of(struct session *session, uint8_t key[static HASH_SIZE], struct view who, struct err *err);

#endif
