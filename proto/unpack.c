#include "proto/unpack.h"

#include "proto/text.h"

/* One token of msgpack: a whole scalar, or the head of a container. */
struct token {
	enum unpack_type type;
	bool negative;
	uint64_t number;     /* integer (two's complement where negative), bool, or element count */
	const uint8_t *data; /* str and bin */
	size_t size;
	size_t length; /* bytes that the token takes, its data included */
};

/* Read the ${bytes}-byte big-endian number behind the type byte; false if it is cut off. */
static bool
read_number(struct view from, size_t bytes, uint64_t *number)
{
	size_t i;

	if (from.size < 1 + bytes)
		return false;
	*number = 0;
	for (i = 0; i < bytes; i++)
		*number = *number << 8 | from.data[1 + i];
	return true;
}

/* The smallest number that needs an 8-, 16-, 32- or 64-bit form, for a fix form up to ${fix}. */
static uint64_t
smallest_of(size_t bytes, uint64_t fix)
{
	switch (bytes) {
	case 1:
		return fix;
	case 2:
		return 0x100;
	case 4:
		return 0x10000;
	default:
		return UINT64_C(0x100000000);
	}
}

static const char *
token_unsigned(struct token *token, struct view from, size_t bytes)
{
	if (!read_number(from, bytes, &token->number))
		return "cut off in an integer";
	if (token->number < smallest_of(bytes, 0x80))
		return "an integer is not in its shortest form";
	token->type = UNPACK_INT;
	token->length = 1 + bytes;
	return NULL;
}

/* A negative integer of a given width must not fit the next smaller one, nor be positive. */
static const char *
token_signed(struct token *token, struct view from, size_t bytes)
{
	uint64_t number;
	int64_t value;

	if (!read_number(from, bytes, &number))
		return "cut off in an integer";
	switch (bytes) {
	case 1:
		value = (int8_t)number;
		break;
	case 2:
		value = (int16_t)number;
		break;
	case 4:
		value = (int32_t)number;
		break;
	default:
		value = (int64_t)number;
		break;
	}
	if (value >= (bytes == 1    ? -32 :
	                 bytes == 2 ? INT8_MIN :
	                 bytes == 4 ? INT16_MIN :
	                              INT32_MIN))
		return "an integer is not in its shortest form";
	token->type = UNPACK_INT;
	token->negative = true;
	token->number = (uint64_t)value;
	token->length = 1 + bytes;
	return NULL;
}

static const char *
token_bytes(
    struct token *token, struct view from, enum unpack_type type, size_t width, uint64_t fix)
{
	uint64_t size = 0;

	if (width == 0)
		size = from.data[0] & 0x1fu;
	else if (!read_number(from, width, &size))
		return "cut off in a length";
	if (width > 0 && size < smallest_of(width, fix))
		return "a length is not in its shortest form";
	if (size > from.size - 1 - width)
		return "longer than the bytes that are left";
	token->type = type;
	token->data = from.data + 1 + width;
	token->size = (size_t)size;
	token->length = 1 + width + (size_t)size;
	return NULL;
}

static const char *
token_container(struct token *token, struct view from, enum unpack_type type, size_t width)
{
	uint64_t least;

	if (width == 0)
		token->number = from.data[0] & 0x0fu;
	else if (!read_number(from, width, &token->number))
		return "cut off in a count";
	if ((width == 2 && token->number < 16) || (width == 4 && token->number < 0x10000))
		return "a count is not in its shortest form";
	token->length = 1 + width;
	/* Every element takes at least one byte, a map's pair two. */
	least = type == UNPACK_MAP ? 2 * token->number : token->number;
	if (least > from.size - token->length)
		return "more elements declared than bytes are left";
	token->type = type;
	return NULL;
}

/* NULL, or why there is no canonical token at the start of ${from}. */
static const char *
token_read(struct token *token, struct view from)
{
	uint8_t head;

	*token = (struct token){.type = UNPACK_NONE};
	if (from.size == 0)
		return "cut off";
	head = from.data[0];
	token->length = 1;
	if (head < 0x80) {
		token->type = UNPACK_INT;
		token->number = head;
		return NULL;
	}
	if (head < 0x90)
		return token_container(token, from, UNPACK_MAP, 0);
	if (head < 0xa0)
		return token_container(token, from, UNPACK_ARRAY, 0);
	if (head < 0xc0)
		return token_bytes(token, from, UNPACK_STR, 0, 0);
	if (head >= 0xe0) {
		token->type = UNPACK_INT;
		token->negative = true;
		token->number = (uint64_t)(int64_t)(int8_t)head;
		return NULL;
	}
	switch (head) {
	case 0xc0:
		token->type = UNPACK_NIL;
		return NULL;
	case 0xc2:
	case 0xc3:
		token->type = UNPACK_BOOL;
		token->number = head & 1u;
		return NULL;
	case 0xc4:
	case 0xc5:
	case 0xc6:
		return token_bytes(token, from, UNPACK_BIN, (size_t)1 << (head - 0xc4), 0);
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf:
		return token_unsigned(token, from, (size_t)1 << (head - 0xcc));
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return token_signed(token, from, (size_t)1 << (head - 0xd0));
	case 0xd9:
	case 0xda:
	case 0xdb:
		return token_bytes(token, from, UNPACK_STR, (size_t)1 << (head - 0xd9), 32);
	case 0xdc:
	case 0xdd:
		return token_container(token, from, UNPACK_ARRAY, (size_t)2 << (head - 0xdc));
	case 0xde:
	case 0xdf:
		return token_container(token, from, UNPACK_MAP, (size_t)2 << (head - 0xde));
	default:
		return "a type that canonical msgpack does not have (float, ext or unused)";
	}
}

