/* One request through the application. */
#include <string.h>
#include <unistd.h>

#include "internal.h"

static void begin(ph_thread *t)
{
	ph_lock(t);
	t->serial = __atomic_load_n(&t->x.claim, __ATOMIC_RELAXED) >> PH_CLAIM_BITS;
	t->conn_id = 0;
	t->interrupted = false;
	t->active = t->open = true;
	ph_unlock(t);
	t->started = t->committed = t->chunked = t->bodyless = t->gone = t->taken = false;
	t->body_sent = 0;
	ph_buffer_clear(&t->message);
	ph_buffer_clear(&t->head);
	t->logged.length = 0;
	ph_head_reset(t);
	t->cork.used = false;
	t->x.outcome = 0;
	t->x.status = 0;
	t->x.body_bytes = 0;
	t->x.first_byte = 0;
	t->x.tail = NULL;
	t->x.tail_length = t->x.tail_offset = 0;
	t->x.tail_to = 0;
}

/* finish: what Go reads is in the exchange. */
static void finish(ph_thread *t)
{
	ph_lock(t);
	t->active = false; /* nobody takes the socket or interrupts it any more */
	ph_unlock(t);
	if (t->taken)
		t->x.outcome |= PH_TAKEN; /* whatever happened on it: it is not used again */
	if (t->interrupted)
		ph_interrupt_settle(t);
	if (t->gone)
		t->x.outcome |= PH_GONE;
	if (t->x.outcome & (PH_FAILED | PH_GONE | PH_TAKEN))
		t->x.outcome &= ~(uint32_t)PH_REUSE;
	t->x.body_bytes = t->body_sent;
	t->x.head = t->head.data;
	t->x.head_length = t->head.length;
	t->x.message = t->message.data;
	t->x.message_length = t->message.length;
	t->x.logged = t->logged.data;
	t->x.logged_length = t->logged.length;
	t->x.offload = t->offload.data;
	t->x.offload_length = t->offload.length;
	ph_buffer_clear(&t->out);
}

/* call_application: new reference to what application(environ, start_response) returned, or NULL. */
static PyObject *call_application(PyObject *token, PyObject *environ)
{
	PyObject *start_response = ph_start_response_new(token); /* new */
	PyObject *result = NULL;

	if (start_response == NULL)
		return NULL;
	if (py.PyObject_Vectorcall != NULL) {
		PyObject *args[2] = {environ, start_response};

		result = py.PyObject_Vectorcall(ph_py.application, args, 2, NULL); /* new */
	} else {
		result = py.PyObject_CallFunctionObjArgs(ph_py.application, environ, start_response, NULL); /* new */
	}
	py.Py_DecRef(start_response);
	return result;
}

/* timed_out: whether the pending exception is the server's own; what there is to say about it has been logged. */
static bool timed_out(ph_thread *t)
{
	if (!t->interrupted || !py.PyErr_ExceptionMatches(ph_py.request_timeout))
		return false;
	py.PyErr_Clear();
	t->x.outcome |= PH_TIMED_OUT;
	return true;
}

/* close_failed: the pending exception is logged; it does not change an answer that is already out. */
static void close_failed(ph_thread *t)
{
	uint32_t outcome = t->x.outcome;

	if (timed_out(t)) {
		if (outcome & PH_FAILED) /* that is what the client gets, and its traceback is still to be logged */
			t->x.outcome = outcome;
		t->x.outcome &= ~(uint32_t)PH_REUSE;
		return;
	}
	ph_exception_record(t);
	if (t->committed && !(outcome & PH_FAILED)) /* the answer stands */
		t->x.outcome = outcome | PH_WARNED | PH_CLOSE_FAILED;
}

/* close_iterable: PEP 3333: close() is called once, however the request ended.  Lists and tuples have none. */
static void close_iterable(ph_thread *t, PyObject *result)
{
	PyObject *type = py.PyObject_Type(result); /* new */
	PyObject *close, *done;

	py.Py_DecRef(type); /* the object keeps its type alive */
	if (type == py.PyList_Type || type == py.PyTuple_Type)
		return;
	close = py.PyObject_GetAttr(result, ph_name.close); /* new */
	if (close == NULL && py.PyErr_ExceptionMatches(*py.PyExc_AttributeError)) {
		py.PyErr_Clear(); /* it has none */
		return;
	}
	done = close ? py.PyObject_CallFunctionObjArgs(close, NULL) : NULL; /* new */
	ph_child_leave(done);
	if (done == NULL)
		close_failed(t);
	py.Py_DecRef(done);
	py.Py_DecRef(close);
}

