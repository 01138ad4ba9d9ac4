#ifndef DALIL_PROTO_EXHIBIT_H
#define DALIL_PROTO_EXHIBIT_H

#include "proto/deposit.h"
#include "proto/open_part.h"
#include "proto/sealed.h"
#include "proto/vault.h"

/*
 * Purpose: does what a reader was told belong to the record (design 5.3): the fields that a part
 * opened must give the claims root that the record signed, and the file that was decrypted must be
 * the one that the fields name: a grant with another key must not show another file.
 *
 * ${claims} is the record's claims root, 32 bytes.  All: 0 or ERR_FORGED (ERR_MALFORMED from
 * exhibit_check_open where a value does not fit its slot).
 */

int exhibit_check_sealed(
    const struct sealed *sealed, const uint8_t claims[static HASH_SIZE], struct err *err);
/* ${made}, if not NULL, gets the whole tree, from which anything can be disclosed. */
int exhibit_check_vault(const struct vault *vault, const uint8_t claims[static HASH_SIZE],
    struct claims *made, struct err *err);
/* ${fields} gets every field disclosed; what is shown absent stays absent. */
int exhibit_check_open(const struct open_part *part, enum field_kind kind,
    const uint8_t claims[static HASH_SIZE], struct fields *fields, struct err *err);
/*
 * The file's own hash and size against the fields `sha256` and `size`; where no sha256 is among them
 * the file is not confirmed by anything, which is ERR_UNKNOWN.
 */
int exhibit_check_file(const struct fields *fields, const uint8_t sha256[static HASH_SIZE],
    uint64_t size, struct err *err);

#endif
