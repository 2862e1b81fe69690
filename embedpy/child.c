/* A process that the application forked (os.fork): it shares the worker's sockets, and has no Go threads. */
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

bool ph_is_child;

/* exit_message: sys.exit("why") says why and exits with 1. */
static int exit_message(PyObject *code)
{
	PyObject *text = py.PyObject_Str(code); /* new, kept: the process ends */
	const char *utf8;

	py.PyErr_Clear();
	utf8 = text ? py.PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
	fprintf(stderr, "%s\n", utf8 ? utf8 : "SystemExit with a code that cannot be shown");
	return 1;
}

/* exit_code: what python would exit with for the pending exception: SystemExit's code, otherwise 1. */
static int exit_code(void)
{
	PyObject *type, *value, *trace, *code;
	int n = 1;

	if (!py.PyErr_ExceptionMatches(*py.PyExc_SystemExit)) {
		ph_buffer text = {0};

		ph_exception_text(&text);
		fprintf(stderr, "%.*s", (int)text.length, text.data ? text.data : "");
		return 1;
	}
	py.PyErr_Fetch(&type, &value, &trace);
	py.PyErr_NormalizeException(&type, &value, &trace);
	code = value ? py.PyObject_GetAttrString(value, "code") : NULL; /* new */
	if (code == PH_NONE)
		n = 0;
	else if (code != NULL && (n = (int)py.PyLong_AsLong(code) & 0xff) == 0xff && py.PyErr_Occurred() != NULL)
		n = exit_message(code);
	return n;
}

/*
 * ph_child_leave: called wherever control comes back from the application.  In the worker it does nothing.  A child
 * that came here would serve other clients' requests beside the worker: it ends, as if its program had ended.
 * result: what the application returned, or NULL with an exception set.
 */
void ph_child_leave(PyObject *result)
{
	int code;

	if (!ph_is_child)
		return;
	code = result == NULL && py.PyErr_Occurred() != NULL ? exit_code() : 0;
	fflush(NULL);
	_exit(code);
}
