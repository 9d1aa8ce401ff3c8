package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Single is what the single-user web interface can be told by the environment. Some names are those of a
// toolkit that is gone; they are a contract.
type Single struct {
	Trace
	WorkerURL     string   `envconfig:"PLANEXE_WORKER_PLAN_URL" default:"http://worker_plan:8000" desc:"base URL of the worker_plan service"`
	WorkerTimeout float64  `envconfig:"PLANEXE_WORKER_PLAN_TIMEOUT" default:"30" desc:"longest silence on a connection to the worker, in seconds"`
	WorkerToken   Secret   `envconfig:"PLANEXE_WORKER_TOKEN" desc:"shared secret of the services, sent to the worker"`
	Host          string   `envconfig:"PLANEXE_GRADIO_SERVER_NAME" default:"0.0.0.0" desc:"address that the interface listens on"`
	HostingPort   int      `envconfig:"PORT" desc:"port that the interface listens on, as hosting platforms set it; wins over PLANEXE_GRADIO_SERVER_PORT"`
	OwnPort       int      `envconfig:"PLANEXE_GRADIO_SERVER_PORT" default:"7860" desc:"port that the interface listens on"`
	Password      Secret   `envconfig:"PLANEXE_PASSWORD" desc:"when set, the interface asks for it; the user is called user"`
	AllowedHosts  List     `envconfig:"PLANEXE_UI_ALLOWED_HOSTS" desc:"names under which the interface may be reached without a password, separated by commas; addresses and local names always may"`
	OpenerURL     string   `envconfig:"PLANEXE_OPEN_DIR_SERVER_URL" desc:"base URL of the host opener; unset hides the button that opens the folder"`
	OpenerToken   Secret   `envconfig:"PLANEXE_OPEN_DIR_SERVER_TOKEN" desc:"shared secret of the host opener"`
	LogLevel      LogLevel `envconfig:"PLANEXE_LOG_LEVEL" default:"INFO" desc:"DEBUG, INFO, WARNING, ERROR or CRITICAL"`
}

// Port returns the port to listen on and the variable that sets it.
func (s *Single) Port() (port int, variable string) {
	if s.HostingPort != 0 {
		return s.HostingPort, "PORT"
	}
	return s.OwnPort, "PLANEXE_GRADIO_SERVER_PORT"
}

// Probe returns where the interface answers for its health.
func (s *Single) Probe() (host string, port int, path string) {
	port, _ = s.Port()
	return s.Host, port, "/healthz"
}

// Level returns what is logged.
func (s *Single) Level() LogLevel { return s.LogLevel }

// Validate checks addresses and ranges.
func (s *Single) Validate() error {
	errs := []error{s.Trace.Validate()}
	for name, text := range map[string]string{"PLANEXE_WORKER_PLAN_URL": s.WorkerURL, "PLANEXE_OPEN_DIR_SERVER_URL": s.OpenerURL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			errs = append(errs, wrong(name, text, "it has to be an address such as http://localhost:8000"))
		}
	}
	s.WorkerURL, s.OpenerURL = strings.TrimRight(s.WorkerURL, "/"), strings.TrimRight(s.OpenerURL, "/")
	if !(s.WorkerTimeout > 0 && s.WorkerTimeout <= 3600) {
		errs = append(errs, wrong("PLANEXE_WORKER_PLAN_TIMEOUT", fmt.Sprint(s.WorkerTimeout), "allowed is more than 0 and at most 3600 seconds"))
	}
	if port, name := s.Port(); port < 1 || port > 65535 {
		errs = append(errs, wrong(name, strconv.Itoa(port), "allowed is 1 to 65535"))
	}
	return errors.Join(errs...)
}
