/* Shared by the C files of this package: the state of a Python thread and of the request it runs. */
#ifndef PH_INTERNAL_H
#define PH_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <time.h>

#include "embedpy.h"
#include "ph_python.h"

enum { PH_OK = 0, PH_ERR = -1 };

/* Results of sending: the client's absence is no Python exception. */
enum { PH_SENT = 0, PH_CLIENT_GONE = -2 };

/* Of ph_file_deliver: the body is no file that the kernel could send; nothing has happened. */
enum { PH_NO_FILE = -3 };

typedef struct ph_spill ph_spill; /* see spill.c */

typedef struct {
	char *data;
	size_t length, room;
} ph_buffer;

/* Blocks of a stream that wait for those that follow, cork.c.  While held under `lock`, else the turn's. */
typedef struct {
	pthread_mutex_t lock;
	ph_buffer blocks;
	size_t sent;       /* of blocks */
	bool held;         /* blocks wait there */
	bool broken;       /* the client did not take them: it is gone */
	bool stalled;      /* or there, but has taken nothing for the write timeout */
	bool used;         /* by this response; the turn's, false when a request begins */
	int64_t left, due; /* when the last bytes left (0: none have), when those that are held have to; ph_now() */
	int unsent;        /* bytes that a client whose socket is full had not taken */
	int64_t moved;     /* when it took some */
} ph_cork;

/*
 * All state of one request, and the buffers that the thread keeps between requests.  Aligned: where threads really run
 * at the same time, no two may write to one cache line (or to two that the processor fetches together).
 */
typedef struct __attribute__((aligned(128))) {
	ph_exchange x;
	int index;
	PyThreadState *saved; /* valid while the GIL is not held */
	bool holds_gil;

	uint64_t serial; /* of the request, as Go counts them; tokens of start_response and write carry it */
	unsigned long ident; /* threading.get_ident() of this thread */
	pthread_mutex_t lock; /* see ph_lock */
	uint64_t conn_id;     /* of x.conn; 0: not known yet.  For other threads, which must not follow x.conn */
	bool interrupted;    /* RequestTimeout was raised in the running request: see interrupt.c */
	bool active;     /* a request is running */
	bool open;       /* and its response may still be added to: its tokens are good */
	bool sending;    /* a thread, not always this one, has the turn: see turn.c */
	bool started;    /* start_response was called */
	bool committed;  /* the head left */
	bool chunked;
	bool bodyless; /* HEAD, 1xx, 204, 304 */
	bool gone;
	ph_cork cork;
	ph_spill *spill; /* what a slow client has not taken of a stream; NULL: all of it */
	bool taken;
	bool has_date, has_server;
	int status;
	int64_t content_length; /* as the application declared it; -1: not */
	uint64_t body_sent;

	ph_buffer head;    /* status line and the application's headers, then the whole head */
	ph_buffer out;     /* head and body of a small response */
	ph_buffer message; /* for the log */
	ph_buffer logged;  /* what the application says for the access log, see logged.c */
	ph_buffer offload; /* the file that the application names in a header, see note_offload; empty: none */
	struct ph_value *values; /* last value of every key, see environ.c */
	struct ph_last *last;    /* what the last request brought, see there */
	PyObject *templates;     /* tuple of environ dicts, one per listener; owned */
	PyObject *spooled;       /* wsgi.input of the running request where it is a file, else NULL; owned */
	char date[40]; /* the whole line */
	int64_t date_second;
} ph_thread;

/* thread.c */
extern ph_thread *ph_threads;
extern int ph_thread_count;
ph_thread *ph_thread_here(void); /* whose request the calling thread runs; NULL: none.  Attached or not */
uint64_t ph_token_of(const ph_thread *t);               /* names the running request of t */
PyObject *ph_token_new(const ph_thread *t);             /* the same as an int; new.  GIL held */
ph_thread *ph_token_thread(uint64_t token);             /* the thread of a token's number */
bool ph_token_runs(const ph_thread *t, uint64_t token); /* its request runs and may be answered; under ph_lock */
void ph_token_refuse(void);                             /* sets RuntimeError: its request is over.  GIL held */
bool ph_claim_answer(ph_thread *t); /* before anything is sent; false: the server has answered.  No GIL needed */
bool ph_claim_lost(ph_thread *t);   /* the server has answered, or is about to.  No GIL needed */

struct ph_conn {
	PyObject *socket; /* environ["gunicorn.socket"], owned */
	uint64_t id;      /* never used again: the socket object finds its request by it */
	ph_conn *next_dropped;
};

