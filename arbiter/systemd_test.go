package arbiter

import (
	"net"
	"path/filepath"
	"slices"
	"testing"
)

func TestPassedSockets(t *testing.T) {
	tests := []struct {
		name, pid, fds string
		want           []string
	}{
		{"two", "77", "2", []string{"fd://3", "fd://4"}},
		{"for another process", "78", "2", nil},
		{"none", "", "", nil},
		{"zero", "77", "0", nil},
		{"no number", "77", "x", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			environ := map[string]string{"LISTEN_PID": test.pid, "LISTEN_FDS": test.fds}
			got := passedSockets(func(name string) string { return environ[name] }, 77)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNotifySystemd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	for _, name := range []string{path, "@pyhost-test-" + filepath.Base(filepath.Dir(path)) + path[len(path)-20:]} {
		socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		notifySystemd(name, "READY=1")
		buffer := make([]byte, 100)
		n, err := socket.Read(buffer)
		if err != nil || string(buffer[:n]) != "READY=1" {
			t.Errorf("%s: heard %q, %v", name, buffer[:n], err)
		}
		_ = socket.Close()
	}
	notifySystemd("", "READY=1")
	notifySystemd(path+"-none", "READY=1")
}
