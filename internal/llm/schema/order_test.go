package schema

import (
	"fmt"
	"strings"
	"testing"
)

// Ensure that items whose ids are none of those asked for are taken in order, softly, and that one known id
// is enough for nothing to be guessed.
func TestIdsTakenInOrder(t *testing.T) {
	t.Parallel()
	type answer struct {
		List []struct {
			ID   string `json:"id"`
			Text string `json:"text"`
		} `json:"list"`
	}
	s, err := For[answer]().With(nil, EachOnce("list.id", "M1", "M2"))
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]struct {
		got  string
		hard bool
	}{
		`[{"id":"Q4","text":"a"},{"id":"Q1","text":"b"},{"id":"Q2","text":"c"}]`: {"M1a M2b", false},
		`[{"id":"Q4","text":"a"}]`:                        {"M1a", false},
		`[{"id":"2","text":"a"},{"id":"1","text":"b"}]`:   {"M2a M1b", false},
		`[{"id":"m2","text":"a"},{"id":"Q1","text":"b"}]`: {"", true},
		`[{"id":"","text":"a"},{"text":"b"}]`:             {"", true},
	} {
		var v answer
		problems, _ := Decode(s, parse(t, `{"list":`+in+`}`), &v)
		hard := false
		for _, p := range problems {
			hard = hard || !p.Soft
		}
		var got []string
		for _, x := range v.List {
			got = append(got, x.ID+x.Text)
		}
		if hard != want.hard || !hard && fmt.Sprint(strings.Join(got, " ")) != want.got {
			t.Errorf("%s: %v, problems %v", in, got, problems)
		}
		if in[:9] == `[{"id":"Q` && len(problems) == 0 {
			t.Errorf("%s: it is not asked for again", in)
		}
	}
}
