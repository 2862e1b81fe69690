package python

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python runs a script in this directory with the embedded modules in reach and a stand-in for the module that the C
// layer provides, and returns what it prints. A failed assertion is a failure of the test.
func python(t *testing.T, script, input string) string {
	t.Helper()
	interpreter := os.Getenv("PYHOST_PYTHON")
	if interpreter == "" {
		interpreter = "python3"
	}
	command := exec.Command(interpreter, "-B", "-c", prelude+script)
	command.Stdin = strings.NewReader(input)
	output, err := command.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatalf("%s: %v", interpreter, err)
	}
	return string(output)
}

const prelude = `
import ast, io, json, os, socket, sys, types
_pyhost = sys.modules["_pyhost"] = types.ModuleType("_pyhost")
sys.path.insert(0, ".")

def raises(kind, call, *args):
    try:
        call(*args)
    except kind as error:
        return str(error)
    raise AssertionError("%r did not raise %r" % (call, kind))
`

// awkward has what a string literal can go wrong with.
const awkward = "pyhost/1.2 \"'\\ \n\t\x01\x7f<&> é \u2028 😀 \\u0041 %s {}"

// The program that a forkserver runs carries every module, byte for byte, and makes the first ones in the order of
// their imports.
func TestProgram(t *testing.T) {
	var program struct {
		Sources  map[string]string
		AtOnce   []string
		Software string
	}
	output := python(t, `
statements = ast.parse(sys.stdin.buffer.read().decode()).body
calls = [s.value for s in statements if isinstance(s, ast.Expr)]
assigned = {ast.unparse(s.targets[0]) if hasattr(ast, "unparse") else i: s.value
            for i, s in enumerate(statements) if isinstance(s, ast.Assign)}
carrier, software = assigned.values()
assert ast.dump(calls[-1].func).count("main") == 1, "the last statement does not serve"
print(json.dumps({"Sources": ast.literal_eval(carrier.args[0]), "Software": ast.literal_eval(software),
                  "AtOnce": [ast.literal_eval(c.args[0]) for c in calls if getattr(c.func, "id", "") == "_install"]}))
`, string(Program(awkward)))
	if err := json.Unmarshal([]byte(output), &program); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.py")
	if err != nil || len(files) != len(program.Sources) {
		t.Fatalf("%d modules of %d files, %v", len(program.Sources), len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name := moduleName(strings.TrimSuffix(file, ".py")); program.Sources[name] != string(want) {
			t.Errorf("%s arrives with %d bytes instead of %d", name, len(program.Sources[name]), len(want))
		}
	}
	if strings.Join(program.AtOnce, " ") != "_pyhost_loader _pyhost_standin _pyhost_stdlib _pyhost_shared "+
		"_pyhost_modules _pyhost_forkserver _pyhost_streams _pyhost_notes _pyhost_worker" {
		t.Errorf("made at once: %v", program.AtOnce)
	}
	if program.Software != awkward {
		t.Errorf("SERVER_SOFTWARE %q", program.Software)
	}
}

// The sources are Python 3.8, and say what their public names do.
func TestSources(t *testing.T) {
	python(t, `
documented = (ast.FunctionDef, ast.ClassDef)
for file in os.listdir("."):
    name, extension = os.path.splitext(file)
    if extension != ".py":
        continue
    tree = ast.parse(open(file).read(), file, feature_version=(3, 8))
    assert ast.get_docstring(tree), name
    scopes = [("", tree)] + [(c.name + ".", c) for c in tree.body if isinstance(c, ast.ClassDef)]
    for prefix, scope in scopes:
        for node in scope.body:
            if isinstance(node, documented) and not node.name.startswith("_"):
                assert ast.get_docstring(node), "%s.%s%s has no docstring" % (name, prefix, node.name)
`, "")
}
