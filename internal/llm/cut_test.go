package llm_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"planexe/internal/event"
	"planexe/internal/llm"
	"planexe/internal/llm/schema"
)

const head = `{"title": "Bakery", "level": "high", "risks": [{"name": "flour"}, {"name": "rent"}], `

func tips(texts ...string) string {
	var items []string
	for _, s := range texts {
		items = append(items, fmt.Sprintf(`{"text": %q}`, s))
	}
	return `"tips": [` + strings.Join(items, ", ")
}

// TestRestOfAList: when the cap cannot rise, whole items of a cut list are kept and the others
// asked for.
func TestRestOfAList(t *testing.T) {
	t.Parallel()
	once := schema.EachOnce("tips.text", "T1", "T2", "T3")
	refused := &llm.Error{Class: llm.ClassAdapted, MaxTokens: 1000}
	for name, c := range map[string]struct {
		replies []any
		rules   []schema.Rule
		want    []string // of tips
		sent    int
		asks    string // in the request for the rest
	}{
		"by number": {
			[]any{cut(head + tips("one", "two") + `, {"text": "th`), head + tips("three") + `]}`}, nil,
			[]string{"one", "two", "three"}, 2, "from number 3 on, up to number 3",
		},
		"by name": {
			[]any{cut(head + tips("T1", "T3") + `, {"text": "T`), head + tips("T2") + `]}`}, []schema.Rule{once},
			[]string{"T1", "T3", "T2"}, 2, "those for T2",
		},
		"in two goes": {
			[]any{cut(head + tips("T1") + `, {"te`), cut(head + tips("T2") + `, {"te`), head + tips("T3") + `]}`}, []schema.Rule{once},
			[]string{"T1", "T2", "T3"}, 3, "those for T2, T3",
		},
		"the rest lacks one": {
			[]any{cut(head + tips("T1") + `, {"te`), head + tips("T3", "T1") + `]}`, head + tips("T2") + `]}`}, []schema.Rule{once},
			[]string{"T1", "T3", "T2"}, 3, "those for T2, T3",
		},
		"after a refused cap": {
			[]any{cut(head + tips("one", "two") + `, {"text": "th`), refused, head + tips("three") + `]}`}, nil,
			[]string{"one", "two", "three"}, 3, "from number 3 on",
		},
		"in a fence": {
			[]any{cut("```json\n" + head + tips("one", `"two]"`) + `, {"text": "}]`), head + tips("three") + `]}`}, nil,
			[]string{"one", `"two]"`, "three"}, 2, "from number 3 on",
		},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &script{replies: c.replies}
				e := entry("a", s)
				if c.replies[1] != any(refused) {
					e.MaxTokens = 1 << 16
				}
				b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
				got, err := b.ask(t.Context(), "", c.rules...)
				if err != nil {
					t.Fatal(err)
				}
				var have []string
				for _, tip := range got.Value.Tips {
					have = append(have, tip.Text)
				}
				if !reflect.DeepEqual(have, c.want) || len(got.Value.Risks) != 2 {
					t.Errorf("tips %q, want %q", have, c.want)
				}
				if s.sent() != c.sent {
					t.Fatalf("%d requests, want %d: %v", s.sent(), c.sent, b.classes())
				}
				ask := s.requests[len(s.requests)-1]
				if c.asks != "those for T2, T3" {
					if m := ask.Messages; len(m) != 4 || !strings.Contains(m[3].Content, c.asks) {
						t.Errorf("asked %v, want %q", m, c.asks)
					}
				} else if m := s.requests[1].Messages; !strings.Contains(m[3].Content, c.asks) {
					t.Errorf("asked %v, want %q", m, c.asks)
				}
				noRepeats(t, s)
			})
		})
	}
}

// noRepeats fails when two requests are equal: a cut answer is never asked for unchanged.
func noRepeats(t *testing.T, s *script) {
	t.Helper()
	for i, r := range s.requests {
		for _, q := range s.requests[:i] {
			if reflect.DeepEqual(q, r) {
				t.Errorf("request %d repeats an earlier one", i+1)
			}
		}
	}
}

// TestAlwaysCut: whatever is cut again and again, the next request differs.
func TestAlwaysCut(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]any{
		"a list":   cut(head + tips("one") + `, {"text": "th`),
		"no list":  cut(`{"title": "Bak`),
		"thinking": llm.Response{ReasoningOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T) {
				s := &script{exhausted: reply}
				e := entry("a", s)
				e.MaxTokens = 20000
				b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
				if _, err := b.ask(t.Context(), ""); err == nil {
					t.Error("no error")
				}
				if n := s.sent(); n < 4 || n > 16 {
					t.Errorf("%d requests, want 4 to 16", n)
				}
				noRepeats(t, s)
				if s.requests[len(s.requests)-1].MaxTokens != 1<<16 {
					t.Errorf("the cap ended at %d, want 65536", s.requests[len(s.requests)-1].MaxTokens)
				}
			})
		})
	}
}

// TestCutReask: an answer to a re-ask that is cut does not bring the same re-ask again.
func TestCutReask(t *testing.T) {
	virtual(t, func(t *testing.T) {
		gap := head + tips("one") + `]}`
		s := &script{replies: []any{gap, cut(head + tips("one") + `, {"te`), gap, llm.Response{Finish: llm.FinishLength}}, exhausted: gap}
		e := entry("a", s)
		e.MaxTokens = 1 << 16
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{e}})
		if got, err := b.ask(t.Context(), ""); err != nil || len(got.Value.Tips) != 1 {
			t.Errorf("kept %v, %v", got.Value.Tips, err)
		}
		noRepeats(t, s)
	})
}

// TestRaisedCapIsKept for the step's other calls.
func TestRaisedCapIsKept(t *testing.T) {
	virtual(t, func(t *testing.T) {
		s := &script{replies: []any{cut("{")}}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		for _, label := range []string{"one", "two"} {
			if _, err := b.ask(t.Context(), label); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.requests[2].MaxTokens; n != 2000 {
			t.Errorf("the next call has the cap %d, want 2000", n)
		}
	})
}

// TestFreeText: a cut text is no answer, one without marks is a gap.
func TestFreeText(t *testing.T) {
	virtual(t, func(t *testing.T) {
		bare := llm.Response{Text: "# Bread", Finish: llm.FinishStop}
		s := &script{replies: []any{cut("[START_MARKDOWN]# Br"), bare, bare, bare}}
		b := newBench(nil, llm.Options{Entries: []*llm.Entry{entry("a", s)}})
		q := llm.Question[llm.Markdown]{Step: "study", Messages: question("").Messages}
		got, err := llm.Generate(t.Context(), b.Client, q)
		if err != nil || got.Value != "# Bread" {
			t.Fatalf("got %q, %v", got.Value, err)
		}
		if s.sent() != 4 || len(of[event.Quality](b)) != 1 {
			t.Errorf("classes %v and %d notes, want one cut, three without marks and one note", b.classes(), len(of[event.Quality](b)))
		}
	})
}
