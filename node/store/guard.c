/* Signal handlers see the state of a thread only through what is static: hence the two below. */
#include "node/store/guard.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define EXIT_STORAGE 5 /* design section 8 */

static _Thread_local volatile sig_atomic_t guard_depth;

static const int guard_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};

#define GUARD_SIGNALS (sizeof(guard_signals) / sizeof(guard_signals[0]))

static struct sigaction guard_before[GUARD_SIGNALS]; /* written once, before the handlers are */

void
guard_index_damaged(void)
{
	static const char text[] = "dalil: the index is damaged: run dalil reindex\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)written;
	_exit(EXIT_STORAGE);
}

static void
guard_handle(int number, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	if (guard_depth > 0)
		guard_index_damaged();
	for (size_t i = 0; i < GUARD_SIGNALS; i++) {
		if (guard_signals[i] == number)
			(void)sigaction(number, &guard_before[i], NULL);
	}
	/* The faulting instruction runs again under the old handler; SIGABRT is raised by abort. */
	if (number == SIGABRT)
		(void)raise(number);
}

static void
guard_install_once(void)
{
	struct sigaction action;
	struct sigaction ignore;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = guard_handle;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < GUARD_SIGNALS; i++)
		(void)sigaction(guard_signals[i], NULL, &guard_before[i]);
	for (size_t i = 0; i < GUARD_SIGNALS; i++)
		(void)sigaction(guard_signals[i], &action, NULL);
	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	(void)sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
}

void
guard_install(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, guard_install_once);
}

void
guard_enter(void)
{
	guard_depth++;
}

void
guard_leave(void)
{
	guard_depth--;
}