/* One open container of the walk. */
struct level {
	uint64_t left; /* elements to come; a pair counts twice in a map */
	bool map;
	bool keyed; /* last holds a key */
	struct view last;
};

/* Map keys are str, each above the one before it by the bytes of its text. */
static const char *
check_key(struct level *level, const struct token *token)
{
	struct view key = view_of(token->data, token->size);

	if (token->type != UNPACK_STR)
		return "a map key is not text";
	if (level->keyed && view_compare(key, level->last) <= 0)
		return "map keys are not unique and sorted";
	level->last = key;
	level->keyed = true;
	return NULL;
}

static const char *
check_token(const struct token *token, enum unpack_nil nil)
{
	if (token->type == UNPACK_NIL && nil == UNPACK_NIL_REFUSED)
		return "nil where it is not said";
	if (token->type == UNPACK_STR && !text_is_utf8(view_of(token->data, token->size)))
		return "text is not UTF-8";
	return NULL;
}

/*
 * Walk one value without recursion; ${size} says how many bytes it takes.
 * NULL, or why it is refused.
 */
static const char *
walk(struct view bytes, enum unpack_nil nil, size_t *size)
{
	struct level levels[UNPACK_DEPTH];
	unsigned depth = 0;
	size_t at = 0;

	if (bytes.size == 0)
		return "cut off";
	do {
		const char *reason;
		struct token token;

		reason = token_read(&token, view_of(bytes.data + at, bytes.size - at));
		if (reason == NULL)
			reason = check_token(&token, nil);
		if (reason == NULL && depth > 0 && levels[depth - 1].map &&
		    levels[depth - 1].left % 2 == 0)
			reason = check_key(&levels[depth - 1], &token);
		if (reason != NULL)
			return reason;
		at += token.length;
		if (depth > 0)
			levels[depth - 1].left--;
		if (token.type == UNPACK_ARRAY || token.type == UNPACK_MAP) {
			if (depth == UNPACK_DEPTH)
				return "more than 8 containers inside one another";
			levels[depth++] = (struct level){
			    .left = token.type == UNPACK_MAP ? 2 * token.number : token.number,
			    .map = token.type == UNPACK_MAP};
		}
		while (depth > 0 && levels[depth - 1].left == 0)
			depth--;
	} while (depth > 0);
	*size = at;
	return NULL;
}

int
unpack_check(struct view bytes, enum unpack_nil nil, struct err *err)
{
	const char *reason;
	size_t size = 0;

	reason = walk(bytes, nil, &size);
	if (reason == NULL && size != bytes.size)
		reason = "bytes after the value";
	if (reason != NULL)
		return err_set(err, ERR_MALFORMED, "not canonical msgpack (design 5): %s", reason);
	return ERR_NONE;
}

int
unpack_check_prefix(struct view bytes, enum unpack_nil nil, size_t *size, struct err *err)
{
	const char *reason;

	*size = 0;
	reason = walk(bytes, nil, size);
	if (reason != NULL)
		return err_set(err, ERR_MALFORMED, "not canonical msgpack (design 5): %s", reason);
	return ERR_NONE;
}

void
unpack_init(struct unpack *unpack, struct view bytes)
{
	static const uint8_t none[1] = {0}; /* so that an empty view needs no pointer */
	const uint8_t *at = bytes.size == 0 ? none : bytes.data;

	*unpack = (struct unpack){.at = at, .end = at + bytes.size};
}

int
unpack_open(struct unpack *unpack, struct view bytes, enum unpack_nil nil, struct err *err)
{
	int code = unpack_check(bytes, nil, err);

	unpack_init(unpack, code == ERR_NONE ? bytes : view_of(bytes.data, 0));
	if (code != ERR_NONE)
		unpack_fail(unpack, "not canonical msgpack");
	return code;
}

void
unpack_fail(struct unpack *unpack, const char *reason)
{
	if (unpack->err != ERR_NONE)
		return;
	unpack->err = ERR_MALFORMED;
	unpack->reason = reason;
}

static struct view
rest(const struct unpack *unpack)
{
	return view_of(unpack->at, (size_t)(unpack->end - unpack->at));
}

/* Take the next token if it has the type; otherwise the error sticks. */
static bool
take(struct unpack *unpack, enum unpack_type type, struct token *token)
{
	const char *reason;

	*token = (struct token){.type = UNPACK_NONE};
	if (unpack->err != ERR_NONE)
		return false;
	reason = token_read(token, rest(unpack));
	if (reason == NULL && token->type != type)
		reason = "a value of another type than the format says";
	if (reason != NULL) {
		*token = (struct token){.type = UNPACK_NONE};
		unpack_fail(unpack, reason);
		return false;
	}
	unpack->at += token->length;
	return true;
}

