// Package privilege lets a service that a container starts as root become an ordinary user before it does anything else.
//
// A directory that is mounted from the host belongs to whoever made it: to a person, or to root when the engine made it. No
// fixed user can write both. So the service starts as root with nothing but the right to become somebody else, and becomes
// the owner of that directory: what it writes then belongs to the person on the host.
package privilege

import (
	"cmp"
	"fmt"
	"strconv"

	"planexe/internal/config"
)

// Nobody is the user and group of a service whose directory belongs to root.
const Nobody = 65532

// auto is the setting by which the owner of the directory is chosen.
const auto = "auto"

// choose says which user and group the settings mean for a directory that owner and group own. In a user namespace, such as
// that of an engine without root, root is an ordinary user of the host, and the right one to keep.
func choose(o config.Owner, owner, group int, namespaced bool) (uid, gid int, err error) {
	u, g := cmp.Or(o.UID, auto), cmp.Or(o.GID, auto)
	uid, gid = owner, group
	if u == auto && g == auto {
		if owner == 0 && !namespaced {
			uid, gid = Nobody, Nobody
		}
		return uid, gid, nil
	}
	if u == auto && owner == 0 && !namespaced {
		uid = Nobody
	}
	if u != auto {
		if uid, err = number("PLANEXE_UID", u); err != nil {
			return 0, 0, err
		}
		gid = uid
	}
	if g != auto {
		gid, err = number("PLANEXE_GID", g)
	}
	return uid, gid, err
}

func number(name, value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q: it has to be a number such as 1000, or auto", name, value)
	}
	return int(n), nil
}
