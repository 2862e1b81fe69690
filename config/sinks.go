package config

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// SyslogFacilities are the names of syslog_facility, in lower case, with their numbers (RFC 5424 6.2.1).
var SyslogFacilities = map[string]int{
	"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "security": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8,
	"cron": 9, "authpriv": 10, "ftp": 11, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20,
	"local5": 21, "local6": 22, "local7": 23,
}

// ParseSyslog reads syslog_addr: the network is one of package net's.
func ParseSyslog(text string) (network, address string, err error) {
	const form = "must be udp://HOST:PORT, tcp://HOST:PORT or unix://PATH#dgram"
	scheme, rest, found := strings.Cut(text, "://")
	if !found || rest == "" {
		return "", "", errors.New(form)
	}
	switch scheme {
	case "unix":
		path, kind, _ := strings.Cut(rest, "#")
		switch kind {
		case "", "dgram":
			return "unixgram", path, nil
		case "stream":
			return "unix", path, nil
		}
		return "", "", errors.New("must end in #dgram or #stream")
	case "udp", "tcp":
		address, err := hostPort(rest, "514")
		return scheme, address, err
	}
	return "", "", errors.New(form)
}

// ParseStatsd reads statsd_host: the network is one of package net's; "" for no statsd.
func ParseStatsd(text string) (network, address string, err error) {
	if text == "" {
		return "", "", nil
	}
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if path == "" {
			return "", "", errors.New("must be HOST:PORT or unix://PATH")
		}
		return "unixgram", path, nil
	}
	address, err = hostPort(text, "8125")
	return "udp", address, err
}

// hostPort completes HOST, HOST:PORT, an IPv6 address or [ADDRESS]:PORT.
func hostPort(text, port string) (string, error) {
	host := text
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	}
	host = strings.Trim(host, "[]")
	if number, err := strconv.Atoi(port); err != nil || number < 1 || number > 65535 {
		return "", errors.New("must have a port between 1 and 65535")
	}
	if host == "" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
