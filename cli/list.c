/* dalil list: the exhibits held here, newest last. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/exhibit.h"
#include "cli/options.h"
#include "cli/report.h"
#include "proto/when.h"

static const struct option table[] = {
    {"case", "NAME", OPTION_TEXT, "only those of this case"},
    {"type", "TYPE", OPTION_TEXT, "only those of this type"},
    {"org", "NAME", OPTION_TEXT, "only those of this organisation (name or id)"},
    {"since", "WHEN", OPTION_PATH, "deposited at or after"},
    {"until", "WHEN", OPTION_PATH, "deposited at or before"},
    {"limit", "N", OPTION_NUMBER, "only the newest N"},
    {"at-risk", NULL, OPTION_FLAG, "only those with fewer copies than wanted; exit 1 if any"},
    {.name = NULL},
};

static const struct usage usage = {
    .arguments = "[--case C] [--type T] [--org NAME] [--since T] [--until T] [--limit N] "
                 "[--at-risk]",
    .what = "Lists exhibits, newest last: record id, date of deposit, open, sealed or closed, and\n"
            "what it is called. Says at the end how many could not be read here: a filter by case\n"
            "or type cannot see those.",
    .options = table,
    .example = "  dalil list --case uz-cotton --since 2017\n  dalil --json list --limit 10",
    .glossary = "  exhibit  a deposited document with its record\n"
                "  closed   held for others: no key here opens it",
};

struct listing {
	struct context *context;
	const struct options *options;
	struct exhibit_logs logs;
	bool one_organisation;
	uint8_t organisation[HASH_SIZE];
	uint64_t wanted; /* copies */
	json_t **ring;   /* the newest ones, where there is a limit */
	size_t limit;
	size_t count; /* that passed the filters */
	size_t closed;
};

static bool
passes(struct listing *listing, const struct archive_exhibit *exhibit)
{
	const char *wanted_case = options_text(listing->options, "case");
	const char *wanted_type = options_text(listing->options, "type");

	if (wanted_case != NULL &&
	    !exhibit_has_text(&exhibit->fields, FIELD_CASE, view_text(wanted_case)))
		return false;
	if (wanted_type != NULL &&
	    !exhibit_has_text(&exhibit->fields, FIELD_TYPE, view_text(wanted_type)))
		return false;
	return !options_has(listing->options, "at-risk") ||
	       exhibit_copies(exhibit) < listing->wanted;
}

static void
print_one(const struct listing *listing, json_t *object)
{
	if (listing->context->globals.json) {
		output_json(object);
	} else {
		exhibit_print_line(object);
		json_decref(object);
	}
}

static int
each(void *cookie, const struct archive_exhibit *exhibit)
{
	struct listing *listing = cookie;
	struct archive_log log;
	json_t *object;

	if (listing->one_organisation &&
	    (archive_log_at(listing->logs.archive, exhibit->place.log, &log, NULL) != ERR_NONE ||
	        memcmp(log.log.organisation, listing->organisation, HASH_SIZE) != 0))
		return ERR_NONE;
	if (exhibit->access == ARCHIVE_CLOSED)
		listing->closed++;
	if (!passes(listing, exhibit))
		return ERR_NONE;
	object = exhibit_json(&listing->logs, exhibit);
	if (object == NULL)
		return ERR_MEMORY;
	if (listing->ring == NULL) {
		print_one(listing, object);
	} else {
		json_t **slot = &listing->ring[listing->count % listing->limit];

		json_decref(*slot);
		*slot = object;
	}
	listing->count++;
	return ERR_NONE;
}

/* The ring from its oldest to its newest. */
static void
print_ring(struct listing *listing)
{
	size_t first = listing->count > listing->limit ? listing->count - listing->limit : 0;
	size_t i;

	for (i = first; i < listing->count; i++)
		print_one(listing, listing->ring[i % listing->limit]);
	free(listing->ring);
	listing->ring = NULL;
}

static int
read_when(uint64_t *bound, const char *text, bool end, struct err *err)
{
	struct captured captured;
	int64_t value;
	int code;

	if (text == NULL)
		return ERR_NONE;
	code = when_parse(&captured, view_text(text), err);
	if (code != ERR_NONE)
		return code;
	value = end ? captured.latest : captured.earliest;
	*bound = value > 0 ? (uint64_t)value : 1;
	return ERR_NONE;
}

static int
prepare(struct listing *listing, struct session *session, struct archive_filter *filter,
    struct err *err)
{
	const char *org = options_text(listing->options, "org");
	uint64_t limit = options_number(listing->options, "limit", 0);
	struct config config;
	int code = read_when(&filter->since, options_text(listing->options, "since"), false, err);

	if (code == ERR_NONE)
		code =
		    read_when(&filter->until, options_text(listing->options, "until"), true, err);
	if (code == ERR_NONE && org != NULL) {
		listing->one_organisation = true;
		code = archive_organisation(session->archive, org, listing->organisation, err);
	}
	if (code == ERR_NONE) {
		code = config_load(&config, archive_path(session->archive), err);
		listing->wanted = config.copies;
	}
	if (code == ERR_NONE && options_has(listing->options, "limit")) {
		if (limit == 0)
			return err_set(err, ERR_USAGE, "--limit takes a number above 0");
		listing->limit = limit < 10000000 ? (size_t)limit : 10000000;
		listing->ring = calloc(listing->limit, sizeof(json_t *));
		if (listing->ring == NULL)
			code =
			    err_set(err, ERR_MEMORY, "out of memory for %zu lines", listing->limit);
	}
	return code;
}

static int
run(struct listing *listing, struct session *session, struct err *err)
{
	struct archive_filter filter = {0};
	struct archive_reader *reader;
	int code = prepare(listing, session, &filter, err);

	if (code != ERR_NONE)
		return code;
	code = archive_reader_new(&reader, session->archive,
	    (const uint8_t *const *)session->identities, session->identity_count, err);
	if (code != ERR_NONE)
		return code;
	code = archive_walk(reader, &filter, each, listing, err);
	archive_reader_free(reader);
	if (listing->ring != NULL)
		print_ring(listing);
	if (code != ERR_NONE)
		return code;
	if (listing->closed > 0)
		report_say(listing->context,
		    "%zu could not be read here, and so were not searched by case or type.",
		    listing->closed);
	if (listing->count > 0 && options_has(listing->options, "at-risk"))
		report_worst(listing->context, EXIT_CHECK);
	return ERR_NONE;
}

int
command_list(struct context *context, int argc, char **argv)
{
	struct listing listing = {.context = context};
	struct session session;
	struct options options;
	struct err err = {0};

	listing.options = &options;
	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_READ) == 0) {
		listing.logs.archive = session.archive;
		if (run(&listing, &session, &err) != ERR_NONE)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
