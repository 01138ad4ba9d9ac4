#ifndef DALIL_CLI_NETWORK_H
#define DALIL_CLI_NETWORK_H

#include "cli/session.h"

/*
 * Purpose: what the commands that talk to peers share: how this process is a node for a round.
 */

/* Fill in the options of node.h; ${session} is the cookie, and outlives them. */
void network_options(struct node_options *options, struct session *session);

/* One round with the peers that ${names} name (0: all), each result printed unless ${silent}. */
int network_round(struct session *session, char *const *names, size_t count,
    uint64_t timeout_seconds, bool silent, struct err *err);

#endif
