/*
 * The forkserver: a process of this binary that never reaches Go.
 *
 * A running Go process cannot fork.  This constructor runs before Go's runtime exists: when the private environment
 * variable is there, it loads libpython, runs forkserver.py, and forks on the master's command.  The forkserver stays
 * in here for ever; each worker returns from here into Go, with Python alive on its main thread.
 */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "loader.h"
#include "title.h"

enum { EXIT_NO_PYTHON = 1 };
enum { SYSMON_SLACK_NS = 5000000, DEFAULT_SLACK_NS = 50000 };

/* report: the one event that C itself sends, wire.Event {"event":"failed"}; then the process ends. */
static void report(const char *cause)
{
	char line[2048], escaped[1500];
	size_t n = 0;
	int length;

	for (; *cause && n < sizeof escaped - 2; cause++) {
		if (*cause == '"' || *cause == '\\')
			escaped[n++] = '\\';
		escaped[n++] = (unsigned char)*cause < 0x20 ? ' ' : *cause;
	}
	escaped[n] = '\0';
	length = snprintf(line, sizeof line, "{\"event\":\"failed\",\"code\":1,\"error\":\"%s\"}\n", escaped);
	if (write(ph_control_fd, line, (size_t)length) < 0)
		fprintf(stderr, "pyhost: %s\n", escaped);
	_exit(EXIT_NO_PYTHON);
}

