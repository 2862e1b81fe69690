package static

import (
	"mime"
	"path"
	"strings"
)

// types are those of the web. The system's table, which differs from machine to machine, has the rest.
var types = map[string]string{
	".avif": "image/avif", ".bmp": "image/bmp", ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".eot": "application/vnd.ms-fontobject", ".gif": "image/gif", ".gz": "application/gzip",
	".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
	".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
	".map": "application/json", ".md": "text/markdown; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".mp3": "audio/mpeg", ".mp4": "video/mp4", ".otf": "font/otf", ".pdf": "application/pdf", ".png": "image/png",
	".svg": "image/svg+xml", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
	".webm": "video/webm", ".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff": "font/woff",
	".woff2": "font/woff2", ".xml": "text/xml; charset=utf-8", ".zip": "application/zip",
}

// contentType goes by the name alone: what a file's bytes look like is for nobody to guess.
func contentType(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if t, ok := types[extension]; ok {
		return t
	}
	if t := mime.TypeByExtension(extension); t != "" {
		return t
	}
	return "application/octet-stream"
}
