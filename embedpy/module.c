/* The builtin module _pyhost: what the embedded Python sources may ask of C. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

void goPythonThread(int thread);

static int forks;

int ph_forked(void)
{
	return __atomic_load_n(&forks, __ATOMIC_RELAXED);
}

/* The mask of the forking thread while it forks; the child has one thread, this one. */
static __thread sigset_t mask_before_fork;

static PyObject *none(void)
{
	py.Py_IncRef(PH_NONE);
	return PH_NONE;
}

#define BUILTIN(name) static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
#define UNUSED (void)self, (void)args, (void)nargs, (void)kwnames

/* control_fd() -> int: the forkserver's control socket. */
BUILTIN(control_fd)
{
	UNUSED;
	return py.PyLong_FromLong(ph_control_fd);
}

/* become_worker(boot: bytes, fds: tuple): what the Go runtime will find when the constructor returns. */
BUILTIN(become_worker)
{
	char *boot;
	Py_ssize_t length;
	int fds[256], count;

	UNUSED;
	if (nargs != 2 || py.PyBytes_AsStringAndSize(args[0], &boot, &length) != 0)
		return NULL;
	count = (int)py.PyTuple_Size(args[1]);
	for (int i = 0; i < count && i < 256; i++)
		fds[i] = (int)py.PyLong_AsLong(py.PyTuple_GetItem(args[1], i));
	ph_worker_become(boot, (size_t)length, fds, count);
	return none();
}

/* take: new reference to an option; NULL for None. */
static PyObject *take(PyObject *options, const char *name)
{
	PyObject *value = ph_dict_get(options, name); /* new */

	if (value != PH_NONE)
		return value;
	py.Py_DecRef(value);
	return NULL;
}

/* configure(options: dict): the application and the helpers of worker.py; see ph_runtime. */
BUILTIN(configure)
{
	UNUSED;
	if (nargs != 1)
		return NULL;
	ph_py.application = take(args[0], "application");
	ph_py.templates = take(args[0], "templates");
	ph_thread_templates(0, ph_py.templates);
	ph_py.socket_type = take(args[0], "socket");
	ph_py.bytes_io = take(args[0], "bytes_io");
	ph_py.open_file = take(args[0], "open_file");
	ph_py.open_stream = take(args[0], "open_stream");
	ph_py.request_timeout = take(args[0], "request_timeout");
	ph_py.header_pairs = take(args[0], "header_pairs");
	ph_py.offload = py.PyLong_AsLong(py.PyDict_GetItemString(args[0], "offload")) != 0;
	ph_py.file_wrapper = take(args[0], "file_wrapper");
	ph_py.plain_file = take(args[0], "plain_file");
	ph_py.before_request = take(args[0], "before_request");
	ph_py.after_request = take(args[0], "after_request");
	ph_py.log_environ = take(args[0], "log_environ");
	return none();
}

/*
 * run_thread(i, make): the target of the threading.Thread objects; returns when the worker drains.  make() returns the
 * thread's own templates; None: those of thread 0 are everybody's.
 */
BUILTIN(run_thread)
{
	int i = nargs == 2 ? (int)py.PyLong_AsLong(args[0]) : 0;
	PyObject *own;

	UNUSED;
	if (i <= 0 || i >= ph_thread_count) {
		py.PyErr_SetString(*py.PyExc_ValueError, "run_thread(i, make): no such thread");
		return NULL;
	}
	if (args[1] == PH_NONE) {
		ph_thread_templates(i, ph_py.templates);
	} else {
		own = py.PyObject_CallFunctionObjArgs(args[1], NULL); /* new */
		if (own == NULL)
			return NULL;
		ph_thread_templates(i, own);
		py.Py_DecRef(own);
	}
	__atomic_store_n(&ph_threads[i].ident, py.PyThread_get_thread_ident(), __ATOMIC_RELAXED);
	ph_threads[i].saved = py.PyEval_SaveThread();
	goPythonThread(i);
	ph_gil_acquire(&ph_threads[i]);
	return none();
}

enum { NOT_THIS = -2, TOO_LATE = -3 };

