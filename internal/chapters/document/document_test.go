package document

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planexe/internal/chapters/chaptertest"
	"planexe/internal/plan"
	"planexe/internal/step"
)

func failed(context.Context, *step.Work) error { return errors.New("no answer") }

func TestVital(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		n    int
		list string // "D1 High D2 Low …"
		want string
	}{
		"critical ones suffice":       {7, "D1 Critical D2 High D3 Critical D4 Critical D5 Critical D6 Critical D7 High", "1 3 4 5 6"},
		"a level stays whole":         {7, "D1 Critical D2 High D3 High D4 High D5 High D6 High D7 Low", "1 2 3 4 5 6"},
		"down to medium":              {6, "D1 High D2 Medium D3 Medium D4 Medium D5 Medium D6 Low", "1 2 3 4 5"},
		"down to low":                 {6, "D1 Low D2 Low D3 Low D4 Low D5 Low D6 Critical", "1 2 3 4 5 6"},
		"fewer than are wanted":       {2, "D1 Low D2 Critical", "1 2"},
		"forgotten is medium":         {7, "D1 High D2 Low D3 High D4 Low", "1 3 5 6 7"},
		"rated twice counts higher":   {6, "D1 Low D2 High D3 High D4 High D5 High D6 High D1 Critical D1 Low", "1 2 3 4 5 6"},
		"unknown ids count for none":  {6, "D9 Critical D0 Critical X Critical D1 Low D2 High D3 High D4 High D5 High D6 High", "2 3 4 5 6"},
		"no document is rated at all": {6, "", "1 2 3 4 5 6"},
	} {
		var list []rating
		for words := strings.Fields(tc.list); len(words) > 0; words = words[2:] {
			list = append(list, rating{ID: words[0], Impact: words[1], Rationale: "because"})
		}
		var got []string
		for i, impact := range vital(tc.n, list) {
			if impact != nil {
				got = append(got, fmt.Sprint(i+1))
			}
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: kept %v, want %s", name, got, tc.want)
		}
	}
	twice := vital(1, []rating{{"D1", "low", "Low"}, {"D1", "high", "High"}, {"D1", "later", "High"}})
	if diff := cmp.Diff([]*plan.Impact{{Rating: "High", Rationale: "high"}}, twice); diff != "" {
		t.Errorf("rated twice (-want +got):\n%s", diff)
	}
}

// TestPagesKeepTheirShape: hostile or missing values neither break a line nor leave words in it.
func TestPagesKeepTheirShape(t *testing.T) {
	t.Parallel()
	create := []plan.DocumentToCreate{{Document: plan.Document{Name: "A\n# B", Description: "x\n\n## y"}}}
	want := "# Documents to Create\n\n## Create Document 1: A # B\n\n**ID**:\n\n**Description**: x ## y\n\n**Responsible Role Type**:\n\n" +
		"**Primary Template**:\n\n**Secondary Template**:\n\n**Steps to Create**:\n\n**Approval Authorities**:\n\n\n# Documents to Find"
	if diff := cmp.Diff(want, documentsPage(create, nil)); diff != "" {
		t.Errorf("page of documents (-want +got):\n%s", diff)
	}
	want = "\n## Documents to Create\n\n### 1. A # B\n\n**Description:** x ## y\n\n**Steps:**\n\n- *No steps are known.*\n\n## Documents to Find\n\n*None.*"
	if diff := cmp.Diff(want, identifiedPage(create, nil)); diff != "" {
		t.Errorf("list of documents (-want +got):\n%s", diff)
	}
}

// TestRecorded: the same answers give the same pages, but for the word that stands for no value,
// and keep the same documents.
func TestRecorded(t *testing.T) {
	t.Parallel()
	chaptertest.EachRecorded(t, func(t *testing.T, dir chaptertest.Recorded) {
		same := func(a plan.Artifact, got string) {
			want := strings.ReplaceAll(string(dir.Read(t, a)), "**: None\n", "**:\n")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-recorded +ours):\n%s", a.Artifact().Name, diff)
			}
		}
		create := chaptertest.Load[[]plan.DocumentToCreate](t, dir, plan.DocumentsToCreate)
		find := chaptertest.Load[[]plan.DocumentToFind](t, dir, plan.DocumentsToFind)
		same(plan.Documents, identifiedPage(create, find))
		same(plan.DocumentsPage, documentsPage(chaptertest.Load[[]plan.DocumentToCreate](t, dir, plan.DraftCreate),
			chaptertest.Load[[]plan.DocumentToFind](t, dir, plan.DraftFind)))

		keptAs(t, dir, plan.FilterCreateRaw, create, plan.FilterCreate)
		keptAs(t, dir, plan.FilterFindRaw, find, plan.FilterFind)
	})
}

func keptAs[T any](t *testing.T, dir chaptertest.Recorded, raw plan.File, list []T, to plan.JSON[[]T]) {
	t.Helper()
	var ratings []rating
	for _, r := range chaptertest.Load[numbered](t, dir, raw).List {
		ratings = append(ratings, rating{label(r.ID), r.Rationale, r.Impact})
	}
	var kept []T
	for i, impact := range vital(len(list), ratings) {
		if impact != nil {
			kept = append(kept, list[i])
		}
	}
	if diff := cmp.Diff(chaptertest.Load[[]T](t, dir, to), kept); diff != "" {
		t.Errorf("%s (-recorded +ours):\n%s", to.Name, diff)
	}
}
