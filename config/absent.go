package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// settleAbsent is about settings of gunicorn's that do not exist here. A value that asks for nothing is fine, so that a
// configuration which spells out a default is taken along; any other is refused or warned about.
func (c *Config) settleAbsent(layers ...layer) *ValueError {
	for _, s := range absent {
		for _, l := range layers {
			g, ok := l[s.Name]
			if !ok || s.harmless(g) {
				continue
			}
			if s.Unused {
				c.warnf("%s has no effect: %s", g.placed(s.Name), s.Instead)
				continue
			}
			return &ValueError{Problem: g.placed(s.Name) + " is not supported: " + s.Instead}
		}
	}
	return nil
}

// harmless says whether g asks for what is the case anyway.
func (s *Setting) harmless(g given) bool {
	var text string
	switch value := g.typed.(type) {
	case nil:
		text = strings.TrimSpace(strings.Join(g.texts, ","))
	case bool, string, int64, json.Number:
		text = strings.TrimSpace(fmt.Sprint(value))
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		text = fmt.Sprint(value)
	}
	switch s.Default.(type) {
	case bool:
		truth, bad := boolFrom(text)
		return text == "" || bad == nil && truth == s.Default
	}
	return text == "" || text == fmt.Sprint(s.Default) || slices.Contains(s.Choices, text)
}

// placed is the name of a setting as it was written, with the place.
func (g given) placed(setting string) string {
	switch {
	case g.spelled == "":
		return g.source + ": " + setting
	case g.source == commandLine || strings.HasPrefix(g.spelled, "$"):
		return g.spelled
	}
	return g.source + ": " + g.spelled
}
