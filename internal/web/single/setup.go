package single

import (
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"planexe/internal/api"
	"planexe/internal/catalogue"
	"planexe/internal/config"
	"planexe/internal/trace"
	"planexe/internal/web/kit"
)

// FromConfig makes the options of a service of its own: the worker and the opener are elsewhere.
func FromConfig(c config.Single) Options {
	tracer := trace.Start(c.Trace, "frontend_single_user", "", slog.Default())
	worker := api.Options{Token: string(c.WorkerToken), Timeout: time.Duration(c.WorkerTimeout * float64(time.Second)), HTTP: tracer.Transport()}
	o := Options{
		Trace: tracer, Worker: api.NewClient(c.WorkerURL, worker),
		Examples: Examples(), Password: string(c.Password), AllowedHosts: c.AllowedHosts, CookieKey: CookieKey(),
	}
	if c.OpenerURL != "" {
		o.Opener = HostOpener{URL: c.OpenerURL, Token: string(c.OpenerToken)}
	}
	return o
}

// Examples are those of the catalogue; the default one comes first.
func Examples() []Example {
	var out []Example
	for _, p := range catalogue.All() {
		e := Example{ID: p.ID, Title: p.Title, Prompt: p.Prompt, Tags: p.Tags}
		if p.ID == catalogue.DefaultID && len(out) > 0 {
			out = append([]Example{e}, out...)
			continue
		}
		out = append(out, e)
	}
	return out
}

// CookieKey returns the key of this user's interface, so that settings outlive it; where nothing can be
// kept it is another one each time.
func CookieKey() []byte {
	dir, err := os.UserConfigDir()
	if err != nil {
		return kit.NewKey()
	}
	return kit.KeyFile(filepath.Join(dir, "planexe", "ui.key"))
}
