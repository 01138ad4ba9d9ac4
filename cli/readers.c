#include "cli/add.h"
#include "proto/bech32.h"

static int
vault_of(struct session *session, uint8_t key[static HASH_SIZE],
    const uint8_t organisation[static HASH_SIZE], struct view who, struct err *err)
{
	struct charter *charter;
	int code = archive_charter(session->archive, organisation, &charter, err);

	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND,
		    "the charter of %.*s is not here yet: run dalil sync first", (int)who.size,
		    (const char *)who.data);
	if (code != ERR_NONE)
		return code;
	if (charter_vault(charter) == NULL)
		code = err_set(err, ERR_NOT_FOUND, "%.*s has no vault key to read with",
		    (int)who.size, (const char *)who.data);
	else
		memcpy(key, charter_vault(charter), HASH_SIZE);
	charter_free(charter);
	return code;
}

int
reader_of(struct session *session, uint8_t key[static HASH_SIZE], struct view who, struct err *err)
{
	uint8_t organisation[HASH_SIZE];
	struct snapshot *snapshot;
	struct peer peer;
	int code;

	if (who.size > 4 && memcmp(who.data, "age1", 4) == 0) {
		code = bech32_parse_recipient(key, who, err);
		return code == ERR_NONE ? code :
		                          err_set(err, ERR_USAGE, "%.*s is no age recipient",
		                              (int)who.size, (const char *)who.data);
	}
	code = snapshot_begin(archive_storage(session->archive), &snapshot, err);
	if (code != ERR_NONE)
		return code;
	code = peer_find(snapshot, who, &peer, err);
	snapshot_end(snapshot);
	if (code == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND,
		    "%.*s is neither an age recipient nor a paired organisation (dalil peer list)",
		    (int)who.size, (const char *)who.data);
	if (code != ERR_NONE)
		return code;
	memcpy(organisation, peer.organisation, HASH_SIZE);
	peer_wipe(&peer);
	return vault_of(session, key, organisation, who, err);
}
