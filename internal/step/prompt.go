package step

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"planexe/internal/pipeline"
	"planexe/internal/plan"
)

// A prompt file has sections, each begun by a line "=== name". What stands before the first one
// is a note to whoever edits the file. Sections system and user make the first two messages, the
// section fields says what each field of the answer means, and others are later turns.
//
// In sections, {{doc "label"}} shows a declared document, {{digest "label"}} its headings and the
// beginnings of its lines, {{full "label"}} the whole of one that a digest has shortened,
// {{show "name" .Value}} shows other material in the same way. {{counts.Team}} writes how many of
// something a plan of this size gets, see plan.Counts, and {{size}} the size itself.
type prompt struct {
	sections map[string]*template.Template
	fields   map[string]string
	docs     map[string]plan.File // declared, by label
}

//go:embed shared/rules.md
var houseRules string

//go:embed shared/framing.md
var framing string

var sectionLine = regexp.MustCompile(`(?m)^=== *([a-z0-9_]+) *$`)

type builder struct {
	chapter Chapter
	version string
}

// prompts loads a step's prompt files and checks them against its declaration: every declared
// document is shown, none twice in one file, and no other.
func (b *builder) prompts(f Func) (map[string]*prompt, string, error) {
	docs := map[string]plan.File{}
	for _, a := range slices.Concat(f.Needs, f.Uses) {
		docs[a.Artifact().Label] = a.Artifact()
	}
	loaded := map[string]*prompt{}
	shown := map[string]bool{}
	var recipe strings.Builder
	recipe.WriteString(b.version + houseRules + framing)
	for _, s := range f.types {
		recipe.WriteString(s.Digest())
	}
	for _, name := range f.Prompts {
		text, err := fs.ReadFile(b.chapter.Prompts, path.Join("prompts", name+".md"))
		if err != nil {
			return nil, "", err
		}
		recipe.Write(text)
		p, err := parsePrompt(string(text), docs)
		if err != nil {
			return nil, "", fmt.Errorf("prompts/%s.md: %w", name, err)
		}
		labels := p.shows()
		for i, label := range labels {
			if _, ok := docs[label]; !ok {
				return nil, "", fmt.Errorf("prompts/%s.md shows %q, which the step does not declare", name, label)
			}
			if i > 0 && labels[i-1] == label {
				return nil, "", fmt.Errorf("prompts/%s.md shows %q twice", name, label)
			}
			shown[label] = true
		}
		loaded[name] = p
	}
	if len(f.Prompts) > 0 {
		for _, label := range slices.Sorted(maps.Keys(docs)) {
			if !shown[label] {
				return nil, "", fmt.Errorf("declares %q, which no prompt shows", label)
			}
		}
	}
	return loaded, pipeline.Digest([]byte(recipe.String())), nil
}

func parsePrompt(text string, docs map[string]plan.File) (*prompt, error) {
	p := &prompt{sections: map[string]*template.Template{}, docs: docs}
	marks := sectionLine.FindAllStringSubmatchIndex(text, -1)
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		name, body := text[m[2]:m[3]], strings.TrimSpace(text[m[1]:end])
		if name == "fields" {
			var err error
			if p.fields, err = parseFields(body); err != nil {
				return nil, err
			}
			continue
		}
		t, err := template.New(name).Option("missingkey=error").Funcs(placeholders).Parse(body)
		if err != nil {
			return nil, err
		}
		p.sections[name] = t
	}
	if p.sections["system"] == nil || p.sections["user"] == nil {
		return nil, fmt.Errorf("sections system and user are needed")
	}
	return p, nil
}

// parseFields reads lines "path: meaning"; a line that is indented goes on with the one before.
func parseFields(body string) (map[string]string, error) {
	fields := map[string]string{}
	last := ""
	for line := range strings.Lines(body) {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
		case strings.TrimLeft(line, " \t") != line && last != "":
			fields[last] += " " + trimmed
		default:
			name, meaning, ok := strings.Cut(trimmed, ":")
			if !ok {
				return nil, fmt.Errorf("section fields: %q is not \"path: meaning\"", trimmed)
			}
			last = strings.TrimSpace(name)
			if _, twice := fields[last]; twice {
				return nil, fmt.Errorf("section fields: %s stands twice", last)
			}
			fields[last] = strings.TrimSpace(meaning)
		}
	}
	return fields, nil
}