/* expected: whether the pending exception is none of the application's faults. */
static bool expected(ph_thread *t)
{
	if (t->gone) /* what write() raises then; another exception is as much a fault as with a client that waits */
		return py.PyErr_ExceptionMatches(*py.PyExc_BrokenPipeError);
	/* the way of an application that took the socket to say "done" */
	return t->taken && py.PyErr_ExceptionMatches(*py.PyExc_StopIteration);
}

/* fail: the pending exception. */
static void fail(ph_thread *t)
{
	if (timed_out(t)) {
		t->message.length = 0;
		t->x.outcome |= PH_FAILED;
	} else if (expected(t)) {
		py.PyErr_Clear();
	} else {
		ph_exception_record(t);
	}
}

static void run(ph_thread *t, PyObject *token, PyObject *environ)
{
	PyObject *result = call_application(token, environ); /* new */
	int done;

	ph_child_leave(result);
	if (result == NULL) {
		fail(t);
		ph_turn_seal(t);
		return;
	}
	/* an application that spoke on the socket itself has nothing to say here, unless it started a response */
	done = t->taken && !t->started ? PH_OK : ph_body_deliver(t, result);
	if (done == PH_ERR)
		fail(t);
	else if (done == PH_CLIENT_GONE)
		t->gone = true;
	ph_turn_seal(t); /* nothing that close(), __del__ or a thread writes now can be part of this response */
	close_iterable(t, result);
	py.Py_DecRef(result);
}

/* run_hooked: run, between pre_request and post_request. */
static void run_hooked(ph_thread *t, PyObject *token, PyObject *environ)
{
	PyObject *request = ph_hook_before(environ); /* new */

	run(t, token, environ);
	if (ph_py.after_request != NULL && request != NULL)
		ph_hook_after(t, request, environ);
	py.Py_DecRef(request);
}

/*
 * give_back_socket: the request is over, and with it the server's copy of a socket that the application took.  One that
 * the application keeps (a websocket's thread) is its own.
 */
static void give_back_socket(ph_thread *t)
{
	if (py.PyObject_SetAttrString(t->x.conn->socket, "_socket", NULL) != 0) /* deletes it */
		py.PyErr_Clear();
}

/* begun: false when the request waited for the GIL for so long that the server has answered it. */
static bool begun(ph_thread *t)
{
	if (!ph_claim_lost(t))
		return true;
	t->gone = true;
	if (t->x.body_kind == PH_BODY_FILE || t->x.body_kind == PH_BODY_STREAM)
		close(t->x.body_fd);
	return false;
}

void ph_call(int thread, const uint8_t *frame, const uint8_t *body)
{
	ph_thread *t = &ph_threads[thread];
	PyObject *token, *environ;

	ph_gil_acquire(t);
	ph_conn_release_dropped();
	begin(t);
	token = begun(t) ? ph_token_new(t) : NULL;                      /* new */
	environ = token ? ph_environ_new(t, token, frame, body) : NULL; /* new */
	if (environ == NULL) {
		if (!t->gone) /* begun: then nothing was tried */
			fail(t);
		ph_turn_seal(t);
	} else if (ph_py.before_request == NULL) {
		run(t, token, environ);
	} else {
		run_hooked(t, token, environ);
	}
	if (ph_py.log_environ != NULL && environ != NULL)
		ph_logged_environ(t, environ);
	py.Py_DecRef(environ);
	py.Py_DecRef(token);
	if (t->spooled != NULL)
		ph_input_end(t);
	if (t->taken)
		give_back_socket(t);
	if (t->cork.used)
		ph_cork_rest(t);
	if (t->spill != NULL)
		ph_spill_end(t);
	finish(t);
	ph_child_leave(NULL); /* forked by a destructor */
	if (!(t->x.flags & PH_KEEP_GIL))
		ph_gil_release(thread);
}

int ph_signals_check(void)
{
	ph_thread *t = &ph_threads[0];
	int raised = 0;

	ph_gil_acquire(t);
	if (py.PyErr_CheckSignals() != 0) {
		ph_child_leave(NULL);
		t->message.length = 0;
		raised = py.PyErr_ExceptionMatches(*py.PyExc_SystemExit) ? 1 : -1;
		ph_exception_record(t);
		t->x.message = t->message.data;
		t->x.message_length = t->message.length;
	}
	ph_child_leave(PH_NONE);
	ph_gil_release(0);
	return raised;
}
