//go:build cgo

package embedpy

// #cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Wshadow -Wstrict-prototypes
// #cgo LDFLAGS: -ldl -lpthread
import "C"
