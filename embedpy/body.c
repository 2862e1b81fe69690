/* The response body: the iterable that the application returned, or what it gave to write(). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
	SMALL = 32 * 1024, /* up to here head and body are copied into one buffer for one write */
	CHUNK_LINE = 2 * sizeof(size_t) + 2,
};

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

/* chunk_line: the hexadecimal length before a chunk, RFC 9112 7.1, written to the end of `room`.  Returns its start. */
static char *chunk_line(char room[CHUNK_LINE], size_t length)
{
	char *at = room + CHUNK_LINE;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = "0123456789abcdef"[length % 16];
	while ((length /= 16) > 0);
	return at;
}

/*
 * ph_body_block: one block of a stream, on its way before the application goes on (PEP 3333, "Buffering and Streaming";
 * cork.c).  The head leaves with the first block that is not empty.
 */
int ph_body_block(ph_thread *t, const char *data, size_t length)
{
	char room[CHUNK_LINE], *line;
	struct iovec iov[4];
	int n = 0, sent;

	if (t->gone)
		return PH_CLIENT_GONE;
	if (length == 0)
		return PH_OK;
	if (!t->committed) {
		if ((sent = ph_commit(t, -1)) != PH_OK)
			return sent;
		iov[n++] = (struct iovec){t->head.data, t->head.length};
	}
	if (!t->bodyless && (length = allowed(t, length)) > 0) {
		if (t->chunked) {
			line = chunk_line(room, length);
			iov[n++] = (struct iovec){line, (size_t)(room + CHUNK_LINE - line)};
		}
		iov[n++] = (struct iovec){(char *)(uintptr_t)data, length};
		if (t->chunked)
			iov[n++] = (struct iovec){(char *)(uintptr_t) "\r\n", 2};
		t->body_sent += length;
	}
	sent = n > 0 ? ph_cork_block(t, iov, n) : PH_SENT;
	if (sent == PH_CLIENT_GONE)
		t->gone = true;
	return sent;
}

