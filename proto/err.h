#ifndef DALIL_PROTO_ERR_H
#define DALIL_PROTO_ERR_H

/*
 * Purpose: the one set of error codes, and a code with a text that callers
 * wrap with context on its way up.
 *
 * Every function that can fail returns 0 or a negative `enum err_code`.  Those that
 * refuse bytes or touch the system also take a `struct err *` as their last
 * argument; it may be NULL.  The text says what happened and to what, as a
 * sentence without a capital or a full stop: callers put context before it.
 */

enum err_code {
	ERR_NONE = 0,
	ERR_MALFORMED = -1, /* bytes that are not what the format says */
	ERR_FORGED = -2,    /* a hash, MAC or signature does not hold */
	ERR_DAMAGED = -3,   /* our own stored bytes are not what was stored */
	ERR_MISSING = -4,   /* a payload or part that should be here is not */
	ERR_NOT_FOUND = -5, /* nothing by that name */
	ERR_REFUSED = -6,   /* trust, key or policy says no */
	ERR_LOCKED = -7,    /* a key is needed that is wrapped or elsewhere */
	ERR_USAGE = -8,     /* the caller's words are off */
	ERR_EXISTS = -9,    /* would overwrite */
	ERR_MEMORY = -10,   /* an allocation failed */
	ERR_LIMIT = -11,    /* larger than what design section 7 allows */
	ERR_IO = -12,       /* storage trouble */
	ERR_FULL = -13,     /* no space, or a quota */
	ERR_INDEX = -14,    /* the index is damaged: reindex mends it */
	ERR_NETWORK = -15,  /* a peer could not be reached, or hung up */
	ERR_TIMEOUT = -16,  /* a deadline passed */
	ERR_CHANGED = -17,  /* a file changed while it was read */
	ERR_UNKNOWN = -18,  /* what it rests on is not here */
	ERR_VERSION = -19,  /* made by a newer dalil */
	ERR_CANCELLED = -20 /* the owner is shutting down */
};

#define ERR_TEXT_MAX 1024

struct err {
	int code; /* 0 or an `enum err_code` */
	char text[ERR_TEXT_MAX];
};

/* Store ${code} and the text.  Returns ${code}, so that a caller can return it. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Put "context: " before the text that ${err} holds.  It returns nothing: the code is the caller's
 * to keep, for ${err} may be NULL.
 */
void err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Store the code that fits the errno value ${number} and "text: strerror".
 * ENOSPC, EDQUOT and EFBIG become ERR_FULL, ENOENT and ENOTDIR ERR_NOT_FOUND, EEXIST
 * ERR_EXISTS, ENOMEM ERR_MEMORY, EACCES and EPERM ERR_REFUSED, everything else ERR_IO.
 */
int err_system(struct err *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The name of a code, for texts where none was set. */
const char *err_name(int code);

/* The text that ${err} holds, or the name of its code. */
const char *err_text(const struct err *err);

#endif
