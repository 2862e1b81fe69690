/*
 * The part of CPython's C API that pyhost uses, as a table of pointers that the loader fills with dlsym.
 *
 * No Python.h: every object is an opaque PyObject *, every access goes through an exported function, so one binary
 * serves CPython 3.8 to 3.13 (and builds without Python's headers).  Functions marked PH_OPTIONAL may be NULL; their
 * users state the fallback.  "new" and "borrowed" below are CPython's words for who owns the returned reference.
 */
#ifndef PH_PYTHON_H
#define PH_PYTHON_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <wchar.h>

typedef struct ph_opaque_object PyObject;
typedef struct ph_opaque_tstate PyThreadState;
typedef ssize_t Py_ssize_t;

typedef PyObject *(*PyCFunctionFastKw)(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* PyMethodDef is part of the stable ABI (PEP 384): its layout is the same in every 3.x. */
typedef struct {
	const char *ml_name;
	void *ml_meth;
	int ml_flags;
	const char *ml_doc;
} PyMethodDef;

#define METH_FASTCALL_KEYWORDS (0x0080 | 0x0002) /* METH_FASTCALL | METH_KEYWORDS, unchanged since 3.7 */
#define PY_FILE_INPUT 257                        /* Py_file_input, the start symbol of the grammar */

#define PH_FUNCTIONS(X)                                                                                                \
	X(void, Py_InitializeEx, (int))                                                                                    \
	X(int, Py_FinalizeEx, (void))                                                                                      \
	X(void, Py_SetProgramName, (const wchar_t *))                                                                      \
	X(wchar_t *, Py_DecodeLocale, (const char *, size_t *))                                                            \
	X(const char *, Py_GetVersion, (void))                                                                             \
	X(void *, PyObject_Malloc, (size_t))                                                                               \
	X(void, PyObject_Free, (void *))                                                                                   \
	X(void, Py_IncRef, (PyObject *))                                                                                   \
	X(void, Py_DecRef, (PyObject *))                                                                                   \
	X(PyThreadState *, PyEval_SaveThread, (void))                                                                      \
	X(void, PyEval_RestoreThread, (PyThreadState *))                                                                   \
	X(int, PyGILState_Ensure, (void))                                                                                  \
	X(void, PyGILState_Release, (int))                                                                                 \
	X(int, PyThreadState_SetAsyncExc, (unsigned long, PyObject *))                                                     \
	X(unsigned long, PyThread_get_thread_ident, (void))                                                                \
	X(double, PyFloat_AsDouble, (PyObject *))                                                                          \
	X(int, PyErr_CheckSignals, (void))                                                                                 \
	X(PyObject *, PyErr_Occurred, (void)) /* borrowed */                                                               \
	X(void, PyErr_Clear, (void))                                                                                       \
	X(void, PyErr_Fetch, (PyObject **, PyObject **, PyObject **)) /* new references */                                 \
	X(void, PyErr_NormalizeException, (PyObject **, PyObject **, PyObject **))                                         \
	X(void, PyErr_Restore, (PyObject *, PyObject *, PyObject *)) /* steals */                                          \
	X(int, PyErr_ExceptionMatches, (PyObject *))                                                                       \
	X(void, PyErr_SetString, (PyObject *, const char *))                                                               \
	X(PyObject *, PyErr_Format, (PyObject *, const char *, ...))                                                       \
	X(PyObject *, PyErr_SetFromErrno, (PyObject *))                                                                    \
	X(PyObject *, PyErr_NoMemory, (void))                                                                              \
	X(PyObject *, PyImport_ImportModule, (const char *)) /* new */                                                     \
	X(PyObject *, PyImport_AddModule, (const char *))    /* borrowed */                                                \
	X(PyObject *, PyModule_GetDict, (PyObject *))        /* borrowed */                                                \
	X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                                                  \
	X(int, PyObject_SetAttr, (PyObject *, PyObject *, PyObject *))                                                     \
	X(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))                                             \
	X(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *))                                                          \
	X(PyObject *, PyObject_Type, (PyObject *)) /* new */                                                               \
	X(Py_ssize_t, PyObject_Size, (PyObject *))                                                                         \
	X(int, PyType_IsSubtype, (PyObject *, PyObject *))                                                                 \
	X(int, PyException_SetTraceback, (PyObject *, PyObject *))                                                         \
	X(PyObject *, PyObject_Str, (PyObject *))                                                                          \
	X(PyObject *, PyObject_CallObject, (PyObject *, PyObject *))                                                       \
	X(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))                                                     \
	X(PyObject *, PyObject_CallMethodObjArgs, (PyObject *, PyObject *, ...))                                           \
	X(PyObject *, PyObject_GetIter, (PyObject *))                                                                      \
	X(PyObject *, PyIter_Next, (PyObject *))                                                                           \
	X(int, PyCallable_Check, (PyObject *))                                                                             \
	X(PyObject *, PyCFunction_NewEx, (PyMethodDef *, PyObject *, PyObject *))                                          \
	X(PyObject *, PyDict_New, (void))                                                                                  \
	X(PyObject *, PyDict_Copy, (PyObject *))                                                                           \
	X(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *))                                                       \
	X(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))                                               \
	X(PyObject *, PyDict_GetItemString, (PyObject *, const char *)) /* borrowed; see ph_dict_get */                   \
	X(Py_ssize_t, PyList_Size, (PyObject *))                                                                           \
	X(PyObject *, PyList_GetItem, (PyObject *, Py_ssize_t)) /* borrowed */                                             \
	X(Py_ssize_t, PyTuple_Size, (PyObject *))                                                                          \
	X(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t)) /* borrowed */                                            \
	X(PyObject *, PyTuple_Pack, (Py_ssize_t, ...))                                                                     \
	X(PyObject *, PySequence_Tuple, (PyObject *))                                                                      \
	X(PyObject *, PyUnicode_DecodeLatin1, (const char *, Py_ssize_t, const char *))                                    \
	X(PyObject *, PyUnicode_DecodeUTF8, (const char *, Py_ssize_t, const char *))                                      \
	X(PyObject *, PyUnicode_InternFromString, (const char *))                                                          \
	X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *))                                               \
	X(Py_ssize_t, PyUnicode_GetLength, (PyObject *))                                                                   \
	X(PyObject *, PyUnicode_AsLatin1String, (PyObject *)) /* new bytes */                                              \
	X(PyObject *, PyBytes_FromStringAndSize, (const char *, Py_ssize_t))                                               \
	X(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *))                                               \
	X(PyObject *, PyLong_FromLong, (long))                                                                             \
	X(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))                                                   \
	X(unsigned long long, PyLong_AsUnsignedLongLong, (PyObject *))                                                     \
	X(PyObject *, PyLong_FromUnsignedLong, (unsigned long))                                                            \
	X(long, PyLong_AsLong, (PyObject *))                                                                               \
	X(PyObject *, PyBool_FromLong, (long))                                                                             \
	X(PyObject *, Py_CompileString, (const char *, const char *, int))                                                 \
	X(PyObject *, PyEval_EvalCode, (PyObject *, PyObject *, PyObject *))                                               \
	X(PyObject *, PyEval_GetBuiltins, (void)) /* borrowed */

