//go:build cgo && !cpy3

package embedpy

// #include "embedpy.h"
import "C"

// importModule is checked by ph_boot itself in this backend, whose calls all go through the table of ph_python.h.
func importModule(string) error { return nil }

func finalize() { C.ph_finalize() }
