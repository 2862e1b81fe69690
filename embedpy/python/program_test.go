package python

import (
	"encoding/json"
	"os"
	"os/exec"
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

// The program that a forkserver runs installs every module, byte for byte, in the order of their imports.
func TestProgram(t *testing.T) {
	var installed []struct{ Name, Source string }
	output := python(t, `
statements = ast.parse(sys.stdin.buffer.read().decode()).body
calls = [s.value for s in statements if isinstance(s, ast.Expr)]
installs = [[ast.literal_eval(a) for a in c.args] for c in calls if getattr(c.func, "id", "") == "_install"]
assert ast.dump(calls[-1].func).count("main") == 1, "the last statement does not serve"
software = [s for s in statements if isinstance(s, ast.Assign)][-1]
assert software.targets[0].attr == "SERVER_SOFTWARE"
installs.append(["SERVER_SOFTWARE", ast.literal_eval(software.value)])
print(json.dumps([{"Name": n, "Source": s} for n, s in installs]))
`, string(Program(awkward)))
	if err := json.Unmarshal([]byte(output), &installed); err != nil {
		t.Fatal(err)
	}
	want := []struct{ name, source string }{
		{"_pyhost_loader", loader}, {"_pyhost_stdlib", stdlib}, {"_pyhost_modules", modules},
		{"_pyhost_forkserver", forkserver}, {"_pyhost_streams", streams},
		{"_pyhost_worker", worker}, {"SERVER_SOFTWARE", awkward},
	}
	if len(installed) != len(want) {
		t.Fatalf("%d modules", len(installed))
	}
	for i, w := range want {
		if installed[i].Name != w.name || installed[i].Source != w.source {
			t.Errorf("%s arrives as %s with %d bytes instead of %d", w.name, installed[i].Name, len(installed[i].Source),
				len(w.source))
		}
	}
}

// The sources are Python 3.8, and say what their public names do.
func TestSources(t *testing.T) {
	python(t, `
documented = (ast.FunctionDef, ast.ClassDef)
for name in ("loader", "forkserver", "streams", "worker"):
    tree = ast.parse(open(name + ".py").read(), name, feature_version=(3, 8))
    assert ast.get_docstring(tree), name
    scopes = [("", tree)] + [(c.name + ".", c) for c in tree.body if isinstance(c, ast.ClassDef)]
    for prefix, scope in scopes:
        for node in scope.body:
            if isinstance(node, documented) and not node.name.startswith("_"):
                assert ast.get_docstring(node), "%s.%s%s has no docstring" % (name, prefix, node.name)
`, "")
}
