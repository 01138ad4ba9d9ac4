#ifndef DALIL_CLI_OUTPUT_H
#define DALIL_CLI_OUTPUT_H

#include <jansson.h>

#include "proto/bytes.h"

/*
 * Purpose: what goes to standard output.  Human lines are escaped; JSON is one object a line with
 * stable keys (cli.md "JSON"), in the order in which they were set.
 */

/* Print one object on a line and release it. */
void output_json(json_t *object);
/* Set ${key} to a text; bytes that are not UTF-8 are written escaped, as on a terminal. */
void output_set_text(json_t *object, const char *key, struct view text);
void output_set_hex(json_t *object, const char *key, struct view bytes);
void output_set_uint(json_t *object, const char *key, uint64_t number);
/* A value of canonical msgpack as JSON: bin as hex, nil as null. */
json_t *output_value(struct view value);
/* Print text from elsewhere, escaped. */
void output_text(struct view text);

/* "2026-11-22T21:40:14Z" from milliseconds since 1970. */
#define OUTPUT_TIME_SIZE 32
void output_time(char text[static OUTPUT_TIME_SIZE], int64_t milliseconds);

#endif
