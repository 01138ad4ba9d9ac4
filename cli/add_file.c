#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/add.h"
#include "cli/file.h"
#include "cli/report.h"
#include "cli/walk.h"

/* Options that are fields of the same name. */
static const char *const named_options[] = {
    "title", "type", "case", "captured", "place", "language", "source", "note"};

#define NAMED_COUNT (sizeof(named_options) / sizeof(named_options[0]))

/* What one row of a manifest says; no row for files that the command line names. */
struct row {
	const struct manifest *manifest;
	size_t number;
};

/* ---- what is the same for all files -------------------------------------------------------- */

/* --open=NAME,...: each a field of a deposit that is not the vault's. */
static int
read_open_names(struct add *add, const char *names, struct err *err)
{
	while (*names != '\0') {
		size_t length = strcspn(names, ",");
		int slot = field_slot(FIELD_DEPOSIT, view_of(names, length));

		if (slot < 0 || slot >= FIELD_VAULT_FIRST)
			return err_set(err, ERR_USAGE,
			    "--open: %.*s is no field that can be published", (int)length, names);
		add->open_slots |= UINT64_C(1) << slot;
		names += length + (names[length] == ',' ? 1 : 0);
	}
	return ERR_NONE;
}

static int
add_reader(uint8_t (**readers)[HASH_SIZE], unsigned *count, struct session *session,
    struct view who, struct err *err)
{
	uint8_t(*grown)[HASH_SIZE];

	if (*count == DEPOSIT_READERS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d readers", DEPOSIT_READERS_MAX);
	grown = reallocarray(*readers, *count + 1, sizeof(**readers));
	if (grown == NULL)
		return err_set(err, ERR_MEMORY, "out of memory for the readers");
	*readers = grown;
	return reader_of(session, grown[(*count)++], who, err);
}

/* The log's first `share` names every organisation paired without --no-share. */
static int
read_share(struct add *add, struct err *err)
{
	struct peer_cursor cursor = {0};
	struct snapshot *snapshot;
	struct peer peer;
	int code = snapshot_begin(archive_storage(add->session.archive), &snapshot, err);

	while (code == ERR_NONE && (code = peer_next(snapshot, &cursor, &peer, err)) == ERR_NONE) {
		uint8_t(*grown)[HASH_SIZE];

		if (!peer.share) {
			peer_wipe(&peer);
			continue;
		}
		grown = reallocarray(add->share, add->share_count + 1, sizeof(*add->share));
		if (grown == NULL) {
			code = err_set(err, ERR_MEMORY, "out of memory");
		} else {
			add->share = grown;
			memcpy(grown[add->share_count++], peer.organisation, HASH_SIZE);
		}
		peer_wipe(&peer);
	}
	snapshot_end(snapshot);
	return code == ERR_NOT_FOUND ? ERR_NONE : code;
}

int
add_prepare(struct add *add, struct err *err)
{
	const char *open = options_text(&add->options, "open");
	const struct option_value *value;
	size_t cursor = 0;
	int code = ERR_NONE;

	add->open_all = options_has(&add->options, "open");
	add->open_slots = DEPOSIT_OPEN_SLOTS;
	if (open != NULL)
		code = read_open_names(add, open, err);
	while (code == ERR_NONE && (value = options_next(&add->options, "to", &cursor)) != NULL)
		code =
		    add_reader(&add->readers, &add->reader_count, &add->session, value->value, err);
	if (code == ERR_NONE)
		code = read_share(add, err);
	return code;
}

void
add_fini(struct add *add)
{
	free(add->readers);
	free(add->share);
	add->readers = NULL;
	add->share = NULL;
}

/* ---- the fields of one file ---------------------------------------------------------------- */

static int
put_link(struct add *add, struct fields_builder *builder, struct view link, struct err *err)
{
	const uint8_t *colon = memchr(link.data, ':', link.size);
	struct storage_place place;
	uint8_t id[HASH_SIZE];
	struct view relation;
	int code;

	if (colon == NULL)
		return err_set(err, ERR_USAGE, "--link takes RELATION:ID");
	relation = view_of(link.data, (size_t)(colon - link.data));
	code = archive_find(add->session.archive, view_of(colon + 1, link.size - relation.size - 1),
	    &place, id, err);
	if (code != ERR_NONE) {
		err_wrap(err, "--link");
		return code;
	}
	return fields_put_link(builder, relation, id, err);
}

/* A cell of the row that is not empty takes the place of the option of that name. */
static bool
row_says(const struct row *row, struct view name)
{
	unsigned column;

	for (column = 0; row != NULL && column < row->manifest->column_count; column++) {
		const struct manifest_column *header = &row->manifest->columns[column];

		if ((header->kind == MANIFEST_NAMED || header->kind == MANIFEST_FIELD ||
		        header->kind == MANIFEST_VAULT) &&
		    view_equal(view_text(header->name), name) &&
		    row->manifest->cells[row->number * row->manifest->column_count + column].size >
		        0)
			return true;
	}
	return false;
}

static int
put_options(struct add *add, struct fields_builder *builder, const char *option,
    const struct row *row, struct err *err)
{
	const struct option_value *value;
	size_t cursor = 0;
	int code = ERR_NONE;

	while (code == ERR_NONE && (value = options_next(&add->options, option, &cursor)) != NULL) {
		struct view name = value->name.size > 0 ? value->name : view_text(option);
		bool vault = strcmp(option, "vault") == 0;

		if (!row_says(row, name))
			code = fields_put_typed(builder, name, value->value,
			    vault ? FIELDS_TO_VAULT : FIELDS_TO_READERS, err);
		if (code != ERR_NONE)
			(void)err_wrap(err, "--%s", option);
	}
	return code;
}

static int
put_cell(struct add *add, struct fields_builder *builder, const struct manifest_column *column,
    struct view cell, struct err *err)
{
	switch (column->kind) {
	case MANIFEST_NAMED:
	case MANIFEST_FIELD:
		return fields_put_typed(
		    builder, view_text(column->name), cell, FIELDS_TO_READERS, err);
	case MANIFEST_VAULT:
		return fields_put_typed(
		    builder, view_text(column->name), cell, FIELDS_TO_VAULT, err);
	case MANIFEST_LINK:
		return put_link(add, builder, cell, err);
	case MANIFEST_FILE:
	case MANIFEST_ACCESS:
	case MANIFEST_TO:
		return ERR_NONE;
	}
	return ERR_NONE;
}

static int
put_row(struct add *add, struct fields_builder *builder, const struct row *row, struct err *err)
{
	unsigned column;
	int code = ERR_NONE;

	for (column = 0; code == ERR_NONE && row != NULL && column < row->manifest->column_count;
	     column++) {
		struct view cell =
		    row->manifest->cells[row->number * row->manifest->column_count + column];

		if (cell.size > 0)
			code = put_cell(add, builder, &row->manifest->columns[column], cell, err);
	}
	return code;
}

static int
build_fields(
    struct add *add, struct fields_builder **builder, const struct row *row, struct err *err)
{
	const struct option_value *value;
	size_t cursor = 0;
	int code = ERR_NONE;
	size_t i;

