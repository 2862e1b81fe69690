/*
 * Blocks of a stream that follow each other within microseconds leave together.  A system call for each is nine tenths
 * of what a stream of small blocks costs.
 *
 * A block that comes after a pause leaves at once, as the first does.  One that comes within PAUSE_NS of the last
 * departure is held, for those that follow: until the application comes with a block after that time, with more than
 * may be held, or to its end.  Where it does not come in time, because it computes or waits, a thread of this file
 * sends what is held, LATEST_NS after that departure, without Python.  PEP 3333, "Buffering and Streaming", names three
 * ways of not delaying a block, and this is the second: "Use a different thread to ensure that the block continues to
 * be transmitted while the application produces the next block."
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "internal.h"

enum {
	PAUSE_NS = 100 * 1000,        /* a block that comes sooner than this after a departure is held */
	LATEST_NS = 200 * 1000,       /* and leaves without the application this long after it, which is given time to come */
	RETRY_NS = 20 * 1000 * 1000,  /* at most between two attempts to send to a full socket */
	MOST = 32 * 1024,             /* bytes that are held; what is more goes out, in one system call with them */
	JOINED = 4 * 1024,            /* up to here pieces are copied together: send() is cheaper than sendmsg() */
	PIECES = 4,                   /* of a block: head, chunk's line, data, the chunk's end */
};

/* The thread that sends what is held for too long.  It starts when a first block could be held. */
static struct {
	pthread_mutex_t lock;
	enum { NEEDED, RUNS, ABSENT } state; /* written under lock, __atomic */
	int timer;
	int64_t armed; /* when the timer expires, ph_now(); 0: not at all */
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER, .timer = -1};

void ph_cork_prepare(void)
{
	guard.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
}

/* arm: the guard looks at `at`, or earlier. */
static void arm(int64_t at)
{
	struct itimerspec when = {.it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000}};

	pthread_mutex_lock(&guard.lock);
	if (guard.armed == 0 || at < guard.armed) {
		guard.armed = at;
		timerfd_settime(guard.timer, TFD_TIMER_ABSTIME, &when, NULL);
	}
	pthread_mutex_unlock(&guard.lock);
}

/*
 * is_stalled: whether the client, whose socket is full, has taken nothing for the write timeout.  The kernel reports
 * room late, so the bytes that it has not taken yet are counted.
 */
static bool is_stalled(ph_thread *t, int64_t now)
{
	ph_cork *c = &t->cork;
	int unsent = 0;

	ioctl(t->x.fd, TIOCOUTQ, &unsent);
	if (unsent < c->unsent) {
		c->unsent = unsent;
		c->moved = now;
	}
	return ph_write_timeout_ms >= 0 && now - c->moved >= (int64_t)ph_write_timeout_ms * 1000000;
}

/*
 * let_out: what is held, as far as the socket takes it.  Under the cork's lock.  `left` stays while the socket is full:
 * the time between two attempts doubles.  `held` comes last: see retake.
 */
static void let_out(ph_thread *t, int64_t now)
{
	ph_cork *c = &t->cork;

	while (c->sent < c->blocks.length) {
		ssize_t n = send(t->x.fd, c->blocks.data + c->sent, c->blocks.length - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			c->sent += (size_t)n;
		} else if (errno == EAGAIN && !is_stalled(t, now)) {
			c->due = now + (now - c->left < RETRY_NS ? now - c->left : RETRY_NS);
			return;
		} else if (errno != EINTR) {
			c->stalled = errno == EAGAIN;
			c->broken = true;
			break;
		}
	}
	c->blocks.length = c->sent = 0;
	c->left = now;
	__atomic_store_n(&c->held, false, __ATOMIC_RELEASE);
}

/* look: at one request.  What is still held then has its time. */
static void look(ph_thread *t)
{
	ph_cork *c = &t->cork;

	pthread_mutex_lock(&c->lock);
	if (c->held) {
		int64_t now = ph_now();

		if (now >= c->due)
			let_out(t, now);
		if (c->held)
			arm(c->due);
	}
	pthread_mutex_unlock(&c->lock);
}

/*
 * stand_guard: the thread.  It first forgets for when it was called, then looks: who holds a block after that calls it
 * anew, and what was held before it sees.
 */
static void *stand_guard(void *unused)
{
	uint64_t expirations;

	(void)unused;
	while (read(guard.timer, &expirations, sizeof expirations) > 0 || errno == EINTR) {
		pthread_mutex_lock(&guard.lock);
		guard.armed = 0;
		pthread_mutex_unlock(&guard.lock);
		for (int i = 0; i < ph_thread_count; i++)
			look(&ph_threads[i]);
	}
	__atomic_store_n(&guard.state, ABSENT, __ATOMIC_RELEASE); /* the application has closed what is not its own */
	return NULL;
}

/* guarded: whether the guard is there; without it nothing may be held. */
static bool guarded(void)
{
	pthread_t thread;
	int state = __atomic_load_n(&guard.state, __ATOMIC_ACQUIRE);

	if (state != NEEDED)
		return state == RUNS;
	pthread_mutex_lock(&guard.lock);
	if (guard.state == NEEDED) {
		state = guard.timer >= 0 && ph_sender_start(&thread, stand_guard, NULL) == 0 ? RUNS : ABSENT;
		if (state == RUNS)
			pthread_detach(thread);
		__atomic_store_n(&guard.state, state, __ATOMIC_RELEASE);
	}
	state = guard.state;
	pthread_mutex_unlock(&guard.lock);
	return state == RUNS;
}

static int append(ph_buffer *to, const struct iovec *iov, int count, size_t length)
{
	if (ph_buffer_reserve(to, length) != PH_OK)
		return PH_ERR;
	for (int i = 0; i < count; i++)
		ph_buffer_add(to, iov[i].iov_base, iov[i].iov_len);
	return PH_OK;
}