/* take_socket: a duplicate of the socket, if t runs a request of that connection; -1 with errno, or one of the above */
static int take_socket(ph_thread *t, uint64_t id)
{
	int fd = NOT_THIS;

	ph_lock(t);
	if (t->active && t->conn_id == id) {
		fd = ph_claim_answer(t) ? fcntl(t->x.fd, F_DUPFD_CLOEXEC, 0) : TOO_LATE;
		if (fd >= 0)
			t->taken = true;
	}
	ph_unlock(t);
	if (fd >= 0)
		ph_cork_release(t);
	return fd;
}

/*
 * connection_fd(id) -> int: a duplicate of the client's socket, for an application that takes it over
 * (environ["gunicorn.socket"]).  Only while a request of that connection runs.
 */
BUILTIN(connection_fd)
{
	uint64_t id = nargs == 1 ? py.PyLong_AsUnsignedLongLong(args[0]) : 0;

	UNUSED;
	for (int i = 0; i < ph_thread_count; i++) {
		int fd = take_socket(&ph_threads[i], id);

		if (fd == NOT_THIS)
			continue;
		if (fd == TOO_LATE) {
			py.PyErr_SetString(*py.PyExc_RuntimeError, "the request took too long: its client has been answered");
			return NULL;
		}
		return fd < 0 ? py.PyErr_SetFromErrno(*py.PyExc_OSError) : py.PyLong_FromLong(fd);
	}
	py.PyErr_SetString(*py.PyExc_RuntimeError, "gunicorn.socket was used outside of its request");
	return NULL;
}

/*
 * before_fork(): no signal may reach the child between the fork and after_fork_in_child, where Go's handlers would
 * swallow it.  The thread's signals wait until the other two, in both processes.  What was yielded before the fork
 * leaves before what the child may send.
 */
BUILTIN(before_fork)
{
	sigset_t all;

	UNUSED;
	ph_cork_flush_all();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask_before_fork);
	return none();
}

/* after_fork_in_parent(): counts the forks, see ph_forked. */
BUILTIN(after_fork_in_parent)
{
	UNUSED;
	pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
	__atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED);
	return none();
}

/*
 * after_fork_in_child(kept): in a child that the application forked.  Go's handlers have no Go threads behind them
 * there: a SIGTERM (multiprocessing's terminate()) would be swallowed.  Handlers that the application set stay.
 */
BUILTIN(after_fork_in_child)
{
	PyObject *kept = nargs == 1 ? args[0] : NULL; /* tuple of signal numbers that have a Python handler */
	Py_ssize_t count = kept ? py.PyTuple_Size(kept) : 0;
	sigset_t keep;
	struct sigaction now, fallback = {.sa_handler = SIG_DFL};

	UNUSED;
	sigemptyset(&keep);
	for (Py_ssize_t i = 0; i < count; i++)
		sigaddset(&keep, (int)py.PyLong_AsLong(py.PyTuple_GetItem(kept, i)));
	for (int n = 1; n < NSIG; n++)
		if (!sigismember(&keep, n) && sigaction(n, NULL, &now) == 0 && now.sa_handler != SIG_IGN &&
		    now.sa_handler != SIG_DFL)
			sigaction(n, &fallback, NULL);
	ph_is_child = true;
	ph_turn_forget();
	ph_cork_forget();
	pthread_sigmask(SIG_SETMASK, &mask_before_fork, NULL);
	return none();
}

/*
 * widen_signal_stack: faulthandler gives its thread, the main one, a signal stack of a few KiB.  Go's handlers would
 * run there too, and they count on 32 KiB.
 */
static void widen_signal_stack(void)
{
	enum { ROOM = 64 * 1024 };
	static char *room;
	stack_t now;

	if (sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_ONSTACK) || now.ss_sp == room)
		return;
	if (!(now.ss_flags & SS_DISABLE) && now.ss_size >= ROOM / 2)
		return;
	if (room == NULL)
		room = malloc(ROOM);
	if (room != NULL)
		sigaltstack(&(stack_t){.ss_sp = room, .ss_size = ROOM}, NULL);
}

/*
 * take_back_signals: what the application has set to SIG_DFL is Go's again.  To Python these signals look as if nobody
 * handled them: who sets a handler for a while puts the default back, and would leave a worker that ends in the middle
 * of a request when it is told to stop.
 */
