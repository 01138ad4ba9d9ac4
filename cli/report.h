#ifndef DALIL_CLI_REPORT_H
#define DALIL_CLI_REPORT_H

#include "cli/command.h"
#include "proto/bytes.h"

/*
 * Purpose: everything that goes to standard error, and the exit code that follows from it.  Standard
 * output holds only what cli.md promises.  Text is escaped as a whole before it is written: a name
 * from elsewhere can stand in any message and cannot speak to the terminal.
 */

/* A line for people; nothing with --quiet. */
void report_say(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "dalil: warning: ..."; also with --quiet. */
void report_warning(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "dalil: TEXT", and remember the code.  ${next} says what to do now; NULL where the text does. */
void report_failure(struct context *context, const struct err *err, const char *next);
/* Remember an exit code without a message. */
void report_worst(struct context *context, enum exit_code code);
/* What to return: the worst so far, or EXIT_STORAGE if standard output could not be written. */
int report_exit(struct context *context);
/* The exit code of an `enum err_code`. */
enum exit_code report_code(int code);
/* Wrong usage: the message and where to find help; returns EXIT_USAGE. */
int report_usage(struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
