#include "proto/pack.h"

/* The one file that includes msgpack.h (design section 3). */
#include <msgpack.h>

#include "proto/err.h"

static int
write_to_buffer(void *cookie, const char *data, size_t size)
{
	struct buffer *out = cookie;

	buffer_append(out, data, size);
	return out->err == ERR_NONE ? 0 : -1;
}

static msgpack_packer
packer_of(struct buffer *out)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, write_to_buffer);
	return packer;
}

void
pack_array(struct buffer *out, uint32_t count)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_array(&packer, count);
}

void
pack_map(struct buffer *out, uint32_t count)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_map(&packer, count);
}

void
pack_uint(struct buffer *out, uint64_t value)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_uint64(&packer, value);
}

void
pack_int(struct buffer *out, int64_t value)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_int64(&packer, value);
}

void
pack_bool(struct buffer *out, bool value)
{
	msgpack_packer packer = packer_of(out);

	if (value)
		(void)msgpack_pack_true(&packer);
	else
		(void)msgpack_pack_false(&packer);
}

void
pack_nil(struct buffer *out)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_nil(&packer);
}

void
pack_bin(struct buffer *out, struct view bytes)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_bin(&packer, bytes.size);
	buffer_append(out, bytes.data, bytes.size);
}

void
pack_str(struct buffer *out, struct view text)
{
	msgpack_packer packer = packer_of(out);

	(void)msgpack_pack_str(&packer, text.size);
	buffer_append(out, text.data, text.size);
}

void
pack_text(struct buffer *out, const char *text)
{
	pack_str(out, view_text(text));
}

void
pack_raw(struct buffer *out, struct view value)
{
	buffer_append(out, value.data, value.size);
}
