#include "node/archive.h"
#include "node/store/store.h"

/* What both callbacks of the store want, behind its one cookie. */
struct reindexing {
	void (*progress)(void *cookie, uint64_t done, uint64_t all);
	void (*found)(void *cookie, const char *problem);
	void *cookie;
};

static void
pass_progress(void *cookie, uint64_t done, uint64_t all)
{
	const struct reindexing *reindexing = cookie;

	if (reindexing->progress != NULL)
		reindexing->progress(reindexing->cookie, done, all);
}

static void
pass_finding(void *cookie, const struct store_finding *finding)
{
	const struct reindexing *reindexing = cookie;

	if (reindexing->found != NULL)
		reindexing->found(reindexing->cookie, finding->text);
}

int
archive_reindex(const char *store, void (*progress)(void *cookie, uint64_t done, uint64_t all),
    void (*found)(void *cookie, const char *problem), void *cookie, struct err *err)
{
	struct reindexing reindexing = {.progress = progress, .found = found, .cookie = cookie};

	return store_reindex(store, pass_progress, pass_finding, &reindexing, err);
}
