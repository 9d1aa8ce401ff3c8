package config

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// Auto asks Choose to decide.
const Auto = "auto"

// DemoID is the id under which the demo model can always be asked for.
const DemoID = "demo"

// Probe returns the ids of those entries whose server answers and has the model.
type Probe func(ctx context.Context, candidates []Model) []string

// Choose returns the ids of the entries a run uses, first tried first, and one sentence for a
// person that says why.
//
// A requested id is used alone: that model was asked for, so nothing else takes its place. An
// empty request or auto takes the usable entries by priority; when there are none, those whose
// key is configured, in file order; else the first one that probe finds on this computer; else
// demo. The error says why a requested id cannot be used.
func Choose(ctx context.Context, l LLM, requested string, probe Probe) (models []string, why string, err error) {
	if requested = strings.TrimSpace(requested); requested != "" && requested != Auto {
		return chosen(l, requested)
	}
	var prioritised, keyed, local []Model
	for _, m := range l.Models {
		switch {
		case m.Problem != nil:
		case m.Priority != nil:
			prioritised = append(prioritised, m)
		case m.Class == Ollama || m.Class == LMStudio:
			local = append(local, m)
		case m.Arguments.Key != "":
			keyed = append(keyed, m)
		}
	}
	slices.SortStableFunc(prioritised, func(a, b Model) int { return cmp.Compare(*a.Priority, *b.Priority) })
	if len(prioritised) > 0 {
		return ids(prioritised), fmt.Sprintf("auto: by priority, %s.", strings.Join(ids(prioritised), ", then ")), nil
	}
	if len(keyed) > 0 {
		return ids(keyed), fmt.Sprintf("auto: no entry with a priority can be used, so those whose key is set: %s.",
			strings.Join(ids(keyed), ", then ")), nil
	}
	if len(local) > 0 && probe != nil {
		found := probe(ctx, local)
		if err := ctx.Err(); err != nil {
			return nil, "", fmt.Errorf("look for local models: %w", err)
		}
		for _, m := range local {
			if slices.Contains(found, m.ID) {
				return []string{m.ID}, fmt.Sprintf("auto: no key is set, but %s answers on %s.", m.ID, m.Arguments.BaseURL), nil
			}
		}
	}
	return []string{l.demoID()}, "auto: no key is set and no local model answers, so the demo model fills the plan with made-up text. " +
		"Set OPENROUTER_API_KEY or start Ollama for a real plan.", nil
}

func chosen(l LLM, id string) ([]string, string, error) {
	m := l.Model(id)
	switch {
	case m == nil && id == DemoID:
		return []string{DemoID}, "The demo model was asked for: the plan is made-up text.", nil
	case m == nil:
		known := ids(l.Models)
		if !slices.Contains(known, DemoID) {
			known = append(known, DemoID)
		}
		return nil, "", fmt.Errorf("there is no model %q; known are %s, %s", clip(id, 100), Auto, strings.Join(known, ", "))
	case m.Problem != nil:
		return nil, "", fmt.Errorf("model %s cannot be used: %w", id, m.Problem)
	}
	return []string{id}, fmt.Sprintf("%s was asked for; no other model takes its place.", id), nil
}

// demoID returns the entry that the file gives the class Demo, else the built-in one.
func (l LLM) demoID() string {
	for _, m := range l.Models {
		if m.Class == Demo && m.Problem == nil {
			return m.ID
		}
	}
	return DemoID
}

func ids(models []Model) []string {
	names := make([]string, len(models))
	for i, m := range models {
		names[i] = m.ID
	}
	return names
}
