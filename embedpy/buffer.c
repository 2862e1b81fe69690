#include <stdlib.h>
#include <string.h>

#include "internal.h"

int ph_buffer_reserve(ph_buffer *b, size_t extra)
{
	size_t room = b->room ? b->room : 1024;
	char *data;

	if (b->room - b->length >= extra)
		return PH_OK;
	while (room - b->length < extra)
		room *= 2;
	data = realloc(b->data, room);
	if (data == NULL)
		return PH_ERR;
	b->data = data;
	b->room = room;
	return PH_OK;
}

int ph_buffer_add(ph_buffer *b, const void *data, size_t length)
{
	if (ph_buffer_reserve(b, length) != PH_OK)
		return PH_ERR;
	memcpy(b->data + b->length, data, length);
	b->length += length;
	return PH_OK;
}

/* A thread keeps its buffers; one that a rare large response blew up is given back. */
void ph_buffer_clear(ph_buffer *b)
{
	enum { KEPT = 256 * 1024 };

	b->length = 0;
	if (b->room > KEPT) {
		free(b->data);
		b->data = NULL;
		b->room = 0;
	}
}

void ph_buffer_free(ph_buffer *b)
{
	free(b->data);
	*b = (ph_buffer){0};
}

void ph_iovec_advance(struct iovec **iov, int *count, size_t n)
{
	while (*count > 0 && n >= (*iov)->iov_len) {
		n -= (*iov)->iov_len;
		(*iov)++;
		(*count)--;
	}
	if (*count > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + n;
		(*iov)->iov_len -= n;
	}
}

size_t ph_iovec_total(const struct iovec *iov, int count)
{
	size_t n = 0;

	for (int i = 0; i < count; i++)
		n += iov[i].iov_len;
	return n;
}
