/* What a process keeps of its program files in memory once it has started. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "internal.h"

enum { KEPT_MAX = 16 };

typedef struct mapping {
	unsigned long start, end, inode;
	char mode[5];
	bool program; /* of the executable or a shared library */
	bool lasting; /* of the executable or libpython, which nobody unmaps */
} mapping;

static mapping lasting[KEPT_MAX]; /* written by ph_resident_trim */
static int lasting_count;

/*
 * droppable: a file's page that nobody has written to comes back from the page cache when it is touched.  Relocated
 * data (RELRO) is read-only too, but has pages of its own: "Anonymous" counts them.  Only programs: a thread of the
 * application may unmap any other file at this moment, and get memory at the same address.
 */
static bool droppable(const mapping *m, unsigned long anonymous)
{
	return m->program && m->inode != 0 && anonymous == 0 && m->mode[1] == '-' && m->mode[3] == 'p';
}

static unsigned long inode_of_libpython(void)
{
	Dl_info library;
	struct stat file;

	if (py.Py_GetVersion == NULL || dladdr((void *)py.Py_GetVersion, &library) == 0 || stat(library.dli_fname, &file) != 0)
		return 0;
	return file.st_ino;
}

static void drop(const mapping *m)
{
	madvise((void *)m->start, m->end - m->start, MADV_DONTNEED);
}

void ph_resident_trim(void)
{
	unsigned long libpython = inode_of_libpython();
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[4352]; /* a path and what stands before it */
	mapping m = {0};
	unsigned long anonymous;
	struct stat executable;

	if (maps == NULL || stat("/proc/self/exe", &executable) != 0) {
		if (maps != NULL)
			fclose(maps);
		return;
	}
	lasting_count = 0;
	while (fgets(line, sizeof line, maps) != NULL) {
		mapping next = {0};

		if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &next.start, &next.end, next.mode, &next.inode) == 4) {
			next.lasting = next.inode == executable.st_ino || next.inode == libpython;
			next.program = next.lasting || strstr(line, ".so") != NULL;
			m = next;
		}
		if (sscanf(line, "Anonymous: %lu", &anonymous) == 1 && droppable(&m, anonymous)) {
			drop(&m);
			if (m.lasting && lasting_count < KEPT_MAX)
				lasting[lasting_count++] = m;
		}
	}
	fclose(maps);
}

void ph_resident_trim_again(void)
{
	for (int i = 0; i < lasting_count; i++)
		drop(&lasting[i]);
}
