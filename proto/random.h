#ifndef DALIL_PROTO_RANDOM_H
#define DALIL_PROTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Purpose: randomness as an argument (design section 3): proto/ asks the system for none, so that
 * tests repeat.  ${fill} writes ${size} unpredictable bytes and cannot fail; node/ passes one over
 * randombytes_buf.
 */

struct random {
	void (*fill)(void *cookie, uint8_t *bytes, size_t size);
	void *cookie;
};

static inline void
random_bytes(const struct random *random, uint8_t *bytes, size_t size)
{
	random->fill(random->cookie, bytes, size);
}

#endif
