/* The GIL as this package handles it: each Python thread attaches once and saves/restores its state from then on. */
#include <pthread.h>

#include "internal.h"

int ph_gil_waiters;
bool ph_free_threaded;

void ph_gil_acquire(ph_thread *t)
{
	if (t->holds_gil)
		return;
	if (ph_free_threaded) { /* nobody waits, and a counter that all threads write to would slow them down */
		py.PyEval_RestoreThread(t->saved);
	} else {
		__atomic_add_fetch(&ph_gil_waiters, 1, __ATOMIC_RELAXED);
		py.PyEval_RestoreThread(t->saved);
		__atomic_sub_fetch(&ph_gil_waiters, 1, __ATOMIC_RELAXED);
	}
	t->holds_gil = true;
}

int ph_gil_exists(void)
{
	return !ph_free_threaded;
}

/*
 * CPython gives a free GIL to whoever asks first, which is the thread that has just released it: those that wait must
 * wake up.  So one thread waits for the GIL and holds the turnstile, and whoever comes waits for the turnstile.
 */
void ph_gil_stand_by(int thread)
{
	static pthread_mutex_t turnstile = PTHREAD_MUTEX_INITIALIZER;
	ph_thread *t = &ph_threads[thread];

	if (t->holds_gil)
		return;
	pthread_mutex_lock(&turnstile);
	py.PyEval_RestoreThread(t->saved);
	t->holds_gil = true;
	pthread_mutex_unlock(&turnstile);
}

void ph_gil_release(int thread)
{
	ph_thread *t = &ph_threads[thread];

	if (!t->holds_gil)
		return;
	t->holds_gil = false;
	t->saved = py.PyEval_SaveThread();
}

void ph_gil_probe(void)
{
	int state = py.PyGILState_Ensure();

	py.PyGILState_Release(state);
}
