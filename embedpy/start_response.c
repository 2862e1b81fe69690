/*
 * start_response, write and early_hints: the callables of PEP 3333 that the application gets.
 *
 * Each start_response carries the serial number of its request as `self`, so one that is kept and called after its
 * request (by a suspended greenlet, a forgotten thread) raises instead of writing into somebody else's response.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"

/* write(data): the imperative way to send, PEP 3333 "The write() Callable".  Returns None. */
static PyObject *write_call(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ph_thread *t;
	char *data;
	Py_ssize_t length;
	int sent;

	if (nargs != 1 || kwnames != NULL) {
		py.PyErr_SetString(*py.PyExc_TypeError, "write() takes one argument, bytes");
		return NULL;
	}
	if (py.PyBytes_AsStringAndSize(args[0], &data, &length) != 0 || (t = ph_turn_of_token(self)) == NULL)
		return NULL;
	sent = ph_body_block(t, data, (size_t)length);
	ph_turn_end(t);
	if (sent == PH_CLIENT_GONE) {
		errno = EPIPE; /* BrokenPipeError, as socket.sendall() raises it under gunicorn: frameworks look for that */
		py.PyErr_SetFromErrno(*py.PyExc_OSError);
	}
	if (sent != PH_OK)
		return NULL;
	py.Py_IncRef(PH_NONE);
	return PH_NONE;
}

static PyMethodDef write_def = {"write", write_call, METH_FASTCALL_KEYWORDS,
                                "write(data): send a block of the body now (PEP 3333)."};

/*
 * raise_again: sets the exception that exc_info carries.  Python trusts its callers to give PyErr_Restore an exception,
 * and crashes later where it is something else.
 */
static void raise_again(PyObject *exc_info)
{
	PyObject *value = py.PyTuple_Size(exc_info) == 3 ? py.PyTuple_GetItem(exc_info, 1) : NULL; /* borrowed */
	PyObject *type = value ? py.PyObject_Type(value) : NULL;                                   /* new */
	PyObject *trace;

	if (type == NULL || !py.PyType_IsSubtype(type, *py.PyExc_BaseException)) {
		py.Py_DecRef(type);
		py.PyErr_Clear();
		py.PyErr_SetString(*py.PyExc_TypeError,
		                   "exc_info must be the (type, value, traceback) of sys.exc_info() (PEP 3333)");
		return;
	}
	trace = py.PyTuple_GetItem(exc_info, 2); /* borrowed */
	if (py.PyException_SetTraceback(value, trace) != 0) {
		py.Py_DecRef(type);
		return;
	}
	if (trace == PH_NONE)
		trace = NULL;
	py.Py_IncRef(value);
	py.Py_IncRef(trace); /* takes NULL */
	py.PyErr_Restore(type, value, trace); /* steals the three */
}

/*
 * replace: a second call.  PEP 3333: allowed with exc_info only; before the head left it replaces, afterwards the
 * exception that exc_info carries is raised again.
 */
static int replace(ph_thread *t, PyObject *exc_info)
{
	if (exc_info == NULL || exc_info == PH_NONE) {
		py.PyErr_SetString(*py.PyExc_AssertionError,
		                   "start_response() was called a second time without exc_info (PEP 3333)");
		return PH_ERR;
	}
	if (!t->committed)
		return PH_OK;
	raise_again(exc_info);
	return PH_ERR;
}

/* collect: positional and keyword arguments into given[3] (borrowed). */
static int collect(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, PyObject *given[3])
{
	static const char *const names[] = {"status", "headers", "exc_info"};
	Py_ssize_t keywords = kwnames ? py.PyTuple_Size(kwnames) : 0;

	if (nargs > 3)
		goto wrong;
	for (Py_ssize_t i = 0; i < nargs; i++)
		given[i] = args[i];
	for (Py_ssize_t k = 0; k < keywords; k++) {
		const char *name = py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(kwnames, k), NULL);
		int i = 0;

		while (i < 3 && (name == NULL || (strcmp(name, names[i]) != 0 && !(i == 1 && !strcmp(name, "response_headers")))))
			i++;
		if (i == 3 || given[i] != NULL)
			goto wrong;
		given[i] = args[nargs + k];
	}
	if (given[0] != NULL && given[1] != NULL)
		return PH_OK;
wrong:
	py.PyErr_SetString(*py.PyExc_TypeError, "start_response(status, headers, exc_info=None): wrong arguments");
	return PH_ERR;
}

/* start: the head from given[3] and the fields of its headers.  GIL held: nobody else writes it meanwhile. */
static int start(PyObject *token, PyObject *given[3], PyObject *fields)
{
	uint64_t n = py.PyLong_AsUnsignedLongLong(token);
	ph_thread *t = ph_token_thread(n);

	if (!ph_token_runs(t, n)) {
		ph_token_refuse();
		return PH_ERR;
	}
	if (t->started && replace(t, given[2]) != PH_OK)
		return PH_ERR;
	ph_head_reset(t);
	t->started = false;
	if (ph_head_status(t, given[0]) == PH_OK && ph_head_headers(t, &t->head, fields, false) == PH_OK) {
		t->started = true;
		return PH_OK;
	}
	if (ph_token_runs(t, n) && !t->committed) { /* the error's text came from a __repr__ of the application */
		ph_head_reset(t);
		t->started = false;
	}
	return PH_ERR;
}

