/* What this process is, and what a worker was told when it became one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

enum { MAX_FDS = 256 };

int ph_control_fd = -1;
static int role = PH_ROLE_MASTER;
static char *worker_boot;
static size_t worker_boot_length;
static int worker_fds[MAX_FDS];
static int worker_fd_count;

int ph_role(void)
{
	return role;
}

const char *ph_worker_boot(size_t *length)
{
	*length = worker_boot_length;
	return worker_boot;
}

int ph_worker_fd(int i)
{
	return i < worker_fd_count ? worker_fds[i] : -1;
}

void ph_worker_become(const char *boot, size_t length, const int *fds, int count)
{
	worker_boot = malloc(length + 1);
	if (worker_boot == NULL)
		_exit(1); /* there is no memory to say so in */
	memcpy(worker_boot, boot, length);
	worker_boot[length] = '\0';
	worker_boot_length = length;
	worker_fd_count = count < MAX_FDS ? count : MAX_FDS;
	memcpy(worker_fds, fds, (size_t)worker_fd_count * sizeof *fds);
	role = PH_ROLE_WORKER;
}
