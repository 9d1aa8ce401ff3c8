// Package team is the chapter on the people a plan needs: the roles, how each is bound, what it
// does, where and with what, and what is wrong with the team as a whole.
package team

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
	"planexe/internal/step"
)

//go:embed prompts/*.md
var prompts embed.FS

// Chapter lists the steps. The three questions about each member do not need each other's answers,
// so they are asked side by side; the steps without a model then add their answers one by one.
var Chapter = step.Chapter{Name: "team", Prompts: prompts, Steps: []step.Step{
	Find,
	ContractType,
	BackgroundStory,
	Environment,
	AddContractType,
	AddBackgroundStory,
	AddEnvironment,
	Review,
	Page,
}}

// base are the documents that begin every question of the chapter.
func base(more ...plan.Artifact) []plan.Artifact {
	return append(step.Docs(plan.Prompt, plan.Decisions, plan.Scenarios, plan.AssumptionsShort, plan.Assessment, plan.ProjectPlan), more...)
}

// read returns a list of members. The file may have been edited by hand, so what the steps rely on
// is checked.
func read(w *step.Work, a plan.JSON[[]plan.TeamMember]) ([]plan.TeamMember, error) {
	members, err := step.Read(w, a)
	if err != nil {
		return nil, err
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("%s holds no members: correct the file or run its step again", a.Name)
	}
	seen := map[int]bool{}
	for _, m := range members {
		if seen[m.ID] {
			return nil, fmt.Errorf("%s: id %d stands twice: correct the file or run its step again", a.Name, m.ID)
		}
		seen[m.ID] = true
	}
	return members, nil
}

// details is an answer about each member.
type details[T detail] struct {
	Members []T `json:"team_members"`
}

type detail interface {
	id() int
	describe(*plan.TeamMember)
}

// member says whom a detail is about.
type member struct {
	ID memberID `json:"id"`
}

func (m member) id() int { return m.ID.number() }

// memberID is M1, M2 … in questions, where a bare number could be anything, and the number itself in
// files.
type memberID string

func label(id int) string { return "M" + strconv.Itoa(id) }

func (m memberID) number() int {
	n, _ := strconv.Atoi(strings.TrimPrefix(string(m), "M"))
	return n
}

// MarshalJSON writes the number.
func (m memberID) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(m.number()), 10), nil
}

// UnmarshalJSON reads the label or the number.
func (m *memberID) UnmarshalJSON(data []byte) error {
	text := strings.TrimPrefix(strings.Trim(string(data), `"`), "M")
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%s is no id of a member", data)
	}
	*m = memberID(label(n))
	return nil
}

// labelled is a member as questions show it.
type labelled struct {
	ID           string `json:"id"`
	Category     string `json:"category"`
	Explanation  string `json:"explanation"`
	Consequences string `json:"consequences"`
	Count        string `json:"count"`
}

// ask makes the step that asks for a detail of each member.
func ask[T detail](name, about string, raw plan.File) step.Ask[details[T]] {
	return step.Ask[details[T]]{
		Name:  name,
		About: about,
		Needs: base(),
		Data:  step.Docs(plan.TeamFound),
		Uses:  step.Docs(plan.RelatedResources),
		Vars: func(w *step.Work) (any, error) {
			members, err := read(w, plan.TeamFound)
			var list []labelled
			for _, m := range members {
				list = append(list, labelled{label(m.ID), m.Category, m.Explanation, m.Consequences, m.Count})
			}
			return map[string]any{"Members": list}, err
		},
		Rules: func(w *step.Work) ([]schema.Rule, error) {
			members, err := read(w, plan.TeamFound)
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, m := range members {
				ids = append(ids, label(m.ID))
			}
			return []schema.Rule{schema.EachOnce("team_members.id", ids...)}, nil
		},
		Raw: raw,
	}
}

// add makes the step that puts a detail into the list of members. Members without an answer stay as
// they are, all of them when the question has failed.
func add[T detail](name, about string, from plan.JSON[[]plan.TeamMember], raw plan.File, to plan.JSON[[]plan.TeamMember]) step.Func {
	return step.Func{
		Name:    name,
		About:   about,
		Data:    step.Docs(from),
		UsesRaw: step.Docs(raw),
		Writes:  step.Docs(to),
		Run: func(_ context.Context, w *step.Work) error {
			members, err := read(w, from)
			if err != nil {
				return err
			}
			answer, err := step.Read(w, plan.JSON[details[T]]{File: raw})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return w.WriteJSON(to, enrich(members, answer.Members))
		},
	}
}

// enrich writes details into their members. Of two answers about one member the last counts;
// answers about nobody count for nothing.
func enrich[T detail](members []plan.TeamMember, answers []T) []plan.TeamMember {
	for i := range members {
		for _, a := range answers {
			if a.id() == members[i].ID {
				a.describe(&members[i])
			}
		}
	}
	return members
}
