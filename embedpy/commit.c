/* The point of no return of a response: from here on the client has seen, or will see, this head. */
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
	if (t->x.flags & PH_TIMED)
		t->x.first_byte = ph_now();
	if (t->offload.length > 0) { /* Go sends the file: the body, and all that output.c is asked to send, is dropped */
		t->x.outcome |= PH_OFFLOADED;
		t->x.status = t->status;
		t->bodyless = true;
	}
	return PH_OK;
}
