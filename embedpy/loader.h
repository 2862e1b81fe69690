/* Opens libpython and fills the table of ph_python.h. */
#ifndef PH_LOADER_H
#define PH_LOADER_H

/*
 * ph_loader_open: dlopen path (RTLD_GLOBAL, so that extension modules find libpython's symbols) and resolve the table.
 * With the link-time backend (build tag cpy3) path is ignored: libpython is already in the process.
 * Thread: the constructor's, before any other thread exists; no GIL involved.
 * Returns NULL, or a static message that names what is missing.
 */
const char *ph_loader_open(const char *path);

#endif
