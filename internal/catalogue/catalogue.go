// Package catalogue holds example prompts for people who look for a first idea.
package catalogue

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// DefaultID is the id of the prompt that a new plan begins with. Other services look it up.
const DefaultID = "4dc34d55-0d0d-4e9d-92f4-23765f49dd29"

// DemoIDs returns the ids of the three prompts that a form offers for a try. Other services look
// them up.
func DemoIDs() []string {
	return []string{"0ad5ea63-cf38-4d10-a3f3-d51baa609abd", "00e1c738-a663-476a-b950-62785922f6f0", "3ca89453-e65b-4828-994f-dff0b679444a"}
}

// Prompt is one example. Callers do not change what it refers to.
type Prompt struct {
	ID     string // UUID of version 4, lower case
	Title  string // a few words for lists; "" when the file gives none
	Prompt string // 60 to 2,000 characters in the files of ours
	Tags   []string
	Extras map[string]json.RawMessage // the other keys of the line
}

//go:embed prompts.jsonl
var file []byte

// embedded is read once, when it is first asked for. A test holds that it has no problems.
var embedded = sync.OnceValue(func() []Prompt {
	items, _ := Load(bytes.NewReader(file), "prompts.jsonl")
	return items
})

// All returns the prompts in the order in which they are shown.
func All() []Prompt { return slices.Clone(embedded()) }

// IDs returns the ids in the order of All.
func IDs() []string {
	var ids []string
	for _, p := range embedded() {
		ids = append(ids, p.ID)
	}
	return ids
}

// Default returns the prompt that a new plan begins with.
func Default() Prompt {
	p, _, _ := Find(DefaultID)
	return p
}

// Find returns the prompt of an id; ok is false when there is none. An id that is no lower-case
// UUID of version 4 is an error.
func Find(id string) (p Prompt, ok bool, err error) {
	if !uuid.MatchString(id) {
		return Prompt{}, false, fmt.Errorf("%.60q is not the id of a prompt: it has to be a UUID of version 4 in lower case", id)
	}
	items := embedded()
	i := slices.IndexFunc(items, func(p Prompt) bool { return p.ID == id })
	if i < 0 {
		return Prompt{}, false, nil
	}
	return items[i], true, nil
}

// ByTag returns the prompts with exactly this tag, in the order of All.
func ByTag(tag string) []Prompt {
	return slices.DeleteFunc(All(), func(p Prompt) bool { return !slices.Contains(p.Tags, tag) })
}

// uuid is the canonical form of version 4.
var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// maxFile bounds what Load reads.
const maxFile = 16 << 20

// Load reads prompts from JSON Lines: an object with id, prompt and, optionally, title and tags per
// line; empty lines are skipped. A line that cannot be used is left out and told in problems, with
// name and its number; of two with the same id the first one counts.
func Load(r io.Reader, name string) (items []Prompt, problems []error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(data) > maxFile {
		data, err = data[:maxFile], fmt.Errorf("only the first %d MiB are read", maxFile>>20)
	}
	if err != nil {
		problems = append(problems, fmt.Errorf("%s: %w", name, err))
	}
	seen := map[string]bool{}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		p, err := parse(line)
		if err == nil && seen[p.ID] {
			err = fmt.Errorf("the id %s stands in an earlier line already", p.ID)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		seen[p.ID] = true
		items = append(items, p)
	}
	return items, problems
}

func parse(line []byte) (Prompt, error) {
	if !utf8.Valid(line) {
		return Prompt{}, errors.New("the line is not UTF-8")
	}
	var p Prompt
	if err := json.Unmarshal(line, &p.Extras); err != nil {
		return Prompt{}, fmt.Errorf("the line is not a JSON object: %w", err)
	}
	for key, dst := range map[string]any{"id": &p.ID, "title": &p.Title, "prompt": &p.Prompt, "tags": &p.Tags} {
		raw, ok := p.Extras[key]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, dst); err != nil {
			return Prompt{}, fmt.Errorf("%s has the wrong type: %w", key, err)
		}
		delete(p.Extras, key)
	}
	switch {
	case p.ID == "":
		return Prompt{}, errors.New("id is missing")
	case !uuid.MatchString(p.ID):
		return Prompt{}, fmt.Errorf("the id %.60q is not a UUID of version 4 in lower case", p.ID)
	case strings.TrimSpace(p.Prompt) == "":
		return Prompt{}, errors.New("prompt is missing")
	}
	return p, nil
}
