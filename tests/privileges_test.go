package tests

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// identity is what /proc says about the ids of a process: real, effective, saved and file system id, and groups.
func identity(t *testing.T, pid int) (uid, gid, groups string) {
	t.Helper()
	status := contentOf(fmt.Sprintf("/proc/%d/status", pid))
	for name, value := range map[string]*string{"Uid": &uid, "Gid": &gid, "Groups": &groups} {
		match := regexp.MustCompile(`(?m)^` + name + `:\s*(.*?)\s*$`).FindStringSubmatch(status)
		if match == nil {
			t.Fatalf("no %s in %q", name, status)
		}
		*value = strings.Join(strings.Fields(match[1]), " ")
	}
	return uid, gid, groups
}

// needRoot skips the tests of what only root may do.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may run workers as another user")
	}
}

// umaskOf is a line of /proc/PID/status.
func umaskOf(status string) string { return regexp.MustCompile(`(?m)^Umask:.*$`).FindString(status) }

func four(id string) string { return strings.TrimSpace(strings.Repeat(id+" ", 4)) }

// Workers give up what the master has: real, effective and saved ids, and all its groups. They import the application
// before that, because the test's own files belong to whoever runs the tests.
func TestWorkersGiveUpPrivileges(t *testing.T) {
	needRoot(t)
	account := daemonAccount(t)
	forEachWorkerKind(t, func(t *testing.T, kind Kind) {
		directory := shortDir(t)
		if err := os.Chmod(directory, 0o755); err != nil {
			t.Fatal(err)
		}
		socket := filepath.Join(directory, "s")
		log, access := filepath.Join(directory, "log"), filepath.Join(directory, "access")
		s := Start(t, Options{App: "hello", Kind: kind, Bind: []string{"unix:" + socket}, Cold: true, Args: []string{
			"--preload", "-u", "daemon", "-g", "65534", "--error-logfile", log, "--access-logfile", access, "--umask", "07",
		}})
		s.FollowLog(log)
		s.AwaitReady()
		s.Get("/").Want(t, 200, "Hello, world!\n")
		for _, pid := range s.Workers() {
			uid, gid, groups := identity(t, pid)
			if uid != four(account.Uid) || gid != four("65534") || groups != "65534" {
				t.Errorf("a worker has uids %s, gids %s, groups %s", uid, gid, groups)
			}
		}
		if uid, _, _ := identity(t, s.PID); uid != four("0") {
			t.Errorf("the master has uids %s", uid)
		}
		want := account.Uid + ":65534"
		for _, path := range []string{socket, log, access} {
			if got := ownerOf(t, path); got != want {
				t.Errorf("%s belongs to %s, want %s", path, got, want)
			}
		}
		status := contentOf(fmt.Sprintf("/proc/%d/status", s.Workers()[0]))
		if ours := contentOf("/proc/self/status"); umaskOf(status) != umaskOf(ours) || umaskOf(ours) == "" {
			t.Errorf("a worker has the umask %s, the test %s", umaskOf(status), umaskOf(ours))
		}
		if info, _ := os.Stat(socket); info.Mode().Perm() != 0o770 {
			t.Errorf("the socket's mode is %o", info.Mode().Perm())
		}
		// A rotation: the workers may not make files there, so the master does.
		for _, path := range []string{log, access} {
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}
		s.FollowLog(log + ".1")
		s.Signal(syscall.SIGUSR1)
		eventually(t, "the workers write to the new file", func() bool {
			s.Get("/").Want(t, 200, "Hello, world!\n")
			return contentOf(access) != ""
		})
	})
}

// A master that is not root may have the capabilities to make its workers another user's: they do not keep them.
func TestWorkersGiveUpCapabilities(t *testing.T) {
	needRoot(t)
	t.Parallel()
	const capabilities = "+setuid,+setgid,+kill,+dac_override"
	s := Start(t, Options{App: "hello", Kind: syncKind, Args: []string{"-u", "65534", "-g", "65534", "--preload"},
		Through: []string{"setpriv", "--reuid=1", "--regid=1", "--clear-groups", "--inh-caps=" + capabilities,
			"--ambient-caps=" + capabilities}})
	s.Get("/").Want(t, 200, "Hello, world!\n")
	status := contentOf(fmt.Sprintf("/proc/%d/status", s.Workers()[0]))
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		if !strings.Contains(status, "\n"+set+":\t0000000000000000\n") {
			t.Errorf("a worker has %s in\n%s", set, status)
		}
	}
}

