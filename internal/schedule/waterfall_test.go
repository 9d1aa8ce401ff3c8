package schedule

import (
	"math/rand/v2"
	"testing"
)

// Ensure that durations and bars are those of other programs: the vectors of the contract.
func TestWaterfall(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // a breakdown, and its bars
		"R[A, B]":                      "R* 0-2, A* 0-1, B* 1-2",
		"R 10[A, B]":                   "R* 0-10, A* 0-5, B* 5-10",
		"R 10[A, B, C]":                "R* 0-12, A* 0-4, B* 4-8, C* 8-12",
		"R 10[A 2, B]":                 "R* 0-10, A* 0-2, B* 2-10",
		"R 10[A 0, B]":                 "R* 0-11, A* 0-1, B* 1-11",
		"R 10[A 12, B]":                "R* 0-13, A* 0-12, B* 12-13",
		"R 2[A 3, B 4]":                "R* 0-7, A* 0-3, B* 3-7",
		"R 10[A 3, B 4]":               "R* 0-10, A* 0-5, B* 5-10",
		"R 30[A 4[B, C, D], E 6]":      "R* 0-21, A* 0-6, B* 0-2, C* 2-4, D* 4-6, E* 6-21",
		"R 3[A[B 2]]":                  "R* 0-2, A* 0-2, B* 0-2",
		"R 12[A[B 1, C 1], D 4]":       "R* 0-6, A* 0-2, B* 0-1, C* 1-2, D* 2-6",
		"R[A 7[B, C, D], E 5[F 1, G]]": "R* 0-14, A* 0-9, B* 0-3, C* 3-6, D* 6-9, E* 9-14, F* 9-10, G* 10-14",
		"R 100[A 10[B 1[C, D], E], F]": "R* 0-100, A* 0-10, B* 0-2, C* 0-1, D* 1-2, E* 2-10, F* 10-100",
		"R":                            "R* 0-1",
		"R 3[P]":                       "R* 0-3, P* 0-3",
		"R[P1 10[A 4[A1, A2, A3], B 6], P2 20[C 5[C1], D 7[D1, D2], E 3], P3 -1]": "R* 0-33, P1* 0-12, A* 0-6, A1* 0-2, A2* 2-4, A3* 4-6, B* 6-12, " +
			"P2* 12-32, C* 12-17, C1* 12-17, D* 17-25, D1* 17-21, D2* 21-25, E* 25-32, P3* 32-33",
	}
	for in, want := range tests {
		root, estimates := breakdown(t, in)
		s, err := Arrange(Project{Root: root, Estimates: estimates, Links: []Link{{"B", "A", FS, 9}}, Waterfall: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.bars(); got != want || s.Mode != Waterfall || len(s.Dropped) > 0 {
			t.Errorf("%s:\n%s, %s, want\n%s", in, got, s.Mode, want)
		}
	}
}

// Ensure on random breakdowns that leaves follow each other without gap or overlap, and take a day at least.
func TestWaterfallHasNoGaps(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		p := randomProject(r)
		p.Waterfall = true
		s, err := Arrange(p)
		if err != nil {
			t.Fatal(err)
		}
		at := 0.0
		for _, row := range s.Rows {
			if row.Summary {
				continue
			}
			if row.EarlyStart != at || row.Days() < 1 || !row.Critical {
				t.Fatalf("%+v: %+v, want it to start at %v", p, row, at)
			}
			at = row.EarlyFinish
		}
		if at != s.Duration.Likely {
			t.Fatalf("%+v: ends at %v of %v", p, at, s.Duration)
		}
	}
}
