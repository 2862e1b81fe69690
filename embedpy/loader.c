#include "loader.h"

#include <dlfcn.h>
#include <stdio.h>

#include "ph_python.h"

struct ph_python py;

static char failure[1024];

static void *open_library(const char *path)
{
#ifdef PH_LINKED
	(void)path;
	return dlopen(NULL, RTLD_NOW | RTLD_GLOBAL);
#else
	return dlopen(path, RTLD_NOW | RTLD_GLOBAL);
#endif
}

const char *ph_loader_open(const char *path)
{
	void *library = open_library(path);
	const char *missing = NULL;

	if (library == NULL) {
		snprintf(failure, sizeof failure, "cannot load %s: %s", path, dlerror());
		return failure;
	}
#define X(ret, name, args)                                                                                             \
	*(void **)&py.name = dlsym(library, #name);                                                                        \
	if (py.name == NULL)                                                                                               \
		missing = #name;
	PH_FUNCTIONS(X)
#undef X
#define X(name)                                                                                                        \
	py.name = dlsym(library, #name);                                                                                   \
	if (py.name == NULL)                                                                                               \
		missing = #name;
	PH_OBJECTS(X)
	PH_EXCEPTIONS(X)
#undef X
#define X(ret, name, args) *(void **)&py.name = dlsym(library, #name);
	PH_OPTIONAL(X)
#undef X
	py.Py_UTF8Mode = dlsym(library, "Py_UTF8Mode");
	if (missing != NULL) {
		snprintf(failure, sizeof failure, "%s has no symbol %s: it is not a CPython 3.8 to 3.13 library", path,
		         missing);
		return failure;
	}
	return NULL;
}