/*
 * Exported in some versions only: PyObject_Vectorcall is a function since 3.12, an inline before; GetItemStringRef came
 * with 3.13 (1: found, new reference; 0: not there; -1: exception).  GetCurrentAllocatorName is CPython's own and may
 * leave any time: "pymalloc", "malloc_debug" ..; NULL: somebody else's.
 */
#define PH_OPTIONAL(X)                                                                                                 \
	X(PyObject *, PyObject_Vectorcall, (PyObject *, PyObject *const *, size_t, PyObject *))                            \
	X(int, PyDict_GetItemStringRef, (PyObject *, const char *, PyObject **))                                           \
	X(const char *, _PyMem_GetCurrentAllocatorName, (void))

/* Static objects: the symbol is the object itself. */
#define PH_OBJECTS(X)                                                                                                  \
	X(_Py_NoneStruct)                                                                                                  \
	X(PyList_Type)                                                                                                     \
	X(PyTuple_Type)                                                                                                    \
	X(PyBytes_Type)                                                                                                    \
	X(PyGen_Type)                                                                                                      \
	X(PyUnicode_Type)

/* Exceptions: the symbol is a variable that holds the object. */
#define PH_EXCEPTIONS(X)                                                                                               \
	X(PyExc_AssertionError)                                                                                            \
	X(PyExc_AttributeError)                                                                                            \
	X(PyExc_BaseException)                                                                                             \
	X(PyExc_TypeError)                                                                                                 \
	X(PyExc_ValueError)                                                                                                \
	X(PyExc_RuntimeError)                                                                                              \
	X(PyExc_OSError)                                                                                                   \
	X(PyExc_BrokenPipeError)                                                                                           \
	X(PyExc_StopIteration)                                                                                             \
	X(PyExc_SystemExit)

struct ph_python {
#define X(ret, name, args) ret(*name) args;
	PH_FUNCTIONS(X)
	PH_OPTIONAL(X)
#undef X
#define X(name) PyObject *name;
	PH_OBJECTS(X)
#undef X
#define X(name) PyObject **name;
	PH_EXCEPTIONS(X)
#undef X
	int *Py_UTF8Mode; /* optional: a variable, gone in 3.15 */
};

/* The table.  Written once by ph_loader_open before any thread exists, read-only afterwards. */
extern struct ph_python py;

#define PH_NONE (py._Py_NoneStruct)

#endif
