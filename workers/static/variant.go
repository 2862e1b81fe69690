package static

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// encodings are the compressed forms that may lie beside a file, the preferred one first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

// file is what is sent: the file itself, or a compressed form of it.
type file struct {
	*os.File
	info     fs.FileInfo
	encoding string // "" for the file itself
}

// open opens t; accept is the client's Accept-Encoding. A compressed form that is older than the file is not of it.
func (t *Target) open(accept string) (*file, error) {
	f, info, err := t.root.open(t.name)
	if err != nil {
		return nil, err
	}
	for _, e := range encodings {
		if !accepts(accept, e.name) {
			continue
		}
		packed, packedInfo, err := t.root.open(t.name + e.suffix)
		if err != nil {
			continue
		}
		if packedInfo.ModTime().Unix() < info.ModTime().Unix() { // what copies files may drop the fraction
			packed.Close()
			continue
		}
		f.Close()
		return &file{File: packed, info: packedInfo, encoding: e.name}, nil
	}
	return &file{File: f, info: info}, nil
}

// accepts says whether an Accept-Encoding names a coding, not with a weight of zero (RFC 9110 12.5.3).
func accepts(list, coding string) bool {
	for item := range strings.SplitSeq(list, ",") {
		name, parameter, weighted := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		if !weighted {
			return true
		}
		_, weight, _ := strings.Cut(parameter, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return err == nil && q > 0
	}
	return false
}

// describe fills what the file itself says, where header does not say it yet.
func (f *file) describe(header http.Header, name string) {
	set := func(field, value string) {
		if header.Get(field) == "" {
			header.Set(field, value)
		}
	}
	set("Content-Type", contentType(name))
	set("Vary", "Accept-Encoding")
	// Another coding is another representation (RFC 9110 8.8.3.3).
	set("Etag", fmt.Sprintf(`"%x-%x%s"`, f.info.ModTime().UnixNano(), f.info.Size(), f.encoding))
	if f.encoding != "" {
		header.Set("Content-Encoding", f.encoding)
	}
}
