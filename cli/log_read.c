/*
 * dalil log checkpoint|vkey|entries|proof|consistency: the log in C2SP formats, for other people's
 * tools.  All read only, and speak of the own log or, with --origin, of one that is mirrored here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"
#include "proto/note.h"
#include "proto/text.h"

#define PROOF_TEXT_MAX ((size_t)256 * 1024)
#define BUNDLE_STEP 256
#define BUNDLE_MAX ((size_t)BUNDLE_STEP * (RECORD_MAX + 2))

static const struct option table[] = {
    {"origin", "NAME", OPTION_PATH, "another log that is held here"},
    {.name = NULL},
};

static const struct option no_options[] = {{.name = NULL}};

/* What a reading of a log works on. */
struct reading {
	struct session *session;
	struct archive_log log;
	struct snapshot *snapshot;
};

static int
reading_init(struct reading *reading, struct session *session, const struct options *options,
    struct err *err)
{
	int code;

	*reading = (struct reading){.session = session};
	code = archive_log_named(
	    session->archive, options_text(options, "origin"), &reading->log, err);
	if (code == ERR_NONE)
		code = snapshot_begin(archive_storage(session->archive), &reading->snapshot, err);
	return code;
}

static int
print_note(struct session *session, const struct options *options, struct err *err)
{
	struct reading reading;
	struct buffer note;
	uint64_t size;
	int code = reading_init(&reading, session, options, err);

	buffer_init(&note, NOTE_MAX);
	if (code == ERR_NONE)
		code = log_checkpoint(reading.snapshot, reading.log.log.number, &note, &size, err);
	if (code == ERR_NONE)
		code = file_write_stdout(buffer_view(&note), err);
	buffer_fini(&note);
	snapshot_end(reading.snapshot);
	return code;
}

int
command_log_checkpoint(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "[--origin O]",
	    .what = "Prints the newest signed checkpoint of the log: a C2SP signed note.",
	    .options = table,
	    .example = "  dalil log checkpoint > checkpoint.txt",
	    .glossary =
	        "  checkpoint  size and root of the log, signed: it fixes everything before it",
	};

	return session_run(context, &usage, SESSION_PUBLIC, print_note, argc, argv);
}

static int
print_vkey(struct session *session, const struct options *options, struct err *err)
{
	struct archive_log log;
	int code = archive_log_named(session->archive, options_text(options, "origin"), &log, err);

	if (code == ERR_NONE)
		printf("%s\n", log.vkey);
	return code;
}

int
command_log_vkey(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "[--origin O]",
	    .what = "Prints the log's verifier key: what checks its checkpoints.",
	    .options = table,
	    .example = "  dalil log vkey",
	};

	return session_run(context, &usage, SESSION_PUBLIC, print_vkey, argc, argv);
}

static int
read_index(uint64_t *value, const char *text, struct err *err)
{
	size_t length = strlen(text);

	if (length == 0 || length > 18 || strspn(text, "0123456789") != length)
		return err_set(err, ERR_USAGE, "%s is no number", text);
	*value = strtoull(text, NULL, 10);
	return ERR_NONE;
}

static int
write_bundles(const struct reading *reading, uint64_t from, uint64_t to, struct err *err)
{
	struct buffer bundle;
	int code = ERR_NONE;

	buffer_init(&bundle, BUNDLE_MAX);
	while (code == ERR_NONE && from < to) {
		uint64_t end = to - from > BUNDLE_STEP ? from + BUNDLE_STEP : to;

		buffer_clear(&bundle);
		code =
		    log_bundle(reading->snapshot, &bundle, reading->log.log.number, from, end, err);
		if (code == ERR_NONE)
			code = file_write_stdout(buffer_view(&bundle), err);
		from = end;
	}
	buffer_fini(&bundle);
	return code;
}

