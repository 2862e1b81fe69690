/* wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling"): the kernel sends the file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

enum { FIRST = 256 * 1024 }; /* bytes that the application's thread sends; more is for Go's lane */

typedef struct {
	int fd;
	uint64_t from, to;
} span;

/* send_head: returns PH_OK when all of it is out, else leaves the rest in the tail. */
static int send_head(ph_thread *t, int more)
{
	ssize_t n = send(t->x.fd, t->head.data, t->head.length, MSG_DONTWAIT | MSG_NOSIGNAL | more);
	size_t left;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return PH_CLIENT_GONE;
	n = n < 0 ? 0 : n;
	left = t->head.length - (size_t)n;
	if (left == 0)
		return PH_OK;
	t->x.tail = malloc(left);
	if (t->x.tail == NULL)
		return PH_CLIENT_GONE;
	memcpy(t->x.tail, t->head.data + n, left);
	t->x.tail_offset = 0;
	t->x.tail_length = left;
	return PH_OK;
}

/* send_span: the head and the beginning of the file; the rest is the tail.  Owns the descriptor.  No GIL. */
static int send_span(ph_thread *t, span s)
{
	uint64_t bound = s.from + FIRST < s.to ? s.from + FIRST : s.to;
	int done = send_head(t, s.to > s.from ? MSG_MORE : 0);

	fcntl(t->x.fd, F_SETFL, O_NONBLOCK); /* sendfile knows no MSG_DONTWAIT */
	while (done == PH_OK && t->x.tail == NULL && s.from < bound) {
		off_t offset = (off_t)s.from;
		ssize_t n = sendfile(t->x.fd, s.fd, &offset, bound - s.from);

		if (n > 0)
			s.from += (uint64_t)n;
		else if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			done = PH_CLIENT_GONE;
		else if (n == 0 || errno != EINTR)
			break; /* the socket is full; or the file is shorter now, or cannot be sent so: the lane finds out */
	}
	if (done != PH_OK || s.from == s.to) {
		close(s.fd);
		return done;
	}
	t->x.tail_file = s.fd;
	t->x.tail_from = s.from;
	t->x.tail_to = s.to;
	t->x.tail_ring = 0;
	return PH_OK;
}

/* fit: the part of the file that the declared Content-Length allows; a file that is shorter cuts the response. */
static void fit(ph_thread *t, span *s)
{
	uint64_t length = s->to - s->from;

	if (t->bodyless) {
		s->to = s->from;
	} else if (t->content_length >= 0 && (uint64_t)t->content_length < length) {
		s->to = s->from + (uint64_t)t->content_length; /* the application wants this part of it */
	} else if (t->content_length >= 0 && (uint64_t)t->content_length > length) {
		ph_message_set(t, "response body is %llu bytes, shorter than its Content-Length of %lld: connection closed",
		               (unsigned long long)length, (long long)t->content_length);
		t->x.outcome = (t->x.outcome & ~(uint32_t)PH_REUSE) | PH_WARNED;
	}
	t->body_sent = s->to - s->from;
}

/* plain: what the wrapper would read, where that is a part of a regular file.  1, 0, or PH_ERR with an exception. */
static int plain(PyObject *wrapper, span *s)
{
	PyObject *answer = py.PyObject_CallFunctionObjArgs(ph_py.plain_file, wrapper, NULL); /* new */

	ph_child_leave(answer);
	if (answer == NULL)
		return PH_ERR;
	if (answer == PH_NONE) {
		py.Py_DecRef(answer);
		return 0;
	}
	/* a descriptor of our own: the application's threads may close theirs while the GIL is not held */
	s->fd = fcntl((int)py.PyLong_AsLong(py.PyTuple_GetItem(answer, 0)), F_DUPFD_CLOEXEC, 0);
	s->from = py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(answer, 1));
	s->to = py.PyLong_AsUnsignedLongLong(py.PyTuple_GetItem(answer, 2));
	py.Py_DecRef(answer);
	return s->fd >= 0;
}

int ph_file_deliver(ph_thread *t, PyObject *wrapper)
{
	PyThreadState *saved;
	span s;
	int done = plain(wrapper, &s);

	if (done != 1)
		return done == 0 ? PH_NO_FILE : PH_ERR;
	ph_turn_seal(t);
	if (t->committed) { /* write() was called meanwhile, by a thread of the application */
		close(s.fd);
		return PH_NO_FILE;
	}
	done = ph_commit(t, (int64_t)(s.to - s.from));
	if (done != PH_OK || (t->x.outcome & PH_OFFLOADED)) {
		close(s.fd);
		return done;
	}
	fit(t, &s);
	saved = py.PyEval_SaveThread(); /* a cold file is read from the disk */
	done = send_span(t, s);
	py.PyEval_RestoreThread(saved);
	return done;
}