enum unpack_type
unpack_peek(const struct unpack *unpack)
{
	struct token token;

	if (unpack->err != ERR_NONE || token_read(&token, rest(unpack)) != NULL)
		return UNPACK_NONE;
	return token.type;
}

uint64_t
unpack_uint(struct unpack *unpack)
{
	struct token token;

	if (!take(unpack, UNPACK_INT, &token))
		return 0;
	if (token.negative || token.number > INT64_MAX) {
		unpack_fail(unpack, "an unsigned field is negative or 2^63 and above");
		return 0;
	}
	return token.number;
}

int64_t
unpack_int(struct unpack *unpack)
{
	struct token token;

	if (!take(unpack, UNPACK_INT, &token))
		return 0;
	if (!token.negative && token.number > INT64_MAX) {
		unpack_fail(unpack, "a signed field is 2^63 or above");
		return 0;
	}
	return (int64_t)token.number;
}

bool
unpack_bool(struct unpack *unpack)
{
	struct token token;

	return take(unpack, UNPACK_BOOL, &token) && token.number != 0;
}

void
unpack_nil(struct unpack *unpack)
{
	struct token token;

	(void)take(unpack, UNPACK_NIL, &token);
}

struct view
unpack_str(struct unpack *unpack)
{
	struct token token;

	(void)take(unpack, UNPACK_STR, &token);
	return view_of(token.data, token.size);
}

struct view
unpack_bin(struct unpack *unpack)
{
	struct token token;

	(void)take(unpack, UNPACK_BIN, &token);
	return view_of(token.data, token.size);
}

const uint8_t *
unpack_bin_of(struct unpack *unpack, size_t size)
{
	struct view bin = unpack_bin(unpack);

	if (unpack->err == ERR_NONE && bin.size != size)
		unpack_fail(unpack, "bytes of another length than the format says");
	return unpack->err == ERR_NONE ? bin.data : NULL;
}

void
unpack_hash(struct unpack *unpack, uint8_t hash[static HASH_SIZE])
{
	const uint8_t *bytes = unpack_bin_of(unpack, HASH_SIZE);

	if (bytes == NULL)
		memset(hash, 0, HASH_SIZE);
	else
		memcpy(hash, bytes, HASH_SIZE);
}

static uint32_t
take_container(struct unpack *unpack, enum unpack_type type)
{
	struct token token;

	/* token_read let no count through that is above the bytes left, so it fits. */
	(void)take(unpack, type, &token);
	if (token.number > UINT32_MAX) {
		unpack_fail(unpack, "a count above 2^32");
		return 0;
	}
	return (uint32_t)token.number;
}

uint32_t
unpack_array(struct unpack *unpack)
{
	return take_container(unpack, UNPACK_ARRAY);
}

void
unpack_array_of(struct unpack *unpack, uint32_t count)
{
	if (take_container(unpack, UNPACK_ARRAY) != count)
		unpack_fail(unpack, "an array of another length than the format says");
}

uint32_t
unpack_map(struct unpack *unpack)
{
	return take_container(unpack, UNPACK_MAP);
}

void
unpack_map_of(struct unpack *unpack, uint32_t count)
{
	if (take_container(unpack, UNPACK_MAP) != count)
		unpack_fail(unpack, "a map with more or fewer keys than the format says");
}

bool
unpack_try(struct unpack *unpack, const char *text)
{
	struct token token;

	if (unpack->err != ERR_NONE || token_read(&token, rest(unpack)) != NULL ||
	    token.type != UNPACK_STR ||
	    !view_equal(view_of(token.data, token.size), view_text(text)))
		return false;
	unpack->at += token.length;
	return true;
}

void
unpack_key(struct unpack *unpack, const char *key)
{
	if (!unpack_try(unpack, key))
		unpack_fail(
		    unpack, "a map key that the format says is missing, or another stands there");
}

void
unpack_tag(struct unpack *unpack, const char *text)
{
	if (!unpack_try(unpack, text))
		unpack_fail(unpack, "another suite, type or tag than the format says");
}

/* Nil is allowed here: what unpack_check refused never gets this far. */
struct view
unpack_value(struct unpack *unpack)
{
	struct view value = {0};
	const char *reason;

	if (unpack->err != ERR_NONE)
		return value;
	reason = walk(rest(unpack), UNPACK_NIL_ALLOWED, &value.size);
	if (reason != NULL) {
		unpack_fail(unpack, reason);
		return (struct view){0};
	}
	value.data = unpack->at;
	unpack->at += value.size;
	return value;
}

int
unpack_end(const struct unpack *unpack, const char *what, struct err *err)
{
	if (unpack->err != ERR_NONE)
		return err_set(err, (enum err_code)unpack->err, "%s: %s", what, unpack->reason);
	if (unpack->at != unpack->end)
		return err_set(err, ERR_MALFORMED, "%s: bytes after the last field", what);
	return ERR_NONE;
}
