/*
 * dalil add: deposits files.  This file is the command: its options, the run, the results and what is
 * said at the end; what is known of each file is gathered by add_file.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/add.h"
#include "cli/file.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "proto/text.h"

static const struct option table[] = {
    {"recursive", NULL, OPTION_FLAG, "deposit what is in a directory, at any depth"},
    {"manifest", "CSV", OPTION_PATH, "a table of files and what is known of each"},
    {"name", "NAME", OPTION_PATH, "the name of what standard input (-) brings"},
    {"title", "TEXT", OPTION_TEXTS, "what it is called"},
    {"type", "TEXT", OPTION_TEXT, "testimony, letter, photograph, court-file ..."},
    {"case", "TEXT", OPTION_TEXTS, "the case it belongs to"},
    {"captured", "WHEN", OPTION_TEXT, "2017, 2017-11, 2017-11-01, or a time with its offset"},
    {"place", "TEXT", OPTION_TEXTS, "where"},
    {"language", "TEXT", OPTION_TEXTS, "in which language: uz, ru, kk ..."},
    {"source", "@FILE", OPTION_SENSITIVE, "who gave it: for the vault only; @FILE or -"},
    {"note", "@FILE", OPTION_SENSITIVE, "a note; @FILE or -"},
    {"field", "NAME=VALUE", OPTION_FIELD, "any other field"},
    {"vault", "NAME=@FILE", OPTION_SENSITIVE_FIELD, "a field that only we can read"},
    {"open", "NAME,...", OPTION_OPTIONAL, "publish the file, the usual fields and those named"},
    {"to", "WHO", OPTION_WORDS, "a reader: age1..., or a paired organisation"},
    {"link", "RELATION:ID", OPTION_WORDS, "translation-of:ID, attachment-of:ID ..."},
    {"exclude", "GLOB", OPTION_WORDS, "pass over names that match"},
    {"dry-run", NULL, OPTION_FLAG, "store nothing; show who would see what"},
    {"as-is", NULL, OPTION_FLAG, "with --open: also images, with whatever is inside them"},
    {"again", NULL, OPTION_FLAG, "store a file that is here already once more"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "PATH... [options]",
    .what = "Deposits files: each is encrypted, recorded in this node's log, and durable on disk\n"
            "before its line appears: RECORD-ID  SHA256  PATH. Files are sealed for this\n"
            "organisation and those named with --to, unless --open publishes them.",
    .options = table,
    .example = "  dalil add tape.wav --title \"Meeting, 1 November\" --captured 2017-11-01 \\\n"
               "      --case uz-cotton --source @who.txt --to age1...\n"
               "  dalil add --manifest papers/manifest.csv",
    .glossary = "  sealed  only we and the readers named can open it; replicas cannot\n"
                "  open    anybody who gets a copy can read it\n"
                "  vault   what only this organisation can read",
    .most = 1000000,
};

static void
progress(void *cookie, uint64_t bytes, uint64_t files)
{
	struct add *add = cookie;

	(void)files;
	progress_show(add->meter, bytes, 0, "B");
}

static void
print_deposited(struct add *add, const struct deposit_result *result)
{
	char sha256[2 * HASH_SIZE + 1];
	char id[2 * HASH_SIZE + 1];

	text_hex(id, view_of(result->id, HASH_SIZE));
	text_hex(sha256, view_of(result->sha256, HASH_SIZE));
	if (add->context->globals.json) {
		json_t *object = json_object();

		output_set_text(object, "record", view_text(id));
		output_set_text(object, "sha256", view_text(sha256));
		output_set_uint(object, "size", result->size);
		output_set_text(object, "path", view_text(result->path));
		output_set_text(object, "origin", view_text(add->session.self.origin));
		output_set_uint(object, "index", result->index);
		(void)json_object_set_new(object, "already", json_boolean(result->already));
		output_json(object);
	} else {
		printf("%s  %s  ", id, sha256);
		output_text(view_text(result->path));
		printf("\n");
	}
	/* Acknowledged means seen: a script reads the line while the next file is on its way. */
	(void)fflush(stdout);
}

