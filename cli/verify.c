/* dalil verify: are the exhibits here what they claim to be; which exhibit is a file on disk. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/exhibit.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "proto/hash.h"
#include "proto/text.h"

static const struct option table[] = {
    {"all", NULL, OPTION_FLAG, "every exhibit, every log, and the index"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "ID... | --all | FILE",
    .what = "Checks exhibits: record, signature, charter, place in the signed log, every part and\n"
            "every piece of the payload, and, where it can be read here, the file against its\n"
            "claims. With a FILE instead: says which exhibit it is, byte for byte.\n"
            "Exit 1 if something is damaged or missing.",
    .options = table,
    .example = "  dalil verify --all\n  dalil verify 3f9a01c2\n  dalil verify ./letter.pdf",
    .glossary = "  ciphertext only  no key here opens it: the sealed bytes were checked, and\n"
                "                   they are those that were deposited",
    .most = 1000000,
};

struct verifying {
	struct context *context;
	struct progress *meter;
};

static const char *
result_name(enum verify_result result)
{
	switch (result) {
	case VERIFY_INTACT:
		return "intact";
	case VERIFY_DAMAGED:
		return "damaged";
	case VERIFY_MISSING:
		return "missing";
	}
	return "";
}

static void
done(void *cookie, const struct verify_exhibit *exhibit)
{
	struct verifying *verifying = cookie;
	char hex[2 * HASH_SIZE + 1];
	unsigned i;

	text_hex(hex, view_of(exhibit->id, HASH_SIZE));
	if (verifying->context->globals.json) {
		json_t *object = json_object();
		json_t *problems = json_array();

		output_set_text(object, "record", view_text(hex));
		output_set_text(object, "result", view_text(result_name(exhibit->result)));
		for (i = 0; i < exhibit->problem_count; i++)
			(void)json_array_append_new(problems, json_string(exhibit->problems[i]));
		(void)json_object_set_new(object, "problems", problems);
		output_json(object);
		return;
	}
	if (exhibit->result == VERIFY_INTACT && exhibit->problem_count == 0)
		return;
	printf("%.16s  %-7s  ", hex, result_name(exhibit->result));
	output_text(exhibit->name);
	printf("\n");
	for (i = 0; i < exhibit->problem_count; i++) {
		printf("                  ");
		output_text(view_text(exhibit->problems[i]));
		printf("\n");
	}
}

static void
found(void *cookie, const char *problem)
{
	struct verifying *verifying = cookie;

	report_warning(verifying->context, "%s", problem);
}

static void
show_progress(void *cookie, uint64_t bytes, uint64_t all)
{
	struct verifying *verifying = cookie;

	progress_show(verifying->meter, bytes, all, "B");
}

static void
print_summary(const struct context *context, const struct verify_summary *summary)
{
	if (context->globals.json) {
		json_t *object = json_object();

		output_set_uint(object, "exhibits", summary->exhibits);
		output_set_uint(object, "intact", summary->intact);
		output_set_uint(object, "damaged", summary->damaged);
		output_set_uint(object, "missing", summary->missing);
		output_set_uint(object, "ciphertext_only", summary->ciphertext_only);
		output_json(object);
		return;
	}
	printf("%" PRIu64 " exhibits: %" PRIu64 " intact, %" PRIu64 " damaged, %" PRIu64 " missing",
	    summary->exhibits, summary->intact, summary->damaged, summary->missing);
	if (summary->ciphertext_only > 0)
		printf(" (%" PRIu64 " of the intact checked as ciphertext only)",
		    summary->ciphertext_only);
	printf("\n");
}

static int
verify_places(
    struct session *session, const struct storage_place *places, size_t count, struct err *err)
{
	struct verifying verifying = {.context = session->context};
	struct verify_options options = {
	    .done = done, .found = found, .progress = show_progress, .cookie = &verifying};
	struct verify_summary summary = {0};
	int code;

	verifying.meter = progress_new("Verifying", session->context->globals.quiet);
	code = archive_verify(session->archive, places, count,
	    (const uint8_t *const *)session->identities, session->identity_count, &options,
	    &summary, err);
	progress_free(verifying.meter);
	if (code != ERR_NONE)
		return code;
	print_summary(session->context, &summary);
	/* A damaged key file was named when the store was opened. */
	if (summary.damaged > 0 || summary.missing > 0 || summary.other_problems > 0 ||
	    keys_damage(archive_keys(session->archive), NULL) != 0)
		report_worst(session->context, EXIT_CHECK);
	return ERR_NONE;
}

