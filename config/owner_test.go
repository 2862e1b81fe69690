package config

import (
	"os"
	"os/user"
	"reflect"
	"strconv"
	"testing"
)

func TestOwner(t *testing.T) {
	daemon, err := user.Lookup("daemon") // every system has it
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(daemon.Uid)
	gid, _ := strconv.Atoi(daemon.Gid)
	for _, tt := range []struct {
		args []string
		want *Owner
	}{
		{nil, nil},
		{[]string{"-u", "daemon"}, &Owner{uid, gid, []int{gid}}},
		{[]string{"-u", daemon.Uid}, &Owner{uid, gid, []int{gid}}},
		{[]string{"-u", "daemon", "-g", "65534"}, &Owner{uid, 65534, []int{65534}}},
		{[]string{"-u", "54321", "-g", "daemon"}, &Owner{54321, gid, []int{gid}}},
		{[]string{"-u", "54321", "-g", "daemon", "--initgroups"}, &Owner{54321, gid, []int{gid}}},
		{[]string{"-g", "65534"}, &Owner{os.Geteuid(), 65534, []int{65534}}},
	} {
		c := scene{args: append(tt.args, "m:a")}.load(t)
		if !reflect.DeepEqual(c.RunAs, tt.want) {
			t.Errorf("%v: %+v, want %+v", tt.args, c.RunAs, tt.want)
		}
	}
	c := scene{args: []string{"-u", "daemon", "--initgroups", "-g65534", "m:a"}}.load(t)
	if owner := c.RunAs; len(owner.Groups) < 2 || owner.Groups[0] != 65534 || owner.Groups[1] != gid {
		t.Errorf("with initgroups: %+v", owner)
	}
	wantValueError(t, option("-u", "54321"),
		"Invalid value for -u: '54321': has no account, so its group is unknown; add --group")
}
