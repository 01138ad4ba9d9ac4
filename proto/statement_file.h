#ifndef DALIL_PROTO_STATEMENT_FILE_H
#define DALIL_PROTO_STATEMENT_FILE_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: statements as text, for `charter export|apply|sign|enrol` and `init --join`: one line
 * per statement, "dalil-statement-1-" and base64url of its bytes without padding.  A charter is its
 * lines in order; a request is one statement that still wants signatures: of an enrol, signed by the
 * new node's four keys and waiting for root keys.  Empty lines and lines that begin with '#' say
 * something to people and nothing to us; a line may end in CR LF, for files travel by mail.
 *
 * Threads: nothing is shared.
 */

#define STATEMENT_FILE_PREFIX "dalil-statement-1-"
/* Statements of one charter, and their bytes without signatures (proto/charter.h), as text. */
#define STATEMENT_FILE_MAX (8u << 20)

/* Append one line. */
void statement_file_write(struct buffer *out, struct view statement);
/* Append "# text" with everything that could end the line or speak to a terminal escaped. */
void statement_file_remark(struct buffer *out, const char *text);

/*
 * Take the next statement from ${file}, which is moved past it, into ${statement} (cleared first;
 * its limit at least STATEMENT_MAX + 4).  1 if there was one, 0 at the end, ERR_MALFORMED for a line
 * that is neither.  The bytes are decoded, not yet parsed.
 */
int statement_file_next(struct view *file, struct buffer *statement, struct err *err);

#endif