static int read_all(int fd, void *to, size_t length)
{
	char *at = to;

	while (length > 0) {
		ssize_t n = read(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return PH_ERR;
		at += n;
		length -= (size_t)n;
	}
	return PH_OK;
}

/* read_program: u32 little-endian length, then Python source; malloc'd, NUL-terminated. */
static char *read_program(void)
{
	unsigned char size[4];
	size_t length;
	char *program;

	if (read_all(ph_control_fd, size, sizeof size) != PH_OK)
		_exit(0); /* the master is gone */
	length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
	program = malloc(length + 1);
	if (program == NULL || read_all(ph_control_fd, program, length) != PH_OK)
		_exit(0);
	program[length] = '\0';
	return program;
}

/*
 * choose_encoding: Py_InitializeEx leaves PEP 538 and PEP 540 off, the python command does not.  In the C locale of a
 * bare container an application would otherwise open files as ASCII.
 */
static void choose_encoding(void)
{
	const char *wish = getenv("PYTHONUTF8");
	const char *locale;

	if (py.Py_UTF8Mode == NULL)
		return;
	if (wish != NULL && (strcmp(wish, "0") == 0 || strcmp(wish, "1") == 0)) {
		*py.Py_UTF8Mode = wish[0] == '1';
		return;
	}
	locale = setlocale(LC_CTYPE, "");
	if (locale == NULL || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0)
		*py.Py_UTF8Mode = 1;
}

#ifdef PH_LINKED
/*
 * check_build: two builds of one version differ too: the interpreter's standard library and extension modules belong to
 * its own libpython, and fail with the linked one in ways that name neither.
 */
static void check_build(const char *library)
{
	Dl_info linked;
	struct stat ours, theirs;
	char cause[1024];

	if (dladdr((void *)py.Py_GetVersion, &linked) == 0 || stat(linked.dli_fname, &ours) != 0 ||
	    stat(library, &theirs) != 0 || (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino))
		return;
	snprintf(cause, sizeof cause,
	         "this pyhost is linked to %.300s, but the Python of --python has %.300s: name the Python that it was built "
	         "with, or use the ordinary build",
	         linked.dli_fname, library);
	report(cause);
}
#endif

/*
 * check_version: a binary that is linked to one Python (build tag cpy3) cannot use the library of another.  library is
 * .../libpythonX.Y.so.1.0, Py_GetVersion "X.Y.Z ...".
 */
static void check_version(const char *library)
{
	static const char prefix[] = "libpython";
	const char *version = py.Py_GetVersion();
	const char *name = strrchr(library, '/');
	const char *minor_end = strchr(strchr(version, '.') + 1, '.');
	size_t length = (size_t)(minor_end - version);
	char cause[512];

	name = name ? name + 1 : library;
	if (strncmp(name, prefix, sizeof prefix - 1) == 0 &&
	    strncmp(name + sizeof prefix - 1, version, length) == 0 && name[sizeof prefix - 1 + length] == '.')
		return;
	if (strncmp(name, prefix, sizeof prefix - 1) != 0)
		return; /* a library with another name: nothing to compare */
#ifdef PH_LINKED
	snprintf(cause, sizeof cause,
	         "this pyhost is linked to Python %.*s, but --python has %s: name a Python %.*s, or use the ordinary build",
	         (int)length, version, name, (int)length, version);
	report(cause);
#else
	(void)cause; /* debug and free-threaded builds have a suffix: libpython3.13t.so */
#endif
}

static void start_python(const char *library, const char *program)
{
	const char *failure = ph_loader_open(library);

	if (failure != NULL)
		report(failure);
	check_version(library);
#ifdef PH_LINKED
	check_build(library);
#endif
	ph_free_threaded = strstr(py.Py_GetVersion(), "free-threading build") != NULL;
	choose_encoding();
	py.Py_SetProgramName(py.Py_DecodeLocale(program, NULL)); /* kept by Python for ever */
	py.Py_InitializeEx(0);                                   /* no signal handlers: Go owns the signals */
	if (ph_module_create() != PH_OK)
		report("cannot create the module _pyhost");
}

/* run: returns in a worker only. */
static void run(char *source)
{
	PyObject *globals = py.PyDict_New(); /* new, kept */
	PyObject *code = py.Py_CompileString(source, "<pyhost>", PY_FILE_INPUT); /* new */
	PyObject *done;

	free(source);
	if (globals == NULL || code == NULL ||
	    py.PyDict_SetItemString(globals, "__builtins__", py.PyEval_GetBuiltins()) != 0)
		report("the forkserver program does not compile with this Python");
	done = py.PyEval_EvalCode(code, globals, globals); /* new */
	py.Py_DecRef(code);
	if (done == NULL) {
		PyObject *type, *value, *trace, *text;
		const char *cause;

		py.PyErr_Fetch(&type, &value, &trace);
		text = value ? py.PyObject_Str(value) : NULL; /* new */
		cause = text ? py.PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
		report(cause ? cause : "the forkserver program failed");
	}
	py.Py_DecRef(done);
	if (ph_role() != PH_ROLE_WORKER)
		_exit(0);
	/* Python may have set a small alternate signal stack; Go takes over what it finds, and needs a large one. */
	sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
	/*
	 * Go's sysmon thread looks after goroutines that stay in C for long; ours always do.  It would wake 4,000 times a
	 * second, on the core that runs the application (5 % of its time, measured).  It inherits this slack and so wakes
	 * with other timers; ph_timers_exact gives the main thread its precision back.
	 */
	prctl(PR_SET_TIMERSLACK, SYSMON_SLACK_NS, 0, 0, 0);
}

void ph_timers_exact(void)
{
	prctl(PR_SET_TIMERSLACK, DEFAULT_SLACK_NS, 0, 0, 0);
}

/* ignore_signals: those that the master has blocked, so that none could end this process before it came here. */
static void ignore_signals(void)
{
	static const int masters[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTTIN, SIGTTOU};
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof masters / sizeof *masters; i++) {
		signal(masters[i], SIG_IGN); /* drops what has come */
		sigaddset(&blocked, masters[i]);
	}
	sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static char *taken_env(const char *name)
{
	const char *value = getenv(name);
	char *copy = value ? strdup(value) : NULL;

	unsetenv(name); /* a pyhost that the application starts must not become a forkserver */
	return copy;
}

/* glibc hands argc, argv and envp to constructors. */
__attribute__((constructor)) static void ph_constructor(int argc, char **argv)
{
	char *control, *library, *program;

	ph_title_room(argc, argv);
	control = taken_env("_PYHOST_FORKSERVER");
	if (control == NULL)
		return;
	library = taken_env("_PYHOST_LIBPYTHON");
	program = taken_env("_PYHOST_PROGRAM");
	ph_control_fd = atoi(control);
	ph_title_trim();
	if (library == NULL || program == NULL)
		report("started without a libpython");
	ignore_signals();
	signal(SIGPIPE, SIG_IGN); /* Python expects EPIPE as an exception */
	signal(SIGXFSZ, SIG_IGN); /* and EFBIG; Py_InitializeEx(0) leaves both to us */
	start_python(library, program);
	run(read_program());
	free(control);
	free(library);
	free(program);
}
