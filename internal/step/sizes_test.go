package step

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/llm/schema"
	"planexe/internal/plan"
)

type listed struct {
	Roles []struct {
		embedded
		Tools []string `json:"tools" count:"1-2"`
	} `json:"roles" count:"1-9"`
	More  *[]string `json:"more" count:"0-1"`
	Firm  []string  `json:"firm" count:"1-2,hard"`
	Loose []string  `json:"loose"`
}

type embedded struct {
	Tasks []string `json:"tasks" count:"2"`
}

func items(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

// Ensure that lists are cut at their most, wherever they stand, that the question's numbers go before
// those of the tags, and that the check sees what is left.
func TestSizes(t *testing.T) {
	t.Parallel()
	seen := -1
	q := Question[listed]{
		Sizes: map[string]plan.Range{"roles": {Min: 3, Max: 4}},
		Check: func(a *listed) []schema.Problem { seen = len(a.Roles); return nil },
	}
	var a listed
	for range 6 {
		a.Roles = append(a.Roles, struct {
			embedded
			Tools []string `json:"tools" count:"1-2"`
		}{embedded{items(5)}, items(3)})
	}
	more := items(2)
	a.More, a.Firm, a.Loose = &more, items(3), items(30)
	if problems := q.check(&a); problems != nil {
		t.Error(problems)
	}
	got := []int{len(a.Roles), len(a.Roles[3].Tasks), len(a.Roles[0].Tools), len(*a.More), len(a.Firm), len(a.Loose), seen}
	if want := []int{4, 2, 2, 1, 3, 30, 4}; !cmp.Equal(got, want) {
		t.Errorf("lengths %v, want %v", got, want)
	}
	s, err := schema.For[listed]().With(map[string]string{"roles": "who", "tools": "with what", "loose": "any"}, q.rules()...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"who", "", "", "any"} {
		if got := s.Fields[i].Schema.Description; got != want {
			t.Errorf("%s is described as %q, want %q", s.Fields[i].Name, got, want)
		}
	}
	if c := s.Fields[0].Schema.Count; c == nil || *c != (schema.Count{Min: 3, Max: 4, Surplus: true}) {
		t.Errorf("roles are counted by %v, want the first 4 of at least 3", c)
	}
}