static void take_back_signals(void)
{
	static const int served[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
	static struct sigaction own[sizeof served / sizeof *served];
	static bool known;
	struct sigaction now;

	for (size_t i = 0; i < sizeof served / sizeof *served; i++)
		if (!known)
			sigaction(served[i], NULL, &own[i]);
		else if (sigaction(served[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			sigaction(served[i], &own[i], NULL);
	known = true;
}

/*
 * guard_signals(): gives every handler SA_ONSTACK.  A C handler without it may run on a goroutine's small stack;
 * CPython sets the flag since 3.10 only (bpo-43390), C extensions often do not.  Called first before the application is
 * imported.
 */
BUILTIN(guard_signals)
{
	struct sigaction now;

	UNUSED;
	if (ph_is_child) /* no Go here */
		return none();
	take_back_signals();
	widen_signal_stack();
	for (int n = 1; n < NSIG; n++)
		if (sigaction(n, NULL, &now) == 0 && now.sa_handler != SIG_IGN && now.sa_handler != SIG_DFL &&
		    !(now.sa_flags & SA_ONSTACK)) {
			now.sa_flags |= SA_ONSTACK;
			sigaction(n, &now, NULL);
		}
	return none();
}

/* How SIGABRT is answered: Go's handler, and faulthandler's. */
static struct sigaction abort_asked, abort_own;

/*
 * default_crashes(): the signals of a crash get their default action back, which ends the process by that signal.
 * faulthandler is put in front of it and writes the Python stacks first.
 */
BUILTIN(default_crashes)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction fallback = {.sa_handler = SIG_DFL};

	UNUSED;
	sigaction(SIGABRT, NULL, &abort_asked);
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		sigaction(crashes[i], &fallback, NULL);
	return none();
}

/* on_abort: a SIGABRT from another process is the master's for a silent worker; abort() in this one is a crash. */
static void on_abort(int number, siginfo_t *info, void *context)
{
	const struct sigaction *to = info->si_code == SI_USER && info->si_pid != getpid() ? &abort_asked : &abort_own;

	if (to->sa_flags & SA_SIGINFO)
		to->sa_sigaction(number, info, context);
	else if (to->sa_handler != SIG_DFL && to->sa_handler != SIG_IGN)
		to->sa_handler(number);
}

/* share_abort(): after faulthandler was put in front of it. */
BUILTIN(share_abort)
{
	struct sigaction action = {.sa_sigaction = on_abort, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

	UNUSED;
	sigfillset(&action.sa_mask);
	if (sigaction(SIGABRT, NULL, &abort_own) == 0)
		sigaction(SIGABRT, &action, NULL);
	return none();
}

/* memory_file() -> int: a nameless file; os.memfd_create is missing in Pythons that were built on an old libc. */
BUILTIN(memory_file)
{
	int fd = (int)syscall(SYS_memfd_create, "pyhost-stacks", 1 /* MFD_CLOEXEC */);

	UNUSED;
	return fd < 0 ? py.PyErr_SetFromErrno(*py.PyExc_OSError) : py.PyLong_FromLong(fd);
}

/* dump_to(fd, signal): where and upon which signal faulthandler writes the stacks, see ph_stacks_dump. */
BUILTIN(dump_to)
{
	UNUSED;
	if (nargs != 2)
		return NULL;
	ph_dump_fd = (int)py.PyLong_AsLong(args[0]);
	ph_dump_signal = (int)py.PyLong_AsLong(args[1]);
	return none();
}

/* request_count() -> int: the requests that this worker has begun. */
BUILTIN(request_count)
{
	uint64_t count = 0;

	UNUSED;
	for (int i = 0; i < ph_thread_count; i++)
		count += __atomic_load_n(&ph_threads[i].serial, __ATOMIC_RELAXED);
	return py.PyLong_FromUnsignedLongLong(count);
}

/* set_title(text: bytes) */
BUILTIN(set_title)
{
	char *text;
	Py_ssize_t length;

	UNUSED;
	if (nargs != 1 || py.PyBytes_AsStringAndSize(args[0], &text, &length) != 0)
		return NULL;
	ph_title_set(text, (size_t)length);
	return none();
}

/*
 * drop_capabilities(): what a process that is not root any more may still do as if it were.  A change from one ordinary
 * user to another leaves the capabilities as they are (capabilities(7), "Effect of user ID changes on capabilities").
 */
BUILTIN(drop_capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3] = {{0}};
	const struct __user_cap_data_struct nothing[_LINUX_CAPABILITY_U32S_3] = {{0}};

	UNUSED;
	if (syscall(SYS_capget, &header, has) != 0)
		return py.PyErr_SetFromErrno(*py.PyExc_OSError);
	if ((has[0].permitted | has[1].permitted) != 0 && syscall(SYS_capset, &header, nothing) != 0)
		return py.PyErr_SetFromErrno(*py.PyExc_OSError);
	return none();
}

/* keep(object): has it referred to for ever. */
BUILTIN(keep)
{
	UNUSED;
	if (nargs == 1)
		py.Py_IncRef(args[0]);
	return none();
}

/* fill_holes() */
BUILTIN(fill_holes)
{
	UNUSED;
	ph_fill_holes();
	return none();
}

/* trim_resident() */
BUILTIN(trim_resident)
{
	UNUSED;
	ph_resident_trim();
	return none();
}

static PyMethodDef builtins[] = {
	{"control_fd", control_fd, METH_FASTCALL_KEYWORDS, "control_fd() -> int"},
	{"become_worker", become_worker, METH_FASTCALL_KEYWORDS, "become_worker(boot, fds)"},
	{"configure", configure, METH_FASTCALL_KEYWORDS, "configure(options)"},
	{"run_thread", run_thread, METH_FASTCALL_KEYWORDS, "run_thread(i, make)"},
	{"connection_fd", connection_fd, METH_FASTCALL_KEYWORDS, "connection_fd(id) -> int"},
	{"before_fork", before_fork, METH_FASTCALL_KEYWORDS, "before_fork()"},
	{"after_fork_in_parent", after_fork_in_parent, METH_FASTCALL_KEYWORDS, "after_fork_in_parent()"},
	{"after_fork_in_child", after_fork_in_child, METH_FASTCALL_KEYWORDS, "after_fork_in_child(kept)"},
	{"guard_signals", guard_signals, METH_FASTCALL_KEYWORDS, "guard_signals()"},
	{"default_crashes", default_crashes, METH_FASTCALL_KEYWORDS, "default_crashes()"},
	{"drop_capabilities", drop_capabilities, METH_FASTCALL_KEYWORDS, "drop_capabilities()"},
	{"fill_holes", fill_holes, METH_FASTCALL_KEYWORDS, "fill_holes()"},
	{"keep", keep, METH_FASTCALL_KEYWORDS, "keep(object)"},
	{"trim_resident", trim_resident, METH_FASTCALL_KEYWORDS, "trim_resident()"},
	{"share_abort", share_abort, METH_FASTCALL_KEYWORDS, "share_abort()"},
	{"memory_file", memory_file, METH_FASTCALL_KEYWORDS, "memory_file() -> int"},
	{"dump_to", dump_to, METH_FASTCALL_KEYWORDS, "dump_to(fd, signal)"},
	{"request_timeout", ph_request_timeout, METH_FASTCALL_KEYWORDS, "request_timeout(seconds)"},
	{"log_var", ph_log_var, METH_FASTCALL_KEYWORDS, "log_var(name, value)"},
	{"request_count", request_count, METH_FASTCALL_KEYWORDS, "request_count() -> int"},
	{"set_title", set_title, METH_FASTCALL_KEYWORDS, "set_title(text)"},
};

static int add(PyObject *dict, const char *name, PyObject *value)
{
	int set = value ? py.PyDict_SetItemString(dict, name, value) : -1;

	py.Py_DecRef(value);
	return set == 0 ? PH_OK : PH_ERR;
}

int ph_module_create(void)
{
	PyObject *module = py.PyImport_AddModule("_pyhost");             /* borrowed */
	PyObject *dict = module ? py.PyModule_GetDict(module) : NULL;    /* borrowed */

	if (dict == NULL)
		return PH_ERR;
	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (add(dict, builtins[i].ml_name, py.PyCFunction_NewEx(&builtins[i], NULL, NULL)) != PH_OK)
			return PH_ERR;
	return PH_OK;
}