	*builder = fields_builder_new(FIELD_DEPOSIT);
	if (*builder == NULL)
		return err_set(err, ERR_MEMORY, "out of memory for the fields");
	for (i = 0; code == ERR_NONE && i < NAMED_COUNT; i++)
		code = put_options(add, *builder, named_options[i], row, err);
	if (code == ERR_NONE)
		code = put_options(add, *builder, "field", row, err);
	if (code == ERR_NONE)
		code = put_options(add, *builder, "vault", row, err);
	while (code == ERR_NONE && (value = options_next(&add->options, "link", &cursor)) != NULL)
		code = put_link(add, *builder, value->value, err);
	if (code == ERR_NONE)
		code = put_row(add, *builder, row, err);
	if (code != ERR_NONE) {
		fields_builder_free(*builder);
		*builder = NULL;
	}
	return code;
}

/* ---- one file into the run ----------------------------------------------------------------- */

static int
read_access(struct add *add, const struct row *row, bool *open, struct err *err)
{
	struct view access = row == NULL ?
	                         (struct view){0} :
	                         manifest_cell(row->manifest, row->number, MANIFEST_ACCESS);

	*open = add->open_all;
	if (access.size == 0)
		return ERR_NONE;
	*open = view_equal(access, view_text("open"));
	if (!*open && !view_equal(access, view_text("sealed")))
		return err_set(err, ERR_USAGE, "access is open or sealed, not %.*s",
		    (int)access.size, (const char *)access.data);
	return ERR_NONE;
}

/* Several readers in one cell stand between white space or commas. */
static int
read_row_readers(struct add *add, const struct row *row, uint8_t (**readers)[HASH_SIZE],
    unsigned *count, struct err *err)
{
	struct view cell =
	    row == NULL ? (struct view){0} : manifest_cell(row->manifest, row->number, MANIFEST_TO);
	size_t at = 0;
	int code = ERR_NONE;

	while (code == ERR_NONE && at < cell.size) {
		size_t start = at;

		while (at < cell.size && cell.data[at] != ' ' && cell.data[at] != ',')
			at++;
		if (at > start)
			code = add_reader(readers, count, &add->session,
			    view_of(cell.data + start, at - start), err);
		at++;
	}
	return code;
}

static int
give(struct add *add, const struct walk_file *found, int fd, const struct row *row, struct err *err)
{
	struct deposit_file file = {.path = found->path,
	    .fd = fd,
	    .name = found->name,
	    .folder = found->folder,
	    .as_is = options_has(&add->options, "as-is"),
	    .open_slots = add->open_slots};
	uint8_t(*readers)[HASH_SIZE] = NULL;
	unsigned count = 0;
	int code = read_access(add, row, &file.open, err);

	if (code == ERR_NONE && add->reader_count > 0) {
		readers = reallocarray(NULL, add->reader_count, sizeof(*readers));
		if (readers == NULL)
			return err_set(err, ERR_MEMORY, "out of memory for the readers");
		count = add->reader_count;
		memcpy(readers, add->readers, count * sizeof(*readers));
	}
	if (code == ERR_NONE)
		code = read_row_readers(add, row, &readers, &count, err);
	if (code == ERR_NONE)
		code = build_fields(add, &file.fields, row, err);
	if (code == ERR_NONE) {
		file.readers = (const uint8_t(*)[HASH_SIZE])readers;
		file.reader_count = count;
		code = deposit_add(add->run, &file, err);
	}
	free(readers);
	return code;
}

static int
walked_file(void *cookie, const struct walk_file *file)
{
	struct add *add = cookie;
	struct err err = {0};
	int code = give(add, file, -1, NULL, &err);

	/* What ended the run is told by deposit_finish; the rest is about this file's options. */
	if (code == ERR_USAGE || code == ERR_NOT_FOUND || code == ERR_LIMIT) {
		(void)err_wrap(&err, "%s", file->path);
		report_failure(add->context, &err, NULL);
		add->refused++;
		return code;
	}
	return code;
}

static void
walked_skip(void *cookie, const char *path, enum walk_skip why)
{
	static const char *const reasons[] = {
	    [WALK_LITTER] = "left behind by a system, passed over",
	    [WALK_EXCLUDED] = "excluded",
	    [WALK_LINK] = "a symbolic link, not followed",
	    [WALK_SPECIAL] = "no regular file, passed over",
	};
	struct add *add = cookie;

	report_say(add->context, "%s: %s", path, reasons[why]);
}

static void
walked_failure(void *cookie, const struct err *err)
{
	struct add *add = cookie;

	report_failure(add->context, err, NULL);
	add->refused++;
}

static int
add_standard_input(struct add *add, struct err *err)
{
	const char *name = options_text(&add->options, "name");
	struct walk_file file = {.path = "-"};
	int fd;
	int code;

	if (name == NULL)
		return err_set(err, ERR_USAGE, "standard input wants a name: --name NAME");
	file.name = view_text(name);
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return err_system(err, errno, "cannot read standard input");
	code = give(add, &file, fd, NULL, err);
	if (code != ERR_NONE)
		(void)close(fd);
	return code;
}

int
add_path(struct add *add, const char *path, struct err *err)
{
	const struct option_value *value;
	struct err failed = {0};
	const char **excludes;
	size_t cursor = 0;
	size_t count = 0;
	int code;

	if (strcmp(path, "-") == 0)
		return add_standard_input(add, err);
	excludes = calloc(add->options.count + 1, sizeof(*excludes));
	if (excludes == NULL)
		return err_set(err, ERR_MEMORY, "out of memory");
	while ((value = options_next(&add->options, "exclude", &cursor)) != NULL)
		excludes[count++] = (const char *)value->value.data;
	code = walk_path(&(struct walk){.recursive = options_has(&add->options, "recursive"),
	                     .excludes = excludes,
	                     .file = walked_file,
	                     .skipped = walked_skip,
	                     .failed = walked_failure,
	                     .cookie = add},
	    path, &failed);
	free(excludes);
	if (failed.code != ERR_NONE) {
		/* A path that is not there, or a directory: told, and the other paths go on. */
		report_failure(add->context, &failed, NULL);
		add->refused++;
		return ERR_NONE;
	}
	if (code == ERR_USAGE || code == ERR_NOT_FOUND || code == ERR_LIMIT)
		return ERR_NONE;
	return code == ERR_NONE ? ERR_NONE : err_set(err, (enum err_code)code, "the deposit ended");
}

/* Paths are relative to the manifest. */
static int
add_row(struct add *add, const struct row *row, const char *folder, struct err *err)
{
	struct view cell = manifest_cell(row->manifest, row->number, MANIFEST_FILE);
	struct walk_file file = {0};
	char path[PATH_MAX];
	const char *slash;
	int length;
	int code;

	length = cell.data[0] == '/' ?
	             snprintf(path, sizeof(path), "%.*s", (int)cell.size, (const char *)cell.data) :
	             snprintf(path, sizeof(path), "%s/%.*s", folder, (int)cell.size,
	                 (const char *)cell.data);
	if (length < 0 || (size_t)length >= sizeof(path))
		return err_set(err, ERR_USAGE, "the path is too long");
	slash = strrchr(path, '/');
	file.path = path;
	file.name = view_text(slash == NULL ? path : slash + 1);
	code = give(add, &file, -1, row, err);
	return code;
}

int
add_manifest(struct add *add, const char *path, struct err *err)
{
	struct manifest manifest = {0};
	struct buffer bytes;
	char copy[PATH_MAX];
	const char *folder;
	size_t row;
	int code;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	buffer_init(&bytes, MANIFEST_BYTES_MAX);
	code = file_read(&bytes, path, err);
	if (code == ERR_NONE)
		code = manifest_init(&manifest, buffer_view(&bytes), err);
	buffer_fini(&bytes);
	for (row = 0; code == ERR_NONE && row < manifest.row_count; row++) {
		code =
		    add_row(add, &(struct row){.manifest = &manifest, .number = row}, folder, err);
		if (code != ERR_NONE)
			(void)err_wrap(err, "%s line %u", path, manifest.lines[row]);
	}
	manifest_fini(&manifest);
	return code;
}
