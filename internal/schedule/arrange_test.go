package schedule

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// breakdown reads "R[P1 10[A 2, B], P2]": ids, estimates in days, children. Titles are "T " and the id.
func breakdown(t testing.TB, text string) (Node, map[string]Estimate) {
	t.Helper()
	estimates := map[string]Estimate{}
	var read func() Node
	read = func() Node {
		end := strings.IndexAny(text, "[],")
		if end < 0 {
			end = len(text)
		}
		id, days, ok := strings.Cut(strings.TrimSpace(text[:end]), " ")
		text = text[end:]
		if ok {
			d, err := strconv.Atoi(days)
			if err != nil {
				t.Fatal(err)
			}
			estimates[id] = Estimate{d, d, d}
		}
		n := Node{ID: id, Title: "T " + id}
		if strings.HasPrefix(text, "[") {
			for ok := true; ok; ok = strings.HasPrefix(text, ",") {
				text = text[1:]
				n.Children = append(n.Children, read())
			}
			text = strings.TrimPrefix(text, "]")
		}
		return n
	}
	return read(), estimates
}

func TestDistribute(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"R", "R1"},
		{"R 0", "R0"},
		{"R -1", "R1"},
		{"R[A, B]", "A1 B1"},
		{"R 10[A, B]", "A5 B5"},
		{"R 10[A, B, C]", "A4 B3 C3"},
		{"R 5[A, B, C]", "A2 B2 C1"},
		{"R 14[A, B, C, D]", "A4 B4 C3 D3"},
		{"R 10[A 2, B]", "A2 B8"},
		{"R 10[A 0, B]", "A0 B10"},
		{"R 10[A -1, B]", "A5 B5"},
		{"R[P 10[A, B], Q 12[C, D]]", "A5 B5 C6 D6"},
		{"R 10[A 12, B]", "A12 B1"},
		{"R 2[A, B, C]", "A1 B1 C1"},
		{"R 2[A 3, B 4]", "A3 B4"},
		{"R 10[A 3, B 4]", "A3 B4"},
		{"R 30[A 4[B, C, D], E 6]", "B2 C1 D1 E6"},
		{"R 12[A[B 1, C 1], D 4]", "B1 C1 D4"},
		{"R 12[A[B 1, C], D]", "B1 C6 D5"},
		{"R 100[A 10[B 1[C, D], E], F]", "C1 D1 E8 F90"},
		{"R 999999999", "R365000"},
	}
	for _, tt := range tests {
		root, estimates := breakdown(t, tt.in)
		days := Distribute(root, estimates)
		tree, err := takeApart(&root)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range tree.nodes {
			if d, ok := days[n.ID]; ok {
				got = append(got, fmt.Sprint(n.ID, d.Likely))
			}
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, g, tt.want)
		}
	}
}

func TestDistributeRange(t *testing.T) {
	t.Parallel()
	root, _ := breakdown(t, "R[P[A, B], C, D, E]")
	got := Distribute(root, map[string]Estimate{
		"P": {10, 10, 10}, "A": {2, 5, 9}, // what is left for B is less the longer A takes
		"C": {9, 4, 2}, "D": {-1, 4, -1}, "E": {3, -1, 8},
	})
	want := map[string]Estimate{"A": {2, 5, 9}, "B": {5, 5, 5}, "C": {4, 4, 4}, "D": {4, 4, 4}, "E": {1, 1, 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestDistributeKeepsSums checks on random breakdowns that a parent's estimate, where it covers those
// of its parts, is the sum of its leaves, and that nothing takes less than a day unless it was said to.
func TestDistributeKeepsSums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 10))
	for range 500 {
		estimates := map[string]Estimate{}
		id := 0
		var grow func(depth int) Node
		grow = func(depth int) Node {
			id++
			n := Node{ID: fmt.Sprint(id)}
			if r.IntN(2) == 0 {
				estimates[n.ID] = Estimate{r.IntN(30) - 1, r.IntN(60) - 1, r.IntN(90) - 1}
			}
			if depth < 3 {
				for range r.IntN(5) {
					n.Children = append(n.Children, grow(depth+1))
				}
			}
			return n
		}
		root := grow(0)
		days := Distribute(root, estimates)
		var check func(n Node) (sum, leaves int, open bool)
		check = func(n Node) (sum, leaves int, open bool) {
			own, stated := estimates[n.ID]
			stated = stated && own.Likely >= 0
			if len(n.Children) == 0 {
				d := days[n.ID]
				if d.Shortest > d.Likely || d.Likely > d.Longest || d.Likely < 1 && !(stated && own.Likely == 0) || stated && d.Likely != own.Likely {
					t.Fatalf("%s: %v of %v", n.ID, d, own)
				}
				return d.Likely, 1, !stated
			}
			for _, c := range n.Children {
				s, l, o := check(c)
				sum, leaves, open = sum+s, leaves+l, open || o
			}
			if stated && open && sum != own.Likely && sum < own.Likely {
				t.Fatalf("%s: %d days of %d were given", n.ID, sum, own.Likely)
			}
			return sum, leaves, open && !stated
		}
		check(root)
	}
}

