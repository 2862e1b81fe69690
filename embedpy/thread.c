/* The threads of a worker that run the application, which request each runs, and who may answer it. */
#include "internal.h"

ph_thread *ph_threads;
int ph_thread_count;
ph_runtime ph_py;
ph_names ph_name;

ph_exchange *ph_exchange_of(int thread)
{
	return &ph_threads[thread].x;
}

ph_thread *ph_thread_here(void)
{
	unsigned long ident = py.PyThread_get_thread_ident();

	for (int i = 0; i < ph_thread_count; i++)
		if (__atomic_load_n(&ph_threads[i].ident, __ATOMIC_RELAXED) == ident)
			return ph_threads[i].active ? &ph_threads[i] : NULL;
	return NULL;
}

enum { THREAD_BITS = 16 }; /* low bits of a token: the thread; the rest: the request's serial number */

uint64_t ph_token_of(const ph_thread *t)
{
	return t->serial << THREAD_BITS | (uint64_t)t->index;
}

PyObject *ph_token_new(const ph_thread *t)
{
	return py.PyLong_FromUnsignedLongLong(ph_token_of(t)); /* new */
}

ph_thread *ph_token_thread(uint64_t token)
{
	return &ph_threads[token & ((1 << THREAD_BITS) - 1)];
}

bool ph_token_runs(const ph_thread *t, uint64_t token)
{
	return t->open && ph_token_of(t) == token;
}

void ph_token_refuse(void)
{
	py.PyErr_SetString(*py.PyExc_RuntimeError,
	                   "start_response(), write() or early_hints() called after its request was over");
}

bool ph_claim_answer(ph_thread *t)
{
	uint64_t open = t->serial << PH_CLAIM_BITS | PH_CLAIM_OPEN;
	uint64_t sent = t->serial << PH_CLAIM_BITS | PH_CLAIM_SENT;

	return __atomic_compare_exchange_n(&t->x.claim, &open, sent, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
	       open == sent;
}

bool ph_claim_lost(ph_thread *t)
{
	uint64_t mask = (1 << PH_CLAIM_BITS) - 1;

	return (__atomic_load_n(&t->x.claim, __ATOMIC_ACQUIRE) & mask) == PH_CLAIM_LOST;
}
