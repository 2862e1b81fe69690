package config

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/pflag"
)

// commandLine is the source of the options that the user typed.
const commandLine = "the command line"

// parseFlags reads a command line, or a variable that holds one, without looking at the values.
func parseFlags(args []string, source string) (layer, error) {
	found := layer{}
	flags := pflag.NewFlagSet("pyhost", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SetNormalizeFunc(unabbreviate)
	for _, s := range known() {
		spellings := s.Flags
		if s.Short != "" {
			spellings = append(slices.Clone(spellings), shortName(s.Short))
		}
		for _, name := range spellings {
			value := &flagValue{setting: s, name: name, args: args, source: source, found: found}
			short := ""
			if name == shortName(s.Short) {
				short = s.Short
			}
			flags.VarPF(value, name, short, s.Doc).NoOptDefVal = s.valueAlone()
			if s.bare != "" {
				args = attach(args, name, s.follows)
			}
		}
	}
	flags.BoolFuncP("help", "h", "", func(string) error { return ErrHelp })
	flags.BoolFuncP("version", "v", "", func(string) error { return ErrVersion })
	flags.Func("completions", "", askCompletions)

	if err := refuseTestFlags(args, source); err != nil {
		return nil, err
	}
	if err := flags.Parse(args); err != nil {
		return nil, explain(err, source)
	}
	switch flags.NArg() {
	case 0:
	case 1:
		found["wsgi_app"] = given{texts: flags.Args(), source: source}
	default:
		return nil, usagef("only one application can be served, not %s and %s%s",
			quote(flags.Arg(0)), quote(flags.Arg(1)), inSource(source))
	}
	return found, nil
}

// attach joins an option that may stand alone with the value that follows it: argparse's nargs="?" takes the next word,
// pflag never does. Only words that are meant as values are taken, so that the application may come next.
func attach(args []string, name string, follows []string) []string {
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		if args[i] == "--"+name && i+1 < len(args) && slices.Contains(follows, strings.ToLower(args[i+1])) {
			joined = append(joined, args[i]+"="+args[i+1])
			i++
			continue
		}
		joined = append(joined, args[i])
	}
	return joined
}

func askCompletions(shell string) error {
	if !slices.Contains(shells, shell) {
		return usagef("option --completions needs a shell: %s, not %s", either(shells), quote(shell))
	}
	return &CompletionsRequest{Shell: shell}
}

// shortName is the name of a short option among the long ones. Nobody can type it: "---k" is no option.
func shortName(short string) string { return "-" + short }

// dashed is an option as it was typed.
func dashed(name string) string {
	if strings.HasPrefix(name, "-") {
		return name
	}
	return "--" + name
}

// valueAlone is what the option means without a value; "" if it needs one. --preload=false turns a switch off.
func (s *Setting) valueAlone() string {
	switch {
	case s.Type == Bool && s.off:
		return "false"
	case s.Type == Bool:
		return "true"
	}
	return s.bare
}

// flagValue notes the values of one option in a layer; it is a pflag.Value.
type flagValue struct {
	setting *Setting
	name    string
	args    []string
	source  string
	found   layer
}

func (v *flagValue) Set(text string) error {
	if v.swallows(text) {
		return usagef("option %s needs a value, but %s comes next%s", dashed(v.name), quote(text), inSource(v.source))
	}
	texts := append(v.found[v.setting.Name].texts, text)
	v.found[v.setting.Name] = given{texts: texts, source: v.source, spelled: dashed(v.name)}
	return nil
}

func (v *flagValue) String() string { return "" }

func (v *flagValue) Type() string { return string(v.setting.Type) }

// swallows says that text is the next option rather than a value: argparse does not take it, pflag would. Text that
// is attached (--name=-web) or holds a space is a value for argparse too.
func (v *flagValue) swallows(text string) bool {
	if len(text) < 2 || text[0] != '-' || strings.Contains(text, " ") {
		return false
	}
	if text[1] != '-' && !isShort(text[1:2]) {
		return false
	}
	return !slices.ContainsFunc(v.args, func(arg string) bool {
		return strings.HasPrefix(arg, "-") && len(arg) > len(text) && strings.HasSuffix(arg, text)
	})
}

func isShort(letter string) bool {
	return letter == "h" || letter == "v" ||
		slices.ContainsFunc(known(), func(s *Setting) bool { return s.Short == letter })
}

// refuseTestFlags keeps pflag from passing over -test.NAME in silence, which it takes for an option of go test.
func refuseTestFlags(args []string, source string) error {
	for _, arg := range args {
		if arg == "--" {
			return nil
		}
		if strings.HasPrefix(arg, "-test.") {
			return usagef("unknown option %s%s; see pyhost --help", arg, inSource(source))
		}
	}
	return nil
}

// unabbreviate completes the beginning of an option that fits one setting alone, as argparse does.
func unabbreviate(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if strings.HasPrefix(name, "-") || slices.Contains(longFlags(), name) {
		return pflag.NormalizedName(name)
	}
	if candidates := completions(name); len(candidates) == 1 {
		return pflag.NormalizedName(candidates[0])
	}
	return pflag.NormalizedName(name)
}

// completions are the options that begin with prefix, one for each setting.
func completions(prefix string) []string {
	var names []string
	for _, s := range known() {
		for _, name := range s.Flags {
			if strings.HasPrefix(name, prefix) {
				names = append(names, name)
				break
			}
		}
	}
	for _, name := range []string{"help", "version", "completions"} {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

var longFlags = sync.OnceValue(func() []string {
	names := []string{"help", "version", "completions"}
	for _, s := range known() {
		names = append(names, s.Flags...)
	}
	return names
})

// explain turns an error of pflag into ours.
func explain(err error, source string) error {
	var (
		usage   *UsageError
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		syntax  *pflag.InvalidSyntaxError
	)
	var completions *CompletionsRequest
	switch {
	case errors.As(err, &completions):
		return completions
	case errors.Is(err, ErrHelp):
		return ErrHelp
	case errors.Is(err, ErrVersion):
		return ErrVersion
	case errors.As(err, &usage):
		return usage
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return unknownOption("-"+unknown.GetSpecifiedName(), source)
	case errors.As(err, &unknown):
		return unknownOption("--"+unknown.GetSpecifiedName(), source)
	case errors.As(err, &missing):
		return usagef("option %s needs a value%s", dashed(missing.GetFlag().Name), inSource(source))
	case errors.As(err, &syntax):
		return usagef("%s is not an option%s; see pyhost --help", quote(syntax.GetSpecifiedFlag()), inSource(source))
	}
	return usagef("%s%s", err, inSource(source))
}

// inSource says which variable an option stands in; on the command line that needs no saying.
func inSource(source string) string {
	if source == commandLine {
		return ""
	}
	return " in " + source
}
