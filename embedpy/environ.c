/*
 * environ: the template dict of the listener, copied, and overwritten with what this request brings.
 *
 * Measured for 30 keys: one PyDict_SetItemString per key 3.1 us, PyDict_Copy plus interned keys 1.3 us; a copy of what
 * the last request brought takes half of the instructions of that (embedpy/gate, "30 headers").  Header values repeat
 * from request to request (Host, User-Agent, Accept), so every thread keeps the last str of each key.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum {
	CACHED_VALUE_MAX = 128,
	REMEMBERED_MAX = 16 * 1024, /* bytes of a frame */
	CHANGES_MAX = 16,
};

#define CUSTOM_KEY 0x80000000u

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

/* One entry of wsgi.Frame, see wsgi/frame.go for the layout. */
typedef struct {
	uint32_t key, name_length, length; /* name_length: of a key that is not one of ours, else 0 */
	const char *name, *value;
} entry;

static const uint8_t *take_entry(const uint8_t *at, entry *e)
{
	memcpy(&e->key, at, sizeof e->key); /* the frame is unaligned */
	memcpy(&e->length, at + sizeof e->key, sizeof e->length);
	at += sizeof e->key + sizeof e->length;
	e->name_length = e->key & CUSTOM_KEY ? e->key & ~CUSTOM_KEY : 0;
	e->name = (const char *)at;
	e->value = e->name + e->name_length;
	return at + (size_t)e->name_length + e->length;
}

static int set_entry(ph_thread *t, PyObject *environ, const entry *e)
{
	PyObject *name, *text;
	int set;

	if (!(e->key & CUSTOM_KEY)) {
		text = value_text(t, e->key, e->value, e->length); /* new */
		set = text ? py.PyDict_SetItem(environ, key_names[e->key], text) : -1;
	} else {
		name = py.PyUnicode_DecodeLatin1(e->name, e->name_length, NULL); /* new */
		text = py.PyUnicode_DecodeLatin1(e->value, e->length, NULL);     /* new */
		set = name && text ? py.PyDict_SetItem(environ, name, text) : -1;
		py.Py_DecRef(name);
	}
	py.Py_DecRef(text);
	return set == 0 ? PH_OK : PH_ERR;
}

/* filled: the environ of the listener with what the frame brings; new reference. */
static PyObject *filled(ph_thread *t, const uint8_t *frame)
{
	PyObject *template = py.PyTuple_GetItem(t->templates, t->x.listener); /* borrowed */
	PyObject *environ = template ? py.PyDict_Copy(template) : NULL;       /* new */
	entry e;

	for (uint32_t i = 0; environ != NULL && i < t->x.entries; i++) {
		frame = take_entry(frame, &e);
		if (set_entry(t, environ, &e) != PH_OK) {
			py.Py_DecRef(environ);
			return NULL;
		}
	}
	return environ;
}

/*
 * What a thread remembers of its last request.  Requests of one site mostly bring the same fields in the same order,
 * with few values that differ: then the values that do are set in `environ`, and a copy of that is the request's, which
 * costs a fraction of setting all.  It is made when the fields are the same for the second time.
 */
struct ph_last {
	PyObject *environ; /* owned: the template with the frame's entries, and nothing else; NULL: not made */
	int32_t listener;
	uint32_t entries;
	ph_buffer frame; /* empty: nothing is remembered */
};

/*
 * changes: the entries of the frame that differ from the last request's.  Returns their number, or -1 when the fields
 * are not the same, or so many values differ that it is not worth it.
 */
static int changes(const struct ph_last *last, const ph_thread *t, const uint8_t *frame, entry changed[CHANGES_MAX])
{
	const uint8_t *old = (const uint8_t *)last->frame.data;
	int count = 0;
	entry a, b;

	if (last->frame.length == 0 || last->entries != t->x.entries || last->listener != t->x.listener)
		return -1;
	for (uint32_t i = 0; i < t->x.entries; i++) {
		old = take_entry(old, &a);
		frame = take_entry(frame, &b);
		if (a.key != b.key)
			return -1;
		if (a.length == b.length && memcmp(a.name, b.name, (size_t)b.name_length + b.length) == 0)
			continue; /* name and value lie behind each other */
		if (count == CHANGES_MAX || memcmp(a.name, b.name, b.name_length) != 0)
			return -1;
		changed[count++] = b;
	}
	return count;
}