// The workers' user may write in the directory of the logs, as is usual, and puts a link in the place of one: the
// master, which is root, neither writes to the file that it leads to nor gives it away.
func TestRootFollowsNoForeignLinks(t *testing.T) {
	needRoot(t)
	t.Parallel()
	account := daemonAccount(t)
	uid, _ := strconv.Atoi(account.Uid)
	directory := shortDir(t)
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	secret, log, access := filepath.Join(directory, "secret"), filepath.Join(directory, "log"),
		filepath.Join(directory, "access")
	if err := os.WriteFile(secret, []byte("of root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	swap := func(path string, owner int) {
		t.Helper()
		link := path + ".link" // in one step: the log is looked at each second
		if err := errors.Join(os.Symlink(secret, link), os.Lchown(link, owner, -1), os.Rename(link, path)); err != nil {
			t.Fatal(err)
		}
	}
	s := Start(t, Options{App: "hello", Kind: syncKind, Cold: true, Args: []string{
		"--preload", "-u", "daemon",
		"--error-logfile", log, "--access-logfile", access,
	}})
	s.FollowLog(log)
	s.AwaitReady()
	s.Expect("symbolic link of user id " + account.Uid)
	s.Allow("log: opening (error|access) log .*permission denied")
	s.Allow("too many levels of symbolic links") // where it is put there between a look and the opening
	swap(access, uid)
	s.Signal(syscall.SIGUSR1)
	s.WaitLog("to the user of the workers: "+access+" is a symbolic link of user id "+account.Uid, 1)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	s.FollowLog(log + ".1")
	swap(log, uid)
	s.Signal(syscall.SIGUSR1)
	s.WaitLog("opening error log: "+log+" is a symbolic link of user id "+account.Uid, 1)
	if text, owner := contentOf(secret), ownerOf(t, secret); text != "of root\n" || owner != "0:0" {
		t.Errorf("the file of root has %q and belongs to %s", text, owner)
	}
	swap(access, 0) // by the administrator
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGUSR1)
	eventually(t, "root's own link is followed", func() bool { return ownerOf(t, secret) != "0:0" })
}

// The directory for bodies is the workers' business: root may write anywhere.
func TestSpoolDirectoryOfSomebodyElse(t *testing.T) {
	needRoot(t)
	t.Parallel()
	directory := shortDir(t)
	if err := os.Chmod(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	s := Start(t, Options{App: "hello", Kind: syncKind, Args: []string{"-u", "65534", "-g", "65534", "--preload",
		"--spool-dir", directory}})
	s.Expect(`Request bodies of more than 262144 bytes will be refused \(507\): user id 65534 cannot make files in ` +
		directory + `: permission denied; name another directory with --spool-dir`)
}

// A user alone brings its own group along, and with initgroups its other groups.
func TestGroupsOfTheUser(t *testing.T) {
	needRoot(t)
	t.Parallel()
	account := daemonAccount(t)
	for _, args := range [][]string{{"--user", account.Uid}, {"--user", "daemon", "--initgroups"}} {
		s := Start(t, Options{App: "hello", Kind: syncKind, Args: append(args, "--preload")})
		uid, gid, groups := identity(t, s.Workers()[0])
		if uid != four(account.Uid) || gid != four(account.Gid) || groups != account.Gid {
			t.Errorf("%v: uids %s, gids %s, groups %s", args, uid, gid, groups)
		}
	}
}

// ownerOf is UID:GID of a file.
func ownerOf(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", stat.Uid, stat.Gid)
}

// Who is not root is told so at once.
func TestUserNeedsRoot(t *testing.T) {
	needRoot(t) // to become somebody else for a moment
	t.Parallel()
	o := runAs(t, 1, "--python", "/usr/bin/env", "-u", "nobody", "wsgi")
	want := "running the workers as another user or group (--user, --group) needs root: start pyhost as root, or start " +
		"it as that user and leave the options out\n"
	if o.code != 1 || strings.Count(o.stderr, "\n") != 1 || !strings.HasSuffix(o.stderr, want) {
		t.Errorf("%+v, want one line with %q", o, want)
	}
}

// daemonAccount is that of a user which every machine has.
func daemonAccount(t *testing.T) *user.User {
	t.Helper()
	account, err := user.Lookup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	return account
}
