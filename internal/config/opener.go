package config

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// Opener is what the host opener can be told by the environment.
type Opener struct {
	RunDir string `envconfig:"PLANEXE_HOST_RUN_DIR" default:"run" desc:"directory on this computer that holds the run directories; only what is in it can be opened"`
	Host   string `envconfig:"PLANEXE_OPEN_DIR_SERVER_HOST" default:"127.0.0.1" desc:"address to listen on; beyond loopback a token is needed"`
	Port   int    `envconfig:"PLANEXE_OPEN_DIR_SERVER_PORT" default:"5100" desc:"port to listen on"`
	Token  Secret `envconfig:"PLANEXE_OPEN_DIR_SERVER_TOKEN" desc:"shared with the user interface, 16 characters or more; unset is no check"`
	Hosts  List   `envconfig:"PLANEXE_OPEN_DIR_SERVER_ALLOWED_HOSTS" desc:"names under which callers reach the opener, separated by commas, beside loopback, host.docker.internal, 172.17.0.1 and the address itself"`
}

// minToken is long enough not to be guessed over a network.
const minToken = 16

// Validate checks port and token.
func (o *Opener) Validate() error {
	var errs []error
	if o.Port < 1 || o.Port > 65535 {
		errs = append(errs, wrong("PLANEXE_OPEN_DIR_SERVER_PORT", strconv.Itoa(o.Port), "allowed is 1 to 65535"))
	}
	switch {
	case o.Token != "" && len(o.Token) < minToken:
		errs = append(errs, errors.New("PLANEXE_OPEN_DIR_SERVER_TOKEN is too short: use 16 characters or more, such as openssl rand -hex 16 prints"))
	case o.Token == "" && !Loopback(o.Host):
		errs = append(errs, wrong("PLANEXE_OPEN_DIR_SERVER_HOST", o.Host,
			"other computers or containers may reach that address, so PLANEXE_OPEN_DIR_SERVER_TOKEN has to be set, here and for the user interface"))
	}
	return errors.Join(errs...)
}

// Loopback tells whether a host name or address, with or without brackets, can be reached from this
// computer only.
func Loopback(host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
