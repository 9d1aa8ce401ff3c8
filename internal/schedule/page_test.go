package schedule

import (
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

// plainSchedule makes rows of a network without hierarchy.
func plainSchedule(t *testing.T, day0 string, title func(id string) string, lines ...string) *Schedule {
	t.Helper()
	n, _ := network(t, lines)
	solved, err := Solve(n)
	if err != nil {
		t.Fatal(err)
	}
	d, err := time.Parse(isoDate, day0)
	if err != nil {
		t.Fatal(err)
	}
	s := &Schedule{Calendar: Calendar{Day0: d}}
	for i, a := range n.Activities {
		s.Rows = append(s.Rows, Row{ID: a.ID, Title: title(a.ID), Times: solved.Times[i]})
	}
	return s
}

// cells are some columns of the table, row by row.
func cells(t *testing.T, table []byte, columns ...int) string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, row := range rows[1:] {
		var picked []string
		for _, c := range columns {
			picked = append(picked, row[c])
		}
		out = append(out, strings.Join(picked, " "))
	}
	return strings.Join(out, ", ")
}

func TestCSV(t *testing.T) {
	t.Parallel()
	root, estimates := breakdown(t, "R[P1 6[A 2, B 3, M], P2[C 4]]")
	root.Note = Tooltip(root.Title, "Done <ok>", "", nil)
	root.Children[0].Children[0].Title = `Plan: "x" <b>`
	root.Children[0].Children[0].Note = Tooltip(`Plan: "x" <b>`, "", "Long, text", []string{"Pm", "Dev & co"})
	root.Children[0].Children[1].Note = "T B"
	s, err := Arrange(Project{Root: root, Estimates: estimates, Calendar: Calendar{Day0: time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	want := "project_key,project_name,project_description,project_start_date,project_end_date,project_progress,project_parent,originating_department\n" +
		"R,T R,\"T R\n\nFinal deliverable:\nDone <ok>\",1/3/2026,1/13/2026,0,,PlanExe\n" +
		"P1,T P1,No description,1/3/2026,1/9/2026,0,R,PlanExe\n" +
		"A,\"Plan: \"\"x\"\" <b>\",\"Plan: \"\"x\"\" <b>\n\nDescription:\nLong, text\n\nResources needed:\n• Pm\n• Dev & co\",1/3/2026,1/5/2026,0,P1,PlanExe\n" +
		"B,T B,,1/5/2026,1/8/2026,0,P1,PlanExe\n" +
		"M,T M,No description,1/8/2026,1/9/2026,0,P1,PlanExe\n" +
		"P2,T P2,No description,1/9/2026,1/13/2026,0,R,PlanExe\n" +
		"C,T C,No description,1/9/2026,1/13/2026,0,P2,PlanExe\n"
	if got := string(s.CSV()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCSVRows(t *testing.T) {
	t.Parallel()
	same := func(id string) string { return id }
	order := plainSchedule(t, "2025-08-04", same, "A; -; 3", "B; A(FS2); 2", "C; A(SS); 2", "D; B(SS1); 4", "E; C(SF3); 1", "F; C(FF3); 2", "G; D(SS1),E; 4", "H; F(SF2),G; 3").CSV()
	if got, want := cells(t, order, 0, 3, 4), "A 8/4/2025 8/7/2025, C 8/4/2025 8/6/2025, E 8/6/2025 8/7/2025, F 8/7/2025 8/9/2025, B 8/9/2025 8/11/2025, D 8/10/2025 8/14/2025, G 8/11/2025 8/15/2025, H 8/15/2025 8/18/2025"; got != want {
		t.Errorf("order and dates: %s", got)
	}
	fractions := plainSchedule(t, "2026-01-03", same, "A; -; 1.5", "B; A(FS0.75); 2.25", "C; B; 1").CSV()
	if got, want := cells(t, fractions, 0, 3, 4), "A 1/3/2026 1/4/2026, B 1/5/2026 1/7/2026, C 1/7/2026 1/8/2026"; got != want {
		t.Errorf("fractions: %s", got)
	}
	twice := plainSchedule(t, "1984-01-01", func(id string) string {
		return map[string]string{"A": "Title", "B": "title", "C": "", "D": "TITLE"}[id]
	}, "A; -; 1", "B; A; 1", "C; B; 0", "D; C; 1").CSV()
	if got, want := cells(t, twice, 1, 3, 4), "Title (1) 1/1/1984 1/2/1984, title (2) 1/2/1984 1/3/1984, C 1/3/1984 1/3/1984, TITLE (3) 1/3/1984 1/4/1984"; got != want {
		t.Errorf("names: %s", got)
	}
	breaks := plainSchedule(t, "2026-01-03", func(string) string { return "a\rb" }, "A; -; 1").CSV()
	if !strings.Contains(string(breaks), "A,\"a\rb\",No") {
		t.Errorf("line break: %s", breaks)
	}
	friday := plainSchedule(t, "2026-01-08", same, "A; -; 2", "B; A; 1")
	friday.Calendar.WorkingDays = true
	if got, want := cells(t, friday.CSV(), 0, 3, 4), "A 1/8/2026 1/10/2026, B 1/12/2026 1/13/2026"; got != want {
		t.Errorf("working days: %s", got)
	}
}

var hostile = []string{
	`</script><script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><svg onload=alert(1)>`, `' onmouseover='x`,
	`</title></svg></details>`, "a;b:c,d\"e\nf\rg\x00h\u2028i\u202ej", "--><!--HTML_BODY_CONTENT_END-->", "&lt;b&gt; &amp; {{.}}", strings.Repeat("Ærø 東京 🚀", 60), "\xff\xfe", "",
}

// TestCharts reads both pages with a strict parser: whatever the titles are, there are no elements but
// those of the chart, and the titles are there as text.
func TestCharts(t *testing.T) {
	t.Parallel()
	elements := regexp.MustCompile(`^(p|a|div|ol|li|details|summary|strong|table|thead|tbody|tr|th|td|svg|g|rect|line|path|polygon|text|title)$`)
	attributes := regexp.MustCompile(`^(class|viewBox|width|height|x|y|x1|y1|x2|y2|rx|d|points|role|aria-label|scope|download|href)$`)
	for _, title := range hostile {
		root, estimates := breakdown(t, "R[P1[A 2, B 0], P2[C[D 3, E 1]]]")
		root.Title = title
		for i := range root.Children {
			root.Children[i].Title, root.Children[i].Children[0].Title = title, title
			root.Children[i].Children[0].Note = title
		}
		s, err := Arrange(Project{Title: title, Root: root, Estimates: estimates, Links: []Link{{"A", "C", SS, 1}, {"P1", "D", FS, -1}}})
		if err != nil {
			t.Fatal(err)
		}
		for name, page := range map[string]string{"overview": string(s.Overview()), "interactive": string(s.Interactive(true))} {
			_, rest, _ := strings.Cut(page, "<!--HTML_BODY_CONTENT_START-->")
			content, rest, ok := strings.Cut(rest, "<!--HTML_BODY_CONTENT_END-->")
			if !ok || strings.Contains(rest, "<!--HTML_BODY_CONTENT_END-->") {
				t.Fatalf("%s of %q: markers", name, title)
			}
			dec := xml.NewDecoder(strings.NewReader("<all>" + content + "</all>"))
			text := map[string]int{}
			for {
				tok, err := dec.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s of %q: %v", name, title, err)
				}
				switch tok := tok.(type) {
				case xml.StartElement:
					if tok.Name.Local != "all" && !elements.MatchString(tok.Name.Local) {
						t.Errorf("%s of %q: element %s", name, title, tok.Name.Local)
					}
					for _, a := range tok.Attr {
						if !attributes.MatchString(a.Name.Local) {
							t.Errorf("%s of %q: attribute %s", name, title, a.Name.Local)
						}
					}
				case xml.CharData:
					text[strings.TrimSuffix(string(tok), ":")]++
				}
			}
			if strings.Contains(page, "<script") || strings.Count(page, "<h1") != 1 {
				t.Errorf("%s of %q: script, or more than one heading", name, title)
			}
			if want := plain(title); name == "interactive" && want != "" && text[want] == 0 {
				t.Errorf("%q is not in the chart as text", want)
			}
			for _, marker := range []string{"HEAD_START", "HEAD_END", "BODY_SCRIPT_START", "BODY_SCRIPT_END"} {
				if !strings.Contains(page, "<!--HTML_"+marker+"-->") {
					t.Errorf("%s: no marker %s", name, marker)
				}
			}
		}
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	s := arranged(t, "R[P1[A 2, B 0], P2[C[D 3, E 1]]]", Link{"A", "C", SS, 1})
	page := string(s.Overview())
	for part, n := range map[string]int{
		`<g><title>T P1: `: 1, `<g><title>T A: 3 Jan 2026 to 4 Jan 2026, 2 days, critical</title>`: 1, `<g><title>T B: 3 Jan 2026, 5 days to spare</title>`: 1,
		`<g><title>T C: 4 Jan 2026 to 7 Jan 2026, 4 days, critical</title>`: 1, `T D`: 0, // subtasks are for the other chart
		`class="gantt-summary" x=`: 3, `class="gantt-critical" x=`: 3, `class="gantt-milestone" `: 1, `class="gantt-link"`: 1, // one of each in the key
		"Starts on 3 Jan 2026 and is likely finished on 7 Jan 2026, after 5 days.": 1, "Days are those of the calendar, weekends and holidays included.": 1,
		"Deadline": 0, "laid end to end": 0,
	} {
		if got := strings.Count(page, part); got != n {
			t.Errorf("%q stands there %d times, want %d", part, got, n)
		}
	}
}

func TestInteractive(t *testing.T) {
	t.Parallel()
	s := arranged(t, "R[P1[A 2, B 0], P2[C[D 3, E 1]]]", Link{"A", "C", SS, 1}, Link{"A", "E", FF, -0.5})
	page := string(s.Interactive(false))
	for _, part := range []string{
		"<summary><strong>T P2</strong> 4 Jan 2026 to 6 Jan 2026, 3 days</summary>",
		"<td>T E</td><td>4\u00a0Jan\u00a02026</td><td>4\u00a0Jan\u00a02026</td><td>1\u00a0day</td><td>2\u00a0days</td><td>T A (from finish to finish), 0.5 days earlier</td>",
		"<td>T D</td><td>4\u00a0Jan\u00a02026</td><td>6\u00a0Jan\u00a02026</td><td>3\u00a0days</td><td>none</td><td></td>",
		"<td><strong>T C</strong></td>", "<strong>Critical path</strong> 2 activities: ", "<li>T A: 3 Jan 2026 to 4 Jan 2026, 2 days</li>",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Contains(page, "data:text/csv") {
		t.Error("the table is there without being asked for")
	}
	s.Title = `Solar Farm: "x"`
	if page := string(s.Interactive(true)); !strings.Contains(page, `download="PlanExe_Export_Solar_Farm_x.csv"`) {
		t.Error("no table to download")
	}
	for title, want := range map[string]string{"Ærø 2": "r_2", "東京": "MissingTitle"} {
		if got := exportName(title); got != "PlanExe_Export_"+want+".csv" {
			t.Errorf("%q: %s", title, got)
		}
	}
}

// Ensure that the page says which calendar and which dates it was made with, and whether the deadline is kept.
func TestSummary(t *testing.T) {
	t.Parallel()
	root, _ := breakdown(t, "R[A]")
	for date, want := range map[string]string{
		"2026-02-01": "It is kept, even with plausible trouble.", "2026-01-19": "The likely finish keeps it; with plausible trouble it is 2 days late.",
		"2026-01-13": "The likely finish misses it: it is 1 day late; only if all goes well is the deadline kept.",
		"2026-01-06": "It cannot be kept as planned: the likely finish is 8 days late, the earliest 1 day late.", "soon": "",
	} {
		s, err := Arrange(Project{
			Root: root, Estimates: map[string]Estimate{"A": {3, 10, 17}}, Waterfall: true, Start: "on <Monday> the \u202e5th",
			Calendar: Calendar{time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), true}, Deadline: Deadline{Stated: "soon", Date: date},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := s.summary()
		for _, part := range []string{
			"Starts on 5 Jan 2026 (stated: “on &lt;Monday&gt; the 5th”) and is likely finished on 14 Jan 2026, after 8 working days", "Monday to Friday", "end to end", want,
		} {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q is not in %s", date, part, got)
			}
		}
		if (s.Deadline == nil) != (want == "") {
			t.Errorf("%s: %+v", date, s.Deadline)
		}
	}
}

// Ensure that a chart can be zoomed in when its days are narrow, and does not grow without bounds.
func TestZoom(t *testing.T) {
	t.Parallel()
	for days, want := range map[int]string{3: "", 40: "", 50: "1360", 200: "2760", 365_000: "2760"} {
		page := string(arranged(t, fmt.Sprintf("R[P %d]", days)).Interactive(false))
		_, wide, ok := strings.Cut(page, "<summary>Zoom in</summary>")
		if ok != (want != "") || ok && !strings.Contains(wide, ` width="`+want+`"`) {
			t.Errorf("%d days: zooms %v, want a width of %q", days, ok, want)
		}
	}
}

// TestAxis checks that every span has a few dates on its axis, each where it belongs.
func TestAxis(t *testing.T) {
	t.Parallel()
	tests := map[int]string{
		1: "3 Jan,", 12: "3 Jan,4 Jan,5 Jan", 13: "5 Jan,12 Jan", 84: "5 Jan,12 Jan,19 Jan", 85: "Feb 2026,Mar 2026",
		400: "Apr 2026,Jul 2026", 2000: "Jul 2026,Jan 2027", 3000: "2027,2028", 20_000: "2030,2035", 365_000: "2100,2200",
	}
	label := regexp.MustCompile(`<text class="gantt-axis"[^>]*>([^<]*)</text>`)
	for days, want := range tests {
		s := arranged(t, fmt.Sprintf("R %d", days))
		var got []string
		for _, m := range label.FindAllStringSubmatch(string(s.Overview()), -1) {
			got = append(got, m[1])
		}
		if !strings.HasPrefix(strings.Join(got, ",")+",", want) || len(got) > 13 {
			t.Errorf("%d days: %v, want %s …", days, got, want)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	root := Node{ID: "R"}
	for i := range 20 {
		phase := Node{ID: fmt.Sprint(i), Title: "Phase"}
		for j := range 20 {
			task := Node{ID: fmt.Sprint(i, " ", j), Title: "Task"}
			for k := range 4 {
				task.Children = append(task.Children, Node{ID: fmt.Sprint(i, " ", j, " ", k), Title: "Subtask"})
			}
			phase.Children = append(phase.Children, task)
		}
		root.Children = append(root.Children, phase)
	}
	var links []Link
	for i := range 380 {
		links = append(links, Link{From: fmt.Sprint(i/20, " ", i%20), To: fmt.Sprint(i/20+1, " ", (i+7)%20)})
	}
	for b.Loop() {
		s, err := Arrange(Project{Root: root, Links: links})
		if err != nil {
			b.Fatal(err)
		}
		s.CSV()
		s.Overview()
		s.Interactive(true)
	}
}
