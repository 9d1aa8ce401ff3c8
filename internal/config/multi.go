package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Multi is what the multi-user web interface can be told by the environment. The variable
// PLANEXE_FRONTEND_MULTIUSER_PORT is the port of the host in compose, and never read here.
type Multi struct {
	Database
	Trace
	DBHost         string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_DB_HOST" desc:"host of the database, when it is another one than PLANEXE_POSTGRES_HOST"`
	DBPort         string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_DB_PORT" desc:"port of the database, when it is another one"`
	DBName         string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_DB_NAME" desc:"name of the database, when it is another one"`
	DBUser         string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_DB_USER" desc:"user of the database, when it is another one"`
	DBPassword     Secret   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_DB_PASSWORD" desc:"password of that user, when it is another one"`
	AdminUsername  string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME" demanded:"true" desc:"login of the first administrator"`
	AdminPassword  Secret   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD" demanded:"true" desc:"password of the first administrator; with a well-known one the interface stays locked"`
	BindHost       string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_HOST" default:"0.0.0.0" desc:"address that the interface listens on"`
	HostingPort    int      `envconfig:"PORT" desc:"port that the interface listens on, as hosting platforms set it; wins over PLANEXE_FRONTEND_MULTIUSER_APP_PORT"`
	AppPort        int      `envconfig:"PLANEXE_FRONTEND_MULTIUSER_APP_PORT" default:"5000" desc:"port that the interface listens on"`
	PublicURL      string   `envconfig:"PLANEXE_PUBLIC_URL" desc:"address under which people reach the interface, such as https://plans.example.org"`
	TrustedProxies List     `envconfig:"PLANEXE_TRUSTED_PROXIES" desc:"networks whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 10.0.0.0/8, separated by commas"`
	Signup         string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_SIGNUP" default:"off" desc:"open lets anybody make an account; off leaves it to administrators"`
	PublicRun      string   `envconfig:"PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN" default:"off" desc:"post or get (which is both) lets a partner's pages start plans by /run without a sign-in"`
	PartnerSecret  Secret   `envconfig:"PLANEXE_PARTNER_SECRET" desc:"shared with the partner, who signs the nonces of /run with it; 32 bytes or more"`
	FrameAncestors List     `envconfig:"PLANEXE_FRONTEND_MULTIUSER_FRAME_ANCESTORS" desc:"origins of pages that may show /run in a frame, separated by commas"`
	SecretKey      Secret   `envconfig:"SECRET_KEY" desc:"signs form tokens; unset: one is made and kept in the database"`
	WorkerURL      string   `envconfig:"PLANEXE_WORKER_PLAN_URL" default:"http://worker_plan:8000" desc:"base URL of the worker_plan service, for the test of the models"`
	WorkerToken    Secret   `envconfig:"PLANEXE_WORKER_TOKEN" desc:"shared secret of the services, sent to the worker"`
	PlansPerHour   int      `envconfig:"PLANEXE_MULTIUSER_PLANS_PER_HOUR" default:"10" desc:"new plans of a user in an hour; 0 is no limit"`
	PlansAtOnce    int      `envconfig:"PLANEXE_MULTIUSER_PLANS_UNFINISHED" default:"3" desc:"unfinished plans of a user; 0 is no limit"`
	QueueLimit     int      `envconfig:"PLANEXE_MULTIUSER_QUEUE_LIMIT" default:"1000" desc:"plans that wait in all; 0 is no limit"`
	LogLevel       LogLevel `envconfig:"PLANEXE_LOG_LEVEL" default:"INFO" desc:"DEBUG, INFO, WARNING, ERROR or CRITICAL"`
}

// The values of PublicRun.
const (
	RunOff  = "off"
	RunPost = "post"
	RunGet  = "get"
)

// leastSecret is the shortest partner secret in bytes.
const leastSecret = 32

// Listen returns the port to listen on and the variable that sets it.
func (m *Multi) Listen() (port int, variable string) {
	if m.HostingPort != 0 {
		return m.HostingPort, "PORT"
	}
	return m.AppPort, "PLANEXE_FRONTEND_MULTIUSER_APP_PORT"
}

