#ifndef DALIL_NODE_ARCHIVE_H
#define DALIL_NODE_ARCHIVE_H

#include "node/archive_deposit.h"
#include "node/archive_read.h"
#include "node/archive_verify.h"
#include "node/config.h"
#include "node/keys/keys.h"
#include "node/keys/lend.h"
#include "node/keys/standalone.h"
#include "node/log/log.h"
#include "node/storage.h"
#include "proto/charter.h"
#include "proto/record.h"

/*
 * Purpose: the face of the store: found it, open it, deposit, read, verify, prove.  What a command of
 * the CLI needs stands here and in the headers above; dalild uses the same.
 *
 * struct archive is one opened store (node/storage.h), its keys (node/keys/keys.h), and who this node
 * is.  Deposits: archive_deposit.h.  Lists, fields, files: archive_read.h.  Checks: archive_verify.h.
 *
 * Errors: 0 or a negative err_code with a sentence.  ERR_LOCKED: unlock the keys first.
 * Threads: one archive may be used by several threads at once, but for opening, unlocking, charter
 * changes and closing, which are the main thread's.
 */

struct archive;

#define ARCHIVE_ID_MIN 8 /* hex digits of a prefix */
#define ARCHIVE_SEED 32  /* secrets: Ed25519 seeds */
#define ARCHIVE_TEXT 512 /* names, origins */
#define ARCHIVE_VKEY 1024

/* ---- found and open ------------------------------------------------------------------------- */

struct archive_init {
	const char *store;
	const char *node;
	const char *country;           /* two capitals, or NULL */
	const char *origin;            /* NULL: the default of design 5.4 */
	const struct view *passphrase; /* of the store; NULL: keys in the clear */
	bool deposit_only;
	uint64_t time; /* ms since 1970 */
};

/*
 * Found an organisation and its first node: statements `found`, `vault`, `enrol`, and the log that
 * begins with them.  ${root_seed} and ${next_seed} are made by the caller and written to their files,
 * outside the store, before; only the public half of the root key and the digest of the next key
 * stay here.  With deposit_only, ${vault} (a public key, whose secret the caller keeps elsewhere) is
 * needed; otherwise it is NULL and the vault's key is made in the store.
 * On return the archive is open and its keys unlocked.  ERR_EXISTS if a store is there.
 */
int archive_create(struct archive **archive, const struct archive_init *init,
    const char *organisation, const uint8_t root_seed[static ARCHIVE_SEED],
    const uint8_t next_seed[static ARCHIVE_SEED], const uint8_t *vault, struct err *err);

/*
 * A further node of an organisation, whose charter is ${charter} (a concatenation as
 * archive_charter_export gives it, or a bundle of proto/statement_file.h).  ${root_seeds}: root keys at
 * hand, may be 0.  If they suffice the node is enrolled and its log begun; else ${request}
 * (limit STATEMENT_MAX) takes the enrol statement, half signed, which archive_charter_apply takes
 * back when it is whole.  The organisation's vault key is not in the new store until `key attach`.
 */
int archive_join(struct archive **archive, const struct archive_init *init, struct view charter,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *request, struct err *err);

/* ERR_NOT_FOUND, ERR_REFUSED (another user's), ERR_VERSION, ERR_INDEX, ERR_DAMAGED. Keys locked. */
int archive_open(struct archive **archive, const char *store, struct err *err);
void archive_close(struct archive *archive); /* NULL is fine */

/* Locked at first: keys_unlock, or lend_borrow(archive_path(archive), keys). */
struct keys *archive_keys(struct archive *archive);
struct storage *archive_storage(struct archive *archive);
const char *archive_path(const struct archive *archive);

/* ---- who this node is ------------------------------------------------------------------------ */

struct archive_self {
	uint8_t organisation[HASH_SIZE];
	char organisation_name[ARCHIVE_TEXT]; /* escape before showing */
	char node[ARCHIVE_TEXT];
	char origin[ARCHIVE_TEXT];
	char vkey[ARCHIVE_VKEY];
	uint8_t log[HASH_SIZE]; /* id: SHA-256(vkey) */
	uint32_t number;        /* local number of the own log */
	bool enrolled;          /* false while `init --join` waits for its signatures: no log yet */
	bool moved;             /* the store is on another machine than it was (machine-id) */
};

