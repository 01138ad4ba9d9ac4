#ifndef DALIL_PROTO_LATER_H
#define DALIL_PROTO_LATER_H

#include "proto/parts.h"

/*
 * Purpose: the shape of the bodies that nothing here acts upon yet: endorse, custody, annotate,
 * withdraw, countermand, timestamp, freeze (formats "Shapes").  A replica keeps such records and
 * their parts; what they mean comes with the features they belong to.
 */

enum later_kind {
	LATER_ENDORSE,
	LATER_CUSTODY,
	LATER_ANNOTATE,
	LATER_WITHDRAW,
	LATER_COUNTERMAND,
	LATER_TIMESTAMP,
	LATER_FREEZE
};

struct later {
	struct parts parts;    /* empty where the kind has none */
	const uint8_t *claims; /* NULL where the kind has none; likewise below */
	const uint8_t *record; /* what it is about; of a countermand, the withdrawal */
	const uint8_t *log;    /* where that stands */
	uint64_t time;
};

void later_read(struct later *later, enum later_kind kind, struct unpack *unpack);

#endif
