/*
 * Whose turn it is to send on a request's socket.
 *
 * write() and early_hints() may be called from threads that the application started, and sending lets go of the GIL.
 * Without turns a second sender would send into the middle of the first one's block, and the thread that owns the
 * request could end it, and reuse its buffers, while another still sends from them.
 *
 * Everything here is decided with the GIL held; the condition variable is only what a thread sleeps on.
 */
#include <pthread.h>

#include "internal.h"

static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_ended = PTHREAD_COND_INITIALIZER;
static int waiting; /* threads in wait_for_end; read and written with the GIL held */

/* wait_for_end: until nobody sends.  GIL held on entry and exit, released meanwhile: look at everything again. */
static void wait_for_end(ph_thread *t)
{
	PyThreadState *saved;

	waiting++;
	saved = py.PyEval_SaveThread(); /* of the calling thread, which may be one of the application's */
	pthread_mutex_lock(&turn_lock);
	while (__atomic_load_n(&t->sending, __ATOMIC_ACQUIRE))
		pthread_cond_wait(&turn_ended, &turn_lock);
	pthread_mutex_unlock(&turn_lock);
	py.PyEval_RestoreThread(saved);
	waiting--;
}

void ph_turn_begin(ph_thread *t)
{
	while (t->sending)
		wait_for_end(t);
	__atomic_store_n(&t->sending, true, __ATOMIC_RELEASE);
}

ph_thread *ph_turn_of_token(PyObject *token)
{
	ph_thread *t;

	while ((t = ph_thread_of_token(token)) != NULL && t->sending)
		wait_for_end(t); /* the request may be over afterwards */
	if (t != NULL)
		__atomic_store_n(&t->sending, true, __ATOMIC_RELEASE);
	return t;
}

void ph_turn_end(ph_thread *t)
{
	__atomic_store_n(&t->sending, false, __ATOMIC_RELEASE);
	if (waiting == 0)
		return;
	pthread_mutex_lock(&turn_lock);
	pthread_cond_broadcast(&turn_ended);
	pthread_mutex_unlock(&turn_lock);
}

void ph_turn_seal(ph_thread *t)
{
	t->open = false;
	while (t->sending)
		wait_for_end(t);
}

/* ph_turn_forget: in a forked child: who was sending or waiting in another thread, a spill's too, is not there. */
void ph_turn_forget(void)
{
	for (int i = 0; i < ph_thread_count; i++) {
		ph_threads[i].sending = false;
		ph_threads[i].spill = NULL;
	}
	waiting = 0;
}
