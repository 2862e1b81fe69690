package config

import (
	"cmp"
	"errors"
)

// ProtocolOf is what is spoken at an address: what the address itself says, else the protocol setting.
func (c *Config) ProtocolOf(a Address) string {
	return cmp.Or(a.Protocol, c.Protocol, ProtocolHTTP)
}

func protocolItem(_, name string) (string, error) {
	if name != ProtocolHTTP && name != ProtocolUWSGI {
		return "", errors.New("must be http or uwsgi")
	}
	return name, nil
}
