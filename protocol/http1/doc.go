// Package http1 turns bytes into HTTP/1.x requests, strictly.
//
// A head is first read by this package's own scanner, which follows RFC 9112 to the letter and refuses whatever two
// implementations might read differently (RFC 9112 11.2, request smuggling). The same bytes are then read by
// fasthttp, and both must agree on method, target, version, host and framing.
//
// The package is pure Go, keeps no goroutine, does no input or output except in ChunkedReader, and knows no Python.
package http1
