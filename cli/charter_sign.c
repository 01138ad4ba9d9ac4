/* dalil charter sign: root keys' signatures on a statement that waits for them, wherever they lie. */
#include <limits.h>
#include <stdio.h>

#include "cli/options.h"
#include "cli/report.h"
#include "cli/request.h"
#include "cli/session.h"
#include "proto/key.h"

static const struct option options_table[] = {
    {"org-key", "FILE", OPTION_WORDS, "a root key (or, for a rotate, a next key); may be repeated"},
    {"o", "FILE", OPTION_PATH, "write there instead of to standard output"},
    {"force", NULL, OPTION_FLAG, "overwrite FILE"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "REQUEST... --org-key FILE... [-o FILE]",
    .what =
        "Shows what a statement says, and signs it with root keys. It needs no store: root keys\n"
        "may lie on a machine of their own. Copies of one statement that were signed apart are\n"
        "merged. Where the charter is here, keys that may not sign it are refused.",
    .options = options_table,
    .example = "  dalil charter sign node-two.request --org-key root.key -o signed",
    .glossary = "  REQUEST   a statement that still wants signatures: of `init --join`, or of a\n"
                "            charter command without enough root keys\n"
                "  root key  signs statements of the charter; lies outside every store",
    .least = 1,
    .most = 32,
};

/* Add what the file ${path} holds to ${held}, which is empty at first. */
static int
merge_file(struct buffer *held, const char *path, struct err *err)
{
	struct statement first, second;
	struct buffer read, merged;
	int code;

	buffer_init(&read, STATEMENT_MAX + 4);
	buffer_init(&merged, STATEMENT_MAX);
	code = request_read(&read, path, err);
	if (code == 0)
		code = statement_parse(&second, buffer_view(&read), err);
	if (code == 0 && held->size > 0) {
		code = statement_parse(&first, buffer_view(held), err);
		if (code == 0)
			code = statement_merge(&merged, &first, &second, err);
	} else if (code == 0) {
		buffer_append(&merged, read.data, read.size);
	}
	if (code == 0) {
		buffer_clear(held);
		buffer_append(held, merged.data, merged.size);
		code = held->err;
	}
	buffer_fini(&read);
	buffer_fini(&merged);
	return code;
}

/* The charter that the statement continues, if a store is here that holds it; else NULL. */
static struct charter *
find_charter(const struct context *context, const struct statement *statement)
{
	struct charter *charter = NULL;
	struct archive *archive = NULL;
	struct archive_self self;
	const uint8_t *before;
	char path[PATH_MAX];

	if (statement->seq == 0 || session_path(path, context, NULL) != 0 ||
	    archive_open(&archive, path, NULL) != 0)
		return NULL;
	archive_self(archive, &self);
	if (archive_charter(archive, self.organisation, &charter, NULL) == 0) {
		before = charter_hash(charter, statement->seq - 1);
		if (before == NULL || memcmp(before, statement->previous, HASH_SIZE) != 0) {
			charter_free(charter);
			charter = NULL;
		}
	}
	archive_close(archive);
	return charter;
}

/* A second statement of a number splits the charter: where that shows, it is not signed. */
static int
check_place(const struct charter *charter, const struct statement *statement, struct err *err)
{
	const uint8_t *there = charter == NULL ? NULL : charter_hash(charter, statement->seq);

	if (there == NULL || memcmp(there, statement->hash, HASH_SIZE) == 0)
		return 0;
	return err_set(err, ERR_REFUSED,
	    "the charter here has another statement of that number: to sign this one would split "
	    "it; have it made anew");
}

static int
sign_one(struct buffer *held, const struct charter *charter, const uint8_t *seed, struct err *err)
{
	struct statement statement;
	uint8_t key[KEY_SIZE];
	struct buffer signed_too;
	int code = statement_parse(&statement, buffer_view(held), err);

	if (code != 0)
		return code;
	key_ed25519_public(key, seed);
	if (charter != NULL && !charter_may_sign(charter, &statement, key))
		return err_set(
		    err, ERR_REFUSED, "this key may not sign that statement (design 5.5)");
	buffer_init(&signed_too, STATEMENT_MAX);
	code = statement_sign(&signed_too, &statement, seed, err);
	if (code == 0) {
		buffer_clear(held);
		buffer_append(held, signed_too.data, signed_too.size);
		code = held->err;
	}
	buffer_fini(&signed_too);
	return code;
}

static int
sign_all(struct context *context, const struct options *options, struct buffer *held,
    const struct charter *charter, struct err *err)
{
	struct session_roots roots = {0};
	unsigned i;
	int code = session_roots(&roots, context, options, "org-key", err);

	if (code == 0 && roots.count == 0 && options->word_count < 2)
		code = err_set(err, ERR_USAGE, "with which key? give --org-key FILE");
	for (i = 0; i < roots.count && code == 0; i++)
		code = sign_one(held, charter, roots.seeds[i], err);
	session_roots_fini(&roots);
	return code;
}

static int
run(struct context *context, const struct options *options, struct err *err)
{
	unsigned wants = REQUEST_UNKNOWN;
	struct charter *charter = NULL;
	struct statement statement;
	struct buffer held;
	int code = 0;
	size_t i;

	buffer_init(&held, STATEMENT_MAX);
	for (i = 0; i < options->word_count && code == 0; i++)
		code = merge_file(&held, options->words[i], err);
	if (code == 0)
		code = statement_parse(&statement, buffer_view(&held), err);
	if (code == 0) {
		request_tell(context, &statement);
		charter = find_charter(context, &statement);
		code = check_place(charter, &statement, err);
	}
	if (code == 0)
		code = sign_all(context, options, &held, charter, err);
	if (code == 0)
		code = statement_parse(&statement, buffer_view(&held), err);
	if (code == 0 && charter != NULL)
		wants = charter_wants(charter, &statement);
	if (code == 0)
		code = request_write(context, options_text(options, "o"),
		    options_has(options, "force"), buffer_view(&held), wants, err);
	charter_free(charter);
	buffer_fini(&held);
	return code;
}

int
command_charter_sign(struct context *context, int argc, char **argv)
{
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    run(context, &options, &err) != 0)
		report_failure(context, &err, session_advice(err.code));
	options_fini(&options);
	return report_exit(context);
}
