/* The response body: the iterable that the application returned, or what it gave to write(). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { SMALL = 32 * 1024 }; /* up to here head and body are copied into one buffer for one write */

/* commit: from here on the client has seen, or will see, this head. */
static int commit(ph_thread *t, int64_t known_length)
{
	if (!t->started) {
		py.PyErr_SetString(*py.PyExc_AssertionError,
		                   "the application sent a body without calling start_response() (PEP 3333)");
		return PH_ERR;
	}
	if (ph_head_finish(t, known_length) != PH_OK)
		return PH_ERR;
	t->committed = true;
	t->x.outcome |= PH_COMMITTED;
	return PH_OK;
}

static void cut(ph_thread *t)
{
	t->x.outcome = (t->x.outcome & ~(uint32_t)PH_REUSE) | PH_WARNED;
}

/* allowed: how much of length still fits the declared Content-Length; the rest is cut, with a warning. */
static size_t allowed(ph_thread *t, size_t length)
{
	uint64_t room;

	if (t->content_length < 0 || t->bodyless)
		return length;
	room = (uint64_t)t->content_length - t->body_sent;
	if (length <= room)
		return length;
	ph_message_set(t, "response body is longer than its Content-Length of %lld: the excess was cut",
	               (long long)t->content_length);
	t->x.outcome |= PH_WARNED; /* the framing is intact: the connection may go on */
	return (size_t)room;
}

/*
 * ph_body_block: one block of a stream, sent before the application goes on (PEP 3333, "Buffering and Streaming").
 * The head leaves with the first block that is not empty.
 */
int ph_body_block(ph_thread *t, const char *data, size_t length)
{
	char size[20];
	struct iovec iov[4];
	int n = 0, sent;

	if (t->gone)
		return PH_CLIENT_GONE;
	if (length == 0)
		return PH_OK;
	if (!t->committed) {
		if (commit(t, -1) != PH_OK)
			return PH_ERR;
		iov[n++] = (struct iovec){t->head.data, t->head.length};
	}
	if (!t->bodyless && (length = allowed(t, length)) > 0) {
		if (t->chunked)
			iov[n++] = (struct iovec){size, (size_t)snprintf(size, sizeof size, "%zx\r\n", length)};
		iov[n++] = (struct iovec){(char *)(uintptr_t)data, length};
		if (t->chunked)
			iov[n++] = (struct iovec){(char *)(uintptr_t) "\r\n", 2};
		t->body_sent += length;
	}
	sent = n > 0 ? ph_output_wait(t, iov, n) : PH_SENT;
	if (sent == PH_CLIENT_GONE)
		t->gone = true;
	return sent;
}

/* ph_body_end: after the last block: the head if there was none, the last chunk, the length check. */
int ph_body_end(ph_thread *t)
{
	struct iovec iov;

	if (t->gone)
		return PH_CLIENT_GONE;
	if (!t->committed) {
		if (commit(t, 0) != PH_OK)
			return PH_ERR;
		iov = (struct iovec){t->head.data, t->head.length};
	} else if (t->chunked) {
		iov = (struct iovec){(char *)(uintptr_t) "0\r\n\r\n", 5};
	} else {
		iov = (struct iovec){NULL, 0};
	}
	if (!t->bodyless && t->content_length >= 0 && t->body_sent < (uint64_t)t->content_length) {
		ph_message_set(t, "response body is %llu bytes, shorter than its Content-Length of %lld: connection closed",
		               (unsigned long long)t->body_sent, (long long)t->content_length);
		cut(t);
	}
	return iov.iov_len > 0 ? ph_output_last(t, &iov, 1, NULL) : PH_SENT;
}

static int bytes_of(PyObject *block, char **data, Py_ssize_t *length)
{
	if (py.PyBytes_AsStringAndSize(block, data, length) == 0)
		return PH_OK;
	py.PyErr_Clear();
	py.PyErr_Format(*py.PyExc_TypeError, "a block of the response body must be bytes, not %R (PEP 3333)", block);
	return PH_ERR;
}

/* block_at: an item of a list or tuple; borrowed. */
static PyObject *block_at(PyObject *blocks, Py_ssize_t i, bool is_list)
{
	return is_list ? py.PyList_GetItem(blocks, i) : py.PyTuple_GetItem(blocks, i);
}

static int measure(PyObject *blocks, Py_ssize_t count, bool is_list, size_t *total)
{
	char *data;
	Py_ssize_t length;

	*total = 0;
	for (Py_ssize_t i = 0; i < count; i++) {
		if (bytes_of(block_at(blocks, i, is_list), &data, &length) != PH_OK)
			return PH_ERR;
		*total += (size_t)length;
	}
	return PH_OK;
}

