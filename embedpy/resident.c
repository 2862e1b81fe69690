/* What a process keeps of its program files in memory once it has started. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "embedpy.h"

typedef struct mapping {
	unsigned long start, end, inode;
	char mode[5];
} mapping;

/*
 * droppable: a file's page that nobody has written to comes back from the page cache when it is touched.  Relocated
 * data (RELRO) is read-only too, but has pages of its own: "Anonymous" counts them.
 */
static bool droppable(const mapping *m, unsigned long anonymous)
{
	return m->inode != 0 && anonymous == 0 && m->mode[1] == '-' && m->mode[3] == 'p';
}

void ph_resident_trim(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[4352]; /* a path and what stands before it */
	mapping m = {0};
	unsigned long anonymous;

	if (maps == NULL)
		return;
	while (fgets(line, sizeof line, maps) != NULL) {
		mapping next = {0};

		if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &next.start, &next.end, next.mode, &next.inode) == 4)
			m = next;
		else if (sscanf(line, "Anonymous: %lu", &anonymous) == 1 && droppable(&m, anonymous))
			madvise((void *)m.start, m.end - m.start, MADV_DONTNEED);
	}
	fclose(maps);
}
