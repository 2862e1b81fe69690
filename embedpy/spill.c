/*
 * A stream whose client is slower than the application goes on into a temporary file, and a thread of this file sends
 * it from there.  PEP 3333, "Buffering and Streaming", allows that: the transmission goes on while the application
 * produces its next block.  So a slow client holds the application's thread until the application has ended, not until
 * the client has all; Go's lane sends what is left then.
 *
 * The file is a ring.  When it is full, the application waits for the client.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

enum { PIECE = 128 * 1024, PIECES = 4 };

struct ph_spill {
	int client; /* borrowed: the connection stays open until the request is over */
	int file;
	int wake; /* an eventfd: there is something new for the sender */
	pthread_t sender;
	pthread_mutex_t lock;
	pthread_cond_t room;
	/* under lock */
	uint64_t written, sent; /* bytes since the beginning; a byte lies at its number modulo the ring's size */
	bool ended;
	int error; /* why the sender has given up */
	char piece[PIECE]; /* the sender's */
};

static char directory[4096];
static uint64_t ring;    /* bytes; 0: nothing is kept */
static int patience = -1; /* ms without progress of the client; -1: for ever */

void ph_spill_configure(const char *path, uint64_t limit, int patience_ms)
{
	snprintf(directory, sizeof directory, "%s", path);
	ring = limit;
	patience = patience_ms;
}

/* nameless: a file that goes with its last descriptor, or -1. */
static int nameless(void)
{
	char path[sizeof directory + 32];
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof path, "%s/pyhost-response-XXXXXX", directory); /* file systems without O_TMPFILE */
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

bool ph_spill_finished(ph_thread *t, const struct iovec *pieces, int count, size_t length)
{
	struct iovec copy[PIECES], *iov = copy;
	int file = length <= ring && count <= PIECES ? nameless() : -1;
	off_t at = 0;

	if (file >= 0)
		memcpy(copy, pieces, (size_t)count * sizeof *pieces);

	while (file >= 0 && count > 0) {
		ssize_t n = pwritev(file, iov, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* no room on the disk */
			close(file);
			return false;
		}
		at += n;
		ph_iovec_advance(&iov, &count, (size_t)n);
	}
	if (file < 0)
		return false;
	t->x.tail_file = file;
	t->x.tail_from = t->x.tail_ring = 0;
	t->x.tail_to = length;
	return true;
}

/*
 * send_piece: from the ring to the client.  Not by sendfile(2): the socket would go on referring to the file's pages,
 * and the application's next blocks overwrite them.
 */