static void
done(void *cookie, const struct deposit_result *result)
{
	struct add *add = cookie;
	struct err err;

	if (result->code != ERR_NONE) {
		err = *result->err;
		if (strstr(err.text, result->path) == NULL)
			(void)err_wrap(&err, "%s", result->path);
		report_failure(add->context, &err, session_advice(err.code));
		add->refused++;
		return;
	}
	if (add->dry_run) {
		add_show_dry(add, result);
		return;
	}
	print_deposited(add, result);
	if (result->already) {
		add->already++;
		report_say(add->context,
		    "%s: already here; the options given now were not applied%s", result->path,
		    " (dalil add --again stores it once more)");
		return;
	}
	add->bytes += result->size;
	if (result->open)
		add->open++;
	else
		add->sealed++;
	if (result->reader_count > 0)
		add->granted++;
}

static void
say_summary(struct add *add)
{
	struct context *context = add->context;

	if (add->dry_run) {
		report_say(context, "Nothing was stored (--dry-run).");
		return;
	}
	report_say(context,
	    "Deposited: %" PRIu64 " open, %" PRIu64 " sealed%s; %" PRIu64
	    " were here already; %" PRIu64 " refused.",
	    add->open, add->sealed,
	    add->granted > 0 ? " (with readers beside this organisation)" : "", add->already,
	    add->refused);
	if (!add->compared)
		report_say(context, "Not compared with what is here: the vault's key is not open.");
	if (add->open + add->sealed == 0)
		return;
	session_sign_if_alone(&add->session);
	report_say(context, "The originals are still readable where they were.");
}

static int
start_run(struct add *add, struct err *err)
{
	struct deposit_options options = {.again = options_has(&add->options, "again"),
	    .dry_run = add->dry_run,
	    .share = (const uint8_t(*)[HASH_SIZE])add->share,
	    .share_count = add->share_count,
	    .done = done,
	    .cookie = add,
	    .progress = progress};
	int code = deposit_new(&add->run, add->session.archive, &options, err);

	if (code == ERR_NONE)
		add->compared = deposit_compares(add->run) || options.again;
	return code;
}

static int
deposit_all(struct add *add, struct err *err)
{
	const char *manifest = options_text(&add->options, "manifest");
	struct err finished = {0};
	int code = ERR_NONE;
	size_t i;
	int end;

	for (i = 0; code == ERR_NONE && i < add->options.word_count; i++)
		code = add_path(add, add->options.words[i], err);
	if (code == ERR_NONE && manifest != NULL)
		code = add_manifest(add, manifest, err);
	end = deposit_finish(add->run, &finished);
	add->run = NULL;
	/* A usage error of one path does not hide that the store was full, and the other way round. */
	if (end != ERR_NONE && code == ERR_NONE) {
		*err = finished;
		code = end;
	}
	return code;
}

static int
run(struct add *add, struct err *err)
{
	int code = add_prepare(add, err);

	if (code == ERR_NONE)
		code = start_run(add, err);
	if (code != ERR_NONE)
		return code;
	add->meter = progress_new("Depositing", add->context->globals.quiet);
	code = deposit_all(add, err);
	progress_free(add->meter);
	if (code == ERR_NONE || add->open + add->sealed + add->already > 0)
		say_summary(add);
	return code;
}

int
command_add(struct context *context, int argc, char **argv)
{
	struct add add = {.context = context};
	struct err err = {0};

	if (options_init(&add.options, context, &usage, argc, argv) == 0) {
		add.dry_run = options_has(&add.options, "dry-run");
		if (add.options.word_count == 0 && !options_has(&add.options, "manifest"))
			(void)report_usage(
			    context, "which files? Name them, or give --manifest CSV");
		else if (session_open(&add.session, context, SESSION_SIGN) == 0) {
			if (run(&add, &err) != ERR_NONE)
				report_failure(context, &err, session_advice(err.code));
			add_fini(&add);
			session_close(&add.session);
		}
	}
	options_fini(&add.options);
	return report_exit(context);
}
