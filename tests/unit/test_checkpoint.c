/*
 * P2 (immutable), P5 (provable anywhere): checkpoints, cosignatures, proofs and origins are those
 * that an independent implementation makes.  Vectors: dalil/checkpoint.json and the proofs of
 * dalil/audit.json, transparency-dev/formats' tlog-proofs.
 */
#include "proto/checkpoint.h"

#include <sodium.h>
#include <stdlib.h>

#include "proto/hash.h"
#include "proto/origin.h"
#include "proto/text.h"
#include "proto/tlogproof.h"
#include "tests/unit/vectors.h"

static void
vkey_of(struct vkey *vkey, const json_t *object)
{
	assert_int_equal(vkey_parse(vkey, view_text(vectors_text(object, "vkey")), NULL), 0);
}

static void
cosign(struct buffer *out, const json_t *cosigner, uint64_t time, struct view text)
{
	uint8_t seed[KEY_SEED];
	uint8_t cosignature[COSIGNATURE_SIZE];
	uint8_t key[KEY_SIZE];
	struct vkey vkey;
	struct vkey made;

	vectors_bytes(seed, KEY_SEED, cosigner, "seed");
	vkey_of(&vkey, cosigner);
	key_ed25519_public(key, seed);
	assert_int_equal(vkey_make(&made, view_text(vectors_text(cosigner, "name")),
	                     VKEY_COSIGNATURE, key, NULL),
	    0);
	assert_int_equal(made.id, vkey.id);
	assert_int_equal(cosignature_make(cosignature, seed, time, text), 0);
	note_write_signature(out, &vkey, view_of(cosignature, COSIGNATURE_SIZE));
}

/* The note is made again from the keys, byte for byte, and opens. */
static void
checkpoint_case(const json_t *json, const json_t *item)
{
	const json_t *witness = json_object_get(json, "witness");
	const json_t *mirror = json_object_get(json, "mirror");
	struct view text = view_text(vectors_text(item, "text"));
	struct view bytes = view_text(vectors_text(item, "note"));
	struct checkpoint checkpoint;
	struct note *note = calloc(1, sizeof(*note));
	struct vkey vkeys[3];
	struct buffer out;
	uint8_t seed[KEY_SEED];
	uint8_t root[HASH_SIZE];
	uint8_t imprint[HASH_SIZE];
	uint8_t want[HASH_SIZE];
	uint64_t time;

	assert_non_null(note);
	vkey_of(&vkeys[0], json);
	vkey_of(&vkeys[1], witness);
	vkey_of(&vkeys[2], mirror);
	vectors_bytes(seed, KEY_SEED, json, "log_seed");
	vectors_bytes(root, HASH_SIZE, item, "root");
	buffer_init(&out, NOTE_MAX);
	assert_int_equal(
	    checkpoint_sign(&out, &vkeys[0], seed, vectors_uint(item, "size"), root, NULL), 0);
	cosign(&out, witness, vectors_uint(item, "witness_time"), text);
	cosign(&out, mirror, vectors_uint(item, "mirror_time"), text);
	assert_true(view_equal(buffer_view(&out), bytes));
	buffer_fini(&out);
	assert_int_equal(checkpoint_open(&checkpoint, note, bytes, &vkeys[0], NULL), 0);
	assert_true(view_equal(note->text, text));
	assert_int_equal(checkpoint.size, vectors_uint(item, "size"));
	assert_memory_equal(checkpoint.root, root, HASH_SIZE);
	checkpoint_imprint(imprint, note->text);
	vectors_bytes(want, HASH_SIZE, item, "imprint");
	assert_memory_equal(imprint, want, HASH_SIZE);
	assert_int_equal(note_open(note, vkeys, 3, NULL, NULL), 0);
	assert_int_equal(note_check(note, &vkeys[1], &time, NULL), 0);
	assert_int_equal(time, vectors_uint(item, "witness_time"));
	assert_int_equal(note_check(note, &vkeys[2], &time, NULL), 0);
	assert_int_equal(time, vectors_uint(item, "mirror_time"));
	free(note);
}

static void
hashes_of(struct tree_proof *proof, const json_t *list)
{
	const json_t *hash;
	size_t i;

	assert_true(json_array_size(list) <= TREE_PROOF_MAX);
	proof->count = (unsigned)json_array_size(list);
	json_array_foreach(list, i, hash)
	{
		struct view bytes = vectors_hex(hash);

		assert_int_equal(bytes.size, HASH_SIZE);
		memcpy(proof->hashes[i], bytes.data, HASH_SIZE);
		vectors_free(bytes);
	}
}

