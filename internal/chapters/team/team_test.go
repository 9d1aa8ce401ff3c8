package team

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   role
		want string
	}{
		{role{Min: 1, Max: 1}, "1"},
		{role{Min: 3, Max: 3, Dependence: "three shifts"}, "3: three shifts"},
		{role{Min: 2, Max: 4, Dependence: "the season"}, "2-4: the season"},
		{role{Min: 4, Max: 2}, "2-4"},
		{role{Min: 0, Max: 0}, "1"},
	} {
		if got := tc.in.people(); got != tc.want {
			t.Errorf("%d to %d: %q, want %q", tc.in.Min, tc.in.Max, got, tc.want)
		}
	}
}

func TestCheckRoles(t *testing.T) {
	t.Parallel()
	at := "brainstorm_of_needed_team_members"
	for name, tc := range map[string]struct {
		in   []role
		want string
	}{
		"good":          {[]role{{Title: "Owner", Min: 1, Max: 1}, {Title: "Baker", Min: 1, Max: 2}}, ""},
		"a title twice": {[]role{{Title: "Baker"}, {Title: "baker "}}, at + "[1].job_category_title"},
	} {
		var paths []string
		for _, p := range checkRoles(&found{tc.in}) {
			if !p.Soft {
				t.Errorf("%s: %v is hard, although it can be repaired", name, p)
			}
			paths = append(paths, p.Path)
		}
		if got := strings.Join(paths, " "); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestApart(t *testing.T) {
	t.Parallel()
	var in []plan.TeamMember
	for _, c := range strings.Fields("x Y X u y") {
		in = append(in, plan.TeamMember{Category: c})
	}
	var got []string
	for _, m := range apart(in) {
		got = append(got, m.Category)
	}
	if want := "x (1), Y (1), X (2), u, y (2)"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestEnrich(t *testing.T) {
	t.Parallel()
	answer := func(id, text string) environment {
		return environment{member{memberID("M" + id)}, text, text}
	}
	got := enrich(
		[]plan.TeamMember{{ID: 1}, {ID: 2, Equipment: "kept"}, {ID: 3}},
		[]environment{answer("3", "first"), answer("9", "nobody"), answer("", "nobody"), answer("3", "last"), answer("1", "one")},
	)
	want := []plan.TeamMember{{ID: 1, Equipment: "one", Facilities: "one"}, {ID: 2, Equipment: "kept"}, {ID: 3, Equipment: "last", Facilities: "last"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		members := chaptertest.Load[[]plan.TeamMember](t, dir, plan.TeamFound)
		same(t, dir, plan.TeamContract, enrich(members, chaptertest.Load[details[contract]](t, dir, plan.TeamContractRaw).Members))
		same(t, dir, plan.TeamBackground, enrich(members, chaptertest.Load[details[background]](t, dir, plan.TeamBackgroundRaw).Members))
		same(t, dir, plan.TeamEnvironment, enrich(members, chaptertest.Load[details[environment]](t, dir, plan.TeamEnvironmentRaw).Members))
		// The program that recorded the runs puts a line before the first heading.
		_, want, _ := strings.Cut(string(dir.Read(t, plan.Team)), "\n\n")
		if diff := cmp.Diff(want, teamPage(members, chaptertest.Load[plan.TeamCritique](t, dir, plan.TeamReview))); diff != "" {
			t.Errorf("%s (-recorded +ours):\n%s", plan.Team.Name, diff)
		}
	})
}

func same(t *testing.T, dir chaptertest.Recorded, a plan.JSON[[]plan.TeamMember], got []plan.TeamMember) {
	t.Helper()
	if diff := cmp.Diff(chaptertest.Load[[]plan.TeamMember](t, dir, a), got); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", a.Name, diff)
	}
}
