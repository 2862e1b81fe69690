// Package proxy reads the header with which a proxy in front begins a connection, to tell whose it is: HAProxy's PROXY
// protocol, versions 1 (text) and 2 (binary), by "The PROXY protocol, versions 1 & 2" (2020/03/05). It is pure Go.
package proxy
