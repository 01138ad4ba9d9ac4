/*
 * Taking statements of any organisation: judged, kept, and those of the own charter written into
 * the own log (design 5.2, 5.5).
 */
#include <sodium.h>
#include <string.h>

#include "node/archive_internal.h"
#include "proto/statement_file.h"

/* The organisation whose charter is being fed, kept from one statement to the next. */
struct taking {
	struct archive *archive;
	struct batch *batch;
	uint8_t *secret; /* record key; NULL where it is locked */
	uint8_t organisation[HASH_SIZE];
	struct charter *charter;
	unsigned taken;    /* statements that were not here */
	unsigned appended; /* records to the own log */
	bool own;          /* one of the own charter was among them */
	bool disputed;     /* one competes with another that is here */
	uint64_t disputed_seq;
};

static int
begin_charter(struct taking *taking, struct err *err)
{
	charter_free(taking->charter);
	taking->charter = charter_new();
	return taking->charter != NULL ? 0 : err_set(err, ERR_MEMORY, "no memory for a charter");
}

static bool
continues(const struct charter *charter, const struct statement *statement)
{
	const uint8_t *hash = charter_hash(charter, statement->seq - 1);

	return hash != NULL && memcmp(hash, statement->previous, HASH_SIZE) == 0;
}

/* Load the charter that ${statement} continues: by hash of the one before it. */
static int
find_charter(struct taking *taking, const struct statement *statement, struct err *err)
{
	struct snapshot *snapshot = batch_snapshot(taking->batch);
	uint8_t at[HASH_SIZE] = {0};
	int code;

	if (taking->charter != NULL && statement->seq > 0 && continues(taking->charter, statement))
		return 0;
	if ((code = begin_charter(taking, err)) != 0)
		return code;
	if (statement->seq == 0) {
		memcpy(taking->organisation, statement->hash, HASH_SIZE);
		code = archive_charter_load(snapshot, taking->charter, statement->hash, NULL);
		return code == ERR_NOT_FOUND ? 0 : code;
	}
	while ((code = snapshot_organisation_next(snapshot, at, err)) == 0) {
		if ((code = begin_charter(taking, err)) != 0)
			return code;
		if (archive_charter_load(snapshot, taking->charter, at, NULL) == 0 &&
		    continues(taking->charter, statement)) {
			memcpy(taking->organisation, at, HASH_SIZE);
			return 0;
		}
	}
	if (code != ERR_NOT_FOUND)
		return code;
	return err_set(err, ERR_UNKNOWN,
	    "the statements before this one are not here: take the whole charter first");
}

/* ---- the own log ---- */

static int
append_statement(struct taking *taking, struct view statement, struct err *err)
{
	struct buffer body;
	int code;

	if (taking->secret == NULL)
		return err_set(err, ERR_LOCKED,
		    "statements of the own charter go into the own log: unlock its keys");
	buffer_init(&body, RECORD_MAX);
	charter_record_pack(&body, statement);
	code = body.err != 0 ?
	           err_set(err, (enum err_code)body.err, "a statement too large for a record") :
	           archive_append_signed(taking->archive, taking->batch, taking->secret,
	               RECORD_CHARTER, buffer_view(&body), NULL, 0, NULL, err);
	buffer_fini(&body);
	taking->appended += code == 0;
	return code;
}

/* The number of the first statement that the own log lacks. */
static int
first_lacking(struct taking *taking, uint64_t *seq, struct err *err)
{
	struct snapshot *snapshot = batch_snapshot(taking->batch);
	struct storage_place place = {.log = taking->archive->self.number};
	struct storage_entry entry;
	struct statement statement;
	struct record record;
	struct buffer bytes;
	int code;

	*seq = 0;
	code = snapshot_kind_last(snapshot, &place.index, place.log, RECORD_CHARTER, err);
	if (code != 0)
		return code == ERR_NOT_FOUND ? 0 : code;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	code = snapshot_entry(snapshot, &entry, &bytes, place, err);
	if (code == 0)
		code = record_parse(&record, entry.record, err);
	if (code == 0)
		code = statement_parse(&statement, record.as.charter.statement, err);
	if (code == 0)
		*seq = statement.seq + 1;
	buffer_fini(&bytes);
	return code;
}

/*
 * Write into the own log every accepted statement that it lacks, in their order: also those that
 * came from peers meanwhile, for a reader of the log judges it by what stands in it alone.
 */
static int
catch_up(struct taking *taking, struct err *err)
{
	struct snapshot *snapshot = batch_snapshot(taking->batch);
	struct charter *charter = charter_new();
	uint64_t cursor = STORAGE_START, seq = 0;
	enum charter_verdict verdict;
	struct buffer bytes;
	int code = charter == NULL ? err_set(err, ERR_MEMORY, "no memory for a charter") :
	                             first_lacking(taking, &seq, err);

	buffer_init(&bytes, STORAGE_BYTES_MAX);
	while (code == 0 && (code = snapshot_statement_next(snapshot, &bytes, &cursor,
	                         taking->archive->self.organisation, err)) == 0) {
		code = charter_feed(charter, buffer_view(&bytes), &verdict, err);
		if (code == 0 && verdict == CHARTER_ACCEPTED && charter_count(charter) > seq)
			code = append_statement(taking, buffer_view(&bytes), err);
	}
	buffer_fini(&bytes);
	charter_free(charter);
	return code == ERR_NOT_FOUND ? 0 : code;
}