/* may_start: the thread of the request, with its turn, if start_response may be called now; or NULL with an error. */
static ph_thread *may_start(PyObject *token, PyObject *exc_info)
{
	ph_thread *t = ph_turn_of_token(token);

	if (t == NULL || !t->started || replace(t, exc_info) == PH_OK)
		return t;
	ph_turn_end(t);
	return NULL;
}

/* forget_start: after an error, which is kept: what an earlier call said is no answer any more. */
static void forget_start(PyObject *token)
{
	PyObject *type, *value, *trace;
	ph_thread *t;

	py.PyErr_Fetch(&type, &value, &trace);
	if ((t = ph_turn_of_token(token)) != NULL) {
		if (!t->committed) {
			ph_head_reset(t);
			t->started = false;
		}
		ph_turn_end(t);
	}
	py.PyErr_Restore(type, value, trace); /* also in place of what the turn's refusal set */
}

/* start_apart: the same without a GIL: the head is written apart, and takes its place in one turn. */
static int start_apart(PyObject *token, PyObject *given[3], PyObject *fields)
{
	ph_thread draft = {.content_length = -1};
	ph_thread *t = may_start(token, given[2]);

	if (t == NULL)
		return PH_ERR;
	ph_turn_end(t);
	if (ph_head_status(&draft, given[0]) != PH_OK || ph_head_headers(&draft, &draft.head, fields, false) != PH_OK) {
		forget_start(token);
		t = NULL;
	} else if ((t = may_start(token, given[2])) != NULL) {
		ph_head_adopt(t, &draft);
		t->started = true;
		ph_turn_end(t);
	}
	ph_buffer_free(&draft.head);
	ph_buffer_free(&draft.offload);
	return t ? PH_OK : PH_ERR;
}

/* start_response(status, headers, exc_info=None) -> write */
static PyObject *start_response_call(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	PyObject *given[3] = {NULL, NULL, NULL};
	PyObject *fields, *write = NULL;
	int done;

	if (collect(args, nargs, kwnames, given) != PH_OK || (fields = ph_head_fields(given[1])) == NULL) /* new */
		return NULL;
	/* now: making the fields took the application's code, and any time */
	done = ph_free_threaded ? start_apart(self, given, fields) : start(self, given, fields);
	if (done == PH_OK)
		write = py.PyCFunction_NewEx(&write_def, self, NULL); /* new */
	py.Py_DecRef(fields);
	return write;
}

static PyMethodDef start_response_def = {"start_response", start_response_call, METH_FASTCALL_KEYWORDS,
                                         "start_response(status, headers, exc_info=None) -> write (PEP 3333)."};

PyObject *ph_start_response_new(PyObject *token)
{
	return py.PyCFunction_NewEx(&start_response_def, token, NULL); /* new */
}

/* wsgi.early_hints(headers): a 103 (RFC 8297).  Silent for HTTP/1.0 clients and once the head is out (gunicorn). */
static PyObject *early_hints_call(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	static const char status[] = "HTTP/1.1 103 Early Hints\r\n";
	ph_thread *t;
	ph_buffer hints = {0};
	struct iovec iov;
	PyObject *fields, *answer = NULL;

	if (nargs != 1 || kwnames != NULL) {
		py.PyErr_SetString(*py.PyExc_TypeError, "wsgi.early_hints() takes one argument, a list of headers");
		return NULL;
	}
	fields = ph_head_fields(args[0]); /* new */
	if (fields == NULL)
		return NULL;
	if (ph_buffer_add(&hints, status, sizeof status - 1) != PH_OK ||
	    ph_head_headers(NULL, &hints, fields, true) != PH_OK || ph_buffer_add(&hints, "\r\n", 2) != PH_OK ||
	    (t = ph_turn_of_token(self)) == NULL)
		goto out;
	iov = (struct iovec){hints.data, hints.length};
	if (!t->committed && !t->gone && (t->x.flags & PH_HTTP11) && ph_output_wait(t, &iov, 1) == PH_CLIENT_GONE)
		t->gone = true;
	ph_turn_end(t);
	py.Py_IncRef(PH_NONE);
	answer = PH_NONE;
out:
	py.Py_DecRef(fields);
	ph_buffer_free(&hints);
	return answer;
}

static PyMethodDef early_hints_def = {"early_hints", early_hints_call, METH_FASTCALL_KEYWORDS,
                                      "early_hints(headers): send 103 Early Hints (RFC 8297)."};

PyObject *ph_early_hints_new(PyObject *token)
{
	return py.PyCFunction_NewEx(&early_hints_def, token, NULL); /* new */
}