static const json_t *
checkpoint_of(const json_t *list, uint64_t size)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) if (vectors_uint(item, "size") == size) return item;
	fail_msg("no checkpoint of that size");
	return NULL;
}

/* The log of the vectors: record ids of all proofs are its leaf hashes. */
struct records {
	uint8_t nodes[5][16][HASH_SIZE];
};

static int
records_note(void *cookie, unsigned level, uint64_t index, const uint8_t hash[static HASH_SIZE])
{
	struct records *records = cookie;

	assert_true(level < 5 && index < 16);
	memcpy(records->nodes[level][index], hash, HASH_SIZE);
	return 0;
}

static int
records_read(void *cookie, unsigned level, uint64_t index, uint8_t hash[static HASH_SIZE])
{
	const struct records *records = cookie;

	assert_true(level < 5 && index < 16);
	memcpy(hash, records->nodes[level][index], HASH_SIZE);
	return 0;
}

static void
records_of(struct records *records, const json_t *proofs)
{
	struct tree tree;
	uint8_t id[HASH_SIZE];
	const json_t *item;
	size_t i;

	tree_init(&tree);
	json_array_foreach(proofs, i, item)
	{
		assert_int_equal(vectors_uint(item, "index"), i);
		vectors_bytes(id, HASH_SIZE, item, "record_id");
		assert_int_equal(tree_append(&tree, id, records_note, records), 0);
	}
}

static unsigned
consistency_cases(const json_t *item, struct records *records)
{
	const json_t *pair;
	struct tree_proof proof;
	struct tree_proof made;
	struct tree tree;
	uint8_t root[HASH_SIZE];
	uint8_t from_root[HASH_SIZE];
	size_t i;

	vectors_bytes(root, HASH_SIZE, item, "root");
	json_array_foreach(json_object_get(item, "consistency_from"), i, pair)
	{
		uint64_t from = (uint64_t)json_integer_value(json_array_get(pair, 0));

		hashes_of(&proof, json_array_get(pair, 1));
		assert_int_equal(tree_load(&tree, from, records_read, records), 0);
		tree_root(&tree, from_root);
		assert_int_equal(tree_check_consistency(from, from_root, vectors_uint(item, "size"),
		                     root, proof.hashes, proof.count, NULL),
		    0);
		assert_int_equal(tree_prove_consistency(&made, from, vectors_uint(item, "size"),
		                     records_read, records),
		    0);
		assert_int_equal(made.count, proof.count);
		assert_memory_equal(made.hashes, proof.hashes, (size_t)made.count * HASH_SIZE);
	}
	return (unsigned)i;
}

static void
test_checkpoints(void **state)
{
	json_t *json = vectors_load("dalil/checkpoint.json");
	const json_t *list = json_object_get(json, "checkpoints");
	struct records records;
	const json_t *item;
	struct vkey vkey;
	uint8_t log[HASH_SIZE];
	uint8_t want[HASH_SIZE];
	unsigned consistencies = 0;
	size_t i;

	(void)state;
	vkey_of(&vkey, json);
	vkey_log(log, &vkey);
	vectors_bytes(want, HASH_SIZE, json, "log");
	assert_memory_equal(log, want, HASH_SIZE);
	records_of(&records, json_object_get(json, "proofs"));
	json_array_foreach(list, i, item)
	{
		checkpoint_case(json, item);
		consistencies += consistency_cases(item, &records);
	}
	assert_int_equal(i, 7);
	assert_int_equal(consistencies, 36);
	json_decref(json);
}

static void
proof_case(const struct vkey *vkey, const json_t *item, uint64_t size, struct records *records)
{
	struct view bytes = view_text(vectors_text(item, "proof"));
	struct tlogproof tlogproof;
	struct checkpoint checkpoint;
	struct tree_proof made;
	struct note *note = calloc(1, sizeof(*note));
	struct buffer out;
	uint8_t id[HASH_SIZE];

	assert_non_null(note);
	vectors_bytes(id, HASH_SIZE, item, "record_id");
	assert_int_equal(tlogproof_parse(&tlogproof, bytes, NULL), 0);
	assert_int_equal(tlogproof.index, vectors_uint(item, "index"));
	assert_int_equal(tlogproof_check(&tlogproof, id, vkey, &checkpoint, note, NULL), 0);
	assert_int_equal(checkpoint.size, size);
	assert_int_equal(
	    tree_prove_inclusion(&made, tlogproof.index, size, records_read, records), 0);
	buffer_init(&out, TLOGPROOF_MAX);
	tlogproof_write(&out, view_of(NULL, 0), tlogproof.index, &made, tlogproof.checkpoint);
	assert_true(view_equal(buffer_view(&out), bytes));
	buffer_fini(&out);
	id[0] ^= 1;
	assert_int_equal(
	    tlogproof_check(&tlogproof, id, vkey, &checkpoint, note, NULL), ERR_FORGED);
	free(note);
}

