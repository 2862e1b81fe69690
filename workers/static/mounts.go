package static

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/pyhost/pyhost/config"
)

// Mounts are the URL prefixes that files are served below. Safe for concurrent use.
type Mounts []mount

type mount struct {
	prefix []byte // "/static/": with a slash at the end
	root   *Root
}

// Open opens the directories of the setting static, PREFIX=DIR.
func Open(items []string) (Mounts, error) {
	var mounts Mounts
	for _, item := range items {
		prefix, dir, err := config.ParseStatic(item)
		if err != nil {
			return nil, err
		}
		root, err := OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, mount{prefix: []byte(strings.TrimRight(prefix, "/") + "/"), root: root})
	}
	return mounts, nil
}

// Match says whether a path, still percent-encoded, is below a prefix. The longest prefix has it.
func (m Mounts) Match(path []byte) (*Target, bool) {
	best := -1
	for i := range m {
		if bytes.HasPrefix(path, m[i].prefix) && (best < 0 || len(m[i].prefix) > len(m[best].prefix)) {
			best = i
		}
	}
	if best < 0 {
		return nil, false
	}
	t := &Target{root: m[best].root}
	// Decoded once, before anything looks at dots and slashes: %2e%2e is "..", %252e is "%2e".
	if name, err := url.PathUnescape(string(path[len(m[best].prefix):])); err == nil {
		t.name = name
	}
	return t, true
}

// Target is a file that is asked for.
type Target struct {
	root *Root
	name string // below root, decoded; empty if it cannot be one
}

// Within is the Target of a path that the application names.
func (r *Root) Within(path string) (*Target, error) {
	name, err := r.Below(path)
	return &Target{root: r, name: name}, err
}
