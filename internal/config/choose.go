package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Probe tells whether the server of a local entry answers and has the model.
type Probe func(ctx context.Context, m Model) bool

// probeTime is how long Choose waits for local servers.
const probeTime = 5 * time.Second

// Choose returns the ids of the models of a run, the one to try first in front, and one sentence
// for people about why it is these.
//
// A requested id stands alone: whoever names a model does not want another one. The error says
// when it is unknown or cannot be used. "" and "auto" choose the usable entries with a priority,
// else the entries whose key is there, else the local servers that answer (probe is called for
// all of them at once, with a context of 5 s; nil finds none), else demo.
func Choose(ctx context.Context, llm LLM, requested string, probe Probe) (models []string, why string, err error) {
	requested = strings.TrimSpace(requested)
	if requested != "" && requested != AutoID {
		return chosen(llm, requested)
	}

	usable := func(keep func(Model) bool) []Model {
		return slices.DeleteFunc(slices.Clone(llm.Models), func(m Model) bool { return m.Problem != nil || !keep(m) })
	}
	ranked := usable(func(m Model) bool { return m.Priority != nil })
	slices.SortStableFunc(ranked, func(a, b Model) int { return cmp.Compare(*a.Priority, *b.Priority) })
	if len(ranked) > 0 {
		return result(ranked, "by priority")
	}
	keyed := usable(func(m Model) bool { return m.Arguments.Key != "" && !m.Class.Local() })
	if len(keyed) > 0 {
		return result(keyed, "no model with a priority can be used, and the key of this one is there", "no model with a priority can be used, and the keys of these are there")
	}
	answering := answers(ctx, usable(func(m Model) bool { return m.Class.Local() }), probe)
	if err := ctx.Err(); err != nil {
		return nil, "", fmt.Errorf("choose models: %w", err)
	}
	if len(answering) > 0 {
		return result(answering, "no key is set, and a local server has this model", "no key is set, and local servers have these models")
	}
	return []string{DemoID}, "Using demo, which invents a sample plan without any model: no key is set and no local model answers" + advice(llm) + ".", nil
}

func chosen(llm LLM, id string) ([]string, string, error) {
	m, ok := llm.Model(id)
	if !ok {
		known := []string{AutoID}
		for _, m := range llm.Models {
			known = append(known, m.ID)
		}
		return nil, "", fmt.Errorf("model %q is not in %s: known are %s", clip(id, 80), cmp.Or(llm.File, LLMFile), strings.Join(known, ", "))
	}
	if m.Problem != nil {
		return nil, "", fmt.Errorf("the chosen model cannot be used: %w", m.Problem)
	}
	return []string{id}, fmt.Sprintf("Using %s, as chosen; no other model will take its place.", id), nil
}

// result words a choice; many is the reason for several models when it differs.
func result(models []Model, reason string, many ...string) ([]string, string, error) {
	var ids []string
	for _, m := range models {
		ids = append(ids, m.ID)
	}
	if len(ids) > 1 && len(many) > 0 {
		reason = many[0]
	}
	return ids, fmt.Sprintf("Using %s: %s.", strings.Join(ids, ", then "), reason), nil
}

// answers keeps the models whose server has them, in order.
func answers(ctx context.Context, models []Model, probe Probe) []Model {
	if probe == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	up := make([]bool, len(models))
	var wg sync.WaitGroup
	for i, m := range models {
		wg.Go(func() { up[i] = probe(ctx, m) })
	}
	wg.Wait()
	var out []Model
	for i, m := range models {
		if up[i] {
			out = append(out, m)
		}
	}
	return out
}

// advice names the variables that would help, in the order of the file.
func advice(llm LLM) string {
	var names []string
	for _, m := range llm.Models {
		if name := m.Arguments.KeyName; name != "" && !m.Class.Local() && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; set " + strings.Join(names, " or ") + " for a real one"
}

// Problems joins what is wrong with the entries that cannot be used, nil when all can.
func (l LLM) Problems() error {
	var errs []error
	for _, m := range l.Models {
		errs = append(errs, m.Problem)
	}
	return errors.Join(errs...)
}
