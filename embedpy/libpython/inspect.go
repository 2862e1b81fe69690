package libpython

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// What surrounds the version in the name of a library.
const (
	prefix = "libpython"
	suffix = ".so.1.0"
)

// inspect finds the library from the interpreter's file alone, in less than a millisecond: running the interpreter to
// ask it takes longer than all else that the master does at a start. It reports false wherever there is a doubt: a
// script, another implementation, an old version, no library in its usual place. Then the interpreter has to be asked.
func inspect(interpreter string, getenv func(string) string) (Library, bool) {
	if getenv("PYTHONHOME") != "" { // the installation is elsewhere
		return Library{}, false
	}
	if strings.Contains(interpreter, "..") { // Abs would shorten what a symbolic link may lead elsewhere
		return Library{}, false
	}
	executable, err := filepath.Abs(interpreter)
	if err != nil {
		return Library{}, false
	}
	program, err := filepath.EvalSymlinks(executable)
	if err != nil {
		return Library{}, false
	}
	file, err := elf.Open(program)
	if err != nil {
		return Library{}, false
	}
	defer file.Close()
	name, directories := wanted(file, program)
	if !supported(name) {
		return Library{}, false
	}
	for _, directory := range directories {
		path := filepath.Join(directory, name)
		if holds(path, name, file.Machine) {
			return Library{Path: path, Executable: executable}, true
		}
	}
	return Library{}, false
}

// wanted is the name of the library that belongs to a program, and where to look for it; "" if it is not CPython.
func wanted(file *elf.File, program string) (name string, directories []string) {
	beside := filepath.Dir(program)
	lib := filepath.Join(filepath.Dir(beside), "lib")
	usual := []string{lib, lib + "64"}
	libraries, err := file.ImportedLibraries()
	if err != nil || !isPython(file) {
		return "", nil
	}
	for _, library := range libraries {
		if strings.HasPrefix(library, prefix) {
			return library, append(searched(file, beside), usual...)
		}
	}
	// The interpreter is in the program itself. Only the name tells its version.
	version, found := strings.CutPrefix(filepath.Base(program), "python")
	if !found {
		return "", nil
	}
	switch file.Machine { // Debian's names of the architectures
	case elf.EM_X86_64:
		usual = append(usual, filepath.Join(lib, "x86_64-linux-gnu"))
	case elf.EM_AARCH64:
		usual = append(usual, filepath.Join(lib, "aarch64-linux-gnu"))
	}
	return prefix + version + suffix, usual
}

// isPython reports whether a program starts CPython, with its own or a library's main function. A wrapper in C, such as
// Nix makes, does not.
func isPython(file *elf.File) bool {
	section := file.Section(".dynstr")
	if section == nil {
		return false
	}
	names, err := section.Data()
	return err == nil && bytes.Contains(names, []byte("\x00Py_BytesMain\x00"))
}

// searched is where the dynamic loader looks for the libraries of a program in the directory beside, before it looks
// in the system's directories.
func searched(file *elf.File, beside string) []string {
	var directories []string
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		lists, err := file.DynString(tag)
		if err != nil {
			continue
		}
		for _, list := range lists {
			for directory := range strings.SplitSeq(list, ":") {
				directory = strings.NewReplacer("$ORIGIN", beside, "${ORIGIN}", beside).Replace(directory)
				if filepath.IsAbs(directory) {
					directories = append(directories, directory)
				}
			}
		}
	}
	return directories
}

// supported reports whether a library's name is that of a CPython which pyhost can embed: libpython3.11.so.1.0, with a
// t for a free-threaded build (PEP 703), a d for a debug build.
func supported(name string) bool {
	version, isLibrary := strings.CutPrefix(name, prefix+"3.")
	version, isFull := strings.CutSuffix(version, suffix)
	version = strings.TrimSuffix(strings.TrimSuffix(version, "d"), "t")
	minor, err := strconv.ParseUint(version, 10, 8)
	return isLibrary && isFull && err == nil && int(minor) >= MinVersion[1]
}

// holds reports whether there is a library at path which calls itself by that name and is for that machine.
func holds(path, name string, machine elf.Machine) bool {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return false
	}
	file, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	sonames, err := file.DynString(elf.DT_SONAME)
	return err == nil && len(sonames) == 1 && sonames[0] == name && file.Machine == machine
}
