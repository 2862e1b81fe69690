// Package uwsgi reads uWSGI's binary request protocol, which nginx speaks with uwsgi_pass: one packet of CGI variables,
// then the request body, whose length is the variable CONTENT_LENGTH. It is pure Go and knows no Python.
//
// A packet is four bytes and a block of variables; numbers are little-endian:
//
//	u8 modifier1, u16 size of the block, u8 modifier2, { u16 length, name, u16 length, value }...
//
// What the protocol can also do (load modules, evaluate code, set options of the server) does not exist here.
package uwsgi
