package python

import "testing"

// server.address is built from the bind setting, whose every form config.ParseBind accepts.
func TestHooksAddresses(t *testing.T) {
	python(t, `
for each in "_pyhost_hooks", "_pyhost_loader":
    sys.modules[each] = types.ModuleType(each)
import server

for text, want in {
    "127.0.0.1:8000": ("127.0.0.1", 8000), "tcp://h": ("h", 8000), ":80": ("0.0.0.0", 80), "[::1]:1": ("::1", 1),
    "unix:/s": "/s", "unix:///s": "/s", "fd://3": 3, "http": ("http", 8000), " unix:/s": "/s",
    "uwsgi://h": ("h", 8000), "https://[::1]": ("::1", 8000), "http://:1": ("0.0.0.0", 1),
    "uwsgi+unix:/s": "/s", "https+fd://3": 3, "http+unix:uwsgi+unix:": "uwsgi+unix:",
}.items():
    assert server.parse_address(text) == want, (text, server.parse_address(text))

assert str(server.Listener("127.0.0.1:1")) == "http://127.0.0.1:1"
for text in "https://127.0.0.1:1", "uwsgi+unix:/s", "unix:/s":
    assert str(server.Listener(text)) == text
`, "")
}
