//go:build cgo && cpy3

package embedpy

// The link-time backend: one Python per binary, its lifecycle, imports and error texts through cpy3. The request path
// is the same C as ever, on the same table, filled from the library that cpy3 links.

// #cgo CFLAGS: -DPH_LINKED
import "C"

import (
	"fmt"

	python3 "github.com/go-python/cpy3"
)

// importModule imports through cpy3 and puts Python's own words into the error. GIL held.
func importModule(name string) error {
	module := python3.PyImport_ImportModule(name) // new reference
	if module != nil {
		module.DecRef()
		return nil
	}
	kind, value, trace := python3.PyErr_Fetch() // new references
	text := "no exception was set"
	if value != nil {
		if s := value.Str(); s != nil { // new reference
			text = python3.PyUnicode_AsUTF8(s)
			s.DecRef()
		}
	}
	for _, o := range []*python3.PyObject{kind, value, trace} {
		if o != nil {
			o.DecRef()
		}
	}
	return fmt.Errorf("importing %s: %s", name, text)
}

func finalize() { python3.Py_FinalizeEx() }