// placeholders let templates parse; real ones are bound when a prompt is rendered.
var placeholders = template.FuncMap{
	"doc":    func(string) (string, error) { return "", nil },
	"digest": func(string) (string, error) { return "", nil },
	"full":   func(string) (string, error) { return "", nil },
	"show":   func(string, any) (string, error) { return "", nil },
	"counts": func() plan.Counts { return plan.Counts{} },
	"size":   func() string { return "" },
}

// shows lists the labels that doc and digest are called with, also inside conditions, in order.
func (p *prompt) shows() []string {
	var labels []string
	for _, t := range p.sections {
		walkNodes(t.Root, func(n parse.Node) {
			cmd, ok := n.(*parse.CommandNode)
			if !ok || len(cmd.Args) != 2 {
				return
			}
			id, ok := cmd.Args[0].(*parse.IdentifierNode)
			label, isString := cmd.Args[1].(*parse.StringNode)
			if ok && isString && (id.Ident == "doc" || id.Ident == "digest") {
				labels = append(labels, label.Text)
			}
		})
	}
	slices.Sort(labels)
	return labels
}

func walkNodes(n parse.Node, visit func(parse.Node)) {
	visit(n)
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			walkNodes(c, visit)
		}
	case *parse.ActionNode:
		walkNodes(n.Pipe, visit)
	case *parse.PipeNode:
		for _, c := range n.Cmds {
			walkNodes(c, visit)
		}
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	}
}

func walkBranch(n *parse.BranchNode, visit func(parse.Node)) {
	walkNodes(n.Pipe, visit)
	walkNodes(n.List, visit)
	if n.ElseList != nil {
		walkNodes(n.ElseList, visit)
	}
}

// view is what a prompt is rendered from.
type view struct {
	read  func(name string) ([]byte, error) // a declared artifact
	scale plan.Scale
	limit int // documents are shortened to so many bytes; 0 leaves them whole

	digests *sync.Map // label → fenced digest, made once for all questions of a step
}

// render fills a section.
func (p *prompt) render(section string, vars any, v view) (string, error) {
	t := p.sections[section]
	if t == nil {
		return "", fmt.Errorf("the prompt has no section %q", section)
	}
	t, err := t.Clone()
	if err != nil {
		return "", err
	}
	text := func(label string) (string, error) {
		f, ok := p.docs[label]
		if !ok {
			return "", fmt.Errorf("document %q is not declared", label)
		}
		return document(f, v.read)
	}
	t.Funcs(template.FuncMap{
		"doc": func(label string) (string, error) {
			whole, err := text(label)
			return fence(label, shorten(whole, v.limit)), err
		},
		"digest": func(label string) (string, error) {
			if known, ok := v.digests.Load(label); ok {
				return known.(string), nil
			}
			whole, err := text(label)
			if err != nil {
				return "", err
			}
			fenced := fence(label, digest(whole, digestSize))
			v.digests.Store(label, fenced)
			return fenced, nil
		},
		"full": func(label string) (string, error) {
			whole, err := text(label)
			if err != nil || len(strings.TrimSpace(whole)) <= digestSize { // the digest is the whole
				return "", err
			}
			return fence(label+", in full", shorten(whole, v.limit)), nil
		},
		"show": func(name string, value any) (string, error) {
			text, err := display(value)
			return fence(name, shorten(text, v.limit)), err
		},
		"counts": func() plan.Counts { return v.scale.Counts() },
		"size":   func() string { return string(v.scale.Known()) },
	})
	var b bytes.Buffer
	if err := t.Execute(&b, vars); err != nil {
		return "", err
	}
	return strings.TrimSpace(b.String()), nil
}

var fenceWord = regexp.MustCompile(`(?i)<(\s*/?\s*document)`)

// fence puts material between marks that the material itself cannot write.
func fence(name, text string) string {
	text = fenceWord.ReplaceAllString(text, "‹$1")
	return fmt.Sprintf("<document name=%q>\n%s\n</document>", name, strings.TrimSpace(text))
}

// shorten cuts a long text at a line's end.
func shorten(text string, limit int) string {
	if limit <= 0 || len(text) <= limit {
		return text
	}
	cut := strings.LastIndexByte(text[:limit], '\n')
	if cut < limit/2 {
		cut = strings.LastIndexByte(text[:limit], ' ')
	}
	return strings.ToValidUTF8(text[:max(cut, 0)], "") + "\n(shortened here)"
}

// display writes text as it is and anything else as an outline.
func display(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	b, err := encode(v, "")
	if err != nil {
		return "", err
	}
	return outline(b)
}

func encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
