package config

import (
	"maps"
	"slices"
	"strings"
)

// Type is the kind of value that a setting has.
type Type string

// The types of settings. In TOML they are a boolean, an integer, a string, an array of strings (one string will do) and
// a table of strings.
const (
	Bool   Type = "bool"
	Int    Type = "int"
	String Type = "string"
	List   Type = "list"
	Map    Type = "map"
)

// Setting is one row of the table of settings. Rows are never changed.
type Setting struct {
	// Name is gunicorn's name of the setting: the TOML key, the JSON name, and in capitals after PYHOST_ the
	// environment variable.
	Name string
	// Flags are the long options without dashes, the usual one first; none if there is no option.
	Flags []string
	// Short is the one-letter option without its dash; "" if there is none.
	Short string
	// Metavar stands for the value in the help text; "" for a switch.
	Metavar string
	// Section is the heading under which the setting is documented.
	Section string
	// Type is the kind of value.
	Type Type
	// Default is the value if nobody sets one: a bool, int, string, []string or map[string]string, as Type says.
	Default any
	// DefaultText describes the default where Default does not say it by itself; "" otherwise.
	DefaultText string
	// Env is a variable that supplies the default if it is not empty; "" if there is none. It is not addressed to
	// pyhost alone, so it is looked at only when nothing else sets the value.
	Env string
	// Doc is what the setting does, with its unit and the meaning of 0; plain text on one line.
	Doc string

	// field is where the value goes; nil for config, which is used up by Load.
	field func(*Config) any
	// min and max bound an Int. A max of 0 stands for the largest 32-bit number.
	min, max int
	// number reads the text of an Int; nil reads decimal.
	number func(string) (int, error)
	// item checks and normalises a String, or one item of a List; nil accepts all. dir is where relative paths begin.
	item func(dir, text string) (string, error)
	// commas marks a List that is written as one text with commas; other lists repeat the option.
	commas bool
	// bare is the value of an option that is given without one, and follows are the words that are its value all the same
	// when they come next; "" if the option needs a value.
	bare    string
	follows []string
	// words splits the variable PYHOST_<NAME> of a List into its items; nil takes it as one.
	words func(string) ([]string, error)
	// expand makes the setting's text from the variable Env; nil takes it as it is.
	expand func(string) string
}

// Variable is the environment variable that sets s: PYHOST_WORKERS for workers.
func (s *Setting) Variable() string { return envPrefix + strings.ToUpper(s.Name) }

// Settings returns all settings in the order of the documentation. The rows are shared: read them only.
func Settings() []*Setting { return slices.Clone(settings) }

var settings = slices.Concat(fileSettings, socketSettings, workerSettings, timeoutSettings, securitySettings,
	mechanicsSettings, protocolSettings, loggingSettings, namingSettings, sslSettings)

func settingNamed(name string) *Setting {
	for _, s := range settings {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// assign puts a value of the setting's type into its field of c. Lists and tables are copied, never nil: the Python
// side reads them from JSON, where nil would be null.
func (s *Setting) assign(c *Config, value any) {
	switch field := s.field(c).(type) {
	case *bool:
		*field = value.(bool)
	case *int:
		*field = value.(int)
	case *string:
		*field = value.(string)
	case *[]string:
		*field = append([]string{}, value.([]string)...)
	case *map[string]string:
		*field = maps.Clone(value.(map[string]string))
	}
}
