/* The worker's side of the interpreter: boot, threads, the end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { EXIT_BOOT = 3 };

static ph_buffer boot_error, boot_traceback;

const char *ph_boot_error(void)
{
	return boot_error.data ? boot_error.data : "";
}

const char *ph_boot_traceback(void)
{
	return boot_traceback.data ? boot_traceback.data : "";
}

static int failed(int code, const char *error)
{
	if (error == NULL) { /* text without a UTF-8 form */
		py.PyErr_Clear();
		error = "the cause cannot be shown";
	}
	boot_error.length = 0;
	ph_buffer_add(&boot_error, error, strlen(error) + 1);
	return code;
}

static int intern_names(void)
{
	ph_name.close = py.PyUnicode_InternFromString("close");
	ph_name.wsgi_input = py.PyUnicode_InternFromString("wsgi.input");
	ph_name.gunicorn_socket = py.PyUnicode_InternFromString("gunicorn.socket");
	ph_name.early_hints = py.PyUnicode_InternFromString("wsgi.early_hints");
	ph_name.id = py.PyUnicode_InternFromString("_id");
	if (!ph_name.close || !ph_name.wsgi_input || !ph_name.gunicorn_socket || !ph_name.early_hints || !ph_name.id)
		return PH_ERR;
	return PH_OK;
}

/* thread_new: buffers of thread i; the main thread starts with the GIL, as the fork left it. */
static int threads_new(int count)
{
	ph_threads = aligned_alloc(_Alignof(ph_thread), (size_t)count * sizeof *ph_threads);
	if (ph_threads == NULL)
		return PH_ERR;
	memset(ph_threads, 0, (size_t)count * sizeof *ph_threads);
	ph_thread_count = count;
	for (int i = 0; i < count; i++) {
		ph_threads[i].index = i;
		ph_threads[i].date_second = -1;
		pthread_mutex_init(&ph_threads[i].lock, NULL);
		pthread_mutex_init(&ph_threads[i].cork.lock, NULL);
		if (ph_environ_prepare(&ph_threads[i]) != PH_OK)
			return PH_ERR;
	}
	ph_cork_prepare();
	ph_threads[0].holds_gil = true;
	ph_threads[0].ident = py.PyThread_get_thread_ident();
	return PH_OK;
}

void ph_thread_templates(int thread, PyObject *templates)
{
	py.Py_IncRef(templates); /* takes NULL */
	ph_threads[thread].templates = templates;
}

PyObject *ph_dict_get(PyObject *dict, const char *key)
{
	PyObject *value = NULL;

	if (py.PyDict_GetItemStringRef == NULL) { /* before 3.13: the GIL is held */
		value = py.PyDict_GetItemString(dict, key); /* borrowed */
		py.Py_IncRef(value);                        /* takes NULL */
	} else if (py.PyDict_GetItemStringRef(dict, key, &value) < 0) {
		py.PyErr_Clear();
	}
	return value;
}

PyObject *ph_worker_function(const char *name)
{
	PyObject *module = py.PyImport_ImportModule("_pyhost_worker"); /* new */
	PyObject *function = module ? py.PyObject_GetAttrString(module, name) : NULL; /* new */

	py.Py_DecRef(module);
	return function;
}

/* outcome: worker.boot returns None, or (exit code, cause, traceback). */
static int outcome(PyObject *result)
{
	int code;

	if (result == PH_NONE)
		return 0;
	code = (int)py.PyLong_AsLong(py.PyTuple_GetItem(result, 0));
	failed(code, py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(result, 1), NULL));
	boot_traceback.length = 0;
	const char *trace = py.PyUnicode_AsUTF8AndSize(py.PyTuple_GetItem(result, 2), NULL);
	if (trace != NULL)
		ph_buffer_add(&boot_traceback, trace, strlen(trace) + 1);
	else
		py.PyErr_Clear();
	return code;
}

