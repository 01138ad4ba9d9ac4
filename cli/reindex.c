/* dalil reindex: the index anew from journal and segments; it works where the index cannot be opened. */
#include <limits.h>

#include "cli/options.h"
#include "cli/report.h"
#include "cli/session.h"
#include "cli/terminal.h"

static const struct option table[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "",
    .what =
        "Builds the index anew from the journal and the segments, which are the truth, and puts\n"
        "it in place of the old one. Afterwards everything is answered as before. What is\n"
        "damaged in the journal is named.",
    .options = table,
    .example = "  dalil reindex",
    .glossary = "  index  a derived file that makes look-ups quick; losing it loses nothing",
};

struct reindexing {
	struct context *context;
	struct progress *meter;
};

static void
found(void *cookie, const char *problem)
{
	struct reindexing *reindexing = cookie;

	report_warning(reindexing->context, "%s", problem);
	report_worst(reindexing->context, EXIT_CHECK);
}

static void
show_progress(void *cookie, uint64_t done, uint64_t all)
{
	struct reindexing *reindexing = cookie;

	progress_show(reindexing->meter, done, all, "B");
}

int
command_reindex(struct context *context, int argc, char **argv)
{
	struct reindexing reindexing = {.context = context};
	struct options options;
	struct err err = {0};
	char path[PATH_MAX];

	if (options_init(&options, context, &usage, argc, argv) == 0) {
		reindexing.meter = progress_new("Indexing", context->globals.quiet);
		if (session_path(path, context, &err) != ERR_NONE ||
		    archive_reindex(path, show_progress, found, &reindexing, &err) != ERR_NONE)
			report_failure(context, &err, NULL);
		else
			report_say(context, "The index was built anew.");
		progress_free(reindexing.meter);
	}
	options_fini(&options);
	return report_exit(context);
}
