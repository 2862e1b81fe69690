/* pre_request and post_request around one request: see python/requests.py, which catches what hooks raise. */
#include "internal.h"

PyObject *ph_hook_before(PyObject *environ)
{
	PyObject *request = py.PyObject_CallFunctionObjArgs(ph_py.before_request, environ, NULL); /* new */

	ph_child_leave(request);
	py.PyErr_Clear();
	return request;
}

void ph_hook_after(ph_thread *t, PyObject *request, PyObject *environ)
{
	PyObject *head = py.PyBytes_FromStringAndSize(t->head.data, (Py_ssize_t)t->head.length); /* new */
	PyObject *sent = py.PyLong_FromUnsignedLongLong(t->body_sent);                         /* new */
	PyObject *committed = py.PyBool_FromLong(t->committed);                                /* new */
	PyObject *failed = py.PyBool_FromLong((t->x.outcome & PH_FAILED) != 0);                /* new */
	PyObject *done = NULL;

	if (head && sent && committed && failed)
		done = py.PyObject_CallFunctionObjArgs(ph_py.after_request, request, environ, head, sent, committed, failed,
		                                       NULL); /* new */
	ph_child_leave(done);
	py.PyErr_Clear();
	py.Py_DecRef(done);
	py.Py_DecRef(failed);
	py.Py_DecRef(committed);
	py.Py_DecRef(sent);
	py.Py_DecRef(head);
}