int ph_boot(const char *keys, int key_count, int error_fd, int wake_fd, int note_fd, int threads)
{
	PyObject *boot, *text, *fd, *wake, *note, *result;
	int code;

	if (intern_names() != PH_OK || ph_environ_keys(keys, key_count) != PH_OK || threads_new(threads) != PH_OK)
		return failed(EXIT_BOOT, "out of memory");
	ph_py.format_exception = ph_worker_function("format_exception"); /* new, kept */
	boot = ph_worker_function("boot");                               /* new */
	if (boot == NULL || ph_py.format_exception == NULL)
		return failed(EXIT_BOOT, "the embedded module _pyhost_worker is not there");
	text = py.PyUnicode_DecodeUTF8(ph_worker_boot(&(size_t){0}), (Py_ssize_t)strlen(ph_worker_boot(&(size_t){0})), NULL);
	fd = py.PyLong_FromLong(error_fd);
	wake = py.PyLong_FromLong(wake_fd);
	note = py.PyLong_FromLong(note_fd);
	result = text && fd && wake && note ? py.PyObject_CallFunctionObjArgs(boot, text, fd, wake, note, NULL)
	                                    : NULL; /* new */
	if (result == NULL) {
		ph_exception_text(&boot_traceback);
		ph_buffer_add(&boot_traceback, "", 1);
		code = failed(EXIT_BOOT, "the worker could not be set up");
	} else {
		code = outcome(result);
	}
	py.Py_DecRef(result);
	py.Py_DecRef(note);
	py.Py_DecRef(wake);
	py.Py_DecRef(fd);
	py.Py_DecRef(text);
	py.Py_DecRef(boot);
	return code;
}

int ph_threads_start(void)
{
	PyObject *start, *count, *done;

	ph_gil_acquire(&ph_threads[0]);
	start = ph_worker_function("start_threads"); /* new */
	count = py.PyLong_FromLong(ph_thread_count);
	done = start && count ? py.PyObject_CallFunctionObjArgs(start, count, NULL) : NULL; /* new */
	if (done == NULL) {
		ph_exception_text(&boot_traceback);
		ph_buffer_add(&boot_traceback, "", 1);
		failed(EXIT_BOOT, "cannot start the worker's threads");
	}
	py.Py_DecRef(start);
	py.Py_DecRef(count);
	py.Py_DecRef(done);
	ph_gil_release(0);
	return done ? 0 : -1;
}

/* run_function: a function of _pyhost_worker without arguments; what it raises is dropped. */
static void run_function(const char *name)
{
	PyObject *function, *done;

	ph_gil_acquire(&ph_threads[0]);
	function = ph_worker_function(name);                                      /* new */
	done = function ? py.PyObject_CallFunctionObjArgs(function, NULL) : NULL; /* new */
	py.PyErr_Clear();
	py.Py_DecRef(done);
	py.Py_DecRef(function);
	ph_gil_release(0);
}

/* forget: gives a reference back that was owned. */
static void forget(PyObject **kept)
{
	PyObject *object = *kept;

	*kept = NULL;
	py.Py_DecRef(object); /* takes NULL */
}

/*
 * Ending the interpreter takes faulthandler's alternate signal stack away from this thread, and a Go handler that ran
 * without one would end the process.  Signals of this thread wait until it is gone.  What runs code of the application
 * comes before, as far as it can: the processes that it starts would never see a SIGTERM.
 */
void ph_finalize_begin(void)
{
	sigset_t all;

	run_function("end");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	ph_gil_acquire(&ph_threads[0]);
	forget(&ph_py.application); /* with it the objects of its modules end */
	forget(&ph_py.before_request);
	forget(&ph_py.after_request);
}

void ph_finalize(void)
{
	py.Py_FinalizeEx();
}

void ph_finalize_end(void)
{
	fflush(NULL);
}

void ph_run_worker_exit(void)
{
	run_function("run_worker_exit");
}

void ph_run_atexit(void)
{
	run_function("run_atexit");
	fflush(NULL);
}

void ph_free(void *memory)
{
	free(memory);
}
