package config

import "strings"

// Owner is which user a service that is started as root becomes. It is read from the environment of the process only, before
// any file is.
type Owner struct {
	UID    string `envconfig:"PLANEXE_UID" desc:"user that a service started as root becomes: a number, or auto for the owner of PLANEXE_RUN_DIR; unset changes nothing"`
	GID    string `envconfig:"PLANEXE_GID" desc:"group that goes with PLANEXE_UID"`
	RunDir string `envconfig:"PLANEXE_RUN_DIR" default:"run" desc:"directory that holds the run directories"`
}

// LoadOwner reads the settings out of lines of the form NAME=value, such as os.Environ returns.
func LoadOwner(environ []string) (Owner, error) {
	values := map[string]string{}
	for _, line := range environ {
		if name, value, ok := strings.Cut(line, "="); ok {
			values[name] = value
		}
	}
	var o Owner
	err := Load(&o, NewEnv(values))
	return o, err
}
