#ifndef DALIL_NODE_NET_ADMISSION_H
#define DALIL_NODE_NET_ADMISSION_H

#include "proto/bytes.h"

/*
 * Purpose: who may begin a handshake (design section 7): 64 half-open in all, 4 from one address, 20
 * a minute from one address; loopback and UNIX sockets are exempt from the per-address limits, for
 * behind Tor all share one.
 *
 * Bounded: a table of ADMISSION_ADDRESSES; when it is full, the address longest unseen that has
 * nothing half-open gives way.  Times are monotonic milliseconds.  Threads: one.
 */

#define ADMISSION_HALF_OPEN 64
#define ADMISSION_PER_ADDRESS 4
#define ADMISSION_PER_MINUTE 20
#define ADMISSION_ADDRESSES 1024
#define ADMISSION_KEY 8

struct admission_address {
	uint8_t key[ADMISSION_KEY];
	bool used;
	uint8_t half_open;
	uint64_t seen;
	uint64_t tokens;   /* of handshakes that it may begin now: see admission.c */
	uint64_t refilled; /* when tokens were counted */
};

struct admission {
	unsigned half_open;
	struct admission_address addresses[ADMISSION_ADDRESSES];
};

#define ADMISSION_EXEMPT (-1)

void admission_init(struct admission *admission);

/*
 * May one more begin?  ${key}: NULL for an exempt one.  If so, *ticket is what admission_leave
 * takes once the handshake is over, however it went.
 */
bool admission_enter(struct admission *admission, const uint8_t *key, uint64_t now, int *ticket);
void admission_leave(struct admission *admission, int ticket);

/*
 * The key that an address counts by: an IPv4 address whole, an IPv6 one by its first 64 bits.
 * ${ip}: 4 or 16 bytes.  False for loopback, which is exempt.
 */
bool admission_key(uint8_t key[static ADMISSION_KEY], const uint8_t *ip, size_t size);

#endif
