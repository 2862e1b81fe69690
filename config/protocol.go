package config

import (
	"cmp"
	"errors"
	"strings"
)

// ProtocolOf is what is spoken at an address: what the address itself says, else the protocol setting; and with a
// certificate https for http.
func (c *Config) ProtocolOf(a Address) string {
	if a.Protocol == "" && c.Protocol != ProtocolUWSGI && c.CertFile != "" {
		return ProtocolHTTPS
	}
	return cmp.Or(a.Protocol, c.Protocol, ProtocolHTTP)
}

func protocolItem(_, name string) (string, error) {
	if name != ProtocolHTTP && name != ProtocolUWSGI {
		return "", errors.New("must be http or uwsgi")
	}
	return name, nil
}

// proxyProtocolItem takes gunicorn's older boolean, too.
func proxyProtocolItem(_, mode string) (string, error) {
	switch mode = strings.ToLower(mode); mode {
	case "true":
		return "auto", nil
	case "false":
		return "off", nil
	case "off", "v1", "v2", "auto":
		return mode, nil
	}
	return "", errors.New("must be off, v1, v2 or auto")
}

func headerOrOffItem(_, name string) (string, error) {
	switch {
	case name == "", strings.EqualFold(name, "off"), strings.EqualFold(name, "false"):
		return "off", nil
	case !onlyOf(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-"):
		return "", errors.New("must be the name of a header, or off")
	}
	return name, nil
}
