/* Bytes to the client's socket.  The GIL is let go while a write may take long or another thread wants it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "internal.h"

enum {
	LARGE_TAIL = 1024 * 1024, /* what a slow reader leaves of a finished response is kept in memory below this size */
	LARGE = 64 * 1024,    /* a write of this size is worth letting go of the GIL */
	HASTE_MS = 20,        /* how long a stream waits for a reader before it goes on into a file */
	PATIENCE_MS = 2,      /* how long a finished response waits for a reader before it moves to the goroutine lane */
};

int ph_write_timeout_ms = -1;

void ph_output_configure(int timeout_ms, const char *directory, uint64_t limit)
{
	ph_write_timeout_ms = timeout_ms > 0 ? timeout_ms : -1;
	ph_spill_configure(directory, limit, ph_write_timeout_ms);
}

/* transmit: one system call.  send() is cheaper than sendmsg(), and most responses are one piece. */
static ssize_t transmit(int fd, struct iovec *iov, int count, int more)
{
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};

	if (count == 1)
		return send(fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL | more);
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | more);
}

/* push: writes until all is out, the socket is full for patience_ms (EAGAIN), or it fails.  No GIL needed. */
static int push(int fd, struct iovec **iov, int *count, int patience_ms)
{
	while (*count > 0) {
		ssize_t n = transmit(fd, *iov, *count, 0);
		struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

		if (n >= 0)
			ph_iovec_advance(iov, count, (size_t)n);
		else if (errno == EINTR)
			continue;
		else if (errno != EAGAIN)
			return errno;
		else if (patience_ms == 0 || poll(&poll_fd, 1, patience_ms) == 0)
			return EAGAIN;
	}
	return 0;
}

/*
 * push_patiently: push for as long as the reader takes something within each ph_write_timeout_ms, else ETIMEDOUT.  The
 * kernel reports room when a third of its buffer is free: a slow reader may need longer for that, so the bytes that it
 * has not taken yet are counted.  No GIL needed.
 */
static int push_patiently(int fd, struct iovec **iov, int *count)
{
	for (;;) {
		int before = -1, after = -1, error;
		size_t left = ph_iovec_total(*iov, *count);

		ioctl(fd, TIOCOUTQ, &before);
		error = push(fd, iov, count, ph_write_timeout_ms);
		if (error != EAGAIN)
			return error;
		ioctl(fd, TIOCOUTQ, &after);
		if (left == ph_iovec_total(*iov, *count) && after >= before)
			return ETIMEDOUT;
	}
}

/*
 * push_slowly: for a reader that does not take all at once.  What it leaves goes into the spill; where there is none,
 * or it is full, the reader is waited for.  No GIL.
 */
static int push_slowly(ph_thread *t, struct iovec *iov, int count)
{
	int error = EAGAIN;

	if (t->spill == NULL || ph_spill_idle(t->spill))
		error = push(t->x.fd, &iov, &count, HASTE_MS);
	if (error == EAGAIN && (t->spill != NULL || ph_spill_begin(t)))
		error = ph_spill_add(t->spill, &iov, &count);
	return error == EAGAIN ? push_patiently(t->x.fd, &iov, &count) : error;
}

/* ph_output_wait: for a stream.  A slow reader holds this thread only when the spill is full, and never the GIL. */
int ph_output_wait(ph_thread *t, struct iovec *iov, int count)
{
	bool yield = ph_iovec_total(iov, count) >= LARGE || __atomic_load_n(&ph_gil_waiters, __ATOMIC_RELAXED) > 0;
	PyThreadState *saved;
	int error = EAGAIN;

	if (t->x.outcome & PH_OFFLOADED)
		return PH_SENT;
	if (!yield && (t->spill == NULL || ph_spill_idle(t->spill)))
		error = push(t->x.fd, &iov, &count, 0);
	if (error == EAGAIN) {
		saved = py.PyEval_SaveThread(); /* of the calling thread: write() may run in one of the application's */
		error = push_slowly(t, iov, count);
		py.PyEval_RestoreThread(saved);
	}
	if (error == ETIMEDOUT)
		t->x.outcome |= PH_STALLED;
	return error == 0 ? PH_SENT : PH_CLIENT_GONE;
}

/*
 * push_end: push for the last bytes of a response.  Where the connection ends with it, its FIN leaves in the same
 * segment instead of one of its own, which is a good part of what a connection for one request costs.  shutdown()
 * rather than the coming close(): it sends at once, whatever the application still does, and unread input cannot turn
 * it into a reset.  No GIL needed.
 */
static int push_end(ph_thread *t, struct iovec **iov, int *count, int patience_ms)
{
	bool fin = (t->x.flags & PH_FIN) && !(t->x.outcome & PH_REUSE) && !t->taken;
	ssize_t n = fin ? transmit(t->x.fd, *iov, *count, MSG_MORE) : 0;
	int error;

	if (n > 0)
		ph_iovec_advance(iov, count, (size_t)n);
	error = push(t->x.fd, iov, count, patience_ms);
	if (fin && error == 0)
		shutdown(t->x.fd, SHUT_WR);
	return error;
}

/*
 * ph_output_last: the rest of a response that is complete in memory.  What a slow reader leaves goes into the
 * exchange's tail, and the thread is free.  owned: malloc'd memory that iov[0] starts in and that may become the
 * tail, or NULL.
 */
int ph_output_last(ph_thread *t, struct iovec *iov, int count, char *owned)
{
	bool yield = ph_iovec_total(iov, count) >= LARGE || __atomic_load_n(&ph_gil_waiters, __ATOMIC_RELAXED) > 0;
	PyThreadState *saved;
	size_t left;
	int error;

	if (t->x.outcome & PH_OFFLOADED) {
		free(owned);
		return PH_SENT;
	}
	if (t->spill != NULL) { /* the end of a stream: behind the rest of it */
		int sent = ph_output_wait(t, iov, count);

		free(owned);
		return sent;
	}
	saved = yield ? py.PyEval_SaveThread() : NULL;
	error = push_end(t, &iov, &count, yield ? PATIENCE_MS : 0);
	left = ph_iovec_total(iov, count);

	if (error == EAGAIN && left >= LARGE_TAIL && ph_spill_finished(t, iov, count, left)) {
		error = 0;
	} else if (error == EAGAIN && owned == NULL) {
		char *copy = malloc(left);
		size_t at = 0;

		for (int i = 0; copy != NULL && i < count; at += iov[i++].iov_len)
			memcpy(copy + at, iov[i].iov_base, iov[i].iov_len);
		t->x.tail = copy;
		t->x.tail_offset = 0;
		t->x.tail_length = left;
		error = copy ? 0 : ENOMEM;
	} else if (error == EAGAIN) {
		t->x.tail = owned;
		t->x.tail_offset = (uint64_t)((char *)iov->iov_base - owned);
		t->x.tail_length = t->x.tail_offset + left;
		error = 0;
	}
	if (saved != NULL)
		py.PyEval_RestoreThread(saved);
	if (t->x.tail != owned)
		free(owned);
	return error == 0 ? PH_SENT : PH_CLIENT_GONE;
}
