/*
 * Whose turn it is to send on a request's socket.
 *
 * write() and early_hints() may be called from threads that the application started, and sending lets go of the GIL.
 * Without turns a second sender would send into the middle of the first one's block, and the thread that owns the
 * request could end it, and reuse its buffers, while another still sends from them.  In a free-threaded Python
 * start_response() takes a turn too: nothing else keeps two threads from writing one head.  No code of the application
 * runs in a turn: the request's own thread may have to wait for it.
 *
 * Everything here is decided with the GIL held, or under ph_lock; the condition variable is only what a thread sleeps
 * on.
 */
#include "internal.h"

static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_ended = PTHREAD_COND_INITIALIZER;
static int waiting; /* threads in wait_for_end; atomic */

/*
 * Whoever waits counts itself, then looks at `sending`; whoever ends clears that, then looks at the count.  Both in one
 * order for all threads (sequential consistency): one of the two sees the other.
 */
static bool is_sending(const ph_thread *t)
{
	return __atomic_load_n(&t->sending, __ATOMIC_SEQ_CST);
}

/* wait_for_end: until nobody sends.  GIL held on entry and exit, released meanwhile: look at everything again. */
__attribute__((noinline, cold)) static void wait_for_end(ph_thread *t)
{
	PyThreadState *saved;

	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	saved = py.PyEval_SaveThread(); /* of the calling thread, which may be one of the application's */
	pthread_mutex_lock(&turn_lock);
	while (is_sending(t))
		pthread_cond_wait(&turn_ended, &turn_lock);
	pthread_mutex_unlock(&turn_lock);
	py.PyEval_RestoreThread(saved);
	__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
}

/* take: the turn, if it is free.  Under ph_lock. */
static bool take(ph_thread *t)
{
	if (is_sending(t))
		return false;
	__atomic_store_n(&t->sending, true, __ATOMIC_RELAXED);
	return true;
}

void ph_turn_begin(ph_thread *t)
{
	ph_lock(t);
	while (!take(t)) {
		ph_unlock(t);
		wait_for_end(t);
		ph_lock(t);
	}
	ph_unlock(t);
}

ph_thread *ph_turn_of_token(PyObject *token)
{
	uint64_t n = py.PyLong_AsUnsignedLongLong(token);
	ph_thread *t = ph_token_thread(n);

	for (;;) {
		bool runs, mine;

		ph_lock(t);
		runs = ph_token_runs(t, n);
		mine = runs && take(t);
		ph_unlock(t);
		if (mine)
			return t;
		if (!runs) {
			ph_token_refuse();
			return NULL;
		}
		wait_for_end(t); /* the request may be over afterwards */
	}
}

void ph_turn_end(ph_thread *t)
{
	__atomic_store_n(&t->sending, false, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) == 0)
		return;
	pthread_mutex_lock(&turn_lock);
	pthread_cond_broadcast(&turn_ended);
	pthread_mutex_unlock(&turn_lock);
}

void ph_turn_seal(ph_thread *t)
{
	ph_lock(t);
	t->open = false;
	ph_unlock(t);
	while (is_sending(t))
		wait_for_end(t);
}

/*
 * ph_turn_forget: in a forked child: who was sending or waiting in another thread, a spill's too, is not there, and
 * what it held locked would stay so.
 */
void ph_turn_forget(void)
{
	pthread_mutex_init(&turn_lock, NULL);
	for (int i = 0; i < ph_thread_count; i++) {
		pthread_mutex_init(&ph_threads[i].lock, NULL);
		ph_threads[i].sending = false;
		ph_threads[i].spill = NULL;
	}
	waiting = 0;
}
