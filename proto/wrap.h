#ifndef DALIL_PROTO_WRAP_H
#define DALIL_PROTO_WRAP_H

#include "proto/bytes.h"
#include "proto/err.h"

/*
 * Purpose: a file that holds one secret, wrapped (design section 4: XChaCha20-Poly1305; Argon2id13
 * for passphrases).  Root keys, next keys and copies lie outside the store under a passphrase; the
 * store's own key files under a random 32-byte wrapping key; with --no-passphrase nothing protects
 * the secret, and the file says so.
 *
 * The form is text, so that whoever finds it in a drawer can read what it is, and one form only:
 * every other byte is refused.
 *
 *	dalil-key-1
 *	name: root
 *	about: Archive of the Coast, node one
 *	public: HEX of the public half, up to 64 bytes, may be empty
 *	protection: passphrase argon2id13 ops=3 memory=268435456 salt=HEX
 *	secret: BASE64 of nonce (24) and box
 *
 * protection may also be `key` or `none`; the box of `none` is under a key of zeros, so that damage
 * shows all the same.  All lines before `secret:` are the box's associated data: nobody can give a
 * secret another name, public half or parameters.
 *
 * Ownership: views of a parsed file point into its bytes.  Secrets are in sodium_malloc memory:
 * wrap_open wants a buffer of buffer_init_secret, and sodium_init called at the program's start.  A key given here is the caller's to wipe.
 */

#define WRAP_KEY_SIZE 32
#define WRAP_SALT 16
#define WRAP_NONCE 24
#define WRAP_NAME_MAX 64      /* a to z, 0 to 9 and hyphen, at least one */
#define WRAP_ABOUT_MAX 512    /* UTF-8 without control characters, may be empty */
#define WRAP_PUBLIC_MAX 64    /* bytes */
#define WRAP_SECRET_MAX 4096  /* bytes */
#define WRAP_FILE_MAX 8192    /* no whole file is larger */
#define WRAP_OPS 3            /* what new files get, design section 4 */
#define WRAP_MEMORY 268435456 /* bytes */
#define WRAP_OPS_MIN 2        /* what is accepted */
#define WRAP_OPS_MAX 16
#define WRAP_MEMORY_MIN 67108864
#define WRAP_MEMORY_MAX 2147483648

enum wrap_protection { WRAP_NONE, WRAP_KEY, WRAP_PASSPHRASE };

/* A passphrase's parameters: memory in bytes, a multiple of 1,024. */
struct wrap_passphrase {
	uint32_t ops;
	uint64_t memory;
	uint8_t salt[WRAP_SALT];
};

struct wrap {
	struct view name;
	struct view about;
	uint8_t public_half[WRAP_PUBLIC_MAX];
	size_t public_size;
	enum wrap_protection protection;
	struct wrap_passphrase passphrase; /* where protection is WRAP_PASSPHRASE */
	struct view associated;            /* parsed files: the lines before `secret:` */
	struct view box;                   /* parsed files: the BASE64 */
};

/* Views into ${bytes}.  ERR_MALFORMED, ERR_VERSION (a newer dalil's file), ERR_LIMIT. */
int wrap_parse(struct wrap *wrap, struct view bytes, struct err *err);

/*
 * The wrapping key of a passphrase: takes a second and the memory of the parameters.
 * ${key} should be sodium_malloc memory.  ERR_LIMIT for parameters out of range, ERR_MEMORY.
 */
int wrap_derive(uint8_t key[static WRAP_KEY_SIZE], const struct wrap_passphrase *parameters,
    struct view passphrase, struct err *err);

/*
 * Append the secret to ${secret}.  ${key} is the wrapping key, or NULL where protection is
 * WRAP_NONE.  ERR_LOCKED if the key does not open it: a wrong passphrase, or damage (the two
 * cannot be told apart, except with WRAP_NONE, which gives ERR_DAMAGED).
 */
int wrap_open(struct buffer *secret, const struct wrap *wrap, const uint8_t *key, struct err *err);

/*
 * Append a whole file to ${out}: ${wrap} says name, about, public half, protection and parameters
 * (its associated and box are not looked at); ${key} as for wrap_open; ${nonce} is random and never
 * used twice with a key.  ERR_USAGE for a name or text that the form cannot hold.
 */
int wrap_seal(struct buffer *out, const struct wrap *wrap, struct view secret, const uint8_t *key,
    const uint8_t nonce[static WRAP_NONCE], struct err *err);

#endif
