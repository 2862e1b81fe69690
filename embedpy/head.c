/* The response head: what start_response was given, checked and serialised at once (PEP 3333, RFC 9110, RFC 9112). */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define HTTP11 "HTTP/1.1 "
#define BYTES 0x0101010101010101u /* times a byte: that byte eight times */
#define SERVER "Server: pyhost\r\n"
#define LENGTH "Content-Length: "
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define CLOSE "Connection: close\r\n"
#define KEEP_ALIVE "Connection: keep-alive\r\n"

enum { DATE_LENGTH = sizeof "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" - 1 };

/* token characters of RFC 9110 5.6.2 */
static const unsigned char is_token[256] = {
	['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
	['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

static bool equals_folded(const char *name, size_t length, const char *lower)
{
	for (size_t i = 0; i < length; i++)
		if ((name[i] | 0x20) != lower[i])
			return false;
	return lower[length] == '\0';
}

/* A field value may hold anything but control characters; HTAB is allowed (RFC 9110 5.5). */
static bool is_clean(const char *text, size_t length)
{
	enum { WORD = sizeof(uint64_t) };

	/* eight at a time: a word without a byte below 0x20 (its top bit comes of the subtraction) and without a DEL */
	for (; length >= WORD; text += WORD, length -= WORD) {
		uint64_t word, del;

		memcpy(&word, text, WORD);
		del = word ^ 0x7f * BYTES;
		if ((((word - 0x20 * BYTES) & ~word) | ((del - BYTES) & ~del)) & 0x80 * BYTES)
			break; /* perhaps: the slow way decides */
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* not_native: replaces the pending error by one that says whose fault it is.  name: the header's, for its value. */
static int not_native(PyObject *text, const char *what, PyObject *name)
{
	const char *rule = py.PyErr_ExceptionMatches(*py.PyExc_TypeError) ? "be a str" : "fit latin-1";

	py.PyErr_Clear();
	if (name != NULL)
		py.PyErr_Format(*py.PyExc_TypeError, "%s %.200R must %s, not %.200R (PEP 3333, native strings)", what, name,
		                rule, text);
	else
		py.PyErr_Format(*py.PyExc_TypeError, "%s must %s, not %.200R (PEP 3333, native strings)", what, rule, text);
	return PH_ERR;
}

/*
 * native: the bytes of a PEP 3333 "native string".  *owned is NULL (text borrowed from the str), or a new bytes
 * object that holds the latin-1 form.  PH_ERR with TypeError set.
 */
static int native(PyObject *text, const char *what, PyObject *name, const char **data, size_t *length, PyObject **owned)
{
	Py_ssize_t n;
	char *bytes;

	*owned = NULL;
	*data = py.PyUnicode_AsUTF8AndSize(text, &n);
	if (*data == NULL)
		return not_native(text, what, name);
	*length = (size_t)n;
	if (py.PyUnicode_GetLength(text) == n) /* as many bytes of UTF-8 as characters: ASCII */
		return PH_OK;
	*owned = py.PyUnicode_AsLatin1String(text); /* new */
	if (*owned == NULL || py.PyBytes_AsStringAndSize(*owned, &bytes, &n) != 0)
		return not_native(text, what, name);
	*data = bytes;
	*length = (size_t)n;
	return PH_OK;
}

/* append: to a buffer in which there is room. */
static inline void append(ph_buffer *to, const void *data, size_t length)
{
	memcpy(to->data + to->length, data, length);
	to->length += length;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ph_head_status: `status` becomes the status line: three digits, a space, a reason phrase (RFC 9112 4). */
int ph_head_status(ph_thread *t, PyObject *status)
{
	const char *text;
	size_t length;
	PyObject *owned;
	int done = PH_ERR;

	if (native(status, "status", NULL, &text, &length, &owned) != PH_OK)
		return PH_ERR;
	if (length < 3 || !is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[2]) || text[0] == '0' ||
	    (length > 3 && text[3] != ' ') || !is_clean(text, length)) {
		py.PyErr_Format(*py.PyExc_ValueError, "malformed status %.200R: want '200 OK' (PEP 3333, start_response)",
		                status);
		goto out;
	}
	if (text[0] == '1' && strncmp(text, "101", 3) != 0) {
		py.PyErr_Format(*py.PyExc_ValueError,
		                "status %.200R is an interim one: a response needs a final status (RFC 9110 15.2); see "
		                "wsgi.early_hints",
		                status);
		goto out;
	}
	t->status = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
	if (ph_buffer_reserve(&t->head, length + 64) != PH_OK) {
		py.PyErr_NoMemory();
		goto out;
	}
	append(&t->head, HTTP11, sizeof HTTP11 - 1);
	append(&t->head, text, length);
	if (length == 3)
		append(&t->head, " ", 1); /* part of the grammar even where the reason is empty */
	append(&t->head, "\r\n", 2);
	done = PH_OK;
out:
	py.Py_DecRef(owned);
	return done;
}

/* PEP 3333, "Other HTTP Features": an application must not use hop-by-hop headers; RFC 9110 7.6.1 lists them. */
static bool is_hop_by_hop(const char *name, size_t length)
{
	switch (length) {
	case 2:
		return equals_folded(name, length, "te");
	case 7:
		return equals_folded(name, length, "trailer") || equals_folded(name, length, "upgrade");
	case 8:
		return equals_folded(name, length, "trailers");
	case 10:
		return equals_folded(name, length, "connection") || equals_folded(name, length, "keep-alive");
	case 17:
		return equals_folded(name, length, "transfer-encoding");
	case 18:
		return equals_folded(name, length, "proxy-authenticate");
	case 19:
		return equals_folded(name, length, "proxy-authorization");
	}
	return false;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* note_content_length: a second one that says the same is none (RFC 9110 8.6); two lengths could be two responses. */
static int note_content_length(ph_thread *t, const char *value, size_t length)
{
	const char *text = value;
	int64_t n = 0;
	bool good;

	for (; length > 0 && is_blank(*text); length--)
		text++;
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	good = length > 0 && length <= 18;
	for (size_t i = 0; good && i < length; i++) {
		good = is_digit(text[i]);
		n = n * 10 + (text[i] - '0');
	}
	if (!good) {
		py.PyErr_Format(*py.PyExc_ValueError, "Content-Length must be one decimal number, not %.40s", value);
		return PH_ERR;
	}
	if (t->content_length >= 0 && t->content_length != n) {
		py.PyErr_Format(*py.PyExc_ValueError, "a second Content-Length, %.40s, contradicts the first", value);
		return PH_ERR;
	}
	t->content_length = n;
	return PH_OK;
}

/*
 * note_offload: a header that names a file for the server to send.  The last one counts; the application's body is not
 * sent then.  PH_OK, or PH_ERR when memory ran out.
 */
static int note_offload(ph_thread *t, const char *name, size_t name_length, const char *value, size_t length,
                        bool *skip)
{
	if (!(name_length == 10 && equals_folded(name, name_length, "x-sendfile")) &&
	    !(name_length == 16 && equals_folded(name, name_length, "x-accel-redirect")))
		return PH_OK;
	*skip = true;
	t->offload.length = 0;
	if (ph_buffer_add(&t->offload, name_length == 10 ? "s" : "a", 1) != PH_OK ||
	    ph_buffer_add(&t->offload, value, length) != PH_OK) {
		py.PyErr_NoMemory();
		return PH_ERR;
	}
	return PH_OK;
}

/* note_header: the headers that decide framing, or that replace one of ours.  *skip: it does not go out as it is. */
static int note_header(ph_thread *t, const char *name, size_t name_length, const char *value, size_t length, bool *skip)
{
	*skip = false;
	if (is_hop_by_hop(name, name_length)) {
		py.PyErr_Format(*py.PyExc_ValueError,
		                "hop-by-hop header %.40s is not the application's to send (PEP 3333): the server manages "
		                "the connection",
		                name);
		return PH_ERR;
	}
	if (name_length == 14 && equals_folded(name, name_length, "content-length")) {
		*skip = true; /* written by ph_head_finish, unless the status forbids it */
		return note_content_length(t, value, length);
	} else if (name_length == 4 && equals_folded(name, name_length, "date")) {
		t->has_date = true;
	} else if (name_length == 6 && equals_folded(name, name_length, "server")) {
		t->has_server = true;
	} else if (ph_py.offload) {
		return note_offload(t, name, name_length, value, length, skip);
	}
	return PH_OK;
}

static int add_field(ph_buffer *to, const char *name, size_t name_length, const char *value, size_t length)
{
	char *at;

	if (ph_buffer_reserve(to, name_length + length + 4) != PH_OK) {
		py.PyErr_NoMemory();
		return PH_ERR;
	}
	at = to->data + to->length;
	memcpy(at, name, name_length);
	at += name_length;
	*at++ = ':';
	*at++ = ' ';
	memcpy(at, value, length);
	at += length;
	*at++ = '\r';
	*at++ = '\n';
	to->length = (size_t)(at - to->data);
	return PH_OK;
}

static bool is_name(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_token[(unsigned char)name[i]])
			return false;
	return length > 0;
}

/* add_header: one (name, value) pair.  Nothing of a bad header reaches the buffer: no header injection. */
static int add_header(ph_thread *t, ph_buffer *to, PyObject *name_text, PyObject *value_text, bool early)
{
	const char *name, *value;
	size_t name_length, length;
	PyObject *name_owned, *value_owned = NULL;
	bool skip = false;
	int done = PH_ERR;

	if (native(name_text, "header name", NULL, &name, &name_length, &name_owned) != PH_OK)
		goto out;
	if (!is_name(name, name_length)) {
		py.PyErr_Format(*py.PyExc_ValueError, "invalid header name %.200R (RFC 9110 5.1: a token)", name_text);
		goto out;
	}
	if (native(value_text, "the value of header", name_text, &value, &length, &value_owned) != PH_OK)
		goto out;
	if (!is_clean(value, length)) {
		py.PyErr_Format(*py.PyExc_ValueError, "control character in the value of header %.200R: %.200R", name_text,
		                value_text);
		goto out;
	}
	if (early) /* an interim response has no framing (RFC 9110 8.6, RFC 9112 6.1) */
		skip = is_hop_by_hop(name, name_length) ||
		       (name_length == 14 && equals_folded(name, name_length, "content-length"));
	else if (note_header(t, name, name_length, value, length, &skip) != PH_OK)
		goto out;
	done = skip ? PH_OK : add_field(to, name, name_length, value, length);
out:
	py.Py_DecRef(name_owned);
	py.Py_DecRef(value_owned);
	return done;
}

static bool is_tuple(PyObject *o)
{
	PyObject *type = py.PyObject_Type(o); /* new */

	py.Py_DecRef(type); /* the object keeps its type alive */
	return type == py.PyTuple_Type;
}

/*
 * ph_head_fields: what the application gave as headers, as a tuple of tuples; new reference, or NULL with an exception.
 * PEP 3333 asks for a list of tuples; any iterable of pairs is taken, as other servers do.  Iterating over one of those
 * runs the application's code: this comes before anything of a request is looked at or changed.
 */
PyObject *ph_head_fields(PyObject *headers)
{
	PyObject *fields = py.PySequence_Tuple(headers); /* new */
	PyObject *pairs;
	Py_ssize_t count = fields ? py.PyTuple_Size(fields) : 0;

	for (Py_ssize_t i = 0; i < count; i++) {
		if (is_tuple(py.PyTuple_GetItem(fields, i)))
			continue;
		pairs = py.PyObject_CallFunctionObjArgs(ph_py.header_pairs, fields, NULL); /* new */
		py.Py_DecRef(fields);
		return pairs;
	}
	return fields;
}

/* ph_head_headers: fields, from ph_head_fields, checked and appended to `to`.  t may be NULL for early ones. */
int ph_head_headers(ph_thread *t, ph_buffer *to, PyObject *fields, bool early)
{
	Py_ssize_t count = py.PyTuple_Size(fields);

	for (Py_ssize_t i = 0; i < count; i++) {
		PyObject *pair = py.PyTuple_GetItem(fields, i); /* borrowed */

		if (py.PyTuple_Size(pair) != 2) {
			py.PyErr_Format(*py.PyExc_TypeError, "a header must be a (name, value) tuple, not %.200R", pair);
			return PH_ERR;
		}
		if (add_header(t, to, py.PyTuple_GetItem(pair, 0), py.PyTuple_GetItem(pair, 1), early) != PH_OK)
			return PH_ERR;
	}
	return PH_OK;
}

/* ph_head_reset: forgets what an earlier start_response said. */
void ph_head_reset(ph_thread *t)
{
	t->head.length = t->offload.length = 0;
	t->content_length = -1;
	t->has_date = t->has_server = false;
	t->status = 0;
}

/* ph_head_adopt: what start_response said into a draft becomes the answer of t; the draft gets t's buffers. */
void ph_head_adopt(ph_thread *t, ph_thread *draft)
{
	ph_buffer head = t->head, offload = t->offload;

	t->head = draft->head;
	t->offload = draft->offload;
	t->content_length = draft->content_length;
	t->has_date = draft->has_date;
	t->has_server = draft->has_server;
	t->status = draft->status;
	draft->head = head;
	draft->offload = offload;
}

/* refresh_date: the field Date with an IMF-fixdate (RFC 9110 5.6.7), formatted once a second. */
static void refresh_date(ph_thread *t)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm;

	if (now == t->date_second)
		return;
	t->date_second = now;
	gmtime_r(&now, &tm);
	snprintf(t->date, sizeof t->date, "Date: %.3s, %02u %.3s %04u %02u:%02u:%02u GMT\r\n", days + tm.tm_wday * 3,
	         (unsigned)tm.tm_mday % 100, months + tm.tm_mon * 3, (unsigned)(tm.tm_year + 1900) % 10000,
	         (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

static void append_length(ph_buffer *to, int64_t n)
{
	char digits[24];
	char *at = digits + sizeof digits;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	append(to, LENGTH, sizeof LENGTH - 1);
	append(to, at, (size_t)(digits + sizeof digits - at));
}

/* add_framing: how the client will know where the body ends (RFC 9112 6.3).  There is room for it. */
static void add_framing(ph_thread *t, int64_t known_length)
{
	bool no_length = t->status < 200 || t->status == 204; /* RFC 9110 8.6: no Content-Length in these */
	bool reuse = t->x.flags & PH_KEEPALIVE;

	t->bodyless = (t->x.flags & PH_HEAD) || no_length || t->status == 304;
	/* an empty body for HEAD says nothing about what GET would return */
	if (t->content_length < 0 && known_length >= (t->x.flags & PH_HEAD ? 1 : 0) && t->status != 304)
		t->content_length = known_length;
	if (no_length)
		t->content_length = -1;
	if (t->content_length >= 0) {
		append_length(&t->head, t->content_length);
	} else if (!t->bodyless) {
		t->chunked = t->x.flags & PH_HTTP11;
		reuse = reuse && t->chunked;
		if (t->chunked)
			append(&t->head, CHUNKED, sizeof CHUNKED - 1);
	}
	if (t->status == 101 || t->taken)
		reuse = false;
	if (reuse)
		t->x.outcome |= PH_REUSE;
	/* keep-alive is what HTTP/1.1 means without a word (RFC 9112 9.3) */
	if (!reuse && t->status != 101)
		append(&t->head, CLOSE, sizeof CLOSE - 1);
	else if (reuse && !(t->x.flags & PH_HTTP11))
		append(&t->head, KEEP_ALIVE, sizeof KEEP_ALIVE - 1);
}

/*
 * ph_head_finish: the head is complete: ours are added, unless the application gave its own Server or Date.
 * known_length: of the whole body where it is known already (PEP 3333, "Handling the Content-Length Header"), or -1.
 */
int ph_head_finish(ph_thread *t, int64_t known_length)
{
	enum { ROOM = sizeof SERVER + sizeof t->date + 128 }; /* framing takes less than 80 */

	if (ph_buffer_reserve(&t->head, ROOM) != PH_OK) {
		py.PyErr_NoMemory();
		return PH_ERR;
	}
	if (!t->has_server)
		append(&t->head, SERVER, sizeof SERVER - 1);
	if (!t->has_date) {
		refresh_date(t);
		append(&t->head, t->date, DATE_LENGTH);
	}
	add_framing(t, known_length);
	append(&t->head, "\r\n", 2);
	t->x.status = t->status;
	return PH_OK;
}
