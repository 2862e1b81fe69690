/*
 * Everything that Go may call in the C layer.  Plain C types only: no Python object crosses this line.
 *
 * Who owns what
 *   frame, body     Go's memory, borrowed by ph_call until it returns (no pointer to it is kept)
 *   exchange        C, one per Python thread, lives as long as the process; Go reads it between two ph_call
 *   head, message   C, inside the thread's buffers; valid until that thread's next ph_call
 *   tail            malloc'd by C, given to Go, which frees it with ph_free
 *   ph_conn         C; made by the first ph_call of a connection, given back with ph_conn_drop
 *   boot text       C, valid for the life of the process
 */
#ifndef EMBEDPY_H
#define EMBEDPY_H

#include <stddef.h>
#include <stdint.h>

/* ---- which process is this ---------------------------------------------------------------------------------- */

enum { PH_ROLE_MASTER = 0, PH_ROLE_WORKER = 1 };

/* ph_role: set by the constructor before Go's runtime starts.  No GIL. */
int ph_role(void);

/* ph_worker_boot: the JSON text of wire.WorkerBoot that the forkserver received; borrowed.  No GIL. */
const char *ph_worker_boot(size_t *length);

/* ph_worker_fd: the i-th descriptor that came with it (control, scoreboard, listeners), or -1.  No GIL. */
int ph_worker_fd(int i);

/* ph_timers_exact: the calling thread, and those that it starts, sleep as exactly as is usual (50 us).  No GIL. */
void ph_timers_exact(void);

/*
 * ph_resident_trim: lets go of the pages of program files that this process has mapped.  Most were needed to start
 * only; the others come back with a soft fault.  For processes that have started and now mostly sleep.  Any thread, no
 * GIL.
 */
void ph_resident_trim(void);

/*
 * ph_resident_trim_again: the same for the executable and libpython as ph_resident_trim found them, in a few system
 * calls.  Any thread, no GIL.
 */
void ph_resident_trim_again(void);

/* ph_title_set: what ps shows; cut to the room that argv has.  Any thread, no GIL. */
void ph_title_set(const char *title, size_t length);

/* ---- one request -------------------------------------------------------------------------------------------- */

/* Flags of a request. */
enum {
	PH_HEAD = 1,       /* the method is HEAD: no body goes out */
	PH_HTTP11 = 2,     /* chunked framing and 1xx are understood */
	PH_KEEPALIVE = 4,  /* the client asks for, and the server allows, another request */
	PH_TIMED = 16,     /* note in first_byte when the head is ready to go out */
	PH_FIN = 32,       /* TCP: where no request may follow, the response's last bytes take the connection's end along */
	PH_KEEP_GIL = 8,   /* leave with the GIL held: the worker has one thread, ph_gil_release comes before it waits */
};

enum { PH_BODY_NONE = 0, PH_BODY_MEMORY = 1, PH_BODY_FILE = 2, PH_BODY_STREAM = 3 };

/* What became of it. */
enum {
	PH_REUSE = 1,      /* the response was framed and complete: the connection may carry another request */
	PH_COMMITTED = 2,  /* the head went out (or is in the tail): no error page may follow */
	PH_FAILED = 4,     /* the application or its response was wrong: message is the log text */
	PH_WARNED = 8,     /* the response went out, but message says what was wrong with it */
	PH_GONE = 16,      /* the client left before the end */
	PH_TAKEN = 32,     /* the application took the socket (gunicorn.socket): close without a word */
	PH_CLOSE_FAILED = 64, /* with PH_WARNED: close() of the iterable raised, message ends with its traceback */
	PH_OFFLOADED = 4096,  /* nothing was sent: head has the application's status and headers, offload names the file */
	PH_STALLED = 8192,    /* with PH_GONE: the client took nothing for the timeout of ph_output_configure */
	PH_TIMED_OUT = 128,   /* pyhost.RequestTimeout came out of the application: no message */
};

/*
 * Who answers a request: the low bits of ph_exchange.claim, which changes by atomic operations only.  The bits above
 * are the request's serial number, so that nobody answers a later request of the same thread by mistake.
 */
enum {
	PH_CLAIM_NONE = 0, /* no request runs */
	PH_CLAIM_OPEN = 1, /* nothing of the answer has been sent: whoever changes it to one of the others may */
	PH_CLAIM_SENT = 2, /* the application's answer is under way */
	PH_CLAIM_LOST = 3, /* the server gave the request up and answered itself */
	PH_CLAIM_BITS = 2,
};

typedef struct ph_conn ph_conn;

typedef struct {
	/* in */
	uint32_t flags;
	int32_t fd;
	int32_t listener;
	int32_t body_kind;
	int32_t body_fd; /* PH_BODY_FILE, PH_BODY_STREAM: ours from here on, closed by the Python object */
	uint32_t entries;
	uint32_t frame_length;
	uint64_t body_length; /* PH_BODY_MEMORY */
	ph_conn *conn;        /* in and out: NULL on a connection's first request */
	uint64_t claim;       /* in and out: serial number and PH_CLAIM_OPEN; atomic */
	int64_t deadline;     /* CLOCK_MONOTONIC ns, as pyhost.request_timeout() set it; 0: not set, -1: none; atomic */
	/* out */
	uint32_t outcome;
	int32_t status;       /* 0: start_response was never called */
	uint64_t body_bytes;  /* sent, or given to the tail */
	const char *head;     /* status line and headers as sent */
	uint64_t head_length;
	char *tail;           /* what the socket did not take at once, or NULL */
	uint64_t tail_offset; /* unsent bytes are tail[tail_offset .. tail_length) */
	uint64_t tail_length;
	const char *message;
	uint64_t message_length;
	const char *offload; /* PH_OFFLOADED: 's' and the value of X-Sendfile, or 'a' and that of X-Accel-Redirect */
	uint64_t offload_length;
	int64_t tail_file; /* descriptor, given to Go: its bytes [tail_from .. tail_to) come behind the tail */
	uint64_t tail_from, tail_to; /* tail_to is 0 without a file */
	uint64_t tail_ring;          /* byte n lies at n modulo this; 0: at n */
	int64_t first_byte; /* PH_TIMED: CLOCK_MONOTONIC ns at which the response began; 0: it never did */
	const char *logged; /* what the application says for the access log, see logged.c */
	uint64_t logged_length;
} ph_exchange;

