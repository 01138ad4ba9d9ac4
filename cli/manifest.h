#ifndef DALIL_CLI_MANIFEST_H
#define DALIL_CLI_MANIFEST_H

#include <stddef.h>

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: the CSV that says what is known of each file of a deposit (cli.md "manifest").
 *
 * Comma, semicolon or tab, whichever the header line has most of outside quotes; UTF-8, a byte order
 * mark is allowed; quoting as in RFC 4180; rows may end in CRLF.  Headers are trimmed, in any case:
 * `file`, the names of options (`date` means `captured`), `access`, `to`, `link`, `vault.NAME`,
 * `field.NAME`.  An unknown header, a header that stands twice, a row with more cells than headers and a
 * row without a file are refused with their line.  Cells may be empty; their outer white space is
 * taken off.
 */

#define MANIFEST_COLUMNS_MAX 64
#define MANIFEST_BYTES_MAX ((size_t)64 << 20)

enum manifest_column_kind {
	MANIFEST_FILE,
	MANIFEST_ACCESS, /* open or sealed */
	MANIFEST_TO,
	MANIFEST_LINK,
	MANIFEST_NAMED, /* a registered option: title, type, case, captured... */
	MANIFEST_FIELD, /* field.NAME */
	MANIFEST_VAULT  /* vault.NAME */
};

struct manifest_column {
	enum manifest_column_kind kind;
	char name[65]; /* of NAMED, FIELD and VAULT */
};

struct manifest {
	struct manifest_column columns[MANIFEST_COLUMNS_MAX];
	unsigned column_count;
	size_t row_count;
	struct view *cells; /* row_count * column_count, views into text */
	unsigned *lines;    /* where each row begins */
	uint8_t *text;      /* owned: the file, with quotes taken out in place */
};

/* Parse ${bytes}.  0 or ERR_USAGE (with the line), ERR_LIMIT, ERR_MEMORY. Frees nothing of the
 * caller's; manifest_fini frees the rest, also after an error. */
int manifest_init(struct manifest *manifest, struct view bytes, struct err *err);
void manifest_fini(struct manifest *manifest);
/* The cell of the row in the first column of that kind; empty where there is none. */
struct view
manifest_cell(const struct manifest *manifest, size_t row, enum manifest_column_kind kind);

#endif
