/*
 * What github.com/go-python/cpy3 v0.2.0 calls and newer CPythons no longer have.
 *
 * cpy3 was written for CPython 3.7. scripts/cpy3-flags.sh includes this header by force in front of every C file of a
 * cpy3 build, so that cpy3 itself stays unmodified. Nothing here includes Python.h: the header is also put in front of
 * the C files of Go's own packages.
 *
 * PYHOST_CPY3_PYTHON is PY_VERSION_HEX >> 16 of the interpreter, for instance 0x030b for 3.11. It is given on the
 * command line, which also makes Go's build cache keep the objects of different interpreters apart.
 */
#ifndef PYHOST_CPY3_COMPAT_H
#define PYHOST_CPY3_COMPAT_H

/* Go hands the same flags to its assembler files. */
#ifndef __ASSEMBLER__

#ifndef PYHOST_CPY3_PYTHON
#error "PYHOST_CPY3_PYTHON is not defined: take the flags from scripts/cpy3-flags.sh"
#endif

#define PYHOST_CPY3_STUB static inline __attribute__((unused))

#if PYHOST_CPY3_PYTHON >= 0x0308
/* Removed in 3.8: PyOS_AfterFork_Child, which os.fork() runs, does it. */
PYHOST_CPY3_STUB void PyEval_ReInitThreads(void) {}
#endif

#if PYHOST_CPY3_PYTHON >= 0x0309
/* Removed in 3.9. They answered how many items they had freed: none. */
PYHOST_CPY3_STUB int PyDict_ClearFreeList(void) { return 0; }
PYHOST_CPY3_STUB int PyFloat_ClearFreeList(void) { return 0; }
PYHOST_CPY3_STUB int PyList_ClearFreeList(void) { return 0; }
#endif

#if PYHOST_CPY3_PYTHON >= 0x0309 && PYHOST_CPY3_PYTHON < 0x030d
/* Declared by the headers of 3.9 to 3.12 but not exported by their libraries. -1 is "no descriptor was set before". */
PYHOST_CPY3_STUB int pyhost_cpy3_no_wakeup_fd(int fd) {
    (void)fd;
    return -1;
}
#define PySignal_SetWakeupFd pyhost_cpy3_no_wakeup_fd
#endif

#if PYHOST_CPY3_PYTHON >= 0x030d
#include <stddef.h>
/* Gone from the headers of 3.13, still exported by its library for the stable ABI. */
extern int PyEval_ThreadsInitialized(void);
extern void Py_SetPath(const wchar_t *path);
extern void PySys_AddWarnOption(const wchar_t *option);
extern void PySys_AddXOption(const wchar_t *option);
extern void PySys_SetPath(const wchar_t *path);
/* Gone from both. -1 is its failure value. */
PYHOST_CPY3_STUB int Py_SetStandardStreamEncoding(const char *encoding, const char *errors) {
    (void)encoding;
    (void)errors;
    return -1;
}
#endif

#endif /* __ASSEMBLER__ */
#endif /* PYHOST_CPY3_COMPAT_H */
