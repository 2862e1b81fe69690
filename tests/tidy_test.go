package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// House rules that no linter knows. See docs/architecture.md and CONTRIBUTING.md.

const (
	root           = ".."
	module         = "github.com/pyhost/pyhost"
	maxFileLines   = 500
	maxFuncLines   = 80
	maxLineColumns = 120 // a tab counts as one
)

// source is a file of the repository.
type source struct {
	path string // from the root
	text string
}

// foreign are folders, or files in their place, with nothing of ours in them.
var foreign = regexp.MustCompile(`^(\.git|\.venvs?|\.venv-.*|\.pythons|bin|build|dist|__pycache__|data)$`)

// sources returns the files with one of these endings; none = all. A source archive has no git to ask.
func sources(t *testing.T, endings ...string) (all []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if foreign.MatchString(entry.Name()) { // .git is a file where the tree is a second work tree
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			return nil
		}
		wanted := len(endings) == 0 || slices.Contains(endings, filepath.Ext(name))
		if !entry.Type().IsRegular() || !wanted || path.Ext(name) == ".pyc" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if utf8.Valid(text) {
			all = append(all, source{strings.TrimPrefix(name, root+"/"), string(text)})
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	return all
}

func TestTidyLines(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t, ".go", ".c", ".h", ".py") {
		lines := strings.Split(strings.TrimSuffix(s.text, "\n"), "\n")
		if len(lines) > maxFileLines {
			t.Errorf("%s has %d lines; at most %d: a file is one concept", s.path, len(lines), maxFileLines)
		}
		for i, line := range lines {
			if n := utf8.RuneCountInString(line); n > maxLineColumns {
				t.Errorf("%s:%d: %d columns; at most %d", s.path, i+1, n, maxLineColumns)
			}
		}
	}
}

// Words that do not belong into any file, with the reason. They are split so that this file does not have them.
var banned = map[string]string{
	"/ro" + "ot/":   "a path of one machine",
	"/wo" + "rk/":   "a path of one machine",
	"TO" + "DO":     "do it, or open an issue",
	"FIX" + "ME":    "fix it, or open an issue",
	"<<<<" + "<<< ": "an unfinished merge",
}

func TestTidyText(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.text != "" && !strings.HasSuffix(s.text, "\n") {
			t.Errorf("%s does not end with a newline", s.path)
		}
		for i, line := range strings.Split(s.text, "\n") {
			if strings.TrimRight(line, " \t\r") != line {
				t.Errorf("%s:%d: space at the end of the line", s.path, i+1)
			}
			for word, reason := range banned {
				if strings.Contains(line, word) {
					t.Errorf("%s:%d: %q: %s", s.path, i+1, word, reason)
				}
			}
		}
	}
}

// goFile is a parsed Go file.
type goFile struct {
	source
	*ast.File
	set *token.FileSet
}

func goFiles(t *testing.T) (all []goFile) {
	t.Helper()
	for _, s := range sources(t, ".go") {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, s.path, s.text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, goFile{s, file, set})
	}
	return all
}

func (f goFile) folder() string { return path.Dir(f.path) }

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f goFile) line(n ast.Node) int { return f.set.Position(n.Pos()).Line }

func TestTidyFunctions(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		ast.Inspect(f.File, func(n ast.Node) bool {
			d, ok := n.(*ast.FuncDecl)
			if !ok {
				return true
			}
			if length := f.set.Position(d.End()).Line - f.line(d) + 1; length > maxFuncLines {
				t.Errorf("%s:%d: %s has %d lines; at most %d", f.path, f.line(d), d.Name, length, maxFuncLines)
			}
			return false
		})
	}
}

// unchecked are the packages outside Go's safety, and the folders and files that may import them.
var unchecked = map[string][]string{
	"C": {"embedpy"}, // the rest builds and tests without a C compiler
	"unsafe": {
		"embedpy",
		"workers/socket",                 // raw system calls
		"workers/conn.go",                // an opaque handle of the C layer, never looked into
		"workers/python.go",              // the same
		"workers/harness_python_test.go", // writes what C writes into an Exchange
	},
}

func TestTidyUnchecked(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, f := range goFiles(t) {
		for _, name := range f.imports(t) {
			places, ruled := unchecked[name]
			if !ruled {
				continue
			}
			place := slices.IndexFunc(places, func(place string) bool { return f.path == place || f.folder() == place })
			if place < 0 {
				t.Errorf("%s imports %q; only these may: %s", f.path, name, places)
				continue
			}
			used[name+" "+places[place]] = true
		}
	}
	for name, places := range unchecked {
		for _, place := range places {
			if !used[name+" "+place] {
				t.Errorf("%s does not import %q any more: take it off the list", place, name)
			}
		}
	}
}