static int
print_entries(struct session *session, const struct options *options, struct err *err)
{
	struct reading reading;
	uint64_t from = 0;
	uint64_t to = 0;
	int code = reading_init(&reading, session, options, err);

	if (code == ERR_NONE)
		to = reading.log.signed_size;
	if (code == ERR_NONE && options->word_count > 0)
		code = read_index(&from, options->words[0], err);
	if (code == ERR_NONE && options->word_count > 1)
		code = read_index(&to, options->words[1], err);
	if (code == ERR_NONE && (from > to || to > reading.log.signed_size))
		code = err_set(err, ERR_USAGE,
		    "the newest checkpoint covers records 0 to %llu: FROM and TO must lie within",
		    (unsigned long long)reading.log.signed_size);
	if (code == ERR_NONE && isatty(STDOUT_FILENO) == 1)
		code = err_set(err, ERR_USAGE, "entries are binary: send them to a file or a pipe");
	if (code == ERR_NONE)
		code = write_bundles(&reading, from, to, err);
	snapshot_end(reading.snapshot);
	return code;
}

int
command_log_entries(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "[FROM [TO]] [--origin O]",
	    .what =
	        "Writes records FROM up to but not with TO as a C2SP entry bundle: each a length\n"
	        "of two bytes and the record. Without FROM and TO all up to the newest checkpoint.",
	    .options = table,
	    .example = "  dalil log entries 0 256 > bundle",
	    .most = 2,
	};

	return session_run(context, &usage, SESSION_PUBLIC, print_entries, argc, argv);
}

static int
print_proof(struct session *session, const struct options *options, struct err *err)
{
	struct storage_place place;
	struct snapshot *snapshot = NULL;
	struct buffer proof;
	uint8_t id[HASH_SIZE];
	int code = archive_find(session->archive, view_text(options->words[0]), &place, id, err);

	buffer_init(&proof, PROOF_TEXT_MAX);
	if (code == ERR_NONE)
		code = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (code == ERR_NONE)
		code = log_prove(snapshot, &proof, place.log, place.index, err);
	if (code == ERR_NONE)
		code = file_write_stdout(buffer_view(&proof), err);
	snapshot_end(snapshot);
	buffer_fini(&proof);
	return code;
}

int
command_log_proof(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "ID",
	    .what = "Prints a C2SP tlog-proof: that the record stands in the log, at which index, "
	            "under\n"
	            "the newest checkpoint.",
	    .options = no_options,
	    .example = "  dalil log proof 3f9a01c2 > record.tlog-proof",
	    .least = 1,
	    .most = 1,
	};

	return session_run(context, &usage, SESSION_PUBLIC, print_proof, argc, argv);
}

static int
print_consistency(struct session *session, const struct options *options, struct err *err)
{
	struct tree_proof proof;
	struct reading reading;
	uint64_t from = 0;
	uint64_t to = 0;
	unsigned i;
	int code = reading_init(&reading, session, options, err);

	if (code == ERR_NONE)
		code = read_index(&from, options->words[0], err);
	if (code == ERR_NONE)
		code = read_index(&to, options->words[1], err);
	if (code == ERR_NONE)
		code = log_prove_consistency(
		    reading.snapshot, &proof, reading.log.log.number, from, to, err);
	for (i = 0; code == ERR_NONE && i < proof.count; i++) {
		struct buffer line;

		buffer_init(&line, 64);
		text_base64(&line, TEXT_BASE64_PADDED, view_of(proof.hashes[i], HASH_SIZE));
		printf("%.*s\n", (int)line.size, (const char *)line.data);
		buffer_fini(&line);
	}
	snapshot_end(reading.snapshot);
	return code;
}

int
command_log_consistency(struct context *context, int argc, char **argv)
{
	static const struct usage usage = {
	    .arguments = "M N [--origin O]",
	    .what = "Prints the proof that the log of size M is the beginning of the log of size "
	            "N: one\n"
	            "base64 hash a line (RFC 6962).",
	    .options = table,
	    .example = "  dalil log consistency 100 256",
	    .least = 2,
	    .most = 2,
	};

	return session_run(context, &usage, SESSION_PUBLIC, print_consistency, argc, argv);
}
