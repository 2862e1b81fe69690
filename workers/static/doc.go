// Package static serves files without Python: those below a URL prefix (--static), and those that the application names
// in a response header (--sendfile-root). Ranges and conditional requests (RFC 9110 13 and 14) are net/http's.
package static
