package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// iniEntry is one value of an INI file, with the line that it begins on.
type iniEntry struct {
	key, value string
	line       int
}

// parseINI reads a file of Python's configparser, as PasteDeploy does: sections of keys and values with = or :, values
// that go on in indented lines, comments of whole lines with # and ;.
func parseINI(text string) (map[string][]iniEntry, *ValueError) {
	sections, name := map[string][]iniEntry{}, ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		content := strings.TrimSpace(line)
		entries := sections[name]
		switch {
		case content == "" || content[0] == '#' || content[0] == ';':
		case (line[0] == ' ' || line[0] == '\t') && len(entries) > 0:
			entries[len(entries)-1].value += "\n" + content
		case content[0] == '[' && strings.HasSuffix(content, "]"):
			name = content[1 : len(content)-1]
			sections[name] = slices.Concat([]iniEntry{}, sections[name])
		default:
			end := strings.IndexAny(content, "=:")
			if end < 1 || name == "" {
				return nil, &ValueError{Problem: fmt.Sprintf("line %d: %s is no section and no key = value", number,
					quote(content))}
			}
			key, value := strings.TrimSpace(content[:end]), strings.TrimSpace(content[end+1:])
			sections[name] = append(entries, iniEntry{strings.ToLower(key), value, number})
		}
	}
	return sections, nil
}

var iniReference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%(%|\(([^)]*)\)s)`)
})

// interpolate replaces %(name)s by what the names are, and %% by a percent sign.
func interpolate(value string, names map[string]string) (string, *ValueError) {
	for depth := 0; strings.Contains(strings.ReplaceAll(value, "%%", ""), "%("); depth++ {
		if depth == 10 { // as deep as configparser goes
			return "", problemf(value, "refers to itself")
		}
		var unknown string
		value = iniReference().ReplaceAllStringFunc(value, func(reference string) string {
			if reference == "%%" {
				return reference
			}
			text, ok := names[strings.ToLower(reference[2:len(reference)-2])]
			if !ok {
				unknown = reference
			}
			return text
		})
		if unknown != "" {
			known := strings.Join(slices.Sorted(maps.Keys(names)), ", ")
			return "", problemf(unknown, "nothing of that name is known; there are %s", known)
		}
	}
	return strings.ReplaceAll(value, "%%", "%"), nil
}
