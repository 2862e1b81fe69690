package secure

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
)

// suite is a cipher suite of TLS 1.2 and the words of OpenSSL's lists (ciphers(1)) that mean it.
type suite struct {
	id    uint16
	words []string
}

// table has what Go has for TLS 1.2 and does not call insecure, and what RFC 9113 would not have in HTTP/2 either but
// old clients need.
var table = []suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, words("ECDHE-ECDSA-AES128-GCM-SHA256",
		"ECDSA AESGCM AES128 AES SHA256")},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, words("ECDHE-RSA-AES128-GCM-SHA256", "RSA AESGCM AES128 AES SHA256")},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, words("ECDHE-ECDSA-AES256-GCM-SHA384",
		"ECDSA AESGCM AES256 AES SHA384")},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, words("ECDHE-RSA-AES256-GCM-SHA384", "RSA AESGCM AES256 AES SHA384")},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, words("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDSA CHACHA20")},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, words("ECDHE-RSA-CHACHA20-POLY1305", "RSA CHACHA20")},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, words("ECDHE-ECDSA-AES128-SHA", "ECDSA AES128 AES SHA1 SHA")},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, words("ECDHE-RSA-AES128-SHA", "RSA AES128 AES SHA1 SHA")},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, words("ECDHE-ECDSA-AES256-SHA", "ECDSA AES256 AES SHA1 SHA")},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, words("ECDHE-RSA-AES256-SHA", "RSA AES256 AES SHA1 SHA")},
}

// words are the suite's name, in OpenSSL's and in IANA's spelling, and the groups that it belongs to; auth comes first
// in the list of the latter.
func words(name, groups string) []string {
	list := append([]string{name}, strings.Fields(groups)...)
	return append(list, "A"+list[1], "ECDHE", "EECDH", "KECDHE", "KEECDH", "HIGH", "ALL", "DEFAULT", "TLSV1.2")
}

// suites are the cipher suites that an OpenSSL list selects, in Go's order of preference; nil for an empty list, which
// leaves the choice to Go. Words that mean nothing that Go has (DHE, !aNULL, @STRENGTH) select and remove nothing.
func suites(list string) ([]uint16, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	chosen := map[uint16]bool{}
	killed := map[uint16]bool{}
	for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return strings.ContainsRune(":, ", r) }) {
		switch word[0] {
		case '!':
			mark(killed, word[1:], true)
		case '-':
			mark(chosen, word[1:], false)
		case '+', '@': // order only
		default:
			mark(chosen, word, true)
		}
	}
	var ids []uint16
	for _, s := range table {
		if chosen[s.id] && !killed[s.id] {
			ids = append(ids, s.id)
		}
	}
	if ids == nil {
		return nil, errors.New("selects no cipher suite; there are " + names())
	}
	return ids, nil
}

// mark sets the suites that word means; A+B means what is in both.
func mark(set map[uint16]bool, word string, value bool) {
	parts := strings.Split(strings.ToUpper(word), "+")
	for _, s := range table {
		if !slices.ContainsFunc(parts, func(part string) bool { return !s.means(part) }) {
			set[s.id] = value
		}
	}
}

func (s *suite) means(word string) bool {
	return slices.Contains(s.words, word) || word == tls.CipherSuiteName(s.id)
}

func names() string {
	var list []string
	for _, s := range table {
		list = append(list, s.words[0])
	}
	return strings.Join(list, ", ")
}
