package schedule

import (
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var linkForm = regexp.MustCompile(`^(\w+)(?:\(([FS]{2})([-+]?[\d.]+)?\))?$`)

// network reads lines of "id; A(FS2),B; duration" and what follows a bar, per activity.
func network(t testing.TB, lines []string) (n Network, expect []string) {
	t.Helper()
	number := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, line := range lines {
		line, want, _ := strings.Cut(line, " | ")
		f := strings.Split(line, "; ")
		n.Activities = append(n.Activities, Activity{f[0], number(f[2])})
		expect = append(expect, want)
		for p := range strings.SplitSeq(f[1], ",") {
			if p == "-" {
				continue
			}
			m := linkForm.FindStringSubmatch(p)
			l := Link{From: m[1], To: f[0], Type: Type(m[2])}
			if m[3] != "" {
				l.Lag = number(m[3])
			}
			n.Links = append(n.Links, l)
		}
	}
	return n, expect
}

func TestSolve(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/networks.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(data)), "\n\n")[1:]
	for _, block := range blocks {
		lines := strings.Split(block, "\n")
		name, head, _ := strings.Cut(lines[0], ": ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, want := network(t, lines[1:])
			s, err := Solve(n)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%v; %s", s.Duration, strings.Join(s.CriticalPath, " ")); got != head {
				t.Errorf("got %q, want %q", got, head)
			}
			for i, x := range s.Times {
				got := fmt.Sprint(x.EarlyStart, x.EarlyFinish, x.LateStart, x.LateFinish, x.TotalFloat)
				if got != want[i] {
					t.Errorf("%s: got %s, want %s", n.Activities[i].ID, got, want[i])
				}
				if x.Critical != (x.TotalFloat == 0) {
					t.Errorf("%s: critical %v with float %v", n.Activities[i].ID, x.Critical, x.TotalFloat)
				}
			}
		})
	}
	if len(blocks) != 18 {
		t.Errorf("%d networks, want 18", len(blocks))
	}
}

func TestSolveEdges(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines []string
		free  string // free floats
		path  string
	}{
		"empty":                  {nil, "[]", ""},
		"milestones":             {[]string{"A; -; 0", "B; A; 0"}, "[0 0]", "A B"},
		"free float to the end":  {[]string{"A; -; 5", "B; A(SS1); 1"}, "[0 3]", "A"},
		"free and total float":   {[]string{"A; -; 1", "B; A; 1", "C; -; 5", "D; B,C; 1"}, "[0 3 0 0]", "C D"},
		"maximum lag":            {[]string{"A; C(SS-4); 2", "B; -; 6", "C; A,B; 1"}, "[2 0 0]", "B C"},
		"start pulled by a lag":  {[]string{"A; B(SS-1); 1", "B; A,C; 1", "C; -; 9"}, "[0 0 0]", "C B"},
		"tight circle":           {[]string{"A; B(FS-2); 1", "B; A; 1", "C; A; 3"}, "[0 0 0]", "A C"},
		"circle of milestones":   {[]string{"A; B; 0", "B; A; 0"}, "[0 0]", "A B"},
		"ends inside the circle": {[]string{"A; B(SS-2); 5", "B; A(SS2); 1"}, "[0 0]", "A"},
		"decimals":               {[]string{"A; -; 0.1", "B; A; 0.2", "C; -; 0.3", "D; B,C; 1e-9"}, "[0 0 0 0]", "A B D"},
		"seventeen digits":       {[]string{"A; -; 0.10000000000000002", "B; A; 123456789.12345679", "C; -; 1e9"}, "[0 8.765432107765433e+08 0]", "C"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, _ := network(t, tt.lines)
			s, err := Solve(n)
			if err != nil {
				t.Fatal(err)
			}
			free := []float64{}
			for _, x := range s.Times {
				free = append(free, x.FreeFloat)
			}
			if got := fmt.Sprint(free); got != tt.free {
				t.Errorf("free floats %s, want %s", got, tt.free)
			}
			if got := strings.Join(s.CriticalPath, " "); got != tt.path {
				t.Errorf("path %q, want %q", got, tt.path)
			}
		})
	}
}