func arranged(t testing.TB, text string, links ...Link) *Schedule {
	t.Helper()
	root, estimates := breakdown(t, text)
	s, err := Arrange(Project{Title: "T", Root: root, Estimates: estimates, Links: links, Calendar: Calendar{Day0: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rows are ids with early dates, an asterisk marking critical ones.
func (s *Schedule) bars() string {
	var b []string
	for _, r := range s.Rows {
		mark := ""
		if r.Critical {
			mark = "*"
		}
		b = append(b, fmt.Sprintf("%s%s %v-%v", r.ID, mark, r.EarlyStart, r.EarlyFinish))
	}
	return strings.Join(b, ", ")
}

func TestArrange(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in      string
		links   []Link
		want    string
		dropped string
	}{
		"nothing stated: one after the other": {
			in:   "R[P1 6[A 2, B 3, M], P2[C 4]]",
			want: "R* 0-10, P1* 0-6, A* 0-2, B* 2-5, M* 5-6, P2* 6-10, C* 6-10",
		},
		"one leaf": {in: "R 3", want: "R* 0-3"},
		"subtasks": {
			in:    "R[P1[A[A1 1, A2 2], B[B1 1, B2 1]]]",
			links: []Link{{From: "A", To: "B", Type: SS}},
			want:  "R* 0-3, P1* 0-3, A* 0-3, A1* 0-1, A2* 1-3, B 0-2, B1 0-1, B2 1-2",
		},
		"links decide": {
			in:    "R[P1[A 2, B 2], P2[C 4, D 1]]",
			links: []Link{{"A", "B", FS, 0}, {"A", "C", SS, 1}, {"C", "D", FS, 0}, {"B", "D", FS, 0}},
			want:  "R* 0-6, P1* 0-4, A* 0-2, B 2-4, P2* 1-6, C* 1-5, D* 5-6",
		},
		"what waits for something outside does not wait for the phase before": {
			in:    "R[P1[A 2, B 9], P2[C 4, D 1]]",
			links: []Link{{"A", "C", FS, 0}},
			want:  "R* 0-10, P1* 0-9, A 0-2, B* 0-9, P2* 2-10, C 2-6, D* 9-10",
		},
		"with enough links, tasks begin with their phase": {
			in:    "R[P1[A 2, B 2], P2[C 1, D 1]]",
			links: []Link{{"A", "B", FS, 0}},
			want:  "R* 0-5, P1* 0-4, A* 0-2, B* 2-4, P2* 4-5, C* 4-5, D* 4-5",
		},
		"a phase waits": {
			in:    "R[P1[A 2], P2[B 5], P3[C 1]]",
			links: []Link{{"P1", "P3", FS, 2}, {"A", "B", FS, 0}},
			want:  "R* 0-7, P1* 0-2, A* 0-2, P2* 2-7, B* 2-7, P3 4-5, C 4-5",
		},
		"finish to finish of summaries": {
			in:    "R[P1[A 5], P2[B 1]]",
			links: []Link{{"P1", "P2", FF, 3}, {"A", "B", SS, 0}},
			want:  "R* 0-8, P1* 0-5, A* 0-5, P2* 0-8, B 0-1",
		},
		"order of the breakdown yields": {
			in:    "R[P1[A 1, B 2], P2[C 4, D 1]]",
			links: []Link{{"D", "B", FS, 0}, {"P2", "A", FS, 0}},
			want:  "R* 0-5, P1* 1-5, A* 4-5, B 1-3, P2* 0-4, C* 0-4, D 0-1",
		},
		"links that cannot be": {
			in: "R[P1[A 1, B 1], P2[C 1]]",
			links: []Link{
				{"A", "B", "", 0},
				{"A", "Z", FS, 0},
				{"A", "A", FS, 0},
				{"P1", "A", FS, 0},
				{"A", "R", FS, 0},
				{"A", "B", FS, 0},
				{"B", "A", FS, 0},
				{"B", "C", "XX", 0},
				{"B", "C", FS, math.NaN()},
				{"B", "C", FS, 1e9},
				{"B", "C", FS, 1},
				{"P2", "P1", FF, 0},
			},
			want:    "R* 0-4, P1* 0-4, A* 0-1, B* 1-2, P2* 3-4, C* 3-4",
			dropped: `A>Z there is no activity "Z"; A>A it links an activity to itself; P1>A one is a part of the other; A>R one is a part of the other; A>B it stands there twice; B>C type "XX"; B>C lag NaN; B>C beyond any plan; B>A leaves no possible schedule`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := arranged(t, tt.in, tt.links...)
			if got := s.bars(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			want := strings.Split(tt.dropped, "; ")
			if tt.dropped == "" {
				want = nil
			}
			if len(s.Dropped) != len(want) {
				t.Fatalf("dropped %v", s.Dropped)
			}
			for i, d := range s.Dropped {
				ids, reason, _ := strings.Cut(want[i], " ")
				if d.From+">"+d.To != ids || !strings.Contains(d.Reason, reason) {
					t.Errorf("dropped %+v, want %s", d, want[i])
				}
			}
			if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
		})
	}
}

// Ensure that what waits for nothing begins on day 0, whatever its phase, and the rest of the phase as before.
func TestFree(t *testing.T) {
	t.Parallel()
	root, estimates := breakdown(t, "R[P1[A 5, B 1], P2[C 2, D 1, E 1]]")
	s, err := Arrange(Project{Root: root, Estimates: estimates, Links: []Link{{"A", "B", FS, 0}, {"C", "E", FS, 0}}, Free: []string{"C", "nobody"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.bars(), "R* 0-7, P1* 0-6, A* 0-5, B* 5-6, P2* 0-7, C 0-2, D* 6-7, E 2-3"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Ensure that the parts of a task that has fewer days than parts share its days.
func TestPartsShareDays(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"R[P[A 1[A1, A2, A3], B 1]]":     "R* 0-2, P* 0-2, A* 0-1, A1* 0-1, A2* 0-1, A3* 0-1, B* 1-2",
		"R[P[A 2[A1, A2, A3, A4], B 1]]": "R* 0-3, P* 0-3, A* 0-2, A1* 0-1, A2* 0-1, A3* 1-2, A4* 1-2, B* 2-3",
		"R[P[A 3[A1, A2, A3], B 1]]":     "R* 0-4, P* 0-4, A* 0-3, A1* 0-1, A2* 1-2, A3* 2-3, B* 3-4",
	} {
		if got := arranged(t, in, Link{From: "A", To: "B"}).bars(); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", in, got, want)
		}
	}
}

func TestArrangeRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"R[A, A]": `the id "A" stands there twice`, "R[A, ]": "has no id"} {
		root, _ := breakdown(t, in)
		if _, err := Arrange(Project{Root: root}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

func TestArrangeRange(t *testing.T) {
	t.Parallel()
	root, _ := breakdown(t, "R[P[A, B]]")
	p := Project{Root: root, Estimates: map[string]Estimate{"A": {1, 2, 8}, "B": {2, 3, 4}}}
	s, err := Arrange(p)
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration != (Range{3, 5, 12}) {
		t.Errorf("in a row: %v", s.Duration)
	}
	// B must start within 3 days of A's start, but waits for A: with the longest durations it cannot.
	p.Links = []Link{{"A", "B", FS, 0}, {"B", "A", SS, -3}}
	if s, err = Arrange(p); err != nil || len(s.Dropped) != 1 || s.Dropped[0].From != "B" {
		t.Errorf("a maximum that only holds with the likely durations: %+v, %v", s, err)
	}
	// The longer A takes, the earlier it starts, and B with it.
	p.Links = []Link{{"C", "A", FF, 0}, {"A", "B", SS, 0}}
	p.Root, _ = breakdown(t, "R[P[A, B, C]]")
	p.Estimates = map[string]Estimate{"A": {1, 1, 9}, "B": {9, 9, 9}, "C": {9, 9, 9}}
	if s, err = Arrange(p); err != nil || s.Duration != (Range{9, 17, 17}) {
		t.Errorf("longer is earlier: %v, %v", s.Duration, err)
	}
}

// Ensure on random plans that a parent spans its parts and takes over the least float, and that no stated link
// that is kept is broken.
func TestArrangeRollsUp(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		p := randomProject(r)
		s, err := Arrange(p)
		if err != nil {
			t.Fatal(err)
		}
		rows := map[string]Row{}
		for _, row := range s.Rows {
			rows[row.ID] = row
		}
		for _, row := range s.Rows {
			parent := rows[row.Parent]
			if row.Parent != "" && (row.EarlyStart < parent.EarlyStart || row.EarlyFinish > parent.EarlyFinish ||
				row.TotalFloat < parent.TotalFloat || row.Critical && !parent.Critical) {
				t.Fatalf("%+v: %+v is not within %+v", p, row, parent)
			}
			if row.EarlyStart < 0 || row.TotalFloat < 0 || row.EarlyFinish > s.Duration.Likely {
				t.Fatalf("%+v: %+v in %v days", p, row, s.Duration)
			}
		}
		for _, l := range s.Links {
			from, to := rows[l.From], rows[l.To]
			if from.Summary && (l.Type == SS || l.Type == SF) {
				continue // its parts may all have to start later than it could
			}
			a, b := ends(l.Link, from.EarlyStart, from.EarlyFinish, to.EarlyStart, to.EarlyFinish)
			if a+l.Lag > b {
				t.Fatalf("%+v: %+v does not hold between %+v and %+v", p, l, from, to)
			}
		}
		if len(s.CriticalPath) == 0 || rows[s.CriticalPath[len(s.CriticalPath)-1]].EarlyFinish > s.Duration.Likely {
			t.Fatalf("%+v: critical path %v", p, s.CriticalPath)
		}
	}
}

// randomProject has two to four phases, some with tasks and subtasks, some estimates, some links.
func randomProject(r *rand.Rand) Project {
	p := Project{Root: Node{ID: "R"}, Estimates: map[string]Estimate{}}
	var ids []string
	var grow func(n *Node, depth int)
	grow = func(n *Node, depth int) {
		ids = append(ids, n.ID)
		if r.IntN(3) > 0 {
			e := r.IntN(61) - 1
			p.Estimates[n.ID] = Estimate{e / 2, e, 2 * e}
		}
		if depth == 3 || depth > 0 && r.IntN(4) == 0 {
			return
		}
		for i := range 1 + r.IntN(4) {
			n.Children = append(n.Children, Node{ID: fmt.Sprint(n.ID, i)})
			grow(&n.Children[i], depth+1)
		}
	}
	grow(&p.Root, 0)
	for range r.IntN(8) {
		p.Links = append(p.Links, Link{ids[r.IntN(len(ids))], ids[r.IntN(len(ids))], []Type{FS, SS, FF, SF}[r.IntN(4)], float64(r.IntN(20) - 5)})
	}
	return p
}
