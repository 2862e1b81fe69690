// Package wsgi says what an HTTP request is to Python: the variables of the WSGI environ (PEP 3333), which headers
// become variables, and whose forwarded headers are believed. It is pure Go: it writes a flat frame that the C side
// turns into a dict in one call.
package wsgi
