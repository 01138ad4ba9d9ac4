#ifndef DALIL_PROTO_EVIDENCE_H
#define DALIL_PROTO_EVIDENCE_H

#include "proto/aead.h"
#include "proto/charter.h"
#include "proto/checkpoint.h"
#include "proto/fields.h"
#include "proto/record.h"
#include "proto/vkey.h"

/*
 * Purpose: what a court gets of one exhibit, checked without a store (promise P5, design 5.3 to
 * 5.5, 5.7): the deposit record, the fields that are disclosed, a tlog-proof that it stands in the
 * log, the charter that names the log's keys, and the file, which under the payload key gives the
 * payload root that the record signs.
 *
 * evidence_open checks everything but the file; then the file is fed in pieces of any size, so that
 * its length costs no memory, and evidence_file_finish says whether it is the one claimed.
 *
 * Ownership: struct evidence holds views into what was given and dies with it.
 * Threads: one at a time per object.
 */

struct evidence_given {
	struct view record;
	struct view disclosures; /* canonical: [disclosure...], ascending by slot */
	struct view proof;       /* a tlog-proof's text */
	const struct vkey *log;
	const struct charter *charter; /* of the statements before the record; NULL: none given */
};

struct evidence {
	struct record record; /* a deposit */
	uint8_t id[HASH_SIZE];
	struct fields fields;
	uint64_t shown; /* bit i: slot i is disclosed, be it as absent */
	uint64_t index;
	struct checkpoint checkpoint; /* signed by the log */
	struct note note;             /* of the checkpoint, for cosignatures */
	bool by_charter;              /* the record key was checked with a charter */
};

/*
 * ERR_MALFORMED, ERR_FORGED, ERR_REFUSED (not that log's deposit, a key the charter does not
 * entitle, a member it does not name), ERR_UNKNOWN (a member claim that cannot be checked with what
 * was given), ERR_MEMORY.
 */
int evidence_open(struct evidence *evidence, const struct evidence_given *given, struct err *err);

struct evidence_file;

/* ${evidence} must outlive it. NULL if memory is gone. */
struct evidence_file *
evidence_file_new(const struct evidence *evidence, const uint8_t payload_key[static AEAD_KEY]);
void evidence_file_free(struct evidence_file *file);
/* 0; ERR_FORGED for a file longer than the payload; ERR_MEMORY. */
int evidence_file_update(struct evidence_file *file, struct view bytes, struct err *err);
/* 0; ERR_FORGED: not the file claimed, or not the payload; ERR_UNKNOWN: sha256 is not disclosed. */
int evidence_file_finish(struct evidence_file *file, struct err *err);

#endif
