/*
 * driver SCRIPT KEYS: sends a script of requests through the C layer, without Go, and counts its instructions.
 *
 * It is linked with embedpy's C.  forkserver.c's constructor has made this process a worker before main runs: the
 * program on its control descriptor ends in _pyhost.become_worker, see gate_test.go.  Under callgrind, each case of the
 * script ends with a dump of what ph_call and all that it called have cost since the warm-up.
 *
 * KEYS has wsgi.Keys, each with its NUL.  SCRIPT has, in the machine's byte order, for each case
 *   u32 length of the name, name, u32 warm-ups, u32 repeats, u32 entries, u32 length of each frame, u32 length of the
 *   body, frame of one connection, frame of another, body
 * where name is that of a callable of the loaded module; the two connections take turns.  The first answer
 * of each case goes to standard output, behind its length in decimal and a newline.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "internal.h"

enum { CONNECTIONS = 2 };

typedef struct {
	char name[64];
	uint32_t warm_ups, repeats, entries, frame_length, body_length;
	uint8_t *frames[CONNECTIONS], *body;
} request;

/* module.c calls it for further Python threads: there are none here. */
void goPythonThread(int thread)
{
	(void)thread;
	abort();
}

static void fail(const char *what)
{
	fprintf(stderr, "driver: %s\n", what);
	exit(1);
}

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *text;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		fail(path);
	*length = (size_t)status.st_size;
	text = malloc(*length + 1);
	if (text == NULL || fread(text, 1, *length, file) != *length)
		fail(path);
	fclose(file);
	return text;
}

static uint32_t take_u32(char **at)
{
	uint32_t n;

	memcpy(&n, *at, sizeof n);
	*at += sizeof n;
	return n;
}

/* take_request: the case at *at, whose bytes stay where they are. */
static request take_request(char **at)
{
	request r = {0};
	uint32_t length = take_u32(at);

	if (length >= sizeof r.name)
		fail("a name is too long");
	memcpy(r.name, *at, length);
	*at += length;
	r.warm_ups = take_u32(at);
	r.repeats = take_u32(at);
	r.entries = take_u32(at);
	r.frame_length = take_u32(at);
	r.body_length = take_u32(at);
	for (int i = 0; i < CONNECTIONS; i++, *at += r.frame_length)
		r.frames[i] = (uint8_t *)*at;
	r.body = (uint8_t *)*at;
	*at += r.body_length;
	return r;
}

/* boot: as Boot of embedpy.go, with one thread. */
static void boot(const char *path)
{
	int pair[2];
	size_t length;
	char *keys = read_file(path, &length);
	int count = 0;

	for (size_t i = 0; i < length; i++)
		count += keys[i] == '\0';
	if (ph_role() != PH_ROLE_WORKER)
		fail("the constructor has not made this process a worker");
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		fail("socketpair");
	if (ph_boot(keys, count, STDERR_FILENO, pair[0], pair[1], 1) != 0) {
		fprintf(stderr, "%s\n%s", ph_boot_error(), ph_boot_traceback());
		exit(1);
	}
}

/* use: the application is `name` of the module that ph_boot has loaded. */
static void use(const char *name)
{
	PyObject *module = py.PyImport_ImportModule("app"); /* new, kept */

	ph_py.application = module ? py.PyObject_GetAttrString(module, name) : NULL; /* new, kept */
	if (ph_py.application == NULL)
		fail(name);
}

/* receive: what has been sent to the client; shown if it is the first answer. */
static void receive(int client, int show)
{
	static char answer[256 * 1024];
	size_t length = 0;
	ssize_t n;

	while ((n = recv(client, answer + length, sizeof answer - length, MSG_DONTWAIT)) > 0)
		length += (size_t)n;
	if (length == 0 || length == sizeof answer)
		fail("an answer is empty or too long");
	if (!show)
		return;
	printf("%zu\n", length);
	fwrite(answer, 1, length, stdout);
}

/* perform: one request, as thread.respond of package workers. */
static void perform(const request *r, const int *pair, int show)
{
	static uint64_t serial;
	static ph_conn *conns[CONNECTIONS];
	ph_exchange *x = ph_exchange_of(0);

	x->flags = PH_HTTP11 | PH_KEEPALIVE | PH_KEEP_GIL;
	x->fd = pair[0];
	x->listener = 0;
	x->body_kind = r->body_length > 0 ? PH_BODY_MEMORY : PH_BODY_NONE;
	x->body_length = r->body_length;
	x->entries = r->entries;
	x->frame_length = r->frame_length;
	x->claim = ++serial << PH_CLAIM_BITS | PH_CLAIM_OPEN;
	x->deadline = 0;
	x->conn = conns[serial % CONNECTIONS];
	ph_call(0, r->frames[serial % CONNECTIONS], r->body);
	conns[serial % CONNECTIONS] = x->conn;
	if (x->outcome != (PH_REUSE | PH_COMMITTED) || x->status != 200 || x->tail != NULL) {
		fprintf(stderr, "driver: %s: outcome %u, status %d: %.*s\n", r->name, x->outcome, x->status,
		        (int)x->message_length, x->message ? x->message : "");
		exit(1);
	}
	receive(pair[1], show);
}

static void measure(const request *r, const int *pair)
{
	use(r->name);
	for (uint32_t i = 0; i < r->warm_ups; i++)
		perform(r, pair, i == 0);
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
	for (uint32_t i = 0; i < r->repeats; i++)
		perform(r, pair, 0);
	CALLGRIND_DUMP_STATS_AT(r->name);
	CALLGRIND_STOP_INSTRUMENTATION;
}

int main(int argc, char **argv)
{
	int pair[2], size = 1 << 20;
	size_t length;
	char *script, *at;

	if (argc != 3)
		fail("usage: driver SCRIPT KEYS");
	boot(argv[2]);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) != 0)
		fail(strerror(errno));
	at = script = read_file(argv[1], &length);
	while (at < script + length) {
		request r = take_request(&at);

		measure(&r, pair);
	}
	fflush(stdout);
	_exit(0); /* Python's end is no part of it */
}
