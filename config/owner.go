package config

import (
	"errors"
	"os"
	"os/user"
	"slices"
	"strconv"
)

// Owner is whom the workers run as.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
	// Groups are the supplementary groups; GID is one of them.
	Groups []int `json:"groups"`
}

// findOwner makes RunAs of User, Group and InitGroups. gunicorn leaves the workers the master's group if only a user is
// given, and the master's supplementary groups; here they keep nothing of it.
func (c *Config) findOwner() *ValueError {
	owner := &Owner{UID: os.Geteuid(), GID: os.Getegid()}
	account := &user.User{}
	if c.User != "" {
		var err error
		if account, err = findUser(c.User); err != nil {
			return c.refuse("user", c.User, err.Error())
		}
		owner.UID, _ = strconv.Atoi(account.Uid)
		if account.Gid == "" && c.Group == "" {
			return c.refuse("user", c.User, "has no account, so its group is unknown; add --group")
		}
		if account.Gid != "" {
			owner.GID, _ = strconv.Atoi(account.Gid)
		}
	}
	if c.Group != "" {
		var err error
		if owner.GID, err = findGroup(c.Group); err != nil {
			return c.refuse("group", c.Group, err.Error())
		}
	}
	owner.Groups = []int{owner.GID}
	if c.InitGroups && account.Gid != "" {
		more, err := groupsOf(account)
		if err != nil {
			return c.refuse("user", c.User, "its groups cannot be found: "+err.Error())
		}
		owner.Groups = append(owner.Groups, slices.DeleteFunc(more, func(gid int) bool { return gid == owner.GID })...)
	}
	// Who is the same and not root has nothing to give up, and may not.
	same := owner.UID == os.Geteuid() && owner.GID == os.Getegid()
	if c.User == "" && c.Group == "" || same && owner.UID != 0 {
		return nil
	}
	c.RunAs = owner
	return nil
}

func groupsOf(account *user.User) ([]int, error) {
	ids, err := account.GroupIds()
	var groups []int
	for _, id := range ids {
		if gid, err := strconv.Atoi(id); err == nil {
			groups = append(groups, gid)
		}
	}
	return groups, err
}

// findUser looks a name up, or a number; a number needs no account, and its group is "" then.
func findUser(name string) (*user.User, error) {
	id, err := strconv.ParseUint(name, 10, 31)
	if err != nil {
		account, err := user.Lookup(name)
		if err != nil {
			return nil, errors.New("there is no such user")
		}
		return account, nil
	}
	if account, err := user.LookupId(strconv.FormatUint(id, 10)); err == nil {
		return account, nil
	}
	return &user.User{Uid: strconv.FormatUint(id, 10)}, nil
}

func findGroup(name string) (int, error) {
	if id, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(id), nil
	}
	group, err := user.LookupGroup(name)
	if err != nil {
		return 0, errors.New("there is no such group")
	}
	return strconv.Atoi(group.Gid)
}

func userItem(_, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	_, err := findUser(name)
	return name, err
}

func groupItem(_, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	_, err := findGroup(name)
	return name, err
}
