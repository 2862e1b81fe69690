/*
 * floor [-w WORKERS] PORT APP: the least that a server can do for a row of the benchmark: epoll, one read, one write,
 * no Python.
 *
 * APP is the row's, module:callable; the callable's name chooses the answer (hello for those of the frameworks).  Each
 * worker is a process with one thread; one worker, as by default, is the process itself.  Requests are trusted to be
 * what wrk sends.  Sending waits for the reader: wrk always reads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { EVENTS = 64, BUFFER = 64 * 1024, HEAD = 256, SMALL = 1024, BLOCK = 1000 };

/* One connection: what has been read of a request that is not complete. */
struct conn {
	int fd;
	size_t length;
	char data[BUFFER];
};

static const char *answer;          /* which one */
static char *body;                  /* of a complete answer, or of one block */
static size_t body_length;
static int blocks;                  /* of a chunked answer; 0: the answer is complete */

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* digits: count bytes "01234567890123456789.." */
static char *digits(size_t count)
{
	char *text = malloc(count);

	if (text == NULL)
		fail("memory");
	for (size_t i = 0; i < count; i++)
		text[i] = (char)('0' + i % 10);
	return text;
}

/* prepare: what APP answers, as pyapps/bench_wsgi/app.py. */
static void prepare(const char *app)
{
	const char *colon = strchr(app, ':');

	answer = colon ? colon + 1 : app;
	body_length = 14;
	body = strdup("Hello, World!\n");
	if (strcmp(answer, "big") == 0) {
		body = digits(body_length = 1000000);
	} else if (strcmp(answer, "file") == 0) {
		body = digits(body_length = 100000);
	} else if (strcmp(answer, "generator") == 0) {
		blocks = 10;
		body_length = BLOCK;
	} else if (strcmp(answer, "stream") == 0) {
		blocks = 1000;
		body = digits(body_length = 100);
	}
}

/* send_all: flags are MSG_MORE where the connection ends with it, whose end then goes along. */
static int send_all(int fd, struct iovec *iov, int count, int flags)
{
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};

	flags |= MSG_NOSIGNAL;

	while (message.msg_iovlen > 0) {
		ssize_t n = message.msg_iovlen > 1 ? sendmsg(fd, &message, flags)
		                                   : send(fd, message.msg_iov->iov_base, message.msg_iov->iov_len, flags);

		if (n < 0)
			return -1;
		while (message.msg_iovlen > 0 && (size_t)n >= message.msg_iov->iov_len) {
			n -= (ssize_t)message.msg_iov->iov_len;
			message.msg_iov++;
			message.msg_iovlen--;
		}
		if (message.msg_iovlen > 0) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + n;
			message.msg_iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* stream: every block with a write of its own, as a server that sends each block when it is yielded. */
static int stream(int fd, const char *head, size_t head_length)
{
	char out[HEAD + 16 + BLOCK + 8];

	for (int i = 0; i < blocks; i++) {
		size_t length = i == 0 ? head_length : 0;

		memcpy(out, head, length);
		length += (size_t)sprintf(out + length, "%zx\r\n", body_length);
		if (body_length == BLOCK) { /* the blocks of the generator differ */
			memset(out + length, '0' + i, BLOCK - 1);
			out[length + BLOCK - 1] = '\n';
		} else {
			memcpy(out + length, body, body_length);
		}
		memcpy(out + length + body_length, "\r\n", 2);
		if (send_all(fd, &(struct iovec){out, length + body_length + 2}, 1, 0) != 0)
			return -1;
	}
	return send_all(fd, &(struct iovec){"0\r\n\r\n", 5}, 1, 0);
}

/* respond: the answer to a request whose body, if any, is at `sent`. */
static int respond(int fd, char *sent, size_t sent_length, int close_after)
{
	char head[HEAD + SMALL];
	int echo = strcmp(answer, "echo") == 0, more = close_after ? MSG_MORE : 0;
	struct iovec iov[2];
	int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n%s",
	                 close_after ? "Connection: close\r\n" : "");

	if (blocks > 0) {
		n += snprintf(head + n, sizeof head - (size_t)n, "Transfer-Encoding: chunked\r\n\r\n");
		return stream(fd, head, (size_t)n);
	}
	n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %zu\r\n\r\n", echo ? sent_length : body_length);
	iov[0] = (struct iovec){head, (size_t)n};
	iov[1] = echo ? (struct iovec){sent, sent_length} : (struct iovec){body, body_length};
	if (iov[1].iov_len > SMALL)
		return send_all(fd, iov, 2, more);
	memcpy(head + n, iov[1].iov_base, iov[1].iov_len); /* one piece is cheaper to send than two */
	iov[0].iov_len += iov[1].iov_len;
	return send_all(fd, iov, 1, more);
}

static size_t body_size(const char *head)
{
	const char *field = strcasestr(head, "\r\ncontent-length:");

	return field ? strtoul(field + 17, NULL, 10) : 0;
}

/* serve: reads once, answers what is complete.  Returns -1 when the connection is over. */
static int serve(struct conn *c)
{
	ssize_t n = recv(c->fd, c->data + c->length, sizeof c->data - 1 - c->length, 0);
	size_t head, length;
	char *end;
	int close_after;

	if (n <= 0)
		return -1;
	c->length += (size_t)n;
	c->data[c->length] = '\0';
	end = strstr(c->data, "\r\n\r\n");
	if (end == NULL)
		return 0;
	end[2] = '\0';
	head = (size_t)(end + 4 - c->data);
	length = body_size(c->data);
	if (c->length < head + length) {
		end[2] = '\r';
		return c->length == sizeof c->data - 1 ? -1 : 0;
	}
	close_after = strcasestr(c->data, "connection: close") != NULL;
	c->length = 0; /* wrk does not pipeline */
	return respond(c->fd, c->data + head, length, close_after) != 0 || close_after ? -1 : 0;
}

static int listen_on(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	                              .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted connections inherit it */
	setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 2048) != 0)
		fail("listening");
	return fd;
}

static void drop(struct conn *c)
{
	close(c->fd);
	free(c);
}

/* welcome: a new connection has brought its request along; it is watched if it stays. */
static void welcome(int epoll, int fd)
{
	struct conn *c = malloc(sizeof *c);
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};

	if (c == NULL)
		fail("memory");
	c->fd = fd;
	c->length = 0;
	if (serve(c) != 0)
		drop(c);
	else if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("epoll_ctl");
}

/* loop: what a worker does, for ever. */
static void loop(int listener)
{
	struct epoll_event events[EVENTS], wake = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	int epoll = epoll_create1(0);

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wake) != 0)
		fail("epoll_ctl");
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct conn *c = events[i].data.ptr;

			if (c == NULL) {
				int fd = accept(listener, NULL, NULL);

				if (fd >= 0)
					welcome(epoll, fd);
			} else if (serve(c) != 0) {
				drop(c);
			}
		}
	}
}

/* fork_workers: returns in as many processes besides this one; they end with it. */
static void fork_workers(int listener, int count)
{
	/* Another worker may have taken the connection. */
	if (count > 0 && fcntl(listener, F_SETFL, O_NONBLOCK) != 0)
		fail("fcntl");
	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	int workers = 1, option, listener;

	while ((option = getopt(argc, argv, "w:")) == 'w')
		workers = atoi(optarg);
	if (option != -1 || argc - optind != 2) {
		fprintf(stderr, "usage: floor [-w WORKERS] PORT MODULE:CALLABLE\n");
		return 2;
	}
	prepare(argv[optind + 1]);
	listener = listen_on(atoi(argv[optind]));
	fork_workers(listener, workers - 1);
	loop(listener);
}
