#ifndef DALIL_TESTS_UNIT_VECTORS_H
#define DALIL_TESTS_UNIT_VECTORS_H

#include <jansson.h>

#include "proto/bytes.h"

/*
 * Purpose: what the unit tests share: vector files, hex, and cmocka with its includes in the order
 * it wants.  Vectors stand in the folder that DALIL_VECTORS names.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The path of a vector file in a static buffer, or skips the running test if it is not there. */
const char *vectors_path(const char *name);
/* The JSON of a vector file, owned by the caller (json_decref); skips the test if not there. */
json_t *vectors_load(const char *name);
/* Decode hex from a JSON string into heap memory, owned by the caller; fails the test otherwise. */
struct view vectors_hex(const json_t *string);
/* Same, of the member ${key}. */
struct view vectors_hex_of(const json_t *object, const char *key);
/* Decode hex of exactly ${size} bytes into ${out}. */
void vectors_bytes(uint8_t *out, size_t size, const json_t *object, const char *key);
void vectors_free(struct view view);
/* A whole file into heap memory, owned by the caller. */
struct view vectors_file(const char *path);
uint64_t vectors_uint(const json_t *object, const char *key);
const char *vectors_text(const json_t *object, const char *key);
/* Append the typed value of the vectors' README ({"int": "5"}, {"str": "x"}...) as msgpack. */
void vectors_pack(struct buffer *out, const json_t *value);

#endif
