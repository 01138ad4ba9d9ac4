#ifndef DALIL_CLI_REQUEST_H
#define DALIL_CLI_REQUEST_H

#include "cli/command.h"
#include "proto/charter.h"

/*
 * Purpose: statements that pass from hand to hand while they wait for signatures: read, shown to who
 * is to sign them, written (proto/statement_file.h).
 */

/* The one statement that ${path} ("-": standard input) holds, into ${out} (limit STATEMENT_MAX + 4). */
int request_read(struct buffer *out, const char *path, struct err *err);

/* Say on standard error what a statement says, before it is signed. */
void request_tell(const struct context *context, const struct statement *statement);

/*
 * Write the statement as a file to ${path}, or to standard output where that is NULL, and say what
 * comes next: nothing, or which signatures it wants.  ${wants}: REQUEST_UNKNOWN where that
 * organisation's charter is not here.
 */
#define REQUEST_UNKNOWN UINT32_MAX
int request_write(const struct context *context, const char *path, bool force,
    struct view statement, unsigned wants, struct err *err);

#endif
