/*
 * environ: the template dict of the listener, copied, and overwritten with what this request brings.
 *
 * Measured for 30 keys: one PyDict_SetItemString per key 3.1 us, PyDict_Copy plus interned keys 1.3 us.  Header values
 * repeat from request to request (Host, User-Agent, Accept), so every thread keeps the last str of each key.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { CACHED_VALUE_MAX = 128 };

/* The last value of one key in one thread. */
struct ph_value {
	PyObject *text; /* owned */
	uint32_t length;
	char bytes[CACHED_VALUE_MAX];
};

static PyObject **key_names; /* interned, owned */
static int key_count;

static ph_conn *dropped;
static pthread_mutex_t dropped_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_conn_id;

int ph_environ_keys(const char *keys, int count)
{
	key_names = calloc((size_t)count, sizeof *key_names);
	if (key_names == NULL)
		return PH_ERR;
	for (int i = 0; i < count; i++) {
		key_names[i] = py.PyUnicode_InternFromString(keys); /* new */
		if (key_names[i] == NULL)
			return PH_ERR;
		keys += strlen(keys) + 1;
	}
	key_count = count;
	return PH_OK;
}

int ph_environ_values(ph_thread *t)
{
	t->values = calloc((size_t)key_count, sizeof *t->values);
	return t->values == NULL ? PH_ERR : PH_OK;
}

/* value_text: the str of a value (PEP 3333: bytes decoded as latin-1).  New reference. */
static PyObject *value_text(ph_thread *t, uint32_t key, const char *bytes, uint32_t length)
{
	struct ph_value *last = &t->values[key];
	PyObject *text;

	if (last->text != NULL && last->length == length && memcmp(last->bytes, bytes, length) == 0) {
		py.Py_IncRef(last->text);
		return last->text;
	}
	text = py.PyUnicode_DecodeLatin1(bytes, length, NULL); /* new */
	if (text == NULL || length > CACHED_VALUE_MAX)
		return text;
	py.Py_DecRef(last->text);
	py.Py_IncRef(text);
	last->text = text;
	last->length = length;
	memcpy(last->bytes, bytes, length);
	return text;
}

static uint32_t take_u32(const uint8_t **at)
{
	uint32_t n;

	memcpy(&n, *at, sizeof n); /* the frame is unaligned */
	*at += sizeof n;
	return n;
}

/* fill: the entries of wsgi.Frame, see wsgi/frame.go for the layout. */
static int fill(ph_thread *t, PyObject *environ, const uint8_t *at)
{
	for (uint32_t i = 0; i < t->x.entries; i++) {
		uint32_t key = take_u32(&at);
		uint32_t length = take_u32(&at);
		bool custom = key & 0x80000000u;
		uint32_t name_length = custom ? key & 0x7fffffffu : 0;
		const char *name = (const char *)at;
		const char *value = name + name_length;
		PyObject *name_text, *text;
		int set;

		at += (size_t)name_length + length;
		if (custom) {
			name_text = py.PyUnicode_DecodeLatin1(name, name_length, NULL); /* new */
			text = py.PyUnicode_DecodeLatin1(value, length, NULL);          /* new */
		} else {
			name_text = key_names[key]; /* borrowed */
			text = value_text(t, key, value, length);
		}
		set = name_text == NULL || text == NULL ? -1 : py.PyDict_SetItem(environ, name_text, text);
		if (custom)
			py.Py_DecRef(name_text);
		py.Py_DecRef(text);
		if (set != 0)
			return PH_ERR;
	}
	return PH_OK;
}

/* set_input: wsgi.input is the standard library's: io.BytesIO, a buffered file, a buffered raw stream. */
static int set_input(ph_thread *t, PyObject *environ, const uint8_t *body)
{
	PyObject *maker, *argument, *input;
	int set;

	switch (t->x.body_kind) {
	case PH_BODY_MEMORY:
		maker = ph_py.bytes_io;
		argument = py.PyBytes_FromStringAndSize((const char *)body, (Py_ssize_t)t->x.body_length); /* new */
		break;
	case PH_BODY_FILE:
		maker = ph_py.open_file;
		argument = py.PyLong_FromLong(t->x.body_fd); /* new */
		break;
	case PH_BODY_STREAM:
		maker = ph_py.open_stream;
		argument = py.PyLong_FromLong(t->x.body_fd); /* new */
		break;
	default:
		return PH_OK; /* the template holds the empty input */
	}
	if (argument == NULL)
		return PH_ERR;
	input = py.PyObject_CallFunctionObjArgs(maker, argument, NULL); /* new */
	py.Py_DecRef(argument);
	if (input == NULL)
		return PH_ERR;
	set = py.PyDict_SetItem(environ, ph_name.wsgi_input, input);
	py.Py_DecRef(input);
	return set == 0 ? PH_OK : PH_ERR;
}

/* conn_new: the facts of a connection that are the same for each of its requests. */
static ph_conn *conn_new(void)
{
	ph_conn *conn = calloc(1, sizeof *conn);
	PyObject *id;

	if (conn == NULL) {
		py.PyErr_NoMemory();
		return NULL;
	}
	conn->id = ++last_conn_id;
	id = py.PyLong_FromUnsignedLongLong(conn->id); /* new */
	if (id != NULL)
		conn->socket = py.PyObject_CallFunctionObjArgs(ph_py.socket_type, id, NULL); /* new */
	py.Py_DecRef(id);
	if (conn->socket == NULL) {
		free(conn);
		return NULL;
	}
	return conn;
}

static int set_early_hints(PyObject *environ, PyObject *token)
{
	PyObject *hints = ph_early_hints_new(token); /* new */
	int set = hints ? py.PyDict_SetItem(environ, ph_name.early_hints, hints) : -1;

	py.Py_DecRef(hints);
	return set == 0 ? PH_OK : PH_ERR;
}

PyObject *ph_environ_new(ph_thread *t, PyObject *token, const uint8_t *frame, const uint8_t *body)
{
	PyObject *template = py.PyTuple_GetItem(ph_py.templates, t->x.listener); /* borrowed */
	PyObject *environ = template ? py.PyDict_Copy(template) : NULL;          /* new */

	if (environ == NULL)
		return NULL;
	if (t->x.conn == NULL && (t->x.conn = conn_new()) == NULL)
		goto fail;
	if (py.PyDict_SetItem(environ, ph_name.gunicorn_socket, t->x.conn->socket) != 0)
		goto fail;
	if (set_early_hints(environ, token) != PH_OK || fill(t, environ, frame) != PH_OK ||
	    set_input(t, environ, body) != PH_OK)
		goto fail;
	return environ;
fail:
	py.Py_DecRef(environ);
	return NULL;
}

/* ph_conn_drop may run on any Go thread, without the GIL: the objects wait in a list for the next ph_call. */
void ph_conn_drop(ph_conn *conn)
{
	pthread_mutex_lock(&dropped_lock);
	conn->next_dropped = dropped;
	__atomic_store_n(&dropped, conn, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dropped_lock);
}

/* ph_conn_release_dropped: GIL held. */
void ph_conn_release_dropped(void)
{
	ph_conn *conn, *next;

	if (__atomic_load_n(&dropped, __ATOMIC_ACQUIRE) == NULL)
		return;
	pthread_mutex_lock(&dropped_lock);
	conn = dropped;
	__atomic_store_n(&dropped, NULL, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dropped_lock);
	for (; conn != NULL; conn = next) {
		next = conn->next_dropped;
		py.Py_DecRef(conn->socket);
		free(conn);
	}
}
