/* The point of no return of a response: from here on the client has seen, or will see, this head. */
#include <time.h>

#include "internal.h"

int ph_commit(ph_thread *t, int64_t known_length)
{
	if (!t->started) {
		py.PyErr_SetString(*py.PyExc_AssertionError,
		                   "the application sent a body without calling start_response() (PEP 3333)");
		return PH_ERR;
	}
	if (t->offload.length == 0 && ph_head_finish(t, known_length) != PH_OK)
		return PH_ERR;
	if (!ph_claim_answer(t)) {
		t->gone = true; /* the client has an answer already */
		return PH_CLIENT_GONE;
	}
	t->committed = true;
	t->x.outcome |= PH_COMMITTED;
	if (t->x.flags & PH_TIMED) {
		struct timespec now;

		clock_gettime(CLOCK_MONOTONIC, &now);
		t->x.first_byte = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	}
	if (t->offload.length > 0) { /* Go sends the file: the body, and all that output.c is asked to send, is dropped */
		t->x.outcome |= PH_OFFLOADED;
		t->x.status = t->status;
		t->bodyless = true;
	}
	return PH_OK;
}
