package config

import (
	"fmt"
	"slices"
	"strings"
)

// CompletionsRequest is Load's answer to --completions: the caller prints Completions of Shell and exits with 0.
type CompletionsRequest struct {
	// Shell is bash, zsh or fish.
	Shell string
}

// Error says what was asked for.
func (r *CompletionsRequest) Error() string { return "completions for " + r.Shell + " were asked for" }

// shells are those that Completions knows.
var shells = []string{"bash", "zsh", "fish"}

var completionsOption = &Setting{
	Name: "completions", Flags: []string{"completions"}, Metavar: "SHELL", Type: String, Choices: shells,
	Doc: "Print the completions of these options for bash, zsh or fish and exit.",
}

// specials are the options that are no settings.
var specials = []*Setting{
	{Name: "help", Flags: []string{"help"}, Short: "h", Type: Bool, Doc: "Show a summary of all options and exit."},
	{Name: "version", Flags: []string{"version"}, Short: "v", Type: Bool, Doc: "Show the version and exit."},
	completionsOption,
}

// Completions is a script that makes a shell complete pyhost's command line, to be read when the shell starts. The
// shell is bash, zsh or fish.
func Completions(shell string) string {
	switch shell {
	case "bash":
		return bashCompletions()
	case "zsh":
		return zshCompletions()
	}
	return fishCompletions()
}

// completable are the options to offer, without those that pyhost only knows to refuse.
func completable() []*Setting {
	return slices.DeleteFunc(slices.Concat(settings, specials), func(s *Setting) bool { return len(s.Flags) == 0 })
}

// completion says what a shell can do for the value of s.
func (s *Setting) completion() (choices []string, files, directories bool) {
	choices = s.Choices
	if choices == nil {
		choices = s.follows
	}
	return choices, s.Metavar == "FILE" || s.Metavar == "PATH", s.Metavar == "DIR"
}

// spellings are the options of s as one types them.
func (s *Setting) spellings() []string {
	var all []string
	if s.Short != "" {
		all = append(all, "-"+s.Short)
	}
	for _, flag := range s.Flags {
		all = append(all, "--"+flag)
	}
	return all
}

func bashCompletions() string {
	var values strings.Builder
	var all []string
	for _, s := range completable() {
		all = append(all, s.spellings()...)
		action := "return"
		choices, files, directories := s.completion()
		switch {
		case s.Type == Bool:
			continue
		case choices != nil:
			action = fmt.Sprintf(`COMPREPLY=($(compgen -W "%s" -- "$current")); return`, strings.Join(choices, " "))
		case files:
			action = `COMPREPLY=($(compgen -f -- "$current")); return`
		case directories:
			action = `COMPREPLY=($(compgen -d -- "$current")); return`
		}
		fmt.Fprintf(&values, "        %s) %s ;;\n", strings.Join(s.spellings(), "|"), action)
	}
	return `# bash completion of pyhost: eval "$(pyhost --completions bash)" in ~/.bashrc
_pyhost() {
    local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
    if [[ $current == "=" ]]; then
        current=""
    elif [[ $before == "=" ]]; then
        before="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    case "$before" in
` + values.String() + `    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "` + strings.Join(all, " ") + `" -- "$current"))
    fi
}
complete -o default -F _pyhost pyhost
`
}

func zshCompletions() string {
	var text strings.Builder
	text.WriteString("#compdef pyhost\n" +
		"# zsh completion of pyhost: pyhost --completions zsh > _pyhost, in a folder of $fpath\n_arguments -s")
	escape := strings.NewReplacer(`'`, `'\''`, `[`, `\[`, `]`, `\]`, `:`, `\:`)
	for _, s := range completable() {
		for _, option := range s.spellings() {
			value := ""
			choices, files, directories := s.completion()
			switch {
			case s.Type == Bool:
			case choices != nil:
				value = ":" + s.Metavar + ":(" + strings.Join(choices, " ") + ")"
			case files:
				value = ":" + s.Metavar + ":_files"
			case directories:
				value = ":" + s.Metavar + ":_files -/"
			default:
				value = ":" + s.Metavar + ": "
			}
			attached := ""
			if value != "" && strings.HasPrefix(option, "--") {
				attached = "="
			} else if value != "" {
				attached = "+"
			}
			repeated := ""
			if s.Type == List && !s.commas {
				repeated = "*"
			}
			doc := escape.Replace(firstSentence(s.optionDoc()))
			fmt.Fprintf(&text, " \\\n    '%s%s%s[%s]%s'", repeated, option, attached, doc, value)
		}
	}
	return text.String() + " \\\n    ':application: '\n"
}

func fishCompletions() string {
	var text strings.Builder
	text.WriteString("# fish completion of pyhost: pyhost --completions fish > ~/.config/fish/completions/pyhost.fish\n")
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, s := range completable() {
		line := "complete -c pyhost"
		if s.Short != "" {
			line += " -s " + s.Short
		}
		for _, flag := range s.Flags {
			line += " -l " + flag
		}
		choices, files, directories := s.completion()
		switch {
		case s.Type == Bool:
		case choices != nil:
			line += " -x -a '" + strings.Join(choices, " ") + "'"
		case directories:
			line += " -x -a '(__fish_complete_directories)'"
		case files:
			line += " -r -F"
		default:
			line += " -x"
		}
		text.WriteString(line + " -d '" + escape.Replace(firstSentence(s.optionDoc())) + "'\n")
	}
	return text.String()
}

// firstSentence is what fits beside an option.
func firstSentence(doc string) string {
	if end := strings.Index(doc, ". "); end >= 0 {
		doc = doc[:end]
	}
	return strings.TrimSuffix(doc, ".")
}
