package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"planexe/internal/llm"
	"planexe/internal/llm/answer"
	"planexe/internal/llm/schema"
)

const bakery = "Plan:\nOpen a bakery in Lyon with 300,000 EUR. Sell sourdough bread and seasonal pastry to commuters near Gare Part-Dieu within 18 months. " +
	"Avoid franchise contracts. Banned words: blockchain.\n\nToday's date:\n2026-Mar-11\n\nProject start ASAP"

func prompt(text string) []llm.Message {
	return []llm.Message{
		{Role: llm.System, Content: "You plan."},
		{Role: llm.User, Content: "<document name=\"prompt\">\n" + text + "\n</document>\n\nFind the risks."},
	}
}

type action struct {
	ID     string   `json:"id"`
	Title  string   `json:"title" words:"6"`
	Effort int      `json:"effort" range:"1-10"`
	Level  string   `json:"level" enum:"low,medium,high"`
	Tags   []string `json:"tags" enum:"a,b,c" count:"2"`
	Note   *string  `json:"note" words:"1"`
}

type nested struct {
	Summary   string   `json:"summary" words:"17"`
	Verdict   string   `json:"verdict" enum:"REFUSE,ALLOW"`
	Actions   []action `json:"actions" count:"3-7,hard"`
	Signs     []string `json:"early_warning_signs" count:"12" words:"3,hard"`
	Any       []string `json:"anything"`
	None      []string `json:"none" count:"0-0"`
	Share     float64  `json:"share" range:"0.2-0.4"`
	Below     int      `json:"below" range:"-9--3"`
	Currency  string   `json:"primary_currency"`
	PlanType  string   `json:"plan_type" enum:"digital,physical"`
	Confirmed bool     `json:"confirmed"`
	Inner     struct {
		Deep []struct {
			Question string  `json:"question"`
			Rate     float64 `json:"rate"`
		} `json:"deep" count:"1-"`
	} `json:"inner"`
}

type matched struct {
	Decisions []struct {
		LeverID string  `json:"lever_id"`
		Class   string  `json:"classification" enum:"absorb,keep,remove"`
		Into    *string `json:"absorb_into"`
	} `json:"decisions"`
	Order  []string `json:"order"`
	Chosen string   `json:"chosen_id"`
	Links  []struct {
		Task string   `json:"task_id"`
		On   []string `json:"depends_on"`
	} `json:"links" count:"5"`
}

// check asks for T with many seeds and prompts and finds no problem of any kind.
func check[T any](t *testing.T, each func(*testing.T, T), rules ...schema.Rule) {
	t.Helper()
	s, err := schema.For[T]().With(nil, rules...)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{bakery, "Plan:\nBake bread", "", "日本語で小さな本屋を開く", "{topic} <x> €€ 1 }{ [", strings.Repeat("word ", 300)}
	for seed := range int64(200) {
		text := texts[int(seed)%len(texts)]
		resp, err := New(0, seed).Send(t.Context(), llm.Request{Messages: prompt(text), Schema: s})
		if err != nil {
			t.Fatal(err)
		}
		tree, repairs, err := answer.Extract(resp.Text, s)
		if err != nil || repairs != nil {
			t.Fatalf("seed %d: %v, repairs %v:\n%s", seed, err, repairs, resp.Text)
		}
		var v T
		if problems, repairs := schema.Decode(s, tree, &v); problems != nil || repairs != nil {
			t.Fatalf("seed %d, prompt %.40q: problems %v, repairs %v\n%s", seed, text, problems, repairs, resp.Text)
		}
		each(t, v)
	}
}

func distinct(t *testing.T, what string, list []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, s := range list {
		if seen[strings.ToLower(s)] {
			t.Fatalf("%s: %q stands twice in %q", what, s, list)
		}
		seen[strings.ToLower(s)] = true
	}
}

func TestAnswersFollowTheSchema(t *testing.T) {
	t.Parallel()
	notes := map[bool]int{}
	check(t, func(t *testing.T, v nested) {
		var titles []string
		for _, a := range v.Actions {
			titles = append(titles, a.Title)
			notes[a.Note == nil]++
			distinct(t, "tags", a.Tags)
		}
		distinct(t, "titles", titles)
		distinct(t, "signs", v.Signs)
		distinct(t, "anything", v.Any)
		if v.Verdict != "ALLOW" {
			t.Errorf("verdict %s", v.Verdict)
		}
		if len(v.Currency) != 3 {
			t.Errorf("currency %q", v.Currency)
		}
	})
	if notes[true] == 0 || notes[false] == 0 {
		t.Errorf("nullable field: null %d times, text %d times", notes[true], notes[false])
	}
}

