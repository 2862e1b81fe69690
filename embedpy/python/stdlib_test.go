package python

import "testing"

// Whatever patches sockets must still find ssl and its users not imported; and no name may be misspelt.
func TestStandardLibrary(t *testing.T) {
	python(t, `
import stdlib

stdlib.share()
missing = [name for name in stdlib.SHARED if name not in sys.modules and name not in ("bz2", "lzma")]
assert not missing, missing
for name in "ssl", "asyncio", "http.client", "urllib.request", "multiprocessing":
    assert name not in sys.modules, name
outside = [name for name in stdlib.SHARED if "site-packages" in (getattr(sys.modules[name], "__file__", "") or "")]
assert not outside, outside
`, "")
}
