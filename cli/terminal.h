#ifndef DALIL_CLI_TERMINAL_H
#define DALIL_CLI_TERMINAL_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: questions on the controlling terminal, and progress on standard error where that is one.
 */

enum terminal_echo { TERMINAL_ECHO, TERMINAL_HIDDEN };

/* Is there a terminal to ask on? */
bool terminal_is_there(void);

/* One line, without its newline, appended to ${out}; hidden input wants a secret buffer.
 * ERR_USAGE if there is no terminal or no answer. */
int terminal_ask(struct buffer *out, const char *prompt, enum terminal_echo echo, struct err *err);

/* True only if the answer is ${wanted} to the letter. */
bool terminal_confirm(const char *prompt, const char *wanted);

/*
 * Progress of long work: from the second second on, at most ten times a second, in place, wiped at
 * the end; nothing where standard error is no terminal, or with --quiet.  All take NULL.
 */
struct progress;
struct progress *progress_new(const char *what, bool quiet);
/* ${total} 0: not known.  ${unit} "B": both are bytes and shown in MiB. */
void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *unit);
void progress_free(struct progress *progress);

#endif