// Probe returns where the interface answers for its health: the address that fails while the database is away.
func (m *Multi) Probe() (host string, port int, path string) {
	port, _ = m.Listen()
	return m.BindHost, port, "/health"
}

// Level returns what is logged.
func (m *Multi) Level() LogLevel { return m.LogLevel }

// Proxies returns the trusted networks. Validate has checked them.
func (m *Multi) Proxies() []netip.Prefix {
	var out []netip.Prefix
	for _, text := range m.TrustedProxies {
		if p, err := network(text); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func network(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// wellKnown are passwords that stand in examples: whoever reads those knows them.
var wellKnown = []string{"admin", "password", "changeme", "change-me", "planexe", "admin123", "secret"}

// Locked tells whether the administrator's password is one that everybody knows. The interface then shows nothing but how
// to change that.
func (m *Multi) Locked() bool {
	p := strings.ToLower(string(m.AdminPassword))
	return slices.Contains(wellKnown, p) || strings.EqualFold(p, m.AdminUsername) || strings.Contains(p, "change_me") || strings.Contains(p, "change-me")
}

// Validate checks addresses and ranges.
func (m *Multi) Validate() error {
	m.Database.Host, m.Database.Port = cmp.Or(m.DBHost, m.Database.Host), cmp.Or(m.DBPort, m.Database.Port)
	m.Database.Name, m.Database.User = cmp.Or(m.DBName, m.Database.Name), cmp.Or(m.DBUser, m.Database.User)
	m.Database.Password = cmp.Or(m.DBPassword, m.Database.Password)
	errs := []error{m.Database.Validate(), m.Trace.Validate()}
	m.AdminUsername, m.AdminPassword = strings.TrimSpace(m.AdminUsername), Secret(strings.TrimSpace(string(m.AdminPassword)))
	for name, text := range map[string]string{"PLANEXE_WORKER_PLAN_URL": m.WorkerURL, "PLANEXE_PUBLIC_URL": m.PublicURL} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
			errs = append(errs, wrong(name, text, "it has to be an address such as http://localhost:8000"))
		}
	}
	m.WorkerURL, m.PublicURL = strings.TrimRight(m.WorkerURL, "/"), strings.TrimRight(m.PublicURL, "/")
	if port, name := m.Listen(); port < 1 || port > 65535 {
		errs = append(errs, wrong(name, strconv.Itoa(port), "allowed is 1 to 65535"))
	}
	for _, text := range m.TrustedProxies {
		if _, err := network(text); err != nil {
			errs = append(errs, wrong("PLANEXE_TRUSTED_PROXIES", text, "a network is written as 10.0.0.0/8, an address as 10.0.0.1"))
		}
	}
	if !slices.Contains([]string{"off", "open"}, m.Signup) {
		errs = append(errs, wrong("PLANEXE_FRONTEND_MULTIUSER_SIGNUP", m.Signup, "allowed are off and open"))
	}
	if !slices.Contains([]string{RunOff, RunPost, RunGet}, m.PublicRun) {
		errs = append(errs, wrong("PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN", m.PublicRun, "allowed are off, post and get"))
	} else if m.PublicRun != RunOff && len(m.PartnerSecret) < leastSecret {
		errs = append(errs, fmt.Errorf("PLANEXE_PARTNER_SECRET has fewer than %d bytes: the partner signs with it, so give both sides a long random one, or switch PLANEXE_FRONTEND_MULTIUSER_PUBLIC_RUN off", leastSecret))
	}
	for _, o := range m.FrameAncestors {
		if u, err := url.Parse(o); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || strings.ContainsAny(o, " ;,") {
			errs = append(errs, wrong("PLANEXE_FRONTEND_MULTIUSER_FRAME_ANCESTORS", o, "an origin is a scheme and a host, such as https://partner.example.org"))
		}
	}
	for name, n := range map[string]int{"PLANEXE_MULTIUSER_PLANS_PER_HOUR": m.PlansPerHour, "PLANEXE_MULTIUSER_PLANS_UNFINISHED": m.PlansAtOnce, "PLANEXE_MULTIUSER_QUEUE_LIMIT": m.QueueLimit} {
		if n < 0 {
			errs = append(errs, wrong(name, strconv.Itoa(n), "allowed is 0 or more"))
		}
	}
	return errors.Join(errs...)
}