/*
 * join: whether the block now waits with the others.  Under the cork's lock.  A spill has a thread of its own, which
 * sends whatever it has together; what the application sends on a socket that it has taken must not overtake ours.
 */
static bool join(ph_thread *t, const struct iovec *iov, int count, int64_t now)
{
	ph_cork *c = &t->cork;
	size_t length = ph_iovec_total(iov, count);

	if (now - c->left >= PAUSE_NS || c->blocks.length + length > MOST || c->broken)
		return false;
	if (t->spill != NULL || t->taken || !guarded() || append(&c->blocks, iov, count, length) != PH_OK)
		return false;
	if (!c->held) {
		__atomic_store_n(&c->held, true, __ATOMIC_RELAXED);
		c->due = c->left + LATEST_NS;
		c->unsent = INT_MAX;
		arm(c->due);
	}
	return true;
}

/* lock: the cork's, which the guard has while it sends.  It may wait for a processor then: not with our GIL. */
static void lock(ph_cork *c)
{
	while (pthread_mutex_trylock(&c->lock) != 0) {
		PyThreadState *saved = py.PyEval_SaveThread();

		pthread_mutex_lock(&c->lock);
		pthread_mutex_unlock(&c->lock);
		py.PyEval_RestoreThread(saved);
	}
}

/* hold: join, with the lock. */
static bool hold(ph_thread *t, const struct iovec *iov, int count, int64_t now)
{
	bool held;

	lock(&t->cork);
	held = join(t, iov, count, now);
	pthread_mutex_unlock(&t->cork.lock);
	return held;
}

/*
 * retake: nothing is held any more, the buffer is the caller's.  False: the client is gone.  Where nothing is held, as
 * in a response of one block, no lock is needed: only the holder of the turn begins to hold.
 */
static bool retake(ph_thread *t)
{
	ph_cork *c = &t->cork;

	if (__atomic_load_n(&c->held, __ATOMIC_ACQUIRE)) {
		lock(c);
		__atomic_store_n(&c->held, false, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&c->lock);
	}
	if (c->stalled)
		t->x.outcome |= PH_STALLED;
	return !c->broken;
}

/*
 * behind: what was held, if anything, and iov behind it, as pieces in `all`, which has room for one more than `count`;
 * how many.  Few bytes are copied together.  The pieces are good until the buffer is emptied.
 */
static int behind(ph_cork *c, const struct iovec *iov, int count, struct iovec *all)
{
	size_t length = ph_iovec_total(iov, count);
	int n = 0;

	if (length <= JOINED && append(&c->blocks, iov, count, length) == PH_OK)
		count = 0;
	if (c->blocks.length > c->sent)
		all[n++] = (struct iovec){c->blocks.data + c->sent, c->blocks.length - c->sent};
	memcpy(all + n, iov, (size_t)count * sizeof *iov);
	return n + count;
}

static void empty(ph_cork *c)
{
	c->blocks.length = c->sent = 0;
}

/* begin: nothing of this response has left, and nothing of the one before is held. */
static void begin(ph_cork *c)
{
	c->used = true;
	c->broken = c->stalled = false;
	c->left = 0;
}

int ph_cork_block(ph_thread *t, const struct iovec *iov, int count)
{
	ph_cork *c = &t->cork;
	int64_t now = ph_now();
	struct iovec all[PIECES + 1];
	int sent;

	if (!c->used)
		begin(c);
	else if (hold(t, iov, count, now))
		return PH_SENT;
	if (!retake(t))
		return PH_CLIENT_GONE;
	c->left = now;
	sent = ph_output_wait(t, all, behind(c, iov, count, all));
	empty(c);
	return sent;
}

int ph_cork_end(ph_thread *t, const struct iovec *last)
{
	ph_cork *c = &t->cork;
	struct iovec all[PIECES + 1];
	int n, sent;

	if (!c->used)
		begin(c);
	if (!retake(t))
		return PH_CLIENT_GONE;
	n = behind(c, last, last->iov_len > 0, all);
	sent = n > 0 ? ph_output_last(t, all, n, NULL) : PH_SENT;
	empty(c);
	return sent;
}

void ph_cork_rest(ph_thread *t)
{
	ph_cork *c = &t->cork;
	struct iovec rest;

	if (!retake(t))
		t->gone = true;
	if (!t->gone && behind(c, &rest, 0, &rest) > 0 && ph_output_wait(t, &rest, 1) == PH_CLIENT_GONE)
		t->gone = true;
	empty(c);
}

void ph_cork_release(ph_thread *t)
{
	PyObject *token = ph_token_new(t); /* new */

	if (token != NULL && ph_turn_of_token(token) != NULL) {
		if (t->cork.used)
			ph_cork_rest(t);
		if (t->spill != NULL)
			ph_spill_drain(t);
		ph_turn_end(t);
	}
	py.PyErr_Clear(); /* its response is over: nothing is held */
	py.Py_DecRef(token);
}

void ph_cork_flush_all(void)
{
	for (int i = 0; i < ph_thread_count; i++) {
		pthread_mutex_lock(&ph_threads[i].cork.lock);
		if (ph_threads[i].cork.held)
			let_out(&ph_threads[i], ph_now());
		pthread_mutex_unlock(&ph_threads[i].cork.lock);
	}
}

void ph_cork_forget(void)
{
	pthread_mutex_init(&guard.lock, NULL);
	guard.state = ABSENT;
	for (int i = 0; i < ph_thread_count; i++) {
		pthread_mutex_init(&ph_threads[i].cork.lock, NULL);
		ph_threads[i].cork.held = false;
		empty(&ph_threads[i].cork); /* the parent sends it */
	}
}