static ssize_t send_piece(ph_spill *s, uint64_t from, uint64_t left)
{
	uint64_t offset = from % ring, most = ring - offset;
	ssize_t n;

	most = left < most ? left : most;
	n = pread(s->file, s->piece, most < PIECE ? most : PIECE, (off_t)offset);
	return n <= 0 ? n : send(s->client, s->piece, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * await_news: until the client takes more (if something is left for it) or the producer has something to say.  An
 * errno if the client has taken nothing for too long; the kernel reports room late, so what it holds is counted.
 */
static int await_news(ph_spill *s, bool left)
{
	struct pollfd fds[2] = {{.fd = s->wake, .events = POLLIN}, {.fd = s->client, .events = POLLOUT}};
	int before = -1, after = -1;
	uint64_t news;

	ioctl(s->client, TIOCOUTQ, &before);
	if (poll(fds, left ? 2 : 1, left ? patience : -1) == 0) {
		ioctl(s->client, TIOCOUTQ, &after);
		return after < before ? 0 : ETIMEDOUT;
	}
	if (fds[0].revents != 0 && read(s->wake, &news, sizeof news) < 0)
		return errno == EAGAIN ? 0 : errno;
	return 0;
}

/* send_on: the sender. */
static void *send_on(void *spill)
{
	ph_spill *s = spill;

	pthread_mutex_lock(&s->lock);
	while (!s->ended && s->error == 0) {
		uint64_t from = s->sent, left = s->written - from;
		ssize_t n;
		int error = 0;

		pthread_mutex_unlock(&s->lock);
		n = left > 0 ? send_piece(s, from, left) : 0;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			error = errno;
		else if (n <= 0)
			error = await_news(s, left > 0);
		pthread_mutex_lock(&s->lock);
		s->error = error;
		s->sent += n > 0 ? (uint64_t)n : 0;
		pthread_cond_signal(&s->room);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

bool ph_spill_begin(ph_thread *t)
{
	ph_spill *s = ring > 0 ? calloc(1, sizeof *s) : NULL;

	if (s == NULL)
		return false;
	s->client = t->x.fd;
	s->file = nameless();
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->room, NULL);
	if (s->file >= 0 && s->wake >= 0 && ph_sender_start(&s->sender, send_on, s) == 0) {
		t->spill = s;
		return true;
	}
	if (s->file >= 0)
		close(s->file);
	if (s->wake >= 0)
		close(s->wake);
	free(s);
	return false;
}

bool ph_spill_idle(ph_spill *s)
{
	bool idle;

	pthread_mutex_lock(&s->lock);
	idle = s->sent == s->written && s->error == 0;
	pthread_mutex_unlock(&s->lock);
	return idle;
}

/* room_for: how much of length has room behind what is written, once some has; 0 with *error. */
static size_t room_for(ph_spill *s, size_t length, uint64_t *at, int *error)
{
	uint64_t room;

	pthread_mutex_lock(&s->lock);
	while ((room = ring - (s->written - s->sent)) == 0 && s->error == 0)
		pthread_cond_wait(&s->room, &s->lock);
	*at = s->written % ring;
	*error = s->error;
	pthread_mutex_unlock(&s->lock);
	if (*error != 0)
		return 0;
	room = room < ring - *at ? room : ring - *at;
	return length < room ? length : (size_t)room;
}

/* publish: n more bytes are in the file. */
static void publish(ph_spill *s, size_t n)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	s->written += n;
	pthread_mutex_unlock(&s->lock);
	if (write(s->wake, &one, sizeof one) < 0)
		return; /* the counter is full: the sender has not looked yet, and will */
}

/* drained: waits until the client has all that is in the file.  An errno. */
static int drained(ph_spill *s)
{
	int error;

	pthread_mutex_lock(&s->lock);
	while (s->sent != s->written && s->error == 0)
		pthread_cond_wait(&s->room, &s->lock);
	error = s->error;
	pthread_mutex_unlock(&s->lock);
	return error;
}

void ph_spill_drain(ph_thread *t)
{
	PyThreadState *saved = py.PyEval_SaveThread();

	drained(t->spill);
	py.PyEval_RestoreThread(saved);
}

int ph_spill_add(ph_spill *s, struct iovec **iov, int *count)
{
	while (*count > 0) {
		struct iovec *next = *iov;
		uint64_t at;
		int error;
		size_t n = room_for(s, next->iov_len, &at, &error);
		ssize_t kept;

		if (error != 0)
			return error;
		kept = pwrite(s->file, next->iov_base, n, (off_t)at);
		if (kept < 0 && errno == EINTR)
			continue;
		if (kept < 0) /* no room on the disk: the client has to take what there is, and then what there is not */
			return (error = drained(s)) != 0 ? error : EAGAIN;
		publish(s, (size_t)kept);
		next->iov_base = (char *)next->iov_base + kept;
		next->iov_len -= (size_t)kept;
		if (next->iov_len == 0) {
			++*iov;
			--*count;
		}
	}
	return 0;
}

void ph_spill_end(ph_thread *t)
{
	ph_spill *s = t->spill;
	PyThreadState *saved = py.PyEval_SaveThread();

	t->spill = NULL;
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_mutex_unlock(&s->lock);
	publish(s, 0);
	pthread_join(s->sender, NULL);
	if (s->error != 0 || s->sent == s->written) {
		close(s->file);
	} else {
		t->x.tail_file = s->file;
		t->x.tail_from = s->sent;
		t->x.tail_to = s->written;
		t->x.tail_ring = ring;
	}
	if (s->error != 0)
		t->gone = true;
	if (s->error == ETIMEDOUT)
		t->x.outcome |= PH_STALLED;
	close(s->wake);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->room);
	free(s);
	py.PyEval_RestoreThread(saved);
}
