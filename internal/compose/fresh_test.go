package compose

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"planexe/internal/config"
)

var update = flag.Bool("update", false, "write the generated files")

const (
	root         = "../.."
	templateFile = "deploy/docker-compose.tmpl.yml"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Ensure the committed files are what the programs' settings make.
func TestFresh(t *testing.T) {
	t.Parallel()
	tmpl := read(t, templateFile)
	stack, err := Compose(tmpl)
	if err != nil {
		t.Fatal(err)
	}
	example, err := EnvExample(tmpl)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{"docker-compose.yml": stack, ".env.example": example, "docs/configuration.md": Configuration()} {
		path = filepath.Join(root, path)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not fresh (%v): run go generate ./internal/compose", path, err)
		}
	}
}

// Ensure a template can only name what a program reads.
func TestTemplateMistakes(t *testing.T) {
	t.Parallel()
	for tmpl, want := range map[string]string{
		`{{fixed (service "worker_plan") "PLANEXE_RUNDIR" "/app/run"}}`: "worker_plan reads no variable PLANEXE_RUNDIR",
		`{{asked (service "worker") "PLANEXE_RUN_DIR"}}`:                "no service worker",
		`{{demanded (service "worker_plan") "PLANEXE_RUN_DIR"}}`:        "can do without",
		`{{watch "worker"}}`: "no service worker",
		`{{`:                 "template",
	} {
		if _, err := Compose(tmpl); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", tmpl, err)
		}
	}
}

// Ensure .env.example, copied as it is, is a good .env: keys count as unset, the multi-user interface is locked, and every
// other variable is named at most once.
func TestEnvExample(t *testing.T) {
	t.Parallel()
	text := read(t, ".env.example")
	values := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)='(.*)'$`).FindAllStringSubmatch(text, -1) {
		values[m[1]] = m[2]
	}
	env := config.NewEnv(values)
	if v, ok, err := env.Secret("OPENROUTER_API_KEY"); ok || err != nil || values["OPENROUTER_API_KEY"] == "" {
		t.Errorf("the key is %q, %v", v, err)
	}
	var multi config.Multi
	if err := config.Load(&multi, env); err != nil || !multi.Locked() {
		t.Errorf("locked %v, %v", multi.Locked(), err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^(?:# )?([A-Z][A-Z0-9_]+)=`).FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	slices.Sort(names)
	if once := slices.Compact(slices.Clone(names)); len(once) != len(names) || len(names) < 40 {
		t.Errorf("%d names, %d of them different", len(names), len(once))
	}
	for _, never := range []string{config.PathVar, "PLANEXE_WORKER_PORT", "PORT", "PLANEXE_FRONTEND_MULTIUSER_APP_PORT", "PLANEXE_POSTGRES_HOST"} {
		if slices.Contains(names, never) {
			t.Errorf("%s stands in .env.example, but the compose file fixes it", never)
		}
	}
}

// Ensure the llm_config.json of the repository, which the stack mounts, has the entries that are built in.
func TestModels(t *testing.T) {
	t.Parallel()
	var ours, builtIn any
	for path, v := range map[string]any{config.LLMFile: &ours, "internal/config/llm_config.json": &builtIn} {
		if err := json.Unmarshal([]byte(read(t, path)), v); err != nil {
			t.Fatal(path, err)
		}
	}
	a, _ := json.Marshal(ours)
	b, _ := json.Marshal(builtIn)
	if !bytes.Equal(a, b) {
		t.Error("llm_config.json is not what is built in: copy internal/config/llm_config.json, or change that too")
	}
}

// Ensure the Dockerfile compiles all that others wrote before it copies our sources, and nothing that no program uses: the
// one costs time at every change, the other at the first build.
func TestCompiledAhead(t *testing.T) {
	t.Parallel()
	m := regexp.MustCompile(`(?s)RUN go build (.*?)\nCOPY`).FindStringSubmatch(read(t, "deploy/Dockerfile"))
	if m == nil {
		t.Fatal("the Dockerfile compiles nothing ahead")
	}
	list := func(packages ...string) []string {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, packages...)...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=-tags=timetzdata")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		return strings.Fields(string(out))
	}
	used, ahead := list("./cmd/..."), list(strings.Fields(strings.ReplaceAll(m[1], `\`, ""))...)
	for _, pkg := range used {
		if !strings.HasPrefix(pkg, "planexe/") && !slices.Contains(ahead, pkg) {
			t.Errorf("%s is not compiled ahead: add it to the first RUN go build of deploy/Dockerfile", pkg)
		}
	}
	for _, pkg := range ahead {
		if !slices.Contains(used, pkg) {
			t.Errorf("%s is compiled ahead, but no program uses it", pkg)
		}
	}
}

// Ensure the bases are pinned, the same in the Dockerfile and the compose file, and can be replaced; that the database keeps its
// major version, its C library and the place of its data; and that both builders can read the file.
func TestBases(t *testing.T) {
	t.Parallel()
	file := read(t, "deploy/Dockerfile")
	for name, pinned := range map[string]string{"GO_IMAGE": `golang:1\.\d+-bookworm`, "POSTGRES_IMAGE": `postgres:16-alpine`} {
		m := regexp.MustCompile(`(?m)^ARG ` + name + `=(` + pinned + `)$`).FindStringSubmatch(file)
		if m == nil || !strings.Contains(file, "FROM ${"+name+"}") {
			t.Errorf("%s is not pinned", name)
			continue
		}
		i := slices.IndexFunc(Stack(), func(v config.Variable) bool { return v.Name == "PLANEXE_"+name })
		if i < 0 || Stack()[i].Default != m[1] {
			t.Errorf("the compose file builds with another %s than %s", name, m[1])
		}
	}
	if !strings.Contains(file, "PGDATA=/var/lib/postgresql/data/pgdata") {
		t.Error("the data of old volumes is not found")
	}
	for _, never := range []string{"--mount", "<<EOF", "# syntax="} {
		if strings.Contains(file, never) {
			t.Errorf("the classic builder does not know %s", never)
		}
	}
}