/* gather: copies the blocks behind the head, up to `room` bytes of body. */
static void gather(PyObject *blocks, Py_ssize_t count, bool is_list, char *to, size_t room)
{
	char *data;
	Py_ssize_t length;

	for (Py_ssize_t i = 0; i < count && room > 0; i++) {
		py.PyBytes_AsStringAndSize(block_at(blocks, i, is_list), &data, &length);
		if ((size_t)length > room)
			length = (Py_ssize_t)room;
		memcpy(to, data, (size_t)length);
		to += length;
		room -= (size_t)length;
	}
}

static int send_small(ph_thread *t, PyObject *blocks, Py_ssize_t count, bool is_list, size_t length)
{
	struct iovec iov;

	t->out.length = 0;
	if (ph_buffer_reserve(&t->out, t->head.length + length) != PH_OK)
		return PH_ERR;
	memcpy(t->out.data, t->head.data, t->head.length);
	gather(blocks, count, is_list, t->out.data + t->head.length, length);
	iov = (struct iovec){t->out.data, t->head.length + length};
	return ph_output_last(t, &iov, 1, NULL);
}

/* send_large: one block goes out from where it lies; several are joined once. */
static int send_large(ph_thread *t, PyObject *blocks, Py_ssize_t count, bool is_list, size_t length)
{
	struct iovec iov[2];
	char *joined;
	Py_ssize_t n;

	if (count == 1) {
		PyObject *block = block_at(blocks, 0, is_list); /* borrowed */
		int sent;

		py.Py_IncRef(block); /* the GIL may go: another thread could change the list */
		py.PyBytes_AsStringAndSize(block, &joined, &n);
		iov[0] = (struct iovec){t->head.data, t->head.length};
		iov[1] = (struct iovec){joined, length};
		sent = ph_output_last(t, iov, 2, NULL);
		py.Py_DecRef(block);
		return sent;
	}
	joined = malloc(t->head.length + length);
	if (joined == NULL)
		return PH_ERR;
	memcpy(joined, t->head.data, t->head.length);
	gather(blocks, count, is_list, joined + t->head.length, length);
	iov[0] = (struct iovec){joined, t->head.length + length};
	return ph_output_last(t, iov, 1, joined);
}

/* deliver_blocks: a list or tuple is a finished body: its length is known, one write sends all. */
static int deliver_blocks(ph_thread *t, PyObject *blocks, bool is_list)
{
	Py_ssize_t count = is_list ? py.PyList_Size(blocks) : py.PyTuple_Size(blocks);
	size_t length;

	if (measure(blocks, count, is_list, &length) != PH_OK || commit(t, (int64_t)length) != PH_OK)
		return PH_ERR;
	if (t->bodyless)
		length = 0;
	length = allowed(t, length);
	if (!t->bodyless && t->content_length >= 0 && length < (uint64_t)t->content_length) {
		ph_message_set(t, "response body is %zu bytes, shorter than its Content-Length of %lld: connection closed",
		               length, (long long)t->content_length);
		cut(t);
	}
	t->body_sent = length;
	return length <= SMALL ? send_small(t, blocks, count, is_list, length)
	                       : send_large(t, blocks, count, is_list, length);
}

static int deliver_stream(ph_thread *t, PyObject *iterable)
{
	PyObject *iterator = py.PyObject_GetIter(iterable); /* new */
	PyObject *block;
	int done = iterator ? PH_OK : PH_ERR;

	while (done == PH_OK && (block = py.PyIter_Next(iterator)) != NULL) { /* new */
		char *data;
		Py_ssize_t length;

		ph_child_leave(block);
		done = bytes_of(block, &data, &length);
		if (done == PH_OK)
			done = ph_body_block(t, data, (size_t)length);
		py.Py_DecRef(block);
		if (t->committed && (t->bodyless || (t->content_length >= 0 && (t->x.outcome & PH_WARNED))))
			break; /* nothing more can go out: do not run an endless stream for a HEAD */
	}
	ph_child_leave(NULL);
	if (done == PH_OK && py.PyErr_Occurred() != NULL)
		done = PH_ERR;
	py.Py_DecRef(iterator);
	return done == PH_OK ? ph_body_end(t) : done;
}

int ph_body_deliver(ph_thread *t, PyObject *result)
{
	PyObject *type = py.PyObject_Type(result); /* new */
	int done;

	py.Py_DecRef(type); /* the object keeps its type alive */
	if (type == py.PyBytes_Type || type == py.PyUnicode_Type) {
		py.PyErr_SetString(*py.PyExc_TypeError, "the application returned one string: return a list of bytes, [body]");
		return PH_ERR;
	}
	if ((type == py.PyList_Type || type == py.PyTuple_Type) && !t->committed && t->started)
		done = deliver_blocks(t, result, type == py.PyList_Type);
	else
		done = deliver_stream(t, result);
	return done;
}
