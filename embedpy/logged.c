/*
 * What the application says for the access log: pyhost.log_var(), and variables of environ that the log's format names.
 * Each entry of ph_thread.logged is its kind, 'v' or 'e', two lengths of 32 bits, name and value.
 */
#include <string.h>

#include "internal.h"

enum { NAME_MAX_LENGTH = 255, VALUE_MAX = 8192, LOGGED_MAX = 64 * 1024 };

/* add: one entry; what is longer than the bounds is cut, what comes when there is enough is dropped. */
static void add(ph_thread *t, char kind, const char *name, Py_ssize_t name_length, const char *value, Py_ssize_t length)
{
	uint32_t lengths[2] = {(uint32_t)(name_length < NAME_MAX_LENGTH ? name_length : NAME_MAX_LENGTH),
	                       (uint32_t)(length < VALUE_MAX ? length : VALUE_MAX)};
	size_t total = 1 + sizeof lengths + lengths[0] + lengths[1];

	if (t->logged.length + total > LOGGED_MAX || ph_buffer_reserve(&t->logged, total) != PH_OK)
		return;
	ph_buffer_add(&t->logged, &kind, 1);
	ph_buffer_add(&t->logged, lengths, sizeof lengths);
	ph_buffer_add(&t->logged, name, lengths[0]);
	ph_buffer_add(&t->logged, value, lengths[1]);
}

/*
 * log_var(name: str, value: str): for the access log's line of the request that the calling thread runs.  GIL: held.
 * Without an access log it does nothing.
 */
PyObject *ph_log_var(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ph_thread *t = ph_thread_here();
	Py_ssize_t name_length = 0, length = 0;
	const char *name = nargs == 2 ? py.PyUnicode_AsUTF8AndSize(args[0], &name_length) : NULL;
	const char *value = name ? py.PyUnicode_AsUTF8AndSize(args[1], &length) : NULL;

	(void)self, (void)kwnames;
	if (value == NULL) {
		if (py.PyErr_Occurred() == NULL)
			py.PyErr_SetString(*py.PyExc_TypeError, "log_var(name, value)");
		return NULL;
	}
	if (t == NULL) {
		py.PyErr_SetString(*py.PyExc_RuntimeError, "log_var() was called in a thread that runs no request");
		return NULL;
	}
	if (t->x.flags & PH_TIMED) /* there is an access log */
		add(t, 'v', name, name_length, value, length);
	py.Py_IncRef(PH_NONE);
	return PH_NONE;
}

/* note_value: the text of a value as WSGI has it, Latin-1, or as UTF-8 where it is none.  No exception is left. */
static void note_value(ph_thread *t, const char *name, Py_ssize_t name_length, PyObject *value)
{
	PyObject *text = py.PyObject_Str(value);                          /* new */
	PyObject *latin1 = text ? py.PyUnicode_AsLatin1String(text) : NULL; /* new */
	Py_ssize_t length = 0;
	char *bytes = NULL;
	const char *utf8 = NULL;

	if (latin1 != NULL && py.PyBytes_AsStringAndSize(latin1, &bytes, &length) == 0)
		utf8 = bytes;
	py.PyErr_Clear();
	if (utf8 == NULL && text != NULL)
		utf8 = py.PyUnicode_AsUTF8AndSize(text, &length);
	py.PyErr_Clear();
	if (utf8 != NULL)
		add(t, 'e', name, name_length, utf8, length);
	py.Py_DecRef(latin1);
	py.Py_DecRef(text);
}

/* ph_logged_environ: the variables of log_environ, as the application left them.  GIL: held.  environ: borrowed. */
void ph_logged_environ(ph_thread *t, PyObject *environ)
{
	Py_ssize_t count = py.PyTuple_Size(ph_py.log_environ);

	for (Py_ssize_t i = 0; i < count; i++) {
		Py_ssize_t length = 0;
		const char *name = py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(ph_py.log_environ, i), &length);
		PyObject *value = name ? ph_dict_get(environ, name) : NULL; /* new: its __str__ may take it out of environ */

		if (value == NULL)
			continue;
		note_value(t, name, length, value);
		py.Py_DecRef(value);
	}
	py.PyErr_Clear();
}
