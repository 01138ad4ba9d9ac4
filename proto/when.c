/* WHEN of the command line, and times for showing. */
#include "proto/when.h"

#include <stdio.h>

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_DAY (24 * 60 * MS_MINUTE)

/* A cursor over the text; ${bad} sticks. */
struct scan {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static bool
is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

static unsigned
scan_digits(struct scan *scan, unsigned count)
{
	unsigned value = 0;

	for (; count > 0; count--) {
		if (scan->at == scan->end || !is_digit(*scan->at)) {
			scan->bad = true;
			return 0;
		}
		value = value * 10 + (unsigned)(*scan->at++ - '0');
	}
	return value;
}

static bool
scan_try(struct scan *scan, char byte)
{
	if (scan->bad || scan->at == scan->end || *scan->at != (uint8_t)byte)
		return false;
	scan->at++;
	return true;
}

static bool
scan_ended(const struct scan *scan)
{
	return !scan->bad && scan->at == scan->end;
}

/* Days from civil: eras of 400 years that begin on 1 March. */
int64_t
when_days(int64_t year, unsigned month, unsigned day)
{
	int64_t shifted = month <= 2 ? year - 1 : year;
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int64_t of_era = shifted - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static unsigned
month_length(unsigned year, unsigned month)
{
	int64_t next =
	    month == 12 ? when_days((int64_t)year + 1, 1, 1) : when_days(year, month + 1, 1);

	return (unsigned)(next - when_days(year, month, 1));
}

static void
set_days(struct captured *captured, int64_t from, int64_t to)
{
	captured->earliest = from * MS_DAY;
	captured->latest = to * MS_DAY - 1;
}

/* Up to nine digits of a fraction; those past the millisecond are kept in the text only. */
static unsigned
scan_fraction(struct scan *scan)
{
	unsigned milliseconds = 0;
	unsigned digits;

	for (digits = 0; scan->at < scan->end && is_digit(*scan->at) && digits < 9; digits++) {
		if (digits < 3)
			milliseconds = milliseconds * 10 + (unsigned)(*scan->at - '0');
		scan->at++;
	}
	if (digits == 0)
		scan->bad = true;
	for (; digits < 3; digits++)
		milliseconds *= 10;
	return milliseconds;
}

/* HH:MM[:SS[.fff]]; ${to_the_minute} if there are no seconds. */
static int64_t
scan_clock(struct scan *scan, bool *to_the_minute)
{
	unsigned hour = scan_digits(scan, 2);
	unsigned minute;
	unsigned second = 0;
	unsigned milliseconds = 0;

	if (!scan_try(scan, ':'))
		scan->bad = true;
	minute = scan_digits(scan, 2);
	*to_the_minute = !scan_try(scan, ':');
	if (!*to_the_minute) {
		second = scan_digits(scan, 2);
		if (scan_try(scan, '.') || scan_try(scan, ','))
			milliseconds = scan_fraction(scan);
	}
	if (hour > 23 || minute > 59 || second > 59)
		scan->bad = true;
	return (int64_t)(hour * 60 + minute) * MS_MINUTE + second * MS_SECOND + milliseconds;
}

/* Z, +HH:MM or -HH:MM. */
static int
scan_offset(struct scan *scan)
{
	bool east = scan_try(scan, '+');
	unsigned hours;
	unsigned minutes;

	if (!east && scan_try(scan, 'Z'))
		return 0;
	if (!east && !scan_try(scan, '-'))
		scan->bad = true;
	hours = scan_digits(scan, 2);
	(void)scan_try(scan, ':');
	minutes = scan_digits(scan, 2);
	if (hours > 23 || minutes > 59)
		scan->bad = true;
	return (east ? 1 : -1) * (int)(hours * 60 + minutes);
}

static int
refuse(struct view text, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, "'%.*s' is no time: %s",
	    text.size > 64 ? 64 : (int)text.size, (const char *)text.data, why);
}

static int
parse_time(struct captured *captured, struct scan *scan, int64_t days, struct err *err)
{
	bool to_the_minute = false;
	int64_t clock = scan_clock(scan, &to_the_minute);

	if (scan_ended(scan))
		return refuse(captured->text,
		    "a time needs its offset, as in 2019-06-30T14:05+05:00 or ...Z", err);
	(void)scan_try(scan, ' ');
	captured->has_offset = true;
	captured->offset = scan_offset(scan);
	if (!scan_ended(scan))
		return refuse(captured->text, "write it as 2019-06-30T14:05:09+05:00", err);
	captured->earliest = days * MS_DAY + clock - captured->offset * MS_MINUTE;
	captured->latest = captured->earliest + (to_the_minute ? MS_MINUTE - 1 : 0);
	return ERR_NONE;
}

int
when_parse(struct captured *captured, struct view text, struct err *err)
{
	static const char forms[] =
	    "write a year 2019, a month 2019-06, a day 2019-06-30, or a time "
	    "with its offset 2019-06-30T14:05+05:00";
	struct scan scan = {.at = text.data, .end = text.data + text.size};
	unsigned year = scan_digits(&scan, 4);
	unsigned month;
	unsigned day;

	*captured = (struct captured){.text = text};
	if (scan_ended(&scan) && year > 0) {
		set_days(captured, when_days(year, 1, 1), when_days((int64_t)year + 1, 1, 1));
		return ERR_NONE;
	}
	if (!scan_try(&scan, '-'))
		return refuse(text, forms, err);
	month = scan_digits(&scan, 2);
	if (scan.bad || year == 0 || month < 1 || month > 12)
		return refuse(text, forms, err);
	if (scan_ended(&scan)) {
		int64_t first = when_days(year, month, 1);

		set_days(captured, first, first + month_length(year, month));
		return ERR_NONE;
	}
	if (!scan_try(&scan, '-'))
		return refuse(text, forms, err);
	day = scan_digits(&scan, 2);
	if (scan.bad || day < 1 || day > month_length(year, month))
		return refuse(text, "there is no such day", err);
	if (scan_ended(&scan)) {
		set_days(captured, when_days(year, month, day), when_days(year, month, day) + 1);
		return ERR_NONE;
	}
	if (!scan_try(&scan, 'T') && !scan_try(&scan, ' ') && !scan_try(&scan, 't'))
		return refuse(text, forms, err);
	return parse_time(captured, &scan, when_days(year, month, day), err);
}

void
when_show(char text[static WHEN_TEXT], int64_t milliseconds)
{
	int64_t days = milliseconds / MS_DAY - (milliseconds % MS_DAY < 0);
	int64_t rest =
	    (milliseconds % MS_DAY + (milliseconds % MS_DAY < 0 ? MS_DAY : 0)) / MS_SECOND;
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;

	year += era * 400 + (month >= 10);
	/* A time from others may be any number; only four digits of a year are shown as a date. */
	if (year < 0 || year > 9999) {
		(void)snprintf(text, WHEN_TEXT, "%lld ms", (long long)milliseconds);
		return;
	}
	(void)snprintf(text, WHEN_TEXT, "%04d-%02d-%02d %02d:%02d:%02d UTC", (int)year,
	    (int)(month < 10 ? month + 3 : month - 9), (int)(of_year - (153 * month + 2) / 5 + 1),
	    (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60));
}
