package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// Worker is what the worker_plan service can be told by the environment.
type Worker struct {
	Pipeline
	Trace
	Host           string  `envconfig:"PLANEXE_WORKER_HOST" default:"0.0.0.0" desc:"address that worker_plan listens on"`
	HostingPort    int     `envconfig:"PORT" desc:"port that worker_plan listens on, as hosting platforms set it; wins over PLANEXE_WORKER_PORT"`
	Port           int     `envconfig:"PLANEXE_WORKER_PORT" default:"8000" desc:"port that worker_plan listens on"`
	HostRunDir     string  `envconfig:"PLANEXE_HOST_RUN_DIR" desc:"PLANEXE_RUN_DIR as the host of the container sees it; only shown to people"`
	MaxRuns        int     `envconfig:"PLANEXE_WORKER_MAX_RUNS" default:"8" desc:"runs that execute at once; up to 100 more wait"`
	Token          Secret  `envconfig:"PLANEXE_WORKER_TOKEN" desc:"callers must send it as Authorization: Bearer; unset asks for none"`
	AllowedOrigins List    `envconfig:"PLANEXE_WORKER_ALLOWED_ORIGINS" desc:"origins of web pages that may call worker_plan, such as https://plans.example.org, separated by commas"`
	AllowedHosts   List    `envconfig:"PLANEXE_WORKER_ALLOWED_HOSTS" default:"worker_plan,host.docker.internal" desc:"names that worker_plan is called by beside localhost and addresses, separated by commas"`
	Relay          Flag    `envconfig:"PLANEXE_WORKER_RELAY_PROCESS_OUTPUT" default:"false" desc:"true: the lines of the runs' log.txt also go to the service's output"`
	PurgeEnabled   Flag    `envconfig:"PLANEXE_PURGE_ENABLED" default:"false" desc:"true: old runs are deleted regularly"`
	PurgeAge       float64 `envconfig:"PLANEXE_PURGE_MAX_AGE_HOURS" default:"1" desc:"age in hours after which a purge deletes"`
	PurgeInterval  Seconds `envconfig:"PLANEXE_PURGE_INTERVAL_SECONDS" default:"3600" desc:"pause between regular purges"`
	PurgePrefix    string  `envconfig:"PLANEXE_PURGE_RUN_PREFIX" default:"PlanExe_" desc:"a purge deletes only what has this prefix"`
	RunIDDir       string  `envconfig:"RUN_ID_DIR" desc:"absolute path of a run: worker_plan runs or resumes it, then ends, instead of serving"`
}

// MaxAge is the largest age of a purge in hours.
const MaxAge = 1_000_000

// Validate checks the ranges.
func (w *Worker) Validate() error {
	errs := []error{w.Pipeline.Validate(), w.Trace.Validate()}
	if port, name := w.Listen(); port < 0 || port > 65535 {
		errs = append(errs, wrong(name, strconv.Itoa(port), "allowed is 1 to 65535, or 0 for any free port"))
	}
	if w.MaxRuns < 1 || w.MaxRuns > 1000 {
		errs = append(errs, wrong("PLANEXE_WORKER_MAX_RUNS", strconv.Itoa(w.MaxRuns), "allowed is 1 to 1000"))
	}
	if !(w.PurgeAge >= 0 && w.PurgeAge <= MaxAge) {
		errs = append(errs, wrong("PLANEXE_PURGE_MAX_AGE_HOURS", fmt.Sprint(w.PurgeAge), fmt.Sprintf("allowed is 0 to %d", MaxAge)))
	}
	if w.PurgeInterval.Duration() < 1e9 {
		errs = append(errs, wrong("PLANEXE_PURGE_INTERVAL_SECONDS", w.PurgeInterval.Duration().String(), "allowed is 1 or more"))
	}
	for _, o := range w.AllowedOrigins {
		if u, err := url.Parse(o); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			errs = append(errs, wrong("PLANEXE_WORKER_ALLOWED_ORIGINS", o, "an origin is a scheme and a host, such as https://plans.example.org"))
		}
	}
	return errors.Join(errs...)
}

// Listen returns the port to listen on and the variable that sets it.
func (w *Worker) Listen() (port int, variable string) {
	if w.HostingPort != 0 {
		return w.HostingPort, "PORT"
	}
	return w.Port, "PLANEXE_WORKER_PORT"
}

// Probe returns where the service answers for its health.
func (w *Worker) Probe() (host string, port int, path string) {
	port, _ = w.Listen()
	return w.Host, port, "/healthz"
}

// PlaceRuns makes the run directory absolute when the environment names none: below
// PLANEXE_CONFIG_PATH, which is the root of the program in a container.
func (w *Worker) PlaceRuns(env Env) {
	root, ok := env.Lookup(PathVar)
	if _, set := env.Lookup("PLANEXE_RUN_DIR"); ok && !set {
		w.RunDir = filepath.Join(root, w.RunDir)
	}
}

// Flag is a bool that is true for the text true, whatever its case, and false for any other.
type Flag bool

// Decode reads the value of a variable.
func (f *Flag) Decode(value string) error {
	*f = Flag(strings.EqualFold(strings.TrimSpace(value), "true"))
	return nil
}

// List is a list separated by commas, without empty items.
type List []string

// Decode reads the value of a variable.
func (l *List) Decode(value string) error {
	*l = nil
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}