/* What worker.py hands over: the application and the helpers written in Python.  References owned for ever. */
typedef struct {
	PyObject *application;
	PyObject *templates; /* tuple of environ dicts, one per listener: thread 0's, and with the GIL everybody's */
	PyObject *socket_type;
	PyObject *bytes_io;
	PyObject *open_file;
	PyObject *open_stream;
	PyObject *format_exception;
	PyObject *header_pairs;
	PyObject *file_wrapper; /* the type; NULL without the setting sendfile */
	PyObject *plain_file;
	PyObject *log_environ; /* names of environ that the access log shows: a tuple, NULL: none */
	bool offload; /* X-Sendfile and X-Accel-Redirect are ours to obey (sendfile_root) */
	PyObject *request_timeout; /* the exception */
	PyObject *before_request; /* NULL without pre_request and post_request */
	PyObject *after_request;  /* NULL without post_request */
	int threads;
	int multithread;
} ph_runtime;

extern ph_runtime ph_py;

/* Interned strings that the C layer itself uses. */
typedef struct {
	PyObject *close, *wsgi_input, *gunicorn_socket, *early_hints, *id;
} ph_names;

extern ph_names ph_name;

/* buffer.c: growable bytes.  No GIL.  Return PH_OK, or PH_ERR when memory ran out. */
int ph_buffer_reserve(ph_buffer *b, size_t extra);
int ph_buffer_add(ph_buffer *b, const void *data, size_t length);
void ph_buffer_clear(ph_buffer *b);
void ph_buffer_free(ph_buffer *b);
void ph_iovec_advance(struct iovec **iov, int *count, size_t n); /* drops n bytes that were sent */
size_t ph_iovec_total(const struct iovec *iov, int count);

/* environ.c */
int ph_environ_keys(const char *keys, int count);
int ph_environ_prepare(ph_thread *t);
/* new, or NULL with an exception */
PyObject *ph_environ_new(ph_thread *t, PyObject *token, const uint8_t *frame, const uint8_t *body);
void ph_input_end(ph_thread *t); /* once t->spooled is set and the request over */
void ph_conn_release_dropped(void);

/* start_response.c */
PyObject *ph_start_response_new(PyObject *token);      /* new */
PyObject *ph_early_hints_new(PyObject *token);         /* new */

/* turn.c: one sender at a time.  GIL held on entry and exit, released while waiting. */
void ph_turn_begin(ph_thread *t);              /* for the thread of the request itself */
ph_thread *ph_turn_of_token(PyObject *token);  /* for any thread; NULL with RuntimeError when the request is over */
void ph_turn_end(ph_thread *t);
void ph_turn_seal(ph_thread *t); /* tokens are refused from here on, and no other thread sends any more */
void ph_turn_forget(void);

/* head.c: what goes on the wire before the body.  GIL held; PH_ERR with an exception set. */
int ph_head_status(ph_thread *t, PyObject *status);
PyObject *ph_head_fields(PyObject *headers); /* new; runs the application's code, what follows does not */
int ph_head_headers(ph_thread *t, ph_buffer *to, PyObject *fields, bool early);
void ph_head_reset(ph_thread *t);
void ph_head_adopt(ph_thread *t, ph_thread *draft);
int ph_head_finish(ph_thread *t, int64_t known_length);

/* commit.c.  GIL held.  PH_OK, PH_ERR with exception, PH_CLIENT_GONE. */
int ph_commit(ph_thread *t, int64_t known_length);

/* body.c: the application's iterable.  GIL held.  PH_OK, PH_ERR with exception, PH_CLIENT_GONE. */
int ph_body_deliver(ph_thread *t, PyObject *result);
int ph_body_block(ph_thread *t, const char *data, size_t length);
int ph_body_end(ph_thread *t);

/* file.c: the FileWrapper that the application returned.  As ph_body_deliver, or PH_NO_FILE. */
int ph_file_deliver(ph_thread *t, PyObject *wrapper);

/*
 * cork.c: the blocks of a stream, sent or held for a moment.  GIL held on entry and exit, released while waiting, but
 * for prepare, flush_all and forget, which need none.  block, end: PH_SENT or PH_CLIENT_GONE; the caller has the turn,
 * or has sealed the response.  end: what is held and the response's last bytes, which may be none.  rest: what is held
 * of a response that has ended too early, once the cork is used.  release: what is held leaves before bytes that are
 * not ours; takes the turn.  flush_all: what a fork finds held leaves, as far as the sockets take it.  forget: in a
 * forked child.
 */