static void
test_proofs(void **state)
{
	json_t *json = vectors_load("dalil/checkpoint.json");
	const json_t *proofs = json_object_get(json, "proofs");
	const json_t *largest = checkpoint_of(json_object_get(json, "checkpoints"), 15);
	struct records records;
	struct tree_proof proof;
	struct tree_proof made;
	struct vkey vkey;
	uint8_t root[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	const json_t *item;
	size_t i;

	(void)state;
	vkey_of(&vkey, json);
	records_of(&records, proofs);
	json_array_foreach(proofs, i, item) proof_case(&vkey, item, 15, &records);
	assert_int_equal(i, 15);
	vectors_bytes(root, HASH_SIZE, largest, "root");
	json_array_foreach(json_object_get(json, "subtrees"), i, item)
	{
		uint64_t start = vectors_uint(item, "start");
		uint64_t end = vectors_uint(item, "end");

		assert_int_equal(vectors_uint(item, "size"), 15);
		vectors_bytes(hash, HASH_SIZE, item, "hash");
		hashes_of(&proof, json_object_get(item, "proof"));
		assert_int_equal(
		    tree_check_subtree(start, end, hash, 15, root, proof.hashes, proof.count, NULL),
		    0);
		assert_int_equal(
		    tree_prove_subtree(&made, start, end, 15, records_read, &records), 0);
		assert_int_equal(made.count, proof.count);
		assert_memory_equal(made.hashes, proof.hashes, (size_t)made.count * HASH_SIZE);
	}
	assert_int_equal(i, 7);
	json_decref(json);
}

static void
test_bad_checkpoints(void **state)
{
	json_t *json = vectors_load("dalil/checkpoint.json");
	struct vkey vkeys[3];
	struct checkpoint checkpoint;
	struct note *note = calloc(1, sizeof(*note));
	const json_t *item;
	size_t i;

	(void)state;
	assert_non_null(note);
	vkey_of(&vkeys[0], json);
	vkey_of(&vkeys[1], json_object_get(json, "witness"));
	vkey_of(&vkeys[2], json_object_get(json, "mirror"));
	json_array_foreach(json_object_get(json, "bad"), i, item)
	{
		bool forged = strcmp(vectors_text(item, "ours"), "note signature") == 0;
		struct view bytes = view_text(vectors_text(item, "note"));
		int result = checkpoint_open(&checkpoint, note, bytes, &vkeys[0], NULL);

		if (result == 0)
			result = note_open(note, vkeys, 3, NULL, NULL);
		assert_int_equal(result, forged ? ERR_FORGED : ERR_MALFORMED);
	}
	assert_int_equal(i, 6);
	free(note);
	json_decref(json);
}

/* What the vectors leave out: texts that a signature would not save. */
static void
test_bad_texts(void **state)
{
	static const char *const bad[] = {
	    "o\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	    "o\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	    "o\n9223372036854775808\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	    "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
	    "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n",
	    "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	    "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n",
	    "o\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
	    "o\n0\nZ7DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	    "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
	    "o\n1\n",
	    "o\n",
	    "",
	};
	static const char good[] =
	    "o\n9223372036854775807\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
	struct checkpoint checkpoint;
	size_t i;

	(void)state;
	assert_int_equal(checkpoint_parse(&checkpoint, view_text(good), NULL), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    checkpoint_parse(&checkpoint, view_text(bad[i]), NULL), ERR_MALFORMED);
}

static void
test_origins(void **state)
{
	json_t *json = vectors_load("dalil/checkpoint.json");
	char origin[ORIGIN_MAX];
	char slug[ORIGIN_SLUG_MAX + 1];
	uint8_t key[KEY_SIZE];
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "origins"), i, item)
	{
		vectors_bytes(key, KEY_SIZE, item, "log_key");
		origin_make(origin, view_text(vectors_text(item, "organisation")),
		    view_text(vectors_text(item, "node")), key);
		assert_string_equal(origin, vectors_text(item, "origin"));
		assert_true(vkey_name_valid(view_text(origin)));
	}
	assert_int_equal(i, 5);
	origin_slug(slug, view_text("Қазақстан — Ўзбекистон Ґ"));
	assert_string_equal(slug, "qazaqstan-uzbekiston-g");
	origin_slug(slug, view_text("\xff\xfe\xfd"));
	assert_string_equal(slug, "x");
	origin_slug(slug, view_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b"));
	assert_string_equal(slug, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	origin_slug(slug, view_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaщ"));
	assert_string_equal(slug, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaash");
	json_decref(json);
}

static void
test_audit_leaves(void **state)
{
	json_t *json = vectors_load("dalil/audit.json");
	const json_t *answers = json_object_get(json, "answers");
	struct tree_proof proof;
	uint8_t root[HASH_SIZE];
	uint8_t hash[HASH_SIZE];
	uint8_t hashes[3 * HASH_SIZE];
	const json_t *item;
	size_t i;

	(void)state;
	vectors_bytes(root, HASH_SIZE, json, "root");
	json_array_foreach(answers, i, item)
	{
		assert_true(i < 3);
		assert_int_equal(vectors_uint(item, "leaf"), i);
		vectors_bytes(hash, HASH_SIZE, item, "leaf_hash");
		memcpy(hashes + i * HASH_SIZE, hash, HASH_SIZE);
		hashes_of(&proof, json_object_get(item, "proof"));
		assert_int_equal(
		    tree_check_inclusion(hash, i, 3, root, proof.hashes, proof.count, NULL), 0);
	}
	assert_int_equal(i, 3);
	tree_root_of(hash, hashes, 3);
	assert_memory_equal(hash, root, HASH_SIZE);
	json_decref(json);
}

static void
write_case(const json_t *item)
{
	struct view want = view_text(vectors_text(item, "expect"));
	const json_t *extra = json_object_get(item, "extra");
	struct tlogproof tlogproof;
	struct tree_proof proof = {0};
	struct buffer raw;
	struct buffer out;
	const json_t *hash;
	size_t i;

	buffer_init(&raw, 10000);
	json_array_foreach(json_object_get(item, "hashes"), i, hash)
	{
		buffer_clear(&raw);
		assert_true(
		    text_unbase64(&raw, TEXT_BASE64_PADDED, view_text(json_string_value(hash))));
		assert_int_equal(raw.size, HASH_SIZE);
		memcpy(proof.hashes[proof.count++], raw.data, HASH_SIZE);
	}
	buffer_clear(&raw);
	if (extra != NULL)
		assert_true(
		    text_unbase64(&raw, TEXT_BASE64_PADDED, view_text(json_string_value(extra))));
	buffer_init(&out, 10000);
	tlogproof_write(&out, buffer_view(&raw), vectors_uint(item, "index"), &proof,
	    view_text(vectors_text(item, "checkpoint")));
	assert_true(view_equal(buffer_view(&out), want));
	assert_int_equal(tlogproof_parse(&tlogproof, want, NULL), 0);
	assert_int_equal(tlogproof.index, vectors_uint(item, "index"));
	assert_int_equal(tlogproof.proof.count, proof.count);
	assert_memory_equal(tlogproof.proof.hashes, proof.hashes, (size_t)proof.count * HASH_SIZE);
	assert_true(view_equal(
	    tlogproof.extra, extra == NULL ? view_text("") : view_text(json_string_value(extra))));
	assert_true(view_equal(tlogproof.checkpoint, view_text(vectors_text(item, "checkpoint"))));
	buffer_fini(&raw);
	buffer_fini(&out);
}

static void
refuse_case(const json_t *item)
{
	struct tlogproof tlogproof;
	struct buffer text;
	uint64_t i;

	buffer_init(&text, TLOGPROOF_MAX);
	if (json_object_get(item, "repeat") != NULL) {
		buffer_append_text(&text, vectors_text(item, "proof_prefix"));
		for (i = 0; i < vectors_uint(item, "count"); i++)
			buffer_append_text(&text, vectors_text(item, "repeat"));
		buffer_append_text(&text, vectors_text(item, "suffix"));
	} else {
		buffer_append_text(&text, vectors_text(item, "proof"));
	}
	assert_int_equal(text.err, 0);
	assert_int_equal(tlogproof_parse(&tlogproof, buffer_view(&text), NULL), ERR_MALFORMED);
	buffer_fini(&text);
}

static void
test_tlogproof_format(void **state)
{
	json_t *json = vectors_load("tlog/tlog-proof/format.json");
	const json_t *item;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(json, "marshal"), i, item) write_case(item);
	assert_int_equal(i, 3);
	json_array_foreach(json_object_get(json, "reject"), i, item) refuse_case(item);
	assert_int_equal(i, 8);
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_checkpoints),
	    cmocka_unit_test(test_proofs),
	    cmocka_unit_test(test_bad_checkpoints),
	    cmocka_unit_test(test_bad_texts),
	    cmocka_unit_test(test_origins),
	    cmocka_unit_test(test_audit_leaves),
	    cmocka_unit_test(test_tlogproof_format),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