void archive_self(const struct archive *archive, struct archive_self *self);
/* `log adopt`: this machine is the store's from now on. */
int archive_adopt(struct archive *archive, struct err *err);

/* One log that is held here, the own one included. */
struct archive_log {
	struct storage_log log;
	char vkey[ARCHIVE_VKEY];
	char origin[ARCHIVE_TEXT];
	char organisation_name[ARCHIVE_TEXT]; /* "" where its charter is not here */
	bool own;                             /* written by this node */
	bool own_organisation;
	uint64_t signed_size; /* of the newest checkpoint, 0 if none */
};
/* Numbers from 0; ERR_NOT_FOUND at the end. */
int
archive_log_at(struct archive *archive, uint32_t number, struct archive_log *log, struct err *err);
/* By origin or organisation name, for --origin, --org; the own log for NULL. */
int archive_log_named(
    struct archive *archive, const char *name, struct archive_log *log, struct err *err);

/* ---- charters -------------------------------------------------------------------------------- */

/* The charter of an organisation held here; the caller frees.  ERR_NOT_FOUND. */
int archive_charter(struct archive *archive, const uint8_t organisation[static HASH_SIZE],
    struct charter **charter, struct err *err);
/* Own organisation for NULL; else by name, or the hex of its id (a prefix of 8 or more). */
int archive_organisation(struct archive *archive, const char *name,
    uint8_t organisation[static HASH_SIZE], struct err *err);
/* Append all statements held, as the file that `charter apply` and `init --join` take. */
int archive_charter_export(struct archive *archive, const uint8_t organisation[static HASH_SIZE],
    struct buffer *out, struct err *err);
/*
 * Take statements (that file's form) of any organisation: judge, keep what is accepted; those of the
 * own charter go into the own log too; an own enrol begins the own log.  ${accepted}: how many were
 * new.  ERR_REFUSED and the reason if one is refused; those before it stand.
 */
int archive_charter_apply(
    struct archive *archive, struct view file, unsigned *accepted, struct err *err);
/*
 * Make the next statement of the own charter from ${draft} (kind and fields; seq, previous and time
 * are filled in) and sign it with the root seeds at hand.  If they suffice it is applied and *wants is
 * 0; else ${out} holds it half signed, and *wants says how many signatures it still needs.
 */
int archive_charter_make(struct archive *archive, const struct statement *draft, uint64_t time,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *out, unsigned *wants,
    struct err *err);

/*
 * The same with a statement that somebody else began: a request of `init --join`, or one half signed
 * (`charter enrol`, `charter sign`).  It must be the next of the own charter.
 */
int archive_charter_complete(struct archive *archive, struct view statement,
    const uint8_t *const *root_seeds, unsigned root_count, struct buffer *out, unsigned *wants,
    struct err *err);

/* ---- the own log ----------------------------------------------------------------------------- */

/*
 * Append one record of ours with its parts (share, grant ...); ${body} by its kind's pack function.
 * ${id} takes its id.
 */
int archive_append(struct archive *archive, enum record_kind kind, struct view body,
    const struct storage_part_given *parts, unsigned part_count, uint8_t id[static HASH_SIZE],
    struct err *err);
/* Append a `share`, unless the last one says the same.  Ids in any order. */
int archive_share(struct archive *archive, const uint8_t (*organisations)[HASH_SIZE],
    unsigned count, uint64_t time, struct err *err);
/*
 * Sign the own log (node/log/log.h); ${gate}: what the caller knows; its `moved` is filled in here.
 * ${note} may be NULL.
 */
int archive_sign(struct archive *archive, struct log_gate *gate, struct buffer *note,
    struct log_signed *result, struct err *err);

/* A record by a prefix of its id: ${hex} of ARCHIVE_ID_MIN or more digits.  ERR_NOT_FOUND,
 * ERR_USAGE (too short, not hex, or several records begin so: the text names them). */
int archive_find(struct archive *archive, struct view hex, struct storage_place *place,
    uint8_t id[static HASH_SIZE], struct err *err);

/*
 * Build the index anew from journal and segments (node/store/store.h): works where archive_open
 * cannot.  ${found} is told what is damaged in the journal.
 */
int archive_reindex(const char *store, void (*progress)(void *cookie, uint64_t done, uint64_t all),
    void (*found)(void *cookie, const char *problem), void *cookie, struct err *err);

/* Milliseconds since 1970, of this machine's clock. */
uint64_t archive_now(void);

#endif
