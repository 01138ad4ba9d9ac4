#ifndef DALIL_PROTO_WHEN_H
#define DALIL_PROTO_WHEN_H

#include "proto/fields.h"

/*
 * Purpose: WHEN of the command line: a year (2019), month (2019-06), day (2019-06-30), or a time
 * with its offset (2019-06-30T14:05:09.250+05:00; seconds and fraction may be left out, Z is
 * allowed, a blank may stand for T).  It becomes a `captured`: text as given, and the range it can
 * mean, ends inclusive, in milliseconds: a year, month or day is counted in UTC and has no offset; a
 * time given to the minute is that minute, one given to the second or finer is that instant.
 *
 * A time without an offset is refused with ERR_USAGE.  ${captured} views ${text}.
 */
int when_parse(struct captured *captured, struct view text, struct err *err);
/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t when_days(int64_t year, unsigned month, unsigned day);
/* "2019-06-30 14:05:09 UTC" into ${text}: for showing. */
#define WHEN_TEXT 32
void when_show(char text[static WHEN_TEXT], int64_t milliseconds);

#endif
