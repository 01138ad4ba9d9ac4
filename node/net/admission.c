#include "node/net/admission.h"

/* A token is a handshake; it grows by 1 every millisecond. */
#define TOKENS_MAX 60000u
#define TOKEN (TOKENS_MAX / ADMISSION_PER_MINUTE)

void
admission_init(struct admission *admission)
{
	memset(admission, 0, sizeof(*admission));
}

static struct admission_address *
find(struct admission *admission, const uint8_t *key)
{
	size_t i;

	for (i = 0; i < ADMISSION_ADDRESSES; i++) {
		struct admission_address *address = &admission->addresses[i];

		if (address->used && memcmp(address->key, key, ADMISSION_KEY) == 0)
			return address;
	}
	return NULL;
}

/* A free row, else the one longest unseen with nothing half-open: of 1,024, at most 64 have. */
static struct admission_address *
replace(struct admission *admission, const uint8_t *key, uint64_t now)
{
	struct admission_address *oldest = NULL;
	size_t i;

	for (i = 0; i < ADMISSION_ADDRESSES; i++) {
		struct admission_address *address = &admission->addresses[i];

		if (!address->used) {
			oldest = address;
			break;
		}
		if (address->half_open == 0 && (oldest == NULL || address->seen < oldest->seen))
			oldest = address;
	}
	if (oldest == NULL)
		return NULL;
	*oldest = (struct admission_address){.used = true, .tokens = TOKENS_MAX, .refilled = now};
	memcpy(oldest->key, key, ADMISSION_KEY);
	return oldest;
}

static void
refill(struct admission_address *address, uint64_t now)
{
	uint64_t passed = now - address->refilled;

	address->refilled = now;
	if (passed > TOKENS_MAX - address->tokens)
		address->tokens = TOKENS_MAX;
	else
		address->tokens += passed;
}

bool
admission_enter(struct admission *admission, const uint8_t *key, uint64_t now, int *ticket)
{
	struct admission_address *address;

	*ticket = ADMISSION_EXEMPT;
	if (admission->half_open >= ADMISSION_HALF_OPEN)
		return false;
	if (key != NULL) {
		address = find(admission, key);
		if (address == NULL)
			address = replace(admission, key, now);
		if (address == NULL)
			return false;
		address->seen = now;
		refill(address, now);
		if (address->half_open >= ADMISSION_PER_ADDRESS || address->tokens < TOKEN)
			return false;
		address->tokens -= TOKEN;
		address->half_open++;
		*ticket = (int)(address - admission->addresses);
	}
	admission->half_open++;
	return true;
}

void
admission_leave(struct admission *admission, int ticket)
{
	admission->half_open--;
	if (ticket != ADMISSION_EXEMPT)
		admission->addresses[ticket].half_open--;
}

/* IPv4 within IPv6 counts as IPv4; ff.. begins no unicast IPv6 address, so the two never meet. */
bool
admission_key(uint8_t key[static ADMISSION_KEY], const uint8_t *ip, size_t size)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

	if (size == 16 && memcmp(ip, mapped, sizeof(mapped)) == 0) {
		ip += sizeof(mapped);
		size = 4;
	}
	if (size == 4) {
		memset(key, 0xff, 4);
		memcpy(key + 4, ip, 4);
		return ip[0] != 127;
	}
	memcpy(key, ip, ADMISSION_KEY);
	return memcmp(ip, loopback, sizeof(loopback)) != 0;
}