/* With the own enrol the own log begins; then it is kept up with the own charter. */
static int
write_own_log(struct taking *taking, struct err *err)
{
	struct archive *archive = taking->archive;
	int code;

	if (!archive->self.enrolled) {
		if (charter_node_of_log(taking->charter, archive->self.log) == NULL)
			return 0;
		code = batch_log(taking->batch, &archive->self.number,
		    view_text(archive->self.vkey), archive->self.organisation, err);
		if (code != 0)
			return code;
		archive->self.enrolled = true;
	}
	return catch_up(taking, err);
}

/* ---- a file of statements ---- */

/* Is that statement among those kept for the organisation, disputed ones too? */
static int
is_kept(struct taking *taking, const uint8_t hash[static HASH_SIZE], bool *kept, struct err *err)
{
	struct snapshot *snapshot = batch_snapshot(taking->batch);
	uint64_t cursor = STORAGE_START;
	struct statement statement;
	struct buffer bytes;
	int code;

	*kept = false;
	buffer_init(&bytes, STORAGE_BYTES_MAX);
	while (!*kept && (code = snapshot_statement_next(
	                      snapshot, &bytes, &cursor, taking->organisation, err)) == 0)
		*kept = statement_parse(&statement, buffer_view(&bytes), NULL) == 0 &&
		        memcmp(statement.hash, hash, HASH_SIZE) == 0;
	buffer_fini(&bytes);
	return *kept || code == ERR_NOT_FOUND ? 0 : code;
}

static int
take_statement(struct taking *taking, struct view bytes, struct err *err)
{
	enum charter_verdict verdict;
	struct statement statement;
	bool kept = false, own;
	int code = statement_parse(&statement, bytes, err);

	if (code == 0)
		code = find_charter(taking, &statement, err);
	if (code == 0)
		code = charter_judge(taking->charter, &statement, &verdict, err);
	if (code == 0 && verdict == CHARTER_DISPUTED) {
		taking->disputed = true;
		taking->disputed_seq = statement.seq;
		code = is_kept(taking, statement.hash, &kept, err);
	}
	if (code != 0)
		return code;
	if (verdict != CHARTER_KNOWN && !kept) {
		code = batch_statement(taking->batch, taking->organisation, bytes, err);
		if (code != 0)
			return code;
		taking->taken++;
	}
	own = memcmp(taking->organisation, taking->archive->self.organisation, HASH_SIZE) == 0;
	taking->own = taking->own || own;
	/* The own log begins at the own enrol, not after what the file says further on. */
	return own && verdict == CHARTER_ACCEPTED && !taking->archive->self.enrolled ?
	           write_own_log(taking, err) :
	           0;
}

/* Statements one by one into the open batch; the first that is refused ends it. */
static int
take_file(struct taking *taking, struct view file, struct err *err)
{
	struct buffer statement;
	struct err own = {0};
	int code, written;

	buffer_init(&statement, STATEMENT_MAX + 4);
	while ((code = statement_file_next(&file, &statement, err)) == 1) {
		code = take_statement(taking, buffer_view(&statement), err);
		if (code != 0)
			break;
	}
	buffer_fini(&statement);
	if (taking->own && taking->archive->self.enrolled && code != ERR_LOCKED) {
		written = catch_up(taking, code == 0 ? err : &own);
		code = code == 0 || written == ERR_LOCKED ? written : code;
		if (written == ERR_LOCKED && err != NULL && own.code != 0)
			*err = own;
	}
	return code;
}

/* What stood before the refused one stands: each file is one batch, and a refusal commits the rest. */
static int
take_and_commit(struct taking *taking, struct view file, struct err *err)
{
	struct archive_self before = taking->archive->self;
	int committed, code = batch_begin(taking->archive->storage, &taking->batch, err);

	if (code != 0)
		return code;
	code = take_file(taking, file, err);
	if (taking->taken + taking->appended == 0 || code == ERR_LOCKED) {
		batch_abort(taking->batch);
		taking->archive->self = before;
		taking->taken = 0;
		return code;
	}
	committed = batch_commit(taking->batch, code == 0 ? err : NULL);
	if (committed != 0)
		taking->archive->self = before;
	return code == 0 ? committed : code;
}

int
archive_charter_apply(
    struct archive *archive, struct view file, unsigned *accepted, struct err *err)
{
	struct taking taking = {.archive = archive, .secret = sodium_malloc(RECORD_SECRET)};
	int code;

	if (taking.secret != NULL && archive_record_secret(archive, taking.secret, NULL) != 0) {
		sodium_free(taking.secret);
		taking.secret = NULL;
	}
	code = take_and_commit(&taking, file, err);
	if (code == 0 && taking.disputed)
		code = err_set(err, ERR_REFUSED,
		    "statement %llu competes with another of that number: both are kept, the one "
		    "that "
		    "was here first counts, and the organisation must be asked (design 5.5)",
		    (unsigned long long)taking.disputed_seq);
	*accepted = taking.taken;
	charter_free(taking.charter);
	sodium_free(taking.secret);
	return code;
}