void ph_cork_prepare(void); /* once */
int ph_cork_block(ph_thread *t, const struct iovec *iov, int count); /* at most 4 pieces */
int ph_cork_end(ph_thread *t, const struct iovec *last);
void ph_cork_rest(ph_thread *t);
void ph_cork_release(ph_thread *t);
void ph_cork_flush_all(void);
void ph_cork_forget(void);

/* output.c: to the socket.  GIL held on entry and exit, released while waiting. */
int ph_output_wait(ph_thread *t, struct iovec *iov, int count);
int ph_output_last(ph_thread *t, struct iovec *iov, int count, char *owned);
extern int ph_write_timeout_ms; /* how long a stream waits for a reader that takes nothing; -1: for ever */

/* sender.c: starts a thread that sends without Python, with no signals: they are for Go's and Python's.  An errno. */
int ph_sender_start(pthread_t *thread, void *(*run)(void *), void *argument);

/*
 * spill.c: a stream for a slow client.  No GIL, but for ph_spill_end and ph_spill_drain, which are called with it.
 * begin: false when nothing can be kept.  idle: the client has all.  add: 0, an errno of the client, or EAGAIN when the
 * file cannot grow and the client has all that is in it; iov is what was not taken.  end: the rest becomes the tail.
 */
void ph_spill_configure(const char *path, uint64_t limit, int patience_ms);
bool ph_spill_begin(ph_thread *t);
bool ph_spill_idle(ph_spill *s);
int ph_spill_add(ph_spill *s, struct iovec **iov, int *count);
void ph_spill_drain(ph_thread *t); /* until the client has all of it, or is given up */
void ph_spill_end(ph_thread *t);
/* ph_spill_finished: the rest of a finished response becomes a tail in a file; false when it cannot. */
bool ph_spill_finished(ph_thread *t, const struct iovec *pieces, int count, size_t length);

/*
 * hook.c: pre_request and post_request, in the request's thread.  GIL held; no exception is left behind.
 * before returns what after gets back (new), or NULL.
 */
PyObject *ph_hook_before(PyObject *environ);
void ph_hook_after(ph_thread *t, PyObject *request, PyObject *environ);

/* exception.c: the pending exception is appended to the log text.  GIL held; clears the exception. */
void ph_exception_record(ph_thread *t);
void ph_exception_text(ph_buffer *to);
void ph_message_set(ph_thread *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* interrupt.c: requests that take too long.  GIL held. */
void ph_interrupt_settle(ph_thread *t);
PyObject *ph_request_timeout(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* logged.c: the access log's part of a request. */
PyObject *ph_log_var(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
void ph_logged_environ(ph_thread *t, PyObject *environ);
extern int ph_dump_fd, ph_dump_signal;

/* child.c: a process that the application forked is not a worker: where it comes back to us, it ends.  GIL held. */
extern bool ph_is_child;
void ph_child_leave(PyObject *result);

/*
 * ph_fill_holes: takes, for ever, the free memory between the objects of this process, which workers are to be forked
 * from.  GIL held.
 */
void ph_fill_holes(void);

/* module.c: the builtin module _pyhost.  GIL held. */
int ph_module_create(void);

/* role.c.  No GIL. */
extern int ph_control_fd; /* the forkserver's to the master; -1: this is none */
void ph_worker_become(const char *boot, size_t length, const int *fds, int count);

/* worker.c */
/* new reference to a function of the embedded module _pyhost_worker */
PyObject *ph_worker_function(const char *name);
/* new reference to an item of a dict that other threads may change; NULL without an exception: it is not there */
PyObject *ph_dict_get(PyObject *dict, const char *key);
void ph_thread_templates(int thread, PyObject *templates); /* templates: borrowed */

/* gil.c */
void ph_gil_acquire(ph_thread *t);
extern int ph_gil_waiters; /* threads of ours that want the GIL; __atomic; none in a free-threaded Python */

/*
 * A free-threaded Python (PEP 703) has no GIL: "GIL held" means there that the thread is attached to the interpreter,
 * as others are at the same time.  What the comments of this package leave to the GIL, a request's state as other
 * threads see it, is then under ph_lock.  Nothing of Python is called with the lock held that could wait, or run code.
 */
extern bool ph_free_threaded; /* written once, before any thread exists */

/* ph_now: CLOCK_MONOTONIC, ns. */
static inline int64_t ph_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void ph_lock(ph_thread *t)
{
	if (ph_free_threaded)
		pthread_mutex_lock(&t->lock);
}

static inline void ph_unlock(ph_thread *t)
{
	if (ph_free_threaded)
		pthread_mutex_unlock(&t->lock);
}

#endif
