package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// ParseStatic reads PREFIX=DIR; the prefix begins with a slash.
func ParseStatic(item string) (prefix, dir string, err error) {
	prefix, dir, ok := strings.Cut(item, "=")
	prefix, dir = strings.TrimSpace(prefix), strings.TrimSpace(dir)
	if !ok || !strings.HasPrefix(prefix, "/") || dir == "" {
		return "", "", errors.New("must be PREFIX=DIR with a slash in front, as in /static=public")
	}
	if strings.ContainsAny(prefix, "%?#") {
		return "", "", errors.New("a prefix cannot contain %, ? or #")
	}
	return prefix, dir, nil
}

// staticItem makes the directory absolute, because the server changes directory later.
func staticItem(dir, item string) (string, error) {
	prefix, path, err := ParseStatic(item)
	if err != nil {
		return "", err
	}
	path, err = directory(dir, path)
	return prefix + "=" + path, err
}

// directoryItem checks a directory; empty is none.
func directoryItem(dir, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return directory(dir, path)
}

func directory(dir, path string) (string, error) {
	path = within(dir, path)
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, reason(err))
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s is not a directory", path)
	}
	return path, nil
}

var staticSettings = []*Setting{
	{
		Name: "static", Flags: []string{"static"}, Metavar: "PREFIX=DIR", Section: "Static Files",
		Type: List, Default: []string{},
		Doc: "Serve the files in DIR below the URL PREFIX without Python, as in /static=public. Can be given several " +
			"times.",
		field: func(c *Config) any { return &c.Static },
		item:  staticItem,
		words: splitWords,
	},
	{
		Name: "static_max_age", Flags: []string{"static-max-age"}, Metavar: "SECONDS", Section: "Static Files",
		Type: Int, Default: 0,
		Doc:   "How long browsers may keep a static file without asking again (Cache-Control). 0 says nothing about it.",
		field: func(c *Config) any { return &c.StaticMaxAge },
	},
	{
		Name: "sendfile_root", Flags: []string{"sendfile-root"}, Metavar: "DIR", Section: "Static Files",
		Type: String, Default: "",
		Doc: "Let the application have a file in DIR sent by naming it in the header X-Sendfile or X-Accel-Redirect. " +
			"Empty passes those headers on to the client, or to the proxy that is meant.",
		field: func(c *Config) any { return &c.SendfileRoot },
		item:  directoryItem,
	},
}
