package tests

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// --warmup-url: a worker has answered them all before anybody else.
func TestWarmup(t *testing.T) {
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		s := Start(t, Options{App: "version", Kind: kind, Workers: 2, Args: []string{
			"--warmup-url", "/warm?a=b", "--warmup-url", "https://shop.example/warm"}})
		s.Get("/warmed").Want(t, 200, "http://localhost/warm?a=b https://shop.example/warm")
	})
}

// A worker that answers anything but 2xx and 3xx has failed to boot.
func TestWarmupFails(t *testing.T) {
	for status, args := range map[string][]string{"503 Busy": nil, "404 Not Found": {"--preload"}} {
		t.Run(status[:3], func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				code := newRelease(t)
				code.write(fmt.Sprintf("VERSION, WARM = 'one', %q", status))
				s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Cold: true,
					Args: append([]string{"--warmup-url", "/warm"}, args...)})
				s.Expect(`failed to boot: warmup_url /warm: answered ` + status + `; 2xx or 3xx is wanted`)
				s.Expect(`Reason: Worker failed to boot`)
				s.Allow(`exited with code 3`)
				s.WaitExit(3)
			})
		})
	}
}

// A reload whose workers do not answer in order is given up, or in time; a mended one is not.
func TestWarmupFailsAtReload(t *testing.T) {
	for name, c := range map[string]struct{ warm, cause string }{
		"status":  {"500 Oh no", `warmup_url /warm: answered 500 Oh no`},
		"timeout": {"hang", `the application did not answer warmup_url within 2s \(boot_timeout\)`},
	} {
		t.Run(name, func(t *testing.T) {
			forEachWorkerKind(t, func(t *testing.T, kind Kind) {
				code := newRelease(t)
				s := Start(t, Options{App: "version", Dir: code.dir, Kind: kind, Workers: 2,
					Args: []string{"--warmup-url", "/warm", "--boot-timeout", "2"}})
				old := s.Workers()
				code.write(fmt.Sprintf("VERSION, WARM = 'two!', %q", c.warm))
				s.Expect(`Reload failed, the workers of before go on serving: worker failed to boot: ` + c.cause)
				s.Allow(`failed to boot: ` + c.cause)
				s.Allow(`exited with code 3`)
				s.Allow(`Exception in worker process .*in warm`)
				s.Signal(syscall.SIGHUP)
				s.WaitLog(`Reload failed`, 1)
				eventually(t, "only the old workers live", func() bool { return slices.Equal(s.Workers(), old) })
				if version := s.version(); version != "one" {
					t.Errorf("version %s", version)
				}
				code.write(`VERSION, WARM = "three", "302 Found"`)
				s.reload()
				eventually(t, "the repaired code serves", func() bool { return s.version() == "three" })
				if strings.Count(s.Log(), "Reload failed") != 1 {
					t.Error("another reload failed")
				}
			})
		})
	}
}
