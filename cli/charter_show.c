/* dalil charter show: who speaks for an organisation, as its charter here says. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/report.h"
#include "cli/session.h"
#include "proto/bech32.h"
#include "proto/text.h"

static const struct option no_options[] = {{.name = NULL}};

static const struct usage usage = {
    .arguments = "[ORG]",
    .what = "Shows the charter of an organisation as it is held here: who may sign for it, its\n"
            "vault, and its nodes. Without ORG, of the own organisation.",
    .options = no_options,
    .example = "  dalil charter show\n  dalil charter show 'Memorial Almaty'",
    .glossary = "  ORG       a name, or the first 8 or more hex digits of an organisation id\n"
                "  charter   an organisation's key history, signed by its root keys\n"
                "  root key  signs statements of the charter; lies outside every store\n"
                "  next key  promised beforehand: signs only the change to new root keys",
    .most = 1,
};

static const char *
state_name(enum charter_state state)
{
	switch (state) {
	case CHARTER_IN_FORCE:
		return "in force";
	case CHARTER_RETIRED:
		return "retired";
	case CHARTER_REVOKED:
		return "revoked";
	}
	return "";
}

static json_t *
keys_json(const uint8_t (*keys)[HASH_SIZE], unsigned count)
{
	json_t *array = json_array();
	char hex[2 * HASH_SIZE + 1];
	unsigned i;

	for (i = 0; i < count; i++) {
		text_hex(hex, view_of(keys[i], HASH_SIZE));
		json_array_append_new(array, json_string(hex));
	}
	return array;
}

static json_t *
node_json(const struct charter_node *node)
{
	json_t *object = json_object();

	output_set_text(object, "name", view_text(node->name));
	output_set_text(object, "origin", view_text(node->origin));
	output_set_text(object, "vkey", view_text(node->vkey));
	output_set_hex(object, "log", view_of(node->id, HASH_SIZE));
	if (node->country[0] != '\0')
		output_set_text(object, "country", view_text(node->country));
	output_set_text(object, "state", view_text(state_name(node->state)));
	if (node->state != CHARTER_IN_FORCE)
		output_set_uint(object, "last_good", node->last_good_size);
	return object;
}

static void
show_json(const struct charter *charter)
{
	const struct charter_roots *roots = charter_roots(charter);
	json_t *object = json_object(), *nodes = json_array();
	char recipient[BECH32_RECIPIENT_TEXT + 1];
	size_t i;

	output_set_hex(object, "organisation", view_of(charter_organisation(charter), HASH_SIZE));
	output_set_text(object, "name", view_text(charter_name(charter)));
	output_set_uint(object, "statements", charter_count(charter));
	output_set_hex(object, "last", view_of(charter_last(charter), HASH_SIZE));
	json_object_set_new(object, "root_keys", keys_json(roots->keys, roots->count));
	output_set_uint(object, "threshold", roots->threshold);
	json_object_set_new(object, "next", keys_json(roots->next, roots->next_count));
	output_set_uint(object, "next_threshold", roots->next_threshold);
	if (charter_vault(charter) != NULL) {
		bech32_recipient(recipient, charter_vault(charter));
		output_set_text(object, "vault", view_text(recipient));
	}
	for (i = 0; i < charter_node_count(charter); i++)
		json_array_append_new(nodes, node_json(charter_node_at(charter, i)));
	json_object_set_new(object, "nodes", nodes);
	output_json(object);
}

static void
print_hex(const char *label, const uint8_t *bytes)
{
	char hex[2 * HASH_SIZE + 1];

	text_hex(hex, view_of(bytes, HASH_SIZE));
	printf("%-13s %s\n", label, hex);
}

static void
print_node(const struct charter_node *node)
{
	printf("\nnode          ");
	output_text(view_text(node->name));
	printf("\n  state       %s%s%s\n  origin      ", state_name(node->state),
	    node->country[0] == '\0' ? "" : ", ", node->country);
	output_text(view_text(node->origin));
	printf("\n  vkey        ");
	output_text(view_text(node->vkey));
	printf("\n");
	if (node->state != CHARTER_IN_FORCE)
		printf("  last good   %" PRIu64 " records\n", node->last_good_size);
}

static void
show_human(const struct charter *charter)
{
	const struct charter_roots *roots = charter_roots(charter);
	char recipient[BECH32_RECIPIENT_TEXT + 1] = "none named";
	size_t i;

	printf("%-13s ", "name");
	output_text(view_text(charter_name(charter)));
	printf("\n");
	print_hex("organisation", charter_organisation(charter));
	printf("%-13s %" PRIu64 "\n", "statements", charter_count(charter));
	printf("%-13s %u of %u sign, then %u of %u promised\n", "root keys", roots->threshold,
	    roots->count, roots->next_threshold, roots->next_count);
	for (i = 0; i < roots->count; i++)
		print_hex("  key", roots->keys[i]);
	for (i = 0; i < roots->next_count; i++)
		print_hex("  promised", roots->next[i]);
	if (charter_vault(charter) != NULL)
		bech32_recipient(recipient, charter_vault(charter));
	printf("%-13s %s\n", "vault", recipient);
	for (i = 0; i < charter_node_count(charter); i++)
		print_node(charter_node_at(charter, i));
}

static int
show(struct session *session, const char *name, struct err *err)
{
	uint8_t organisation[HASH_SIZE];
	struct charter *charter = NULL;
	int code = archive_organisation(session->archive, name, organisation, err);

	if (code == 0)
		code = archive_charter(session->archive, organisation, &charter, err);
	if (code != 0)
		return code;
	if (session->context->globals.json)
		show_json(charter);
	else
		show_human(charter);
	charter_free(charter);
	return 0;
}

int
command_charter_show(struct context *context, int argc, char **argv)
{
	struct session session;
	struct options options;
	struct err err = {0};

	if (options_init(&options, context, &usage, argc, argv) == 0 &&
	    session_open(&session, context, SESSION_PUBLIC) == 0) {
		if (show(&session, options.word_count > 0 ? options.words[0] : NULL, &err) != 0)
			report_failure(context, &err, session_advice(err.code));
		session_close(&session);
	}
	options_fini(&options);
	return report_exit(context);
}
