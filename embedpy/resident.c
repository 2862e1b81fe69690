/* What a process keeps of its program files in memory once it has started. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "embedpy.h"

typedef struct mapping {
	unsigned long start, end, inode;
	char mode[5];
	bool program; /* of the executable or a shared library */
} mapping;

/*
 * droppable: a file's page that nobody has written to comes back from the page cache when it is touched.  Relocated
 * data (RELRO) is read-only too, but has pages of its own: "Anonymous" counts them.  Only programs: a thread of the
 * application may unmap any other file at this moment, and get memory at the same address.
 */
static bool droppable(const mapping *m, unsigned long anonymous)
{
	return m->program && m->inode != 0 && anonymous == 0 && m->mode[1] == '-' && m->mode[3] == 'p';
}

void ph_resident_trim(void)
{
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
	while (fgets(line, sizeof line, maps) != NULL) {
		mapping next = {0};

		if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &next.start, &next.end, next.mode, &next.inode) == 4) {
			next.program = next.inode == executable.st_ino || strstr(line, ".so") != NULL;
			m = next;
		}
		if (sscanf(line, "Anonymous: %lu", &anonymous) == 1 && droppable(&m, anonymous))
			madvise((void *)m.start, m.end - m.start, MADV_DONTNEED);
	}
	fclose(maps);
}
