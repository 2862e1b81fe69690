package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// IsPattern says whether an entry of reload_extra_files is a pattern rather than one file: it has a *, ? or [, as in
// gunicorn.
func IsPattern(entry string) bool { return strings.ContainsAny(entry, "*?[") }

// Pattern compiles a pattern of reload_extra_files for absolute paths: * and ? match within a name, ** any number of
// directories, and none of them a name that begins with a dot, as Python's glob does.
func Pattern(entry string) (*regexp.Regexp, error) {
	var expression strings.Builder
	expression.WriteString("^")
	parts := strings.Split(entry, "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case part == "**" && last:
			expression.WriteString(`(?:[^./][^/]*/)*[^./][^/]*`)
		case part == "**":
			expression.WriteString(`(?:[^./][^/]*/)*`)
		default:
			writeNamePattern(&expression, part)
			if !last {
				expression.WriteString("/")
			}
		}
	}
	expression.WriteString("$")
	compiled, err := regexp.Compile(expression.String())
	if err != nil {
		return nil, errors.New("is not a pattern: a [ needs its ]")
	}
	return compiled, nil
}

// writeNamePattern writes the expression for one name of a path.
func writeNamePattern(expression *strings.Builder, name string) {
	for i := 0; i < len(name); i++ {
		hidden := ""
		if i == 0 {
			hidden = "."
		}
		switch c := name[i]; c {
		case '*':
			switch {
			case i > 0:
				expression.WriteString(`[^/]*`)
			case len(name) > 1 && name[1] != '.':
				expression.WriteString(`(?:[^./][^/]*)?`)
			default:
				expression.WriteString(`[^./][^/]*`)
			}
		case '?':
			expression.WriteString(`[^/` + hidden + `]`)
		case '[':
			end := strings.IndexByte(name[i+1:], ']')
			if end <= 0 {
				expression.WriteString(`[`) // does not compile: the user hears of it
				return
			}
			class := name[i+1 : i+1+end]
			if class[0] == '!' {
				class = "^/" + class[1:]
			}
			expression.WriteString("[" + strings.ReplaceAll(class, `\`, `\\`) + "]")
			i += end + 1
		default:
			expression.WriteString(regexp.QuoteMeta(name[i : i+1]))
		}
	}
}

// extraFileItem makes an entry of reload_extra_files absolute. A plain file has to exist: a slip is told at once.
func extraFileItem(dir, entry string) (string, error) {
	if entry == "" {
		return "", errors.New("must be a file or a pattern")
	}
	path := within(dir, entry)
	if IsPattern(entry) {
		_, err := Pattern(path)
		return path, err
	}
	if _, err := os.Stat(path); err != nil {
		return "", reason(err)
	}
	return filepath.Clean(path), nil
}
