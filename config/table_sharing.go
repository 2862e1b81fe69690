package config

import (
	"errors"
	"regexp"
	"sync"
)

var sharingSettings = []*Setting{
	{
		Name: "share_imports", Flags: []string{"share-imports"}, Metavar: "LIST", Section: "Server Mechanics",
		Type: List, Default: []string{"auto"}, commas: true,
		Doc: "What the workers share although each imports the application itself: names of modules separated by commas, " +
			"which are imported before the fork, stdlib (much of the standard library, which every name brings along), auto " +
			"(stdlib, and Django or Flask if the application imports it first) or none. --preload shares all that the " +
			"application imports.",
		field: func(c *Config) any { return &c.ShareImports },
		item:  sharedItem,
	},
}

var moduleName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*$`)
})

// sharedItem checks one name of share_imports.
func sharedItem(_, text string) (string, error) {
	if !moduleName().MatchString(text) {
		return "", errors.New("must be auto, stdlib, none, or the name of a module such as sqlalchemy.orm")
	}
	return text, nil
}
