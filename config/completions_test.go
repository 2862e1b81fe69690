package config

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

// TestBashCompletions asks a real bash.
func TestBashCompletions(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	for words, want := range map[string]string{
		"--worker-cl":                    "--worker-class",
		"--worker-class s":               "sync",
		"--worker-class = g":             "gthread",
		"-k ":                            "sync gthread",
		"--log-level w":                  "warning",
		"--chdir /usr/bi":                "/usr/bin",
		"--completions f":                "fish",
		"--workers 3 --print-conf":       "--print-config",
		"--preload --limit-request-line": "--limit-request-line",
		"--workers ":                     "",
	} {
		script := Completions("bash") + `
COMP_WORDS=(pyhost "$@")
COMP_CWORD=$#
_pyhost
echo "${COMPREPLY[*]}"`
		args := append([]string{"--norc", "-c", script, "bash"}, strings.Split(words, " ")...)
		out, err := exec.Command(bash, args...).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%q is completed to %q, %v; want %q", words, got, err, want)
		}
	}
}

// TestCompletionsAreWellFormed: the shells themselves judge, where they are installed.
func TestCompletionsAreWellFormed(t *testing.T) {
	for shell, want := range map[string][]string{
		"zsh": {
			"#compdef pyhost\n", "'-k+[The kind of worker", ":NAME:(sync gthread)'", "'*--bind=[An address to listen on\\: HOST",
			"'--preload[", "'--pid=[",
		},
		"fish": {
			"complete -c pyhost -s k -l worker-class -x -a 'sync gthread' -d 'The kind of worker",
			"complete -c pyhost -l preload -d '", "complete -c pyhost -l chdir -x -a '(__fish_complete_directories)'",
		},
	} {
		text := Completions(shell)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q is missing in\n%s", shell, part, text)
			}
		}
		if strings.Contains(text, "worker-tmp-dir") {
			t.Errorf("%s offers what does not exist", shell)
		}
		if path, err := exec.LookPath(shell); err == nil {
			command := exec.Command(path, "-n")
			command.Stdin = strings.NewReader(text)
			if out, err := command.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", shell, err, out)
			}
		}
	}
}

func TestCompletionsOption(t *testing.T) {
	var request *CompletionsRequest
	err := scene{args: []string{"--completions", "zsh", "-w", "x"}}.fail(t)
	if !errors.As(err, &request) || request.Shell != "zsh" {
		t.Errorf("%v", err)
	}
	err = scene{args: []string{"--completions=tcsh"}}.fail(t)
	if want := "pyhost: option --completions needs a shell: bash, zsh or fish, not 'tcsh'"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