/* ph_exchange_of: the exchange of Python thread i (0 is the main thread).  No GIL. */
ph_exchange *ph_exchange_of(int thread);

/*
 * ph_call: one request through the application, response written to the exchange's fd.  PEP 3333.
 * frame is wsgi.Frame's text (entries of it), body the request body for PH_BODY_MEMORY.
 * Thread: the Python thread `thread` itself.  GIL: taken if not held; released again unless PH_KEEP_GIL.
 * Nothing here calls back into Go: the application may switch greenlets below this frame (docs/architecture.md).
 */
void ph_call(int thread, const uint8_t *frame, const uint8_t *body);

/*
 * ph_output_configure: how long, in ms, a stream waits for a client that takes nothing of it (0: for ever), and how
 * many bytes of it are kept in a file in directory for a client that is slow (0: none).  Main thread, before the first
 * ph_call; no GIL.
 */
void ph_output_configure(int timeout_ms, const char *directory, uint64_t limit);

/* ph_free: returns a tail.  Any thread, no GIL. */
void ph_free(void *memory);

/* ph_conn_drop: the connection is closed; its Python objects go at the next ph_call.  Any thread, no GIL. */
void ph_conn_drop(ph_conn *conn);

/* ---- threads and the interpreter ---------------------------------------------------------------------------- */

/*
 * ph_gil_stand_by: takes the GIL, for a thread without a request; ph_call then finds it taken.  Who releases the GIL
 * and calls this again comes after those that were here before.  That Python thread only; GIL held on return.
 */
void ph_gil_stand_by(int thread);

/* ph_gil_exists: 0 in a free-threaded Python, whose threads run at once.  Any thread, no GIL. */
int ph_gil_exists(void);

/* ph_gil_release: before a thread that kept the GIL waits; no-op when it is not held.  That Python thread only. */
void ph_gil_release(int thread);

/* ph_gil_probe: take the GIL and give it back: proof that nothing holds it for ever.  Any other thread. */
void ph_gil_probe(void);

/*
 * ph_interrupt: raises RequestTimeout in request `serial` of a Python thread, if it still runs: never in a later one.
 * Returns 1 if so, with that thread's stack in *stack (UTF-8, for ph_free; NULL when memory ran out).
 * Thread: any that does not run requests; waits for the GIL, takes it and gives it back.
 */
int ph_interrupt(int thread, uint64_t serial, char **stack, size_t *length);

/* ph_stacks: the stacks of all Python threads, for ph_free; NULL when that fails.  Like ph_interrupt for the GIL. */
char *ph_stacks(size_t *length);

/*
 * ph_stacks_dump: the same by faulthandler, in its form, when the GIL cannot be had.  Any thread, no GIL.  Threads that
 * go on running meanwhile may be shown wrong, or crash the process: it is for one that is about to be given up.
 */
char *ph_stacks_dump(size_t *length);

/* ph_deadlines_wake: an eventfd that is told when pyhost.request_timeout() sets a deadline.  Before the first call. */
void ph_deadlines_wake(int eventfd);

/* ph_forked: how often the application forked this process: descriptors may have copies elsewhere.  No GIL. */
int ph_forked(void);

/*
 * ph_boot: imports the application and prepares count threads.  keys: `key_count` NUL-terminated names, wsgi.Keys.
 * Thread: main, GIL held (as the fork left it); still held afterwards.
 * Returns 0, or the worker's exit code (3, 4) with the one-line cause and the traceback in ph_boot_error.
 */
int ph_boot(const char *keys, int key_count, int error_fd, int wake_fd, int note_fd, int threads);
const char *ph_boot_error(void);
const char *ph_boot_traceback(void);

/* ph_threads_start: starts Python threads 1..n-1, each enters goPythonThread once.  Main thread; takes the GIL, leaves
 * it released.  Returns 0 or -1 (message in ph_boot_error). */
int ph_threads_start(void);

/*
 * ph_signals_check: runs the Python signal handlers that are due.  Main thread; GIL taken and released.
 * Returns 0; 1 when a handler raised SystemExit; -1 when it raised something else (text in the exchange's message).
 */
int ph_signals_check(void);

/*
 * The end of the interpreter (atexit handlers, thread shutdown) is Py_FinalizeEx between these two.  Main thread;
 * begin takes the GIL, which is never given back.  ph_finalize is the call for the backend that loads libpython.
 */
void ph_finalize_begin(void);
void ph_finalize(void);
void ph_finalize_end(void);

/* ph_run_worker_exit: the hook worker_exit.  Main thread; takes the GIL and gives it back. */
void ph_run_worker_exit(void);

/* ph_run_atexit: the atexit handlers alone, while other Python threads still run.  Main thread; takes the GIL and
 * gives it back. */
void ph_run_atexit(void);

#endif
