package compose

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"planexe/internal/config"
)

// setting is one entry of a service's environment that the template made.
type setting struct {
	name, value string
	fixed       bool // .env cannot change it
}

// maker fills the template. It refuses variables that no program reads.
type maker struct {
	services []Service
	settings []setting
}

// Compose fills the template of docker-compose.yml. What a template can say of a service:
//
//	fixed S NAME VALUE    the value, whatever .env says
//	asked S NAME [VALUE]  what .env or the shell says, else the value, else the program's own default
//	demanded S NAME       what .env or the shell says; without it compose stops and says so
//	usual S NAME          the program's own default
//	watch NAME            rules that rebuild or restart the service when files change
func Compose(tmpl string) ([]byte, error) {
	m := maker{services: Services()}
	text, err := m.fill(tmpl)
	if err != nil {
		return nil, fmt.Errorf("fill the template of docker-compose.yml: %w", err)
	}
	return append([]byte("# Made by go generate ./internal/compose from deploy/docker-compose.tmpl.yml: edit that.\n\n"), text...), nil
}

func (m *maker) fill(tmpl string) ([]byte, error) {
	t, err := template.New("docker-compose").Option("missingkey=error").Funcs(template.FuncMap{
		"service": m.service, "fixed": m.fixed, "asked": m.asked, "demanded": m.demanded, "usual": usual, "watch": m.watch,
		"numbered": func() []int { return []int{1, 2, 3}[:Numbered] },
	}).Parse(tmpl)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, nil)
	return b.Bytes(), err
}

func (m *maker) service(name string) (Service, error) {
	i := slices.IndexFunc(m.services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		return Service{}, fmt.Errorf("there is no service %s", name)
	}
	return m.services[i], nil
}

func (s Service) variable(name string) (config.Variable, error) {
	i := slices.IndexFunc(s.Variables, func(v config.Variable) bool { return v.Name == name })
	if i < 0 && name == config.PathVar {
		return config.Variable{Name: name}, nil
	}
	if i < 0 {
		return config.Variable{}, fmt.Errorf("%s reads no variable %s", s.Name, name)
	}
	return s.Variables[i], nil
}

func usual(s Service, name string) (string, error) {
	v, err := s.variable(name)
	return v.Default, err
}

func (m *maker) fixed(s Service, name, value string) (string, error) {
	_, err := s.variable(name)
	m.settings = append(m.settings, setting{name, value, true})
	return fmt.Sprintf("%s: %q", name, value), err
}

func (m *maker) asked(s Service, name string, value ...string) (string, error) {
	v, err := s.variable(name)
	value = append(value, v.Default)
	m.settings = append(m.settings, setting{name, value[0], false})
	return fmt.Sprintf("%s: ${%[1]s:-%s}", name, value[0]), err
}

func (m *maker) demanded(s Service, name string) (string, error) {
	v, err := s.variable(name)
	if err == nil && !v.Required {
		err = fmt.Errorf("%s can do without %s", s.Name, name)
	}
	m.settings = append(m.settings, setting{name, "", false})
	return fmt.Sprintf("%s: ${%[1]s:?set it in .env (cp .env.example .env)}", name), err
}

// watch lists what a change of does to a service while "docker compose watch" runs.
func (m *maker) watch(name string) (string, error) {
	s, err := m.service(name)
	if err != nil {
		return "", err
	}
	const ignored = "ignore: [\"**/*_test.go\", \"**/testdata/\"]"
	var rules []string
	for _, path := range append([]string{"cmd/" + name, "internal"}, s.Packages...) {
		rules = append(rules, fmt.Sprintf("{action: rebuild, path: ./%s, %s}", path, ignored))
	}
	for _, path := range []string{"go.mod", "go.sum", "deploy/Dockerfile"} {
		rules = append(rules, fmt.Sprintf("{action: rebuild, path: ./%s}", path))
	}
	for _, path := range []string{config.LLMFile, "docker-compose.yml"} {
		rules = append(rules, fmt.Sprintf("{action: restart, path: ./%s}", path))
	}
	return "[\n      " + strings.Join(rules, ",\n      ") + "]", nil
}
