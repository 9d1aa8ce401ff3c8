package composetest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const root = "../.."

// all is every service, in alphabetical order.
var all = []string{"database_postgres", "frontend_multi_user", "frontend_single_user", "worker_plan", "worker_plan_database", "worker_plan_database_1", "worker_plan_database_2", "worker_plan_database_3"}

// example is what a copied .env.example tells compose.
var example = map[string]string{"PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME": "admin", "PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD": "x"}

// project makes a directory with what compose needs.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for from, to := range map[string]string{"docker-compose.yml": "docker-compose.yml", ".env.example": ".env", "llm_config.json": "llm_config.json"} {
		data, err := os.ReadFile(filepath.Join(root, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, env map[string]string, profiles ...string) (*types.Project, error) {
	t.Helper()
	dir := project(t)
	vars := maps.Clone(example)
	maps.Copy(vars, env)
	var lines []string
	for k, v := range vars {
		lines = append(lines, k+"="+v)
	}
	o, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithEnv(lines), cli.WithProfiles(profiles), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	return o.LoadProject(t.Context())
}

func mustLoad(t *testing.T, env map[string]string, profiles ...string) *types.Project {
	t.Helper()
	p, err := load(t, env, profiles...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Ensure each profile has its services, and each service can be started by its name alone.
func TestProfiles(t *testing.T) {
	t.Parallel()
	single := []string{"frontend_single_user", "worker_plan"}
	multi := []string{"database_postgres", "frontend_multi_user", "frontend_single_user", "worker_plan", "worker_plan_database_1", "worker_plan_database_2", "worker_plan_database_3"}
	for profile, want := range map[string][]string{
		"": single, "single": single, "multi": multi, "*": all, "worker": {"database_postgres", "frontend_single_user", "worker_plan", "worker_plan_database"},
	} {
		p := mustLoad(t, nil, profile)
		if got := slices.Sorted(maps.Keys(p.Services)); !slices.Equal(got, want) || p.Name != "planexe" {
			t.Errorf("%s, profile %q: %v", p.Name, profile, got)
		}
	}
	for _, name := range all {
		p, err := mustLoad(t, nil).WithServicesEnabled(name)
		if err == nil {
			p, err = p.WithSelectedServices([]string{name})
		}
		if err != nil {
			t.Errorf("%s alone: %v", name, err)
			continue
		}
		want := map[string]int{"worker_plan": 1, "database_postgres": 1}[name]
		if want == 0 {
			want = 2 // with what it depends on
		}
		if len(p.Services) != want {
			t.Errorf("%s alone starts %v", name, slices.Sorted(maps.Keys(p.Services)))
		}
	}
}

// Ensure every service is run as promised: restarted, watched over, without rights, its files read-only.
func TestServices(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, nil, "*")
	for name, s := range p.Services {
		ours, makes := name != "database_postgres", strings.HasPrefix(name, "worker_plan")
		if s.Restart != "unless-stopped" || s.HealthCheck == nil || s.HealthCheck.Interval.String() != "5s" || s.Image != "" {
			t.Errorf("%s: restart %q, health %+v, image %q", name, s.Restart, s.HealthCheck, s.Image)
		}
		if s.Build.Dockerfile != "deploy/Dockerfile" || !strings.HasPrefix(name, s.Build.Target) {
			t.Errorf("%s is built from %s, target %s", name, s.Build.Dockerfile, s.Build.Target)
		}
		if fixed := name != "worker_plan_database"; fixed != (s.ContainerName == name) || !fixed && s.ContainerName != "" {
			t.Errorf("%s is called %q", name, s.ContainerName)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] != "10m" {
			t.Errorf("%s fills the disk with its log", name)
		}
		if !ours {
			// By TCP and by name: the server that prepares the first start does not count.
			if test := strings.Join(s.HealthCheck.Test, " "); !strings.Contains(test, "pg_isready -q -h 127.0.0.1") || !strings.Contains(test, `-d "$POSTGRES_DB"`) {
				t.Errorf("%s: health by %s", name, test)
			}
			continue
		}
		if test := s.HealthCheck.Test; !slices.Equal(test, []string{"CMD", "/app/" + s.Build.Target, "health"}) {
			t.Errorf("%s: health by %v", name, test)
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 != makes || s.Privileged || len(s.EnvFiles) != 1 || !bool(s.EnvFiles[0].Required) {
			t.Errorf("%s: read only %v, dropped %v, added %v", name, s.ReadOnly, s.CapDrop, s.CapAdd)
		}
		if makes != (s.User == "0:0") || makes != (s.StopGracePeriod != nil) {
			t.Errorf("%s: user %q, grace %v", name, s.User, s.StopGracePeriod)
		}
		if hosts := len(s.ExtraHosts["host.docker.internal"]) == 1; hosts == (name == "frontend_multi_user") {
			t.Errorf("%s: extra hosts %v", name, s.ExtraHosts)
		}
		if name == "frontend_multi_user" {
			if len(s.Volumes) != 0 {
				t.Errorf("%s mounts %v", name, s.Volumes)
			}
			continue
		}
		if s.Environment["PLANEXE_CONFIG_PATH"] == nil || *s.Environment["PLANEXE_CONFIG_PATH"] != "/app" || len(s.Volumes) != 3 {
			t.Errorf("%s: %d volumes", name, len(s.Volumes))
		}
		for _, v := range s.Volumes {
			run := v.Target == "/app/run"
			if v.ReadOnly == run || v.Bind == nil || bool(v.Bind.CreateHostPath) != run {
				t.Errorf("%s: %s is mounted with read only %v, %+v", name, v.Target, v.ReadOnly, v.Bind)
			}
		}
	}
}

// Ensure that watching builds a service again when its sources, modules or Dockerfile change, but not for tests, and starts it
// again when its models do; and that it copies nothing, since nothing would run a copy.
func TestWatch(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, nil, "*")
	for name, s := range p.Services {
		if name == "database_postgres" {
			continue
		}
		got := map[string]types.WatchAction{}
		for _, w := range s.Develop.Watch {
			rel, err := filepath.Rel(p.WorkingDir, w.Path)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(filepath.Join(root, rel))
			if err != nil {
				t.Errorf("%s watches %s: %v", name, rel, err)
			} else if info.IsDir() != slices.Equal(w.Ignore, []string{"**/*_test.go", "**/testdata/"}) {
				t.Errorf("%s ignores %v in %s", name, w.Ignore, rel)
			}
			got[rel] = w.Action
		}
		want := map[string]types.WatchAction{
			"cmd/" + s.Build.Target: "rebuild", "internal": "rebuild", "go.mod": "rebuild", "go.sum": "rebuild", "deploy/Dockerfile": "rebuild",
			"llm_config.json": "restart", "docker-compose.yml": "restart",
		}
		if s.Build.Target == "frontend_multi_user" || s.Build.Target == "worker_plan_database" {
			want["db"] = "rebuild"
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s is watched by %v, not %v", name, got, want)
		}
	}
}

// Ensure services wait for what they cannot do without, and for nothing else.
func TestDependencies(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"database_postgres": "", "worker_plan": "", "frontend_single_user": "worker_plan", "frontend_multi_user": "database_postgres", "worker_plan_database": "database_postgres",
		"worker_plan_database_1": "database_postgres", "worker_plan_database_2": "database_postgres", "worker_plan_database_3": "database_postgres",
	}
	for name, s := range mustLoad(t, nil, "*").Services {
		var got []string
		for on, d := range s.DependsOn {
			got = append(got, on)
			if d.Condition != types.ServiceConditionHealthy {
				t.Errorf("%s only waits until %s is %s", name, on, d.Condition)
			}
		}
		if strings.Join(got, " ") != want[name] {
			t.Errorf("%s depends on %v", name, got)
		}
	}
}

// Ensure ports of the host move by their variables, that the ports inside stay, and that one address can be bound.
func TestPorts(t *testing.T) {
	t.Parallel()
	moved := map[string]string{
		"PLANEXE_POSTGRES_PORT": "5433", "PLANEXE_FRONTEND_MULTIUSER_PORT": "6001", "PLANEXE_WORKER_PLAN_PORT": "8001",
		"PLANEXE_FRONTEND_SINGLE_USER_PORT": "7861", "PLANEXE_GRADIO_SERVER_PORT": "7000", "PLANEXE_BIND_ADDRESS": "127.0.0.1",
	}
	for _, c := range []struct {
		env  map[string]string
		want map[string]string
	}{
		{nil, map[string]string{"worker_plan": ":8000:8000", "frontend_single_user": ":7860:7860", "database_postgres": ":5432:5432", "frontend_multi_user": ":5001:5000"}},
		{moved, map[string]string{"worker_plan": "127.0.0.1:8001:8000", "frontend_single_user": "127.0.0.1:7861:7000", "database_postgres": "127.0.0.1:5433:5432", "frontend_multi_user": "127.0.0.1:6001:5000"}},
	} {
		p := mustLoad(t, c.env, "*")
		for name, s := range p.Services {
			got := ""
			for _, port := range s.Ports {
				got += port.HostIP + ":" + port.Published + ":" + strconv.Itoa(int(port.Target))
			}
			if got != c.want[name] {
				t.Errorf("%s publishes %q", name, got)
			}
		}
		env := func(service, name string) string {
			if v := p.Services[service].Environment[name]; v != nil {
				return *v
			}
			return "unset"
		}
		for _, w := range all[4:] {
			if env(w, "PLANEXE_POSTGRES_PORT") != "5432" || env(w, "PLANEXE_POSTGRES_HOST") != "database_postgres" {
				t.Errorf("%s looks for the database at %s:%s", w, env(w, "PLANEXE_POSTGRES_HOST"), env(w, "PLANEXE_POSTGRES_PORT"))
			}
		}
		if env("worker_plan", "PLANEXE_WORKER_PORT") != "8000" || env("frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_APP_PORT") != "5000" || env("frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_DB_PORT") != "5432" {
			t.Error("a port inside moved")
		}
	}
}

// Ensure what can be set reaches the programs, and that its default is the contract's.
func TestSettings(t *testing.T) {
	t.Parallel()
	changed := mustLoad(t, map[string]string{
		"PLANEXE_HOST_RUN_DIR": "/srv/plans", "PLANEXE_POSTGRES_DB": "d", "PLANEXE_POSTGRES_USER": "u", "PLANEXE_POSTGRES_PASSWORD": "p", "PLANEXE_WORKER_PLAN_URL": "http://other:8000",
		"PLANEXE_WORKER_PLAN_TIMEOUT": "5", "PLANEXE_PASSWORD": "secret", "PLANEXE_OPEN_DIR_SERVER_URL": "http://host.docker.internal:5100", "PLANEXE_GRADIO_SERVER_NAME": "::",
		"PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL": "https://a.example", "PLANEXE_IFRAME_GENERATOR_CONFIRMATION_DEVELOPMENT_URL": "https://b.example", "PLANEXE_FRONTEND_MULTIUSER_DB_HOST": "db",
	}, "*")
	usual := mustLoad(t, map[string]string{"PWD": "/home/me/PlanExe"}, "*")
	confirmation := "https://example.com/iframe_generator_confirmation"
	for _, c := range []struct{ service, name, usual, changed string }{
		{"worker_plan", "PLANEXE_RUN_DIR", "/app/run", "/app/run"},
		{"worker_plan", "PLANEXE_HOST_RUN_DIR", "/home/me/PlanExe/run", "/srv/plans"},
		{"worker_plan", "PLANEXE_WORKER_RELAY_PROCESS_OUTPUT", "true", "true"},
		{"frontend_single_user", "PLANEXE_WORKER_PLAN_URL", "http://worker_plan:8000", "http://other:8000"},
		{"frontend_single_user", "PLANEXE_WORKER_PLAN_TIMEOUT", "30", "5"},
		{"frontend_single_user", "PLANEXE_GRADIO_SERVER_NAME", "0.0.0.0", "::"},
		{"frontend_single_user", "PLANEXE_PASSWORD", "", "secret"},
		{"frontend_single_user", "PLANEXE_OPEN_DIR_SERVER_URL", "", "http://host.docker.internal:5100"},
		{"database_postgres", "POSTGRES_DB", "planexe", "d"},
		{"database_postgres", "POSTGRES_USER", "planexe", "u"},
		{"database_postgres", "POSTGRES_PASSWORD", "planexe", "p"},
		{"frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_DB_HOST", "database_postgres", "db"},
		{"frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_DB_NAME", "planexe", "d"},
		{"frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_DB_USER", "planexe", "u"},
		{"frontend_multi_user", "PLANEXE_FRONTEND_MULTIUSER_DB_PASSWORD", "planexe", "p"},
		{"worker_plan_database", "PLANEXE_RUN_DIR", "/app/run", "/app/run"},
		{"worker_plan_database", "PLANEXE_WORKER_ID", "unset", "unset"},
		{"worker_plan_database_2", "PLANEXE_WORKER_ID", "2", "2"},
		{"worker_plan_database_2", "PLANEXE_POSTGRES_PASSWORD", "planexe", "p"},
		{"worker_plan_database_3", "PLANEXE_IFRAME_GENERATOR_CONFIRMATION_PRODUCTION_URL", confirmation, "https://a.example"},
		{"worker_plan_database_3", "PLANEXE_IFRAME_GENERATOR_CONFIRMATION_DEVELOPMENT_URL", confirmation, "https://b.example"},
	} {
		for i, p := range []*types.Project{usual, changed} {
			got := "unset"
			if v := p.Services[c.service].Environment[c.name]; v != nil {
				got = *v
			}
			if want := []string{c.usual, c.changed}[i]; got != want {
				t.Errorf("%s %s is %q, not %q", c.service, c.name, got, want)
			}
		}
	}
	for name, s := range changed.Services {
		for _, v := range s.Volumes {
			if v.Target == "/app/run" && v.Source != "/srv/plans" {
				t.Errorf("%s keeps its runs in %s", name, v.Source)
			}
		}
	}
}

// Ensure the administrator's name and password are demanded, whichever services are asked for.
func TestDemanded(t *testing.T) {
	t.Parallel()
	for name := range example {
		if _, err := load(t, map[string]string{name: ""}); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), ".env") {
			t.Errorf("%s is empty: %v", name, err)
		}
	}
}

// Ensure .env fills the compose file, and that the shell wins over it.
func TestShellWins(t *testing.T) {
	t.Parallel()
	dir := project(t)
	file, err := os.OpenFile(filepath.Join(dir, ".env"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString("\nPLANEXE_WORKER_PLAN_TIMEOUT=11\nPLANEXE_PASSWORD='of .env'\n")
	}
	if err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	o, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, cli.WithWorkingDirectory(dir), cli.WithEnv([]string{"PLANEXE_PASSWORD=of the shell"}), cli.WithEnvFiles(), cli.WithDotEnv)
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	env := p.Services["frontend_single_user"].Environment
	for name, want := range map[string]string{"PLANEXE_WORKER_PLAN_TIMEOUT": "11", "PLANEXE_PASSWORD": "of the shell"} {
		if env[name] == nil || *env[name] != want {
			t.Errorf("%s is %v, not %q", name, env[name], want)
		}
	}
}