static void forget(struct ph_last *last)
{
	py.Py_DecRef(last->environ);
	last->environ = NULL;
	last->frame.length = 0;
}

static void remember(struct ph_last *last, const ph_thread *t, const uint8_t *frame)
{
	last->frame.length = 0;
	last->listener = t->x.listener;
	last->entries = t->x.entries;
	if (t->x.frame_length > REMEMBERED_MAX || ph_buffer_add(&last->frame, frame, t->x.frame_length) != PH_OK)
		forget(last);
}

/* environ_of: a dict of the request's own with what the frame brings; new reference. */
static PyObject *environ_of(ph_thread *t, const uint8_t *frame)
{
	struct ph_last *last = t->last;
	entry changed[CHANGES_MAX];
	int count = changes(last, t, frame, changed);
	PyObject *environ;

	if (count < 0) {
		forget(last);
		environ = filled(t, frame); /* new */
	} else {
		if (last->environ == NULL)
			last->environ = filled(t, frame); /* new, kept */
		for (int i = 0; i < count && last->environ != NULL; i++)
			if (set_entry(t, last->environ, &changed[i]) != PH_OK)
				forget(last);
		environ = last->environ ? py.PyDict_Copy(last->environ) : NULL; /* new */
	}
	if (environ == NULL)
		forget(last);
	else if (count != 0)
		remember(last, t, frame);
	return environ;
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
	if (t->x.body_kind == PH_BODY_FILE)
		t->spooled = input;
	else
		py.Py_DecRef(input);
	return set == 0 ? PH_OK : PH_ERR;
}

/*
 * ph_input_end: the request is over, and so is the file that its body was spooled to.  A traceback that the application
 * keeps, or has in a cycle for the collector, would keep the room on the disk.  GIL held; clears what close() raises.
 */
void ph_input_end(ph_thread *t)
{
	PyObject *input = t->spooled;
	PyObject *done;

	t->spooled = NULL;
	done = py.PyObject_CallMethodObjArgs(input, ph_name.close, NULL); /* new */
	if (done == NULL)
		py.PyErr_Clear();
	py.Py_DecRef(done);
	py.Py_DecRef(input);
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
	conn->id = __atomic_add_fetch(&last_conn_id, 1, __ATOMIC_RELAXED);
	id = py.PyLong_FromUnsignedLongLong(conn->id); /* new */
	if (id != NULL)
		conn->socket = py.PyObject_CallFunctionObjArgs(ph_py.socket_type, NULL); /* new */
	if (conn->socket == NULL || py.PyObject_SetAttr(conn->socket, ph_name.id, id) != 0) {
		py.Py_DecRef(conn->socket);
		py.Py_DecRef(id);
		free(conn);
		return NULL;
	}
	py.Py_DecRef(id);
	return conn;
}

static int set_early_hints(PyObject *environ, PyObject *token)
{
	PyObject *hints = ph_early_hints_new(token); /* new */
	int set = hints ? py.PyDict_SetItem(environ, ph_name.early_hints, hints) : -1;

	py.Py_DecRef(hints);
	return set == 0 ? PH_OK : PH_ERR;
}

int ph_environ_prepare(ph_thread *t)
{
	t->values = calloc((size_t)key_count, sizeof *t->values);
	t->last = calloc(1, sizeof *t->last);
	return t->values == NULL || t->last == NULL ? PH_ERR : PH_OK;
}

PyObject *ph_environ_new(ph_thread *t, PyObject *token, const uint8_t *frame, const uint8_t *body)
{
	PyObject *environ = environ_of(t, frame); /* new */

	if (environ == NULL)
		return NULL;
	if (t->x.conn == NULL && (t->x.conn = conn_new()) == NULL)
		goto fail;
	ph_lock(t);
	t->conn_id = t->x.conn->id;
	ph_unlock(t);
	if (py.PyDict_SetItem(environ, ph_name.gunicorn_socket, t->x.conn->socket) != 0)
		goto fail;
	if (set_early_hints(environ, token) != PH_OK || set_input(t, environ, body) != PH_OK)
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