/* ph_body_end: after the last block: the head if there was none, the last chunk, the length check. */
int ph_body_end(ph_thread *t)
{
	struct iovec iov;

	ph_turn_seal(t);
	if (t->gone)
		return PH_CLIENT_GONE;
	if (!t->committed) {
		int done = ph_commit(t, 0);

		if (done != PH_OK)
			return done;
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
	return ph_cork_end(t, &iov);
}

static int bytes_of(PyObject *block, char **data, Py_ssize_t *length)
{
	if (py.PyBytes_AsStringAndSize(block, data, length) == 0)
		return PH_OK;
	py.PyErr_Clear();
	py.PyErr_Format(*py.PyExc_TypeError, "a block of the response body must be bytes, not %.200R (PEP 3333)", block);
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
	if (ph_buffer_reserve(&t->out, t->head.length + length) != PH_OK) {
		py.PyErr_NoMemory();
		return PH_ERR;
	}
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
	if (joined == NULL) {
		py.PyErr_NoMemory();
		return PH_ERR;
	}
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

	if (measure(blocks, count, is_list, &length) != PH_OK || ph_commit(t, (int64_t)length) != PH_OK)
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

/* send_block: the iterable's next block goes out before it is asked for another. */
static int send_block(ph_thread *t, PyObject *block)
{
	char *data;
	Py_ssize_t length;
	int done;

	if (bytes_of(block, &data, &length) != PH_OK)
		return PH_ERR;
	ph_turn_begin(t);
	done = ph_body_block(t, data, (size_t)length);
	ph_turn_end(t);
	return done;
}

/* next_block: new reference, or NULL at the end or with an exception. */
static PyObject *next_block(PyObject *iterator)
{
	PyObject *block = py.PyIter_Next(iterator);

	ph_child_leave(block);
	return block;
}

/* deliver_rest: blocks, from `block` on, which is given away; NULL: the iterable has ended or failed. */
static int deliver_rest(ph_thread *t, PyObject *iterator, PyObject *block)
{
	for (; block != NULL; block = next_block(iterator)) {
		int done = send_block(t, block);

		py.Py_DecRef(block);
		if (done != PH_OK)
			return done;
		if (t->committed && (t->bodyless || (t->content_length >= 0 && (t->x.outcome & PH_WARNED))))
			break; /* nothing more can go out: do not run an endless stream for a HEAD */
	}
	return py.PyErr_Occurred() != NULL ? PH_ERR : ph_body_end(t);
}

/*
 * deliver_single: len() of the iterable is 1, so its first block should be the body, whose length is known then
 * (PEP 3333, "Handling the Content-Length Header").  Where len() was wrong, it is a stream like any other.
 */
static int deliver_single(ph_thread *t, PyObject *iterator)
{
	PyObject *first = next_block(iterator);                  /* new */
	PyObject *second = first ? next_block(iterator) : NULL;  /* new */
	PyObject *blocks;
	int done;

	if (first != NULL && second == NULL && py.PyErr_Occurred() == NULL) {
		ph_turn_seal(t);
		if (!t->committed) {
			blocks = py.PyTuple_Pack(1, first); /* new */
			done = blocks ? deliver_blocks(t, blocks, false) : PH_ERR;
			py.Py_DecRef(blocks);
			py.Py_DecRef(first);
			return done;
		}
	}
	done = first && py.PyErr_Occurred() == NULL ? send_block(t, first) : PH_OK;
	py.Py_DecRef(first);
	if (done == PH_OK)
		return deliver_rest(t, iterator, second);
	py.Py_DecRef(second);
	return done;
}

/*
 * is_single: len() is asked only for the length of the body.  Where the application gave its Content-Length nobody
 * needs it, and a generator, the usual stream, has none: asking would cost an exception.
 */
static bool is_single(ph_thread *t, PyObject *iterable, PyObject *type)
{
	Py_ssize_t length;

	if (type == py.PyGen_Type || t->committed || !t->started || t->content_length >= 0)
		return false;
	length = py.PyObject_Size(iterable);
	if (length < 0)
		py.PyErr_Clear(); /* no len(), or one that raises: it was a hint only */
	return length == 1;
}

static int deliver_stream(ph_thread *t, PyObject *iterable, PyObject *type)
{
	PyObject *iterator = py.PyObject_GetIter(iterable); /* new */
	int done = PH_ERR;

	ph_child_leave(iterator);
	if (iterator != NULL)
		done = is_single(t, iterable, type) ? deliver_single(t, iterator)
		                                    : deliver_rest(t, iterator, next_block(iterator));
	py.Py_DecRef(iterator);
	return done;
}

/* is_blocks: a subclass of list or tuple that iterates as they do (`base`) holds its blocks like one. */
static bool is_blocks(PyObject *type, PyObject *base)
{
	PyObject *own, *inherited;

	if (!py.PyType_IsSubtype(type, base))
		return false;
	own = py.PyObject_GetAttrString(type, "__iter__");       /* new */
	inherited = py.PyObject_GetAttrString(base, "__iter__"); /* new */
	py.PyErr_Clear();
	py.Py_DecRef(own);
	py.Py_DecRef(inherited);
	return own != NULL && own == inherited;
}

/*
 * finished: the blocks of a body that is complete (a tuple, or for is_list the list itself), or NULL; new reference.
 * Without a GIL another thread may change the list while it is looked through: a tuple is made of it at once.
 */
static PyObject *finished(PyObject *result, PyObject *type, bool *is_list)
{
	*is_list = type == py.PyList_Type && !ph_free_threaded;
	if (*is_list || type == py.PyTuple_Type) {
		py.Py_IncRef(result);
		return result;
	}
	if (type == py.PyList_Type || is_blocks(type, py.PyList_Type) || is_blocks(type, py.PyTuple_Type))
		return py.PySequence_Tuple(result);
	return NULL;
}

int ph_body_deliver(ph_thread *t, PyObject *result)
{
	PyObject *type = py.PyObject_Type(result); /* new */
	PyObject *blocks = NULL;
	bool is_list = false;
	int done = PH_ERR;

	if (type == py.PyBytes_Type || type == py.PyUnicode_Type) {
		py.PyErr_SetString(*py.PyExc_TypeError, "the application returned one string: return a list of bytes, [body]");
		goto out;
	}
	if (type == ph_py.file_wrapper && t->started && !t->committed && (done = ph_file_deliver(t, result)) != PH_NO_FILE)
		goto out;
	done = PH_ERR;
	if (t->started && (blocks = finished(result, type, &is_list)) != NULL) /* new */
		ph_turn_seal(t);
	if (blocks != NULL && !t->committed)
		done = deliver_blocks(t, blocks, is_list);
	else if (blocks != NULL || py.PyErr_Occurred() == NULL)
		done = deliver_stream(t, result, type);
out:
	py.Py_DecRef(blocks);
	py.Py_DecRef(type);
	return done;
}
