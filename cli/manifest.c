#include "cli/manifest.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/text.h"

/* Where the parser stands. */
struct cursor {
	uint8_t *at;
	const uint8_t *end;
	uint8_t separator;
	unsigned line;
};

/* How the cell that was read ended. */
enum cell_end { CELL_NEXT, CELL_ROW };

static const char *const named[] = {"title", "type", "case", "captured", "place", "language",
    "source", "note", "author", "method", "device", "tool", "url", "clock", "latitude",
    "longitude"};

static struct view
trimmed(struct view cell)
{
	while (cell.size > 0 && (cell.data[0] == ' ' || cell.data[0] == '\t')) {
		cell.data++;
		cell.size--;
	}
	while (
	    cell.size > 0 && (cell.data[cell.size - 1] == ' ' || cell.data[cell.size - 1] == '\t'))
		cell.size--;
	return cell;
}

/* The separator that the header line has most of, outside quotes. */
static uint8_t
find_separator(struct view text)
{
	size_t counts[3] = {0};
	bool quoted = false;
	size_t i;

	for (i = 0; i < text.size; i++) {
		uint8_t byte = text.data[i];

		if (byte == '"')
			quoted = !quoted;
		else if (!quoted && byte == '\n')
			break;
		else if (!quoted && (byte == ',' || byte == ';' || byte == '\t'))
			counts[byte == ',' ? 0 : byte == ';' ? 1 : 2]++;
	}
	if (counts[1] > counts[0] && counts[1] >= counts[2])
		return ';';
	return counts[2] > counts[0] ? '\t' : ',';
}

/* Behind a cell stands a separator, the end of its row, or the end of all. */
static int
end_cell(struct cursor *cursor, enum cell_end *end, struct err *err)
{
	if (cursor->at < cursor->end && *cursor->at == '\r' &&
	    (cursor->at + 1 == cursor->end || cursor->at[1] == '\n'))
		cursor->at++;
	*end = CELL_ROW;
	if (cursor->at == cursor->end)
		return ERR_NONE;
	if (*cursor->at == '\n')
		cursor->line++;
	else if (*cursor->at == cursor->separator)
		*end = CELL_NEXT;
	else
		return err_set(
		    err, ERR_USAGE, "manifest line %u: text behind a closing quote", cursor->line);
	cursor->at++;
	return ERR_NONE;
}

/* A quoted cell: doubled quotes become one, in place. */
static int
read_quoted(struct cursor *cursor, struct view *cell, struct err *err)
{
	unsigned line = cursor->line;
	uint8_t *start = ++cursor->at;
	uint8_t *to = start;

	for (;;) {
		if (cursor->at == cursor->end)
			return err_set(
			    err, ERR_USAGE, "manifest line %u: a quote is never closed", line);
		if (*cursor->at == '"') {
			if (cursor->at + 1 == cursor->end || cursor->at[1] != '"')
				break;
			cursor->at++;
		}
		if (*cursor->at == '\n')
			cursor->line++;
		*to++ = *cursor->at++;
	}
	cursor->at++;
	*cell = view_of(start, (size_t)(to - start));
	return ERR_NONE;
}

static int
read_cell(struct cursor *cursor, struct view *cell, enum cell_end *end, struct err *err)
{
	uint8_t *start;
	int code = ERR_NONE;

	while (cursor->at < cursor->end && *cursor->at == ' ')
		cursor->at++;
	start = cursor->at;
	if (cursor->at < cursor->end && *cursor->at == '"') {
		code = read_quoted(cursor, cell, err);
		while (cursor->at < cursor->end && *cursor->at == ' ')
			cursor->at++;
	} else {
		while (cursor->at < cursor->end && *cursor->at != cursor->separator &&
		       *cursor->at != '\n' &&
		       !(*cursor->at == '\r' &&
		           (cursor->at + 1 == cursor->end || cursor->at[1] == '\n')))
			cursor->at++;
		*cell = view_of(start, (size_t)(cursor->at - start));
	}
	if (code != ERR_NONE)
		return code;
	*cell = trimmed(*cell);
	return end_cell(cursor, end, err);
}

static bool
begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0 && name[strlen(prefix)] != '\0';
}

static int
name_column(struct manifest_column *column, struct view header, struct err *err)
{
	char *name = column->name;
	size_t i;

	if (header.size == 0 || header.size >= sizeof(column->name))
		return err_set(
		    err, ERR_USAGE, "manifest: a header is empty or longer than 64 bytes");
	for (i = 0; i < header.size; i++)
		name[i] = (char)(header.data[i] < 0x80 ? tolower(header.data[i]) : header.data[i]);
	name[header.size] = '\0';
	if (strcmp(name, "file") == 0) {
		column->kind = MANIFEST_FILE;
	} else if (strcmp(name, "access") == 0) {
		column->kind = MANIFEST_ACCESS;
	} else if (strcmp(name, "to") == 0) {
		column->kind = MANIFEST_TO;
	} else if (strcmp(name, "link") == 0) {
		column->kind = MANIFEST_LINK;
	} else if (begins(name, "field.") || begins(name, "vault.")) {
		column->kind = name[0] == 'f' ? MANIFEST_FIELD : MANIFEST_VAULT;
		/* The name behind the dot keeps the case in which it was written. */
		memmove(name, header.data + 6, header.size - 6);
		name[header.size - 6] = '\0';
	} else {
		if (strcmp(name, "date") == 0)
			memcpy(name, "captured", sizeof("captured"));
		for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
			if (strcmp(name, named[i]) == 0)
				break;
		if (i == sizeof(named) / sizeof(named[0]))
			return err_set(err, ERR_USAGE,
			    "manifest: the header %.*s is unknown: file, access, to, link, the "
			    "names "
			    "of options, field.NAME and vault.NAME are",
			    (int)header.size, (const char *)header.data);
		column->kind = MANIFEST_NAMED;
	}
	return ERR_NONE;
}

