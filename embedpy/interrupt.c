/*
 * Requests that take too long: an exception in the thread that runs one, and the stacks of all.
 *
 * An asynchronous exception (PyThreadState_SetAsyncExc) is set for a thread, not for a request.  It never reaches a
 * later request of the thread because both ends happen with the GIL held, or the request's lock: it is set only while
 * the request with the right serial number is active, and what is still pending is taken back when that has ended.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

int ph_dump_fd = -1, ph_dump_signal;
static int wake_fd = -1;

/* ph_interrupt_settle: at the end of an interrupted request.  GIL held until the next one begins. */
void ph_interrupt_settle(ph_thread *t)
{
	py.PyThreadState_SetAsyncExc(t->ident, NULL);
	t->interrupted = false;
}

/* text_of: calls a function of worker.py that returns bytes, and copies them; NULL when it fails.  GIL held. */
static char *text_of(const char *name, PyObject *argument, size_t *length)
{
	PyObject *function = ph_worker_function(name); /* new */
	PyObject *bytes = function ? py.PyObject_CallFunctionObjArgs(function, argument, NULL) : NULL; /* new */
	char *data, *text = NULL;
	Py_ssize_t size;

	*length = 0;
	if (bytes != NULL && py.PyBytes_AsStringAndSize(bytes, &data, &size) == 0 &&
	    (text = malloc((size_t)size + 1)) != NULL) {
		memcpy(text, data, (size_t)size);
		*length = (size_t)size;
	}
	py.PyErr_Clear();
	py.Py_DecRef(bytes);
	py.Py_DecRef(function);
	return text;
}

static bool runs(ph_thread *t, uint64_t serial)
{
	bool it_does;

	ph_lock(t);
	it_does = t->active && t->serial == serial;
	ph_unlock(t);
	return it_does;
}

/*
 * raise_in: the exception for the request, if it still runs.  SetAsyncExc neither waits nor runs code here: the thread
 * has no other such exception pending that would have to go.
 */
static bool raise_in(ph_thread *t, uint64_t serial)
{
	bool done = false;

	ph_lock(t);
	if (t->active && t->serial == serial) {
		t->interrupted = true;
		done = py.PyThreadState_SetAsyncExc(t->ident, ph_py.request_timeout) == 1;
	}
	ph_unlock(t);
	return done;
}

/* interrupt_stopped: the GIL is held, so the thread is where it is. */
static bool interrupt_stopped(ph_thread *t, uint64_t serial, PyObject *ident, char **stack, size_t *length)
{
	*stack = text_of("stack", ident, length);
	return raise_in(t, serial); /* writing the stack let other threads run: it looks again */
}

/* interrupt_running: without a GIL.  The thread notes its stack when the exception is raised, unless it waits in C. */
static bool interrupt_running(ph_thread *t, uint64_t serial, PyObject *ident, char **stack, size_t *length)
{
	if (!raise_in(t, serial))
		return false;
	*stack = text_of("own_stack", ident, length);
	if (*length > 0)
		return true;
	free(*stack);
	*stack = NULL;
	if (!runs(t, serial)) /* it came to its end first */
		return false;
	*stack = text_of("stack", ident, length);
	return true;
}

int ph_interrupt(int thread, uint64_t serial, char **stack, size_t *length)
{
	ph_thread *t = &ph_threads[thread];
	int state = py.PyGILState_Ensure(), done = 0;

	*stack = NULL;
	*length = 0;
	if (runs(t, serial)) {
		PyObject *ident = py.PyLong_FromUnsignedLong(t->ident); /* new */

		done = ph_free_threaded ? interrupt_running(t, serial, ident, stack, length)
		                        : interrupt_stopped(t, serial, ident, stack, length);
		py.Py_DecRef(ident);
	}
	py.PyGILState_Release(state);
	return done;
}

char *ph_stacks(size_t *length)
{
	int state = py.PyGILState_Ensure();
	char *text = text_of("stacks", NULL, length);

	py.PyGILState_Release(state);
	return text;
}

char *ph_stacks_dump(size_t *length)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	struct stat info;
	char *text = NULL;

	*length = 0;
	if (ph_dump_fd < 0)
		return NULL;
	pthread_mutex_lock(&one);
	/* the handler has run when this returns: the signal is for this thread */
	if (ftruncate(ph_dump_fd, 0) == 0 && lseek(ph_dump_fd, 0, SEEK_SET) == 0 &&
	    pthread_kill(pthread_self(), ph_dump_signal) == 0 && fstat(ph_dump_fd, &info) == 0 &&
	    (text = malloc((size_t)info.st_size + 1)) != NULL) {
		ssize_t n = pread(ph_dump_fd, text, (size_t)info.st_size, 0);

		*length = n > 0 ? (size_t)n : 0;
	}
	pthread_mutex_unlock(&one);
	return text;
}

void ph_deadlines_wake(int eventfd)
{
	wake_fd = eventfd;
}

/* set_deadline: seconds from now; none: no limit. */
static void set_deadline(ph_thread *t, double seconds, bool none)
{
	int64_t deadline = none ? -1 : ph_now() + (int64_t)(seconds * 1e9);
	uint64_t one = 1;

	__atomic_store_n(&t->x.deadline, deadline, __ATOMIC_RELEASE);
	if (write(wake_fd, &one, sizeof one) < 0)
		return; /* the counter is full: it has been told often enough */
}

/* request_timeout(seconds): for the request that the calling thread runs, counted from now; None: no limit. */
PyObject *ph_request_timeout(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
	ph_thread *t = ph_thread_here();
	bool none = nargs == 1 && args[0] == PH_NONE;
	double seconds = nargs == 1 && !none ? py.PyFloat_AsDouble(args[0]) : 0;

	(void)self, (void)kwnames;
	if (seconds == -1.0 && py.PyErr_Occurred() != NULL)
		return NULL;
	if (nargs != 1 || (!none && !(seconds > 0 && seconds < 1e9))) {
		py.PyErr_SetString(*py.PyExc_ValueError, "request_timeout(seconds): a positive number, or None for no limit");
		return NULL;
	}
	if (t == NULL) {
		py.PyErr_SetString(*py.PyExc_RuntimeError, "request_timeout() was called in a thread that runs no request");
		return NULL;
	}
	set_deadline(t, seconds, none);
	py.Py_IncRef(PH_NONE);
	return PH_NONE;
}
