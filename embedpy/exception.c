#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* ph_exception_text: appends the traceback of the pending exception, as `traceback.format_exception` writes it. */
void ph_exception_text(ph_buffer *to)
{
	static const char unknown[] = "an exception that cannot be shown: formatting it raised another one\n";
	PyObject *type, *value, *trace, *text;
	char *data;
	Py_ssize_t length;

	py.PyErr_Fetch(&type, &value, &trace);
	py.PyErr_NormalizeException(&type, &value, &trace);
	text = py.PyObject_CallFunctionObjArgs(ph_py.format_exception, type ? type : PH_NONE, value ? value : PH_NONE,
	                                       trace ? trace : PH_NONE, NULL); /* new */
	if (text != NULL && py.PyBytes_AsStringAndSize(text, &data, &length) == 0)
		ph_buffer_add(to, data, (size_t)length);
	else
		ph_buffer_add(to, unknown, sizeof unknown - 1);
	py.PyErr_Clear();
	py.Py_DecRef(text); /* Py_DecRef takes NULL */
	py.Py_DecRef(type);
	py.Py_DecRef(value);
	py.Py_DecRef(trace);
}

void ph_exception_record(ph_thread *t)
{
	if (t->message.length > 0 && t->message.data[t->message.length - 1] != '\n')
		ph_buffer_add(&t->message, "\n", 1); /* below a warning */
	ph_exception_text(&t->message);
	t->x.outcome |= PH_FAILED;
}

void ph_message_set(ph_thread *t, const char *format, ...)
{
	char text[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0)
		return;
	t->message.length = 0;
	ph_buffer_add(&t->message, text, strlen(text));
}