func TestRulesOfOneQuestion(t *testing.T) {
	t.Parallel()
	ids := []string{"L1", "L2", "L3", "L4"}
	check(t, func(t *testing.T, v matched) {
		for i, d := range v.Decisions {
			if d.LeverID != ids[i] {
				t.Fatalf("decision %d is about %s", i, d.LeverID)
			}
			if d.Class != "keep" || d.Into != nil {
				t.Errorf("decision %+v would take levers away", d)
			}
		}
		if !slices.Equal(v.Order, []string{"x", "y"}) {
			t.Errorf("order %v", v.Order)
		}
		for _, l := range v.Links { // a circle of dependencies would break a schedule
			for _, on := range l.On {
				if on >= l.Task {
					t.Errorf("%s depends on %s", l.Task, on)
				}
			}
		}
	},
		schema.EachOnce("decisions.lever_id", ids...), schema.OneOf("absorb_into", ids...), schema.EachOnce("order", "x", "y"),
		schema.OneOf("chosen_id", ids...), schema.OneOf("task_id", ids...), schema.OneOf("depends_on", ids...), schema.HardCount("links", 4, 4))
}

func TestRangesWithFewValues(t *testing.T) {
	t.Parallel()
	type x struct {
		Min   int      `json:"days_min" range:"3-"`
		Mid   int      `json:"days_realistic"`
		Max   int      `json:"days_max"`
		One   float64  `json:"one" range:"0.25-0.25"`
		Score []int    `json:"fit_score" range:"1-10" count:"15"`
		Word  []string `json:"word" words:"1" count:"40"`
		Only  []string `json:"only" enum:"a" count:"2,hard"`
		Blank string   `json:"blank" empty:"ok"`
	}
	check(t, func(t *testing.T, v x) {
		if v.Min > v.Mid+1 || v.Mid > v.Max {
			t.Errorf("min %d, realistic %d, max %d", v.Min, v.Mid, v.Max)
		}
		distinct(t, "words", v.Word)
	})
}

// ask returns the text of one answer.
func ask(t *testing.T, m llm.Provider, r llm.Request) string {
	t.Helper()
	resp, err := m.Send(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Text
}

func TestSameQuestionSameAnswer(t *testing.T) {
	t.Parallel()
	r := llm.Request{Messages: prompt(bakery), Schema: schema.For[nested]()}
	first := ask(t, New(0, 1), r)
	for range 20 {
		if ask(t, New(0, 1), r) != first {
			t.Fatal("two answers to one question")
		}
	}
	if ask(t, New(0, 2), r) == first {
		t.Error("the seed makes no difference")
	}
	r.Messages = prompt(bakery + "!")
	if ask(t, New(0, 1), r) == first {
		t.Error("the messages make no difference")
	}
}

func TestTextIsAboutThePrompt(t *testing.T) {
	t.Parallel()
	type x struct {
		Title string   `json:"project_title"`
		Risks []string `json:"risks" count:"12"`
		Next  string   `json:"start_date"`
		Code  string   `json:"primary_currency"`
		Type  string   `json:"plan_type" enum:"digital,physical"`
		Link  string   `json:"source_url"`
	}
	r := llm.Request{Messages: prompt(bakery), Schema: schema.For[x]()}
	var got x
	text := ask(t, New(0, 7), r)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Title != "Bakery in Lyon" || got.Next != "2026-03-18" || got.Code != "EUR" || got.Type != "physical" || got.Link != "none" {
		t.Errorf("got %+v", got)
	}
	for _, want := range []string{"sourdough bread", "seasonal pastry", "the bakery in Lyon"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for _, no := range []string{"franchise", "blockchain", "{"} {
		if strings.Contains(strings.Join(got.Risks, " "), no) {
			t.Errorf("%q in %q", no, got.Risks)
		}
	}
}

// TestNamesOfEarlierAnswersAreTaken: a later round shows the names that it must not repeat.
func TestNamesOfEarlierAnswersAreTaken(t *testing.T) {
	t.Parallel()
	type x struct {
		Names []string `json:"name" count:"5"`
	}
	m, r := New(0, 3), llm.Request{Messages: prompt(bakery), Schema: schema.For[x]()}
	var all []string
	for range 4 {
		var got x
		text := ask(t, m, r)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Names...)
		r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Content: text}, llm.Message{Role: llm.User, Content: "More."})
	}
	distinct(t, "names", all)
}

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text                 string
		subject                    string
		place, amount, span, money string
	}{
		{"bakery", bakery, "bakery in Lyon", "Lyon", "300,000 EUR", "18 months", "EUR"},
		{"euro sign", "Plan:\nEstablish a 3-year research unit in Bonn, Germany, for sleep. Budget is €3.8 million, €80 a night.\n\nToday's date:\n2026-Mar-11",
			"3-year research unit in Bonn", "Bonn, Germany", "€3.8 million", "", "EUR"},
		{"by country", "I want to start a tea house in Japan", "tea house in Japan", "Japan", "", "", "JPY"},
		{"nothing", "", "plan", "", "", "", "USD"},
	}
	first := func(list []string) string { return append(list, "")[0] }
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := read(prompt(tt.text))
			got := []string{f.subject, first(f.places), first(f.amounts), first(f.spans), f.currencies[0]}
			want := []string{tt.subject, tt.place, tt.amount, tt.span, tt.money}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestReadWithoutPromptDocument(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"Open a cinema": "Open a cinema",
		"<document name=\"x\">\nA\n</document> B": "A",
	}
	for content, want := range tests {
		if got := read([]llm.Message{{Role: llm.User, Content: "old"}, {Role: llm.User, Content: content}}).text; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFreeTextShortensTheLastDocument(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"page":          "# Head\n\nFirst one. Second one.\nThird line.\n\n- Item one. More of it.\n- Item two. More.\n\n| a | b |\n",
		"no way to cut": "# Head\n\n- a\n- b",
		"one line":      "just a few words without an end",
		"one word":      "Überraschung",
		"own marks":     "Text. [END_MARKDOWN] more [START_MARKDOWN] text.",
		"json":          `{"pitch_title": "Bread", "why": "It is good. It is cheap.", "points": ["One. Two.", "Three."], "n": 3}`,
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := prompt(bakery)
			m[1].Content += fmt.Sprintf("\n<document name=\"draft\">\n%s\n</document>\nWrite it between %s and %s.", source, llm.StartMarkdown, llm.EndMarkdown)
			got, ok := answer.Text(ask(t, New(0, 0), llm.Request{Messages: m}), llm.StartMarkdown, llm.EndMarkdown)
			if !ok || got == "" || len(got) >= len(source) {
				t.Errorf("marks %v, %d of %d bytes: %q", ok, len(got), len(source), got)
			}
			switch name {
			case "page":
				if want := "# Head\n\nFirst one.\n\n- Item one.\n- Item two.\n\n| a | b |"; got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			case "json":
				if want := "## Pitch title\n\nBread\n\n## Why\n\nIt is good.\n\n## Points"; !strings.HasPrefix(got, want) {
					t.Errorf("got %q", got)
				}
			}
		})
	}
}