/* Found what was named; what was not found is told, and the rest is still verified. */
static int
verify_named(struct session *session, const struct options *options, struct err *err)
{
	struct storage_place *places = calloc(options->word_count, sizeof(*places));
	uint8_t id[HASH_SIZE];
	size_t count = 0;
	size_t i;
	int code = ERR_NONE;

	if (places == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	for (i = 0; i < options->word_count; i++) {
		struct err missing = {0};

		if (archive_find(session->archive, view_text(options->words[i]), &places[count], id,
		        &missing) == ERR_NONE)
			count++;
		else
			report_failure(session->context, &missing, NULL);
	}
	if (count > 0)
		code = verify_places(session, places, count, err);
	free(places);
	return code;
}

static int
hash_file(uint8_t digest[static HASH_SIZE], const char *path, struct err *err)
{
	FILE *file = fopen(path, "rbe");
	struct hash *hash = hash_new();
	uint8_t bytes[65536];
	int code = ERR_NONE;
	size_t got;

	if (file == NULL || hash == NULL) {
		code = err_system(err, errno, "cannot read %s", path);
	} else {
		while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
			hash_update(hash, view_of(bytes, got));
		hash_finish(hash, digest);
		if (ferror(file))
			code = err_set(err, ERR_IO, "cannot read %s", path);
	}
	hash_free(hash);
	if (file != NULL)
		(void)fclose(file);
	return code;
}

static void
tell_match(struct context *context, const struct archive_match *match)
{
	char hex[2 * HASH_SIZE + 1];

	if (match->found) {
		text_hex(hex, view_of(match->id, HASH_SIZE));
		printf("%s\n", hex);
		return;
	}
	report_say(context, "It is none of the %" PRIu64 " exhibits that can be compared here.",
	    match->compared);
	if (match->closed > 0)
		report_say(context, "%" PRIu64 " more cannot be compared: no key here opens them.",
		    match->closed);
	report_worst(context, match->closed > 0 ? EXIT_LOCKED : EXIT_NOT_FOUND);
}

static int
verify_file(struct session *session, const char *path, struct err *err)
{
	struct archive_reader *reader;
	struct archive_match match = {0};
	uint8_t digest[HASH_SIZE];
	int code = hash_file(digest, path, err);

	if (code != ERR_NONE)
		return code;
	code = archive_reader_new(&reader, session->archive,
	    (const uint8_t *const *)session->identities, session->identity_count, err);
	if (code != ERR_NONE)
		return code;
	code = archive_which(reader, digest, &match, err);
	archive_reader_free(reader);
	if (code == ERR_NONE)
		tell_match(session->context, &match);
	return code;
}

/* Eight and more hex digits are an id, unless only a file is called so. */
static bool
is_id(struct session *session, const char *word)
{
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	size_t length = strlen(word);

	if (length < ARCHIVE_ID_MIN || strspn(word, "0123456789abcdef") != length)
		return false;
	return access(word, F_OK) != 0 ||
	       archive_find(session->archive, view_text(word), &place, id, NULL) == ERR_NONE;
}

static int
run(struct session *session, const struct options *options, struct err *err)
{
	if (options_has(options, "all"))
		return verify_places(session, NULL, 0, err);
	if (options->word_count == 1 && !is_id(session, options->words[0]))
		return verify_file(session, options->words[0], err);
	return verify_named(session, options, err);
}

int
command_verify(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0) {
		if (options_has(&options, "all") == (options.word_count > 0))
			(void)report_usage(context, "name exhibits or a file, or say --all");
		else if (session_open(&session, context, SESSION_READ) == 0) {
			if (run(&session, &options, &err) != ERR_NONE)
				report_failure(context, &err, session_advice(err.code));
			session_close(&session);
		}
	}
	options_fini(&options);
	return report_exit(context);
}
