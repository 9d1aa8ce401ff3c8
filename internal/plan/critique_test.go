package plan

import "testing"

func TestSummarizeGantt(t *testing.T) {
	t.Parallel()
	const head = "project_key,project_name,project_description,project_start_date,project_end_date,project_parent\n"
	for name, c := range map[string]struct{ table, want string }{
		"phases":           {head + "R,\"Bread,\nfast\",\"a\nb\",1/3/2026,2/2/2026,\nP,Rent,,1/3/2026,1/9/2026,R\nT,Ask,,1/3/2026,1/4/2026,P\nQ,Bake,,1/9/2026,2/2/2026,R\n", "2026-01-03 to 2026-02-01, 30 days: Bread, fast\n2026-01-03 to 2026-01-08, 6 days: Rent\n2026-01-09 to 2026-02-01, 24 days: Bake\n"},
		"dates of no form": {head + "R,Bread,,soon,later,\nP,Rent,,1/3/2026,1/9/2026,R\n", "2026-01-03 to 2026-01-08, 6 days: Rent\n"},
		"a milestone":      {head + "R,Bread,,1/3/2026,1/3/2026,\n", "2026-01-03 to 2026-01-03, 0 days: Bread\n"},
		"other columns":    {"id,name\nR,Bread\n", ""},
		"short rows":       {head + "R\nP\n", ""},
		"only a head":      {head, ""},
		"no table":         {"\"open", ""},
		"missing":          {"", ""},
	} {
		if got := SummarizeGantt(c.table); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
