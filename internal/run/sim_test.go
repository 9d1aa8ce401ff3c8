package run_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/demo"
	"planexe/internal/llm/schema"
	"planexe/internal/pipeline"
	"planexe/internal/run"
)

const simPrompt = "Open a small bakery in Lyon with 300,000 EUR, four employees and a wood-fired oven. The first bread is sold within nine months."

// simPlans is how many plans are made at each rate of faults.
var simPlans = 50

// TestSimulation makes whole plans with a model whose answers are spoiled as often as real models
// do it, and ten times as often. Time is virtual. PLANEXE_SIM sets how many plans are made at each
// rate.
func TestSimulation(t *testing.T) {
	plans := simPlans
	if testing.Short() {
		plans = 4
	}
	if s := os.Getenv("PLANEXE_SIM"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("PLANEXE_SIM: %v", err)
		}
		plans = n
	}
	graph, err := run.NewGraph("simulated")
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0.032, 0.32} {
		t.Run(fmt.Sprintf("%.1f%%", 100*rate), func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			var complete, requests, calls atomic.Int64
			t.Run("plans", func(t *testing.T) {
				for shard := range 4 {
					t.Run(strconv.Itoa(shard), func(t *testing.T) {
						t.Parallel()
						for seed := shard; seed < plans; seed += 4 {
							synctest.Test(t, func(t *testing.T) {
								s := simulate(t, graph, uint64(seed), rate)
								calls.Add(int64(s.calls))
								requests.Add(int64(s.requests))
								if s.outcome == event.Complete {
									complete.Add(1)
								}
							})
						}
					})
				}
			})
			if lost := plans - int(complete.Load()); lost > plans/1000 {
				t.Errorf("%d of %d plans are not complete", lost, plans)
			}
			t.Logf("%d of %d plans complete, %.2f requests for each of %d calls, %s", complete.Load(), plans,
				float64(requests.Load())/float64(calls.Load()), calls.Load(), time.Since(began).Round(time.Millisecond))
		})
	}
}

type simulated struct {
	outcome         event.Outcome
	calls, requests int
}

// simulate makes one plan and checks its log.
func simulate(t *testing.T, graph *pipeline.Graph, seed uint64, rate float64) simulated {
	store := newMemory()
	if err := run.Begin(store, simPrompt, time.Now()); err != nil {
		t.Fatal(err)
	}
	var models []*llm.Entry
	var spoilers []*spoiler
	for i := range 1 + seed%2 {
		s := newSpoiler(demo.New(0, 1), 2*seed+i, rate)
		spoilers = append(spoilers, s)
		id := fmt.Sprintf("model-%d", i)
		models = append(models, &llm.Entry{
			ID: id, Class: "Simulated", Model: id, Host: id, Account: id, Timeout: time.Minute, MaxTokens: 8192 << (seed % 4), Retries: 2, Slots: 8, Provider: s,
			Price: &llm.Price{Input: 1, Output: 1},
		})
	}
	end, err := run.Execute(t.Context(), "simulated", store, run.Spec{
		Graph: graph, Hub: llm.NewHub(), Models: models, Version: "simulated",
	})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if end.Outcome != event.Complete {
		t.Logf("seed %d: %s: %s", seed, end.Outcome, end.Reason.Message)
	}
	for _, s := range spoilers {
		for _, r := range s.repeats {
			t.Errorf("seed %d: asked again unchanged after a cut answer: %.300s", seed, r)
		}
	}
	s := simulated{outcome: end.Outcome}
	checkLog(t, fmt.Sprintf("seed %d", seed), store.log, spoilers, &s)
	return s
}

// checkLog looks at every call of a log: how often it was asked, and what was accepted.
func checkLog(t *testing.T, name string, log []event.Event, spoilers []*spoiler, sum *simulated) {
	counted := map[string]int{}
	shape := map[string]*schema.Schema{}
	notes := map[string][]string{}
	for _, e := range log {
		switch d := e.Data.(type) {
		case event.CallAttempt:
			sum.requests++
			for _, s := range spoilers {
				if found, ok := s.schemas[d.Prompt]; ok {
					shape[d.Key] = found
				}
			}
			if d.Class != string(llm.ClassRate) {
				counted[d.Key]++
			}
		case event.Quality:
			notes[d.Step+"/"+d.Label] = append(notes[d.Step+"/"+d.Label], d.Note)
		}
	}
	for key, n := range counted {
		if n > 16 {
			t.Errorf("%s: %d requests for call %s", name, n, key)
		}
	}
	for _, e := range log {
		d, ok := e.Data.(event.CallAnswered)
		if !ok {
			continue
		}
		sum.calls++
		s, ok := shape[d.Key]
		if !ok {
			t.Errorf("%s: no request with the question of %s %s", name, d.Step, d.Label)
		}
		if s == nil {
			continue // free text
		}
		tree, repairs, err := answer.Extract(string(d.Answer), s)
		if err != nil || len(repairs) > 0 {
			t.Errorf("%s: accepted for %s %s: %v %v", name, d.Step, d.Label, err, repairs)
			continue
		}
		problems, _ := schema.Decode(s, asSent(s, tree), new(any))
		for _, p := range problems {
			if !p.Soft {
				t.Errorf("%s: accepted for %s %s: %s", name, d.Step, d.Label, p)
			} else if !slices.Contains(notes[d.Step+"/"+d.Label], p.String()) {
				t.Errorf("%s: no note says of %s %s: %s\n%s", name, d.Step, d.Label, p, strings.Join(notes[d.Step+"/"+d.Label], "\n"))
			}
		}
	}
}

// asSent takes back what Go types make of short ids when they are written: of M1 the number 1.
func asSent(s *schema.Schema, tree any) any {
	switch v := tree.(type) {
	case schema.Object:
		for i, m := range v {
			for _, f := range s.Fields {
				if f.Name == m.Name {
					v[i].Value = asSent(f.Schema, m.Value)
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = asSent(s.Items, v[i])
		}
	case json.Number:
		for _, id := range s.Enum {
			if strings.TrimLeft(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == v.String() {
				return id
			}
		}
	}
	return tree
}