func (f goFile) imports(t *testing.T) (names []string) {
	t.Helper()
	for _, spec := range f.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// rooms are the packages and what each may import of the others: the direction of docs/architecture.md.
var rooms = map[string][]string{
	"cmd/pyhost": {"arbiter", "workers", "embedpy", "embedpy/libpython", "embedpy/python", "logging", "config"},
	"arbiter":    {"workers/scoreboard", "workers/secure", "workers/wire", "logging", "config"},
	"workers": {
		"workers/scoreboard", "workers/secure", "workers/socket", "workers/static", "workers/wire",
		"protocol/http1", "protocol/proxy", "protocol/uwsgi", "wsgi", "embedpy", "logging", "config",
	},
	"workers/scoreboard":    {},
	"workers/socket":        {},
	"workers/secure":        {"config"},
	"workers/static":        {"workers/socket", "protocol/http1", "config"},
	"workers/wire":          {"workers/secure", "config"},
	"wsgi":                  {"protocol/http1", "protocol/uwsgi"},
	"protocol/http1":        {},
	"protocol/http1/corpus": {}, // for tests
	"protocol/proxy":        {"protocol/http1"},
	"protocol/uwsgi":        {"protocol/http1"},
	"embedpy":               {},
	"embedpy/libpython":     {},
	"embedpy/python":        {},
	"logging":               {"config"},
	"config":                {},
	"bench/fasthttp":        {},
}

func TestTidyImports(t *testing.T) {
	t.Parallel()
	graph := map[string][]string{}
	for _, f := range goFiles(t) {
		if f.isTest() {
			continue
		}
		if _, ok := rooms[f.folder()]; !ok {
			t.Errorf("%s: the package %s has no place in the import direction", f.path, f.folder())
		}
		for _, name := range f.imports(t) {
			room, ours := strings.CutPrefix(name, module+"/")
			if !ours {
				continue
			}
			graph[f.folder()] = append(graph[f.folder()], room)
			if !slices.Contains(rooms[f.folder()], room) {
				t.Errorf("%s: %s must not import %s", f.path, f.folder(), room)
			}
		}
	}
	// The master never runs Python: not through another package either.
	if path := reaches(graph, "arbiter", "embedpy"); path != nil {
		t.Errorf("arbiter reaches embedpy: %s", strings.Join(path, " -> "))
	}
	if reaches(graph, "cmd/pyhost", "embedpy") == nil {
		t.Error("the search finds no path from cmd/pyhost to embedpy, which must be there")
	}
}

// reaches returns a path of imports, or nil.
func reaches(graph map[string][]string, from, to string) []string {
	for _, next := range graph[from] {
		if next == to {
			return []string{from, to}
		}
		if path := reaches(graph, next, to); path != nil {
			return append([]string{from}, path...)
		}
	}
	return nil
}

// calls are functions that only some files may call; "test" are all tests, "code" is all other code.
var calls = []struct {
	name, where string
	allowed     []string
	reason      string
}{
	{"os.Exit", "code", []string{"cmd/pyhost/main.go", "workers/drain.go", "bench/fasthttp/main.go"},
		"a worker must leave through Python's finalisation, the master through its exit code"},
	{"time.Sleep", "test", []string{"tests/harness_eventually_test.go"}, "poll with a deadline, or wait for a channel"},
	{"C.CString", "code", []string{"embedpy/embedpy.go"}, "bytes from the network hold NULs: pass pointer and length"},
	{"os.Setenv", "code", nil, "with cgo it calls setenv, which races with getenv in Python's threads"},
	// The master has no Python.
	{"os.Unsetenv", "code", []string{"cmd/pyhost/daemon.go", "arbiter/bequest.go"}, "the same"},
	{"fmt.Println", "code", nil, "package logging writes the log"},
	{"fmt.Printf", "code", []string{"cmd/pyhost/main.go"}, "package logging writes the log"}, // --version
}

func TestTidyCalls(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		where := "code"
		if f.isTest() {
			where = "test"
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			from, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, c := range calls {
				if c.name == from.Name+"."+selector.Sel.Name && c.where == where && !slices.Contains(c.allowed, f.path) {
					t.Errorf("%s:%d: %s: %s", f.path, f.line(n), c.name, c.reason)
				}
			}
			return true
		})
	}
}

func TestTidyDocComments(t *testing.T) {
	t.Parallel()
	packages := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.isTest() {
			continue
		}
		packages[f.folder()] = packages[f.folder()] || f.Doc != nil
		for _, d := range f.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s:%d: %s has no doc comment", f.path, f.line(name), name)
			}
		}
	}
	for folder, documented := range packages {
		if !documented {
			t.Errorf("the package %s has no doc comment", folder)
		}
	}
}

// undocumented returns the exported names of a declaration that nothing explains.
func undocumented(d ast.Decl) (names []*ast.Ident) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || explains(d.Recv.List[0].Type, d.Name.Name)) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Name.IsExported() {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					if d.Doc == nil && s.Doc == nil && s.Comment == nil && name.IsExported() {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

// explains says whether a method needs words: of an exported type, and not one that all errors have.
func explains(receiver ast.Expr, method string) bool {
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported() && method != "Error" && method != "Unwrap"
}

// Every application is there for a test or a benchmark, which names its folder.
func TestTidyApplications(t *testing.T) {
	t.Parallel()
	var users strings.Builder
	for _, s := range sources(t, ".go", ".py") {
		if strings.HasPrefix(s.path, "tests/") || strings.HasPrefix(s.path, "bench/") {
			users.WriteString(s.text)
		}
	}
	folders, err := os.ReadDir(filepath.Join(root, "pyapps"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d folders, %v", len(folders), err)
	}
	for _, folder := range folders {
		named := regexp.MustCompile(`["/]` + regexp.QuoteMeta(folder.Name()) + `[":/]`)
		if folder.IsDir() && !named.MatchString(users.String()) {
			t.Errorf("no test or benchmark names pyapps/%s", folder.Name())
		}
	}
}
