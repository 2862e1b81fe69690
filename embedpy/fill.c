/*
 * Before the fork of workers: takes the free memory that lies between objects.
 *
 * A page of many objects and one free block is shared until a worker allocates that block.  Taken for good, by the
 * process that they are forked from, it costs nothing: the page is there anyway; and what workers allocate then lies in
 * pages of their own, close together.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "internal.h"

enum {
	ALIGNMENT = 16,
	SMALL_MAX = 512,        /* larger requests CPython passes on to malloc */
	POOL = 16384,           /* pymalloc's unit of one size class ... */
	POOL_BEFORE_310 = 4096, /* ... and that of CPython 3.8 and 3.9 */
	POOL_HEADER = 48,
	SLACK = 48,             /* what another allocator may put between two blocks */
	CLASS_MOST = 64 << 20,  /* bytes to take of one size class at most */
	LARGE_MAX = 96 << 10,   /* below malloc's threshold for a mapping of its own */
	FINE_MAX = 5 << 10,     /* up to here holes are filled to their last byte */
	LARGE_MIN = 24,         /* malloc's least */
};

static size_t pool_size(void)
{
	int minor = 0;

	return sscanf(py.Py_GetVersion(), "%*d.%d", &minor) == 1 && minor < 10 ? POOL_BEFORE_310 : POOL;
}

/*
 * fill_class: takes blocks of one size class until a whole pool of them came one behind the other, as they do from
 * memory that nothing else is in.  Those are given back.
 */
static void fill_class(size_t size, size_t pool)
{
	uintptr_t first = 0, last = 0, step = 0;

	for (size_t taken = 0; taken < CLASS_MOST; taken += size) {
		uintptr_t block = (uintptr_t)py.PyObject_Malloc(size);

		if (block == 0)
			return;
		if (step == 0 && block - last >= size && block - last <= size + SLACK) {
			step = block - last;
		} else if (step == 0 || block - last != step) {
			first = block;
			step = 0;
		}
		last = block;
		if (step != 0 && last - first + 2 * step + POOL_HEADER >= pool)
			break;
	}
	for (; step != 0 && first <= last; first += step)
		py.PyObject_Free((void *)first);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
/* heap_end: where malloc's memory ends and fresh memory begins. */
static char *heap_end(void)
{
#if __GLIBC_PREREQ(2, 33)
	return (char *)sbrk(0) - mallinfo2().keepcost;
#else
	return (char *)sbrk(0) - (unsigned)mallinfo().keepcost;
#endif
}

/*
 * fill_heap: the same for malloc, from large to small.  The whole pages of a hole go back to the kernel first, so that
 * what is taken there occupies addresses, not memory.
 */
static void fill_heap(void)
{
	char *end;

	malloc_trim(0);
	end = heap_end();
	for (size_t size = LARGE_MAX; size >= LARGE_MIN; size = size > FINE_MAX ? size / 2 : size - ALIGNMENT) {
		char *block;

		while ((block = malloc(size)) != NULL && block < end)
			continue;
		free(block);
	}
}
#else
static void fill_heap(void)
{
}
#endif

/*
 * has_pools: whether Python's small objects come from pymalloc.  In any other allocator (PYTHONMALLOC, a free-threaded
 * Python's mimalloc) fill_class might look for a pool in vain, and take CLASS_MOST of each size.
 */
static bool has_pools(void)
{
	const char *name = py._PyMem_GetCurrentAllocatorName ? py._PyMem_GetCurrentAllocatorName() : NULL;

	return name != NULL && strncmp(name, "pymalloc", strlen("pymalloc")) == 0;
}

void ph_fill_holes(void)
{
	fill_heap();
	if (!has_pools())
		return;
	for (size_t size = ALIGNMENT; size <= SMALL_MAX; size += ALIGNMENT)
		fill_class(size, pool_size());
}
