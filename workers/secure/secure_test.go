package secure

import (
	"crypto/tls"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSuites(t *testing.T) {
	all := []uint16{}
	for _, s := range table {
		all = append(all, s.id)
	}
	gcm := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	}
	chacha := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	for list, want := range map[string][]uint16{
		"":                                      nil,
		"ALL":                                   all,
		"HIGH:!aNULL:!MD5:@STRENGTH":            all,
		"ECDHE+AESGCM":                          gcm,
		"ECDHE+AESGCM:ECDHE+CHACHA20":           append(slices.Clone(gcm), chacha...),
		"HIGH:!SHA1:-CHACHA20":                  gcm,
		"!AESGCM:ALL:!SHA1":                     chacha,
		"ecdhe-rsa-chacha20-poly1305":           chacha[1:],
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": {tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		// Mozilla's "intermediate": Go has no DHE
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
			"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" +
			"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384": append(slices.Clone(gcm), chacha...),
	} {
		if got, err := suites(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %x, %v; want %x", list, got, err, want)
		}
	}
	for _, list := range []string{"DHE", "ALL:!ALL", "nonsense"} {
		if _, err := suites(list); err == nil || !strings.Contains(err.Error(), "selects no cipher suite") {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func TestEverySuiteIsKnownToGo(t *testing.T) {
	for _, s := range table {
		if name := tls.CipherSuiteName(s.id); strings.HasPrefix(name, "0x") {
			t.Errorf("%s is %s", s.words[0], name)
		}
	}
}

// Tickets of one period are still taken in the next, and not in the one after that.
func TestTicketKeys(t *testing.T) {
	secret := []byte("secret")
	now := time.Unix(1e9, 0)
	period := func(n int) uint64 {
		return uint64(now.Add(time.Duration(n)*ticketPeriod).Unix() / int64(ticketPeriod/time.Second))
	}
	if period(1) != period(0)+1 {
		t.Fatalf("periods %d, %d", period(0), period(1))
	}
	if ticketKey(secret, 1) == ticketKey(secret, 2) || ticketKey(secret, 1) == ticketKey([]byte("other"), 1) {
		t.Error("two keys are the same")
	}
}