func TestSolveRefuses(t *testing.T) {
	t.Parallel()
	ab := []Activity{{"A", 1}, {"B", 2}}
	link := func(l Link) Network { return Network{ab, []Link{l}} }
	tests := map[string]struct {
		n    Network
		want string
	}{
		"no id":         {Network{Activities: []Activity{{"", 1}}}, "activity 1 has no id"},
		"twice":         {Network{Activities: []Activity{{"A", 1}, {"A", 1}}}, `two activities have the id "A"`},
		"negative":      {Network{Activities: []Activity{{"A", -1}}}, `"A": duration -1`},
		"NaN":           {Network{Activities: []Activity{{"A", math.NaN()}}}, `"A": duration NaN`},
		"infinite":      {Network{Activities: []Activity{{"A", math.Inf(1)}}}, `"A": duration +Inf`},
		"lag NaN":       {link(Link{"A", "B", FS, math.NaN()}), `"A" to "B": lag NaN`},
		"lag infinite":  {link(Link{"A", "B", FS, math.Inf(-1)}), `"A" to "B": lag -Inf`},
		"type":          {link(Link{"A", "B", "fs", 0}), `"A" to "B": type "fs"`},
		"too wide":      {Network{Activities: []Activity{{"A", 1e30}, {"B", 1e-30}}}, "too many digits"},
		"denormal":      {Network{Activities: []Activity{{"A", 5e-324}}}, "too many digits"},
		"sum overflows": {Network{Activities: []Activity{{"A", math.MaxFloat64}, {"B", math.MaxFloat64}}}, "too large"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Solve(tt.n); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}

	var unknown *UnknownError
	if _, err := Solve(link(Link{From: "A", To: "Z"})); !errors.As(err, &unknown) || unknown.ID != "Z" || !strings.Contains(err.Error(), `"Z"`) {
		t.Errorf("unknown: got %v", err)
	}
	var self *SelfLinkError
	if _, err := Solve(link(Link{From: "A", To: "A", Type: SS})); !errors.As(err, &self) || self.ID != "A" || !strings.Contains(err.Error(), `"A"`) {
		t.Errorf("self-link: got %v", err)
	}
}

func TestSolveInfeasible(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines []string
		want  []string
	}{
		"two":                  {[]string{"A; B; 1", "B; A; 1"}, []string{"A", "B"}},
		"in its direction":     {[]string{"C; A; 1", "A; B; 1", "B; C; 1"}, []string{"C", "B", "A"}},
		"maximum lag exceeded": {[]string{"S; -; 2", "A; S,B(SS-3); 4", "B; A; 1", "E; B; 1"}, []string{"A", "B"}},
		"by a hair":            {[]string{"A; B(SS-0.3); 0.1", "B; A(FS0.20000000000000004); 1"}, []string{"A", "B"}},
		"milestones with lag":  {[]string{"A; B; 0", "B; A(FS1); 0"}, []string{"A", "B"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, _ := network(t, tt.lines)
			_, err := Solve(n)
			var infeasible *InfeasibleError
			if !errors.As(err, &infeasible) {
				t.Fatalf("got %v", err)
			}
			if d := cmp.Diff(tt.want, infeasible.IDs); d != "" {
				t.Error(d)
			}
			for _, id := range tt.want {
				if !strings.Contains(err.Error(), strconv.Quote(id)) {
					t.Errorf("%v does not name %s", err, id)
				}
			}
		})
	}
	n, _ := network(t, []string{"A; B(SS-0.3); 0.1", "B; A(FS0.2); 1"})
	if _, err := Solve(n); err != nil {
		t.Errorf("0.1 + 0.2 - 0.3 is no positive length: %v", err)
	}
}

// large is a network of n activities with m links that point forward, in a shuffled input order.
func large(r interface {
	IntN(int) int
	Perm(int) []int
}, n, m int) Network {
	var net Network
	ids := r.Perm(n)
	for _, i := range ids {
		net.Activities = append(net.Activities, Activity{fmt.Sprint("T", i), float64(r.IntN(100)) / 10})
	}
	for range m {
		i, j := r.IntN(n), r.IntN(n)
		if i == j {
			j = (i + 1) % n
		}
		net.Links = append(net.Links, Link{fmt.Sprint("T", min(i, j)), fmt.Sprint("T", max(i, j)),
			[]Type{FS, SS, FF, SF}[r.IntN(4)], float64(r.IntN(60)-30) / 10})
	}
	return net
}

// withMaxima adds, for links of a feasible network, the way back with what they use and a bit more.
func withMaxima(n Network, s *Solution, every int, bit float64) Network {
	at := map[string]float64{}
	for i, a := range n.Activities {
		at[a.ID] = s.Times[i].EarlyStart
	}
	n.Links = slices.Clone(n.Links)
	for _, l := range n.Links {
		every--
		if every%7 == 0 {
			n.Links = append(n.Links, Link{l.To, l.From, SS, math.Round((at[l.From]-at[l.To]-bit)*10) / 10})
		}
	}
	return n
}
