package config

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Type is the kind of value that a setting has.
type Type string

// The types of settings. In TOML they are a boolean, an integer, a number, a string, an array of strings (one string
// will do), a table of strings and any table. A Hook is a function, which only a Python file can define.
const (
	Bool   Type = "bool"
	Int    Type = "int"
	Float  Type = "float"
	String Type = "string"
	List   Type = "list"
	Map    Type = "map"
	Object Type = "object"
	Hook   Type = "hook"
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
	// Metavar stands for the value in the help text; "" for a switch. FILE and DIR make shells complete file names.
	Metavar string
	// Section is the heading under which the setting is documented.
	Section string
	// Type is the kind of value.
	Type Type
	// Default is the value if nobody sets one: a bool, int, float64, string, []string, map[string]string or
	// map[string]any, as Type says; nil for a Hook.
	Default any
	// DefaultText describes the default where Default does not say it by itself; "" otherwise.
	DefaultText string
	// Choices are the values that a String may have, where they can be counted; nil otherwise.
	Choices []string
	// Env is a variable that supplies the default if it is not empty; "" if there is none. It is not addressed to
	// pyhost alone, so it is looked at only when nothing else sets the value.
	Env string
	// Doc is what the setting does, with its unit and the meaning of 0; plain text on one line.
	Doc string
	// Instead says what to do instead of using a setting of gunicorn's that does not exist here; "" for one that does.
	Instead string
	// Unused says of a setting that does not exist that nothing depends on it: it earns a warning, not a refusal.
	Unused bool

	// field is where the value goes; nil for config, which is used up by Load, for a Hook and where Instead is set.
	field func(*Config) any
	// min and max bound an Int or Float. A max of 0 stands for the largest 32-bit number.
	min, max int
	// number reads the text of an Int; nil reads decimal. Its error is the sentence that follows the refused value. It
	// also allows a string where TOML has types, for "auto" or "10M".
	number func(string) (int, error)
	// wants is what is said of a value of a wrong type; "" derives it from Type.
	wants string
	// item checks and normalises a String, or one item of a List; nil accepts all, or those of Choices. dir is where
	// relative paths begin.
	item func(dir, text string) (string, error)
	// commas marks a List that is written as one text with commas; other lists repeat the option.
	commas bool
	// noneEmpties says of a List that None in a Python file empties it, as gunicorn's validators of addresses have it.
	noneEmpties bool
	// words splits the variable PYHOST_<NAME> of a List into its items; nil takes it as one.
	words func(string) ([]string, error)
	// auto is what the word "auto" means for an Int; nil if that is no value of it.
	auto func() int
	// expand makes the setting's text from the variable Env; nil takes it as it is.
	expand func(string) string
	// orNumber marks a String that may also be written as a whole number where sources have types.
	orNumber bool
	// off marks a Bool whose option is --no-<something>: given alone, it means false.
	off bool
	// bare is the value of an option that is given without one, and follows are the words that are its value all the same
	// when they come next; "" if the option needs a value.
	bare    string
	follows []string
}

// Variable is the environment variable that sets s: PYHOST_WORKERS for workers.
func (s *Setting) Variable() string { return envPrefix + strings.ToUpper(s.Name) }

// Settings returns all settings that exist in the order of the documentation. The rows are shared: read them only.
func Settings() []*Setting { return slices.Clone(settings) }

// Absent returns the settings of gunicorn's that do not exist here, by name. The rows are shared: read them only.
func Absent() []*Setting { return slices.Clone(absent) }

var settings = grouped(
	fileSettings,
	socketSettings,
	workerSettings,
	scalingSettings,
	timeoutSettings,
	recyclingSettings,
	lifecycleSettings,
	securitySettings,
	clientSettings,
	debuggingSettings,
	mechanicsSettings,
	sharingSettings,
	pasteSettings,
	privilegeSettings,
	bodySettings,
	headSettings,
	protocolSettings,
	loggingSettings,
	syslogSettings,
	statsdSettings,
	namingSettings,
	hookSettings,
	sslSettings,
	http2Settings,
	staticSettings,
)

// grouped brings the rows of a section together. Sections come in the order in which they are first met.
func grouped(tables ...[]*Setting) []*Setting {
	rows := slices.Concat(tables...)
	order := map[string]int{}
	for i, s := range rows {
		if _, met := order[s.Section]; !met {
			order[s.Section] = i
		}
	}
	slices.SortStableFunc(rows, func(a, b *Setting) int { return order[a.Section] - order[b.Section] })
	return rows
}

// known are all settings that have a meaning, be it a refusal.
var known = sync.OnceValue(func() []*Setting { return slices.Concat(settings, absent) })

var byName = sync.OnceValue(func() map[string]*Setting {
	rows := map[string]*Setting{}
	for _, s := range known() {
		rows[s.Name] = s
	}
	return rows
})

// settingNamed is the row of a name, of an absent setting as well; nil if there is none.
func settingNamed(name string) *Setting { return byName()[name] }

// assign puts a value of the setting's type into its field of c. Lists and tables are copied, never nil: the Python
// side reads them from JSON, where nil would be null.
func (s *Setting) assign(c *Config, value any) {
	switch field := s.field(c).(type) {
	case *bool:
		*field = value.(bool)
	case *int:
		*field = value.(int)
	case *float64:
		*field = value.(float64)
	case *string:
		*field = value.(string)
	case *[]string:
		*field = append([]string{}, value.([]string)...)
	case *map[string]string:
		*field = maps.Clone(value.(map[string]string))
	case *map[string]any:
		*field = maps.Clone(value.(map[string]any))
	}
}