static bool
same_column(const struct manifest_column *a, const struct manifest_column *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

static int
read_header(struct manifest *manifest, struct cursor *cursor, struct err *err)
{
	enum cell_end end = CELL_NEXT;
	bool file = false;
	unsigned i;

	while (end == CELL_NEXT) {
		struct manifest_column *column = &manifest->columns[manifest->column_count];
		struct view header;
		int code;

		if (manifest->column_count == MANIFEST_COLUMNS_MAX)
			return err_set(
			    err, ERR_USAGE, "manifest: more than %d columns", MANIFEST_COLUMNS_MAX);
		code = read_cell(cursor, &header, &end, err);
		if (code == ERR_NONE)
			code = name_column(column, header, err);
		if (code != ERR_NONE)
			return code;
		for (i = 0; i < manifest->column_count; i++)
			if (same_column(column, &manifest->columns[i]))
				return err_set(err, ERR_USAGE,
				    "manifest: the header %s stands twice", column->name);
		file = file || column->kind == MANIFEST_FILE;
		manifest->column_count++;
	}
	if (!file)
		return err_set(err, ERR_USAGE, "manifest: no header says file");
	return ERR_NONE;
}

/* Room for one more row; rows double, as a buffer does. */
static int
grow(struct manifest *manifest, size_t *capacity, struct err *err)
{
	size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
	struct view *cells;
	unsigned *lines;

	if (manifest->row_count < *capacity)
		return ERR_NONE;
	cells = reallocarray(
	    manifest->cells, wanted * manifest->column_count, sizeof(*manifest->cells));
	if (cells != NULL)
		manifest->cells = cells;
	lines = reallocarray(manifest->lines, wanted, sizeof(*manifest->lines));
	if (lines != NULL)
		manifest->lines = lines;
	if (cells == NULL || lines == NULL)
		return err_set(err, ERR_MEMORY, "out of memory for the manifest");
	*capacity = wanted;
	return ERR_NONE;
}

/* One row into the next place; an empty line is none. */
static int
read_row(struct manifest *manifest, struct cursor *cursor, struct err *err)
{
	struct view *cells = manifest->cells + manifest->row_count * manifest->column_count;
	enum cell_end end = CELL_NEXT;
	unsigned line = cursor->line;
	unsigned count = 0;
	bool empty = true;

	while (end == CELL_NEXT) {
		struct view cell;
		int code = read_cell(cursor, &cell, &end, err);

		if (code != ERR_NONE)
			return code;
		empty = empty && cell.size == 0;
		if (count < manifest->column_count)
			cells[count] = cell;
		else if (cell.size > 0)
			return err_set(
			    err, ERR_USAGE, "manifest line %u: more cells than headers", line);
		count++;
	}
	for (; count < manifest->column_count; count++)
		cells[count] = (struct view){0};
	if (empty)
		return ERR_NONE;
	manifest->lines[manifest->row_count++] = line;
	if (manifest_cell(manifest, manifest->row_count - 1, MANIFEST_FILE).size == 0)
		return err_set(err, ERR_USAGE, "manifest line %u: no file is named", line);
	return ERR_NONE;
}

int
manifest_init(struct manifest *manifest, struct view bytes, struct err *err)
{
	static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
	size_t capacity = 0;
	struct cursor cursor;
	int code;

	*manifest = (struct manifest){0};
	if (bytes.size > MANIFEST_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "the manifest is larger than 64 MiB");
	if (bytes.size >= 3 && memcmp(bytes.data, mark, 3) == 0)
		bytes = view_of(bytes.data + 3, bytes.size - 3);
	if (bytes.size == 0)
		return err_set(err, ERR_USAGE, "the manifest is empty");
	if (!text_is_utf8(bytes) || memchr(bytes.data, 0, bytes.size) != NULL)
		return err_set(err, ERR_USAGE,
		    "the manifest is not UTF-8 text: save it as \"CSV UTF-8\" and try again");
	manifest->text = malloc(bytes.size);
	if (manifest->text == NULL)
		return err_set(err, ERR_MEMORY, "out of memory for the manifest");
	memcpy(manifest->text, bytes.data, bytes.size);
	cursor = (struct cursor){.at = manifest->text,
	    .end = manifest->text + bytes.size,
	    .separator = find_separator(bytes),
	    .line = 1};
	code = read_header(manifest, &cursor, err);
	while (code == ERR_NONE && cursor.at < cursor.end) {
		code = grow(manifest, &capacity, err);
		if (code == ERR_NONE)
			code = read_row(manifest, &cursor, err);
	}
	return code;
}

void
manifest_fini(struct manifest *manifest)
{
	free(manifest->cells);
	free(manifest->lines);
	free(manifest->text);
	*manifest = (struct manifest){0};
}

struct view
manifest_cell(const struct manifest *manifest, size_t row, enum manifest_column_kind kind)
{
	unsigned column;

	for (column = 0; column < manifest->column_count; column++)
		if (manifest->columns[column].kind == kind)
			return manifest->cells[row * manifest->column_count + column];
	return (struct view){0};
}