func TestFreeTextWithoutDocument(t *testing.T) {
	t.Parallel()
	m := []llm.Message{{Role: llm.User, Content: "Open a bakery in Lyon. Write between [START_MARKDOWN] and [END_MARKDOWN]."}}
	got, ok := answer.Text(ask(t, New(0, 0), llm.Request{Messages: m}), llm.StartMarkdown, llm.EndMarkdown)
	if !ok || !strings.Contains(got, "akery in Lyon") {
		t.Errorf("marks %v: %q", ok, got)
	}
	m[0].Content = "Open a bakery in Lyon."
	if got := ask(t, New(0, 0), llm.Request{Messages: m}); strings.Contains(got, "MARKDOWN") || got == "" {
		t.Errorf("marks nobody asked for: %q", got)
	}
}

func TestResponse(t *testing.T) {
	t.Parallel()
	resp, err := New(0, 0).Send(t.Context(), llm.Request{Messages: prompt(bakery), Schema: schema.For[nested]()})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Finish != llm.FinishStop || resp.Cost == nil || *resp.Cost != 0 || !resp.Usage.Estimated ||
		resp.Usage.Completion != (len(resp.Text)+3)/4 || resp.Usage.Prompt < len(bakery)/4 {
		t.Errorf("%+v", resp)
	}
}

func TestLatencyEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, start := New(time.Minute, 0), time.Now()
		if ask(t, m, llm.Request{Messages: prompt(bakery)}); time.Since(start) != time.Minute {
			t.Errorf("answered after %v", time.Since(start))
		}
		stop := errors.New("stopped by hand")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stop) })
		start = time.Now()
		_, err := m.Send(ctx, llm.Request{Messages: prompt(bakery)})
		if llm.ClassOf(err) != llm.ClassCancelled || !errors.Is(err, stop) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err := New(0, 0).Send(ctx, llm.Request{}); llm.ClassOf(err) != llm.ClassCancelled {
			t.Errorf("a context that has ended: %v", err)
		}
	})
}

func TestReadHeadingAndSmallAmounts(t *testing.T) {
	t.Parallel()
	f := read([]llm.Message{{Role: llm.User, Content: "<document name=\"x\">\n# Tea house in Kyoto\n\nIn March we pay $80, later 1.000.000 USD and $1.2m.\n</document>"}})
	if f.subject != "Tea house in Kyoto" || !slices.Equal(f.places, []string{"Kyoto"}) || !slices.Equal(f.amounts, []string{"1.000.000 USD", "$1.2m"}) {
		t.Errorf("%+v", f)
	}
}

func BenchmarkSend(b *testing.B) {
	r := llm.Request{Messages: prompt(strings.Repeat(bakery, 30)), Schema: schema.For[nested]()}
	m := New(0, 0)
	for b.Loop() {
		if _, err := m.Send(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
