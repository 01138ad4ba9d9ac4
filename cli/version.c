/* dalil version: what this program is, so that a court can name it. */
#include <errno.h>
#include <stdio.h>

#include "cli/build.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "proto/hash.h"
#include "proto/text.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "",
    .what = "Prints the version, the commit it was built from, the formats it speaks, and the\n"
            "SHA-256 of the running program, to be compared with the published one.",
    .options = no_options,
    .example = "  dalil version",
};

/* The program reads its own file: what runs, not what lies where it was installed. */
static int
hash_self(char hex[static 2 * HASH_SIZE + 1], struct err *err)
{
	FILE *file = fopen("/proc/self/exe", "rbe");
	struct hash *hash = hash_new();
	uint8_t digest[HASH_SIZE];
	uint8_t bytes[16384];
	int code = ERR_NONE;
	size_t got;

	if (file == NULL || hash == NULL) {
		code = err_system(err, errno, "cannot read the program itself");
	} else {
		while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
			hash_update(hash, view_of(bytes, got));
		hash_finish(hash, digest);
		text_hex(hex, view_of(digest, HASH_SIZE));
		if (ferror(file))
			code = err_set(err, ERR_IO, "cannot read the program itself");
	}
	hash_free(hash);
	if (file != NULL)
		(void)fclose(file);
	return code;
}

static void
print_version(const struct context *context, const char *hex)
{
	json_t *object;

	if (!context->globals.json) {
		printf("dalil %s\ncommit %s\nformats dalil/1\nsha256 %s\n", BUILD_VERSION,
		    BUILD_COMMIT, hex);
		return;
	}
	object = json_object();
	output_set_text(object, "version", view_text(BUILD_VERSION));
	output_set_text(object, "commit", view_text(BUILD_COMMIT));
	output_set_text(object, "formats", view_text("dalil/1"));
	output_set_text(object, "sha256", view_text(hex));
	output_json(object);
}

int
command_version(struct context *context, int argc, char **argv)
{
	char hex[2 * HASH_SIZE + 1];
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0) {
		if (hash_self(hex, &err) == ERR_NONE)
			print_version(context, hex);
		else
			report_failure(context, &err, NULL);
	}
	options_fini(&options);
	return report_exit(context);
}
