package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func here() place { return place{prefix: "s", level: 3, ids: map[string]int{}} }

func TestMarkdown(t *testing.T) {
	t.Parallel()
	link := ` rel="noopener noreferrer" target="_blank"`
	for name, tc := range map[string]struct{ src, want string }{
		"list after a text":      {"Reasons:\n- a\n- b", "<p>Reasons:</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"},
		"list nested by two":     {"- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"},
		"list nested by four":    {"- a\n    - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n"},
		"lines are kept":         {"a\nb", "<p>a<br>\nb</p>\n"},
		"rule below a text":      {"a\n---", "<p>a</p>\n<hr>\n"},
		"indented is no code":    {"    a", "<p>a</p>\n"},
		"indented after a text":  {"a\n\n     b *c*\n\td\n\n- e\n\n      f", "<p>a</p>\n<p>b <em>c</em><br>\nd</p>\n<ul>\n<li>\n<p>e</p>\n<p>f</p>\n</li>\n</ul>\n"},
		"tilde means about":      {"~5 to ~7, ~~x~~", "<p>~5 to ~7, ~~x~~</p>\n"},
		"placeholder":            {"a <name> & b", "<p>a &lt;name&gt; &amp; b</p>\n"},
		"line break tag":         {"a<br/>b", "<p>a<br>b</p>\n"},
		"headings are moved":     {"## A\n#### B\n# C", "<h3 id=\"s-a\">A</h3>\n<h4 id=\"s-b\">B</h4>\n<h3 id=\"s-c\">C</h3>\n"},
		"heading twice":          {"# A\n# A", "<h3 id=\"s-a\">A</h3>\n<h3 id=\"s-a-2\">A</h3>\n"},
		"heading without letter": {"# !", "<h3 id=\"s-part\">!</h3>\n"},
		"heading in Greek":       {"# Σχέδιο 1", "<h3 id=\"s-σχέδιο-1\">Σχέδιο 1</h3>\n"},
		"link":                   {"[a](https://b.example)", `<p><a href="https://b.example"` + link + ">a</a></p>\n"},
		"bare link":              {"see https://b.example.", `<p>see <a href="https://b.example"` + link + ">https://b.example</a>.</p>\n"},
		"link into the disk":     {"[*a*](../b.md) [c](#d)", "<p><em>a</em> c</p>\n"},
		"link to a script":       {"[a](javascript:b) <javascript:c>", "<p>a javascript:c</p>\n"},
		"picture":                {"![a *b*](https://c.example/d.png)", "<p>a <em>b</em></p>\n"},
		"rating":                 {"**Severity:** high (4/5)", "<p><strong>Severity:</strong> <span class=\"badge poor\">high (4/5)</span></p>\n"},
		"rating in a list":       {"- **Likelihood**: Low", "<ul>\n<li><strong>Likelihood</strong>: <span class=\"badge good\">Low</span></li>\n</ul>\n"},
		"rating by its sign":     {"**Niveau :** ⚠️ Moyen", "<p><strong>Niveau :</strong> <span class=\"badge fair\">⚠️ Moyen</span></p>\n"},
		"rating and markup":      {"**Level:** 🛑 <b>", "<p><strong>Level:</strong> <span class=\"badge poor\">🛑 &lt;b&gt;</span></p>\n"},
		"rating with entity":     {"**Level:** 🛑 A &amp; b", "<p><strong>Level:</strong> 🛑 A &amp; b</p>\n"},
		"sentence, no rating":    {"**Risk:** High rents may end the project.", "<p><strong>Risk:</strong> High rents may end the project.</p>\n"},
		"line with an id":        {"**Name:** a\n\n**Lever ID:** `aab98b8b-a06e-434d-a8c9-ac353c08e684`\n\n**ID**: aab98b8b-a06e-434d-a8c9-ac353c08e684", "<p><strong>Name:</strong> a</p>\n"},
		"line with a short id":   {"**Lever ID:** `L12`\n\n**Name:** a", "<p><strong>Name:</strong> a</p>\n"},
		"id in a sentence":       {"**ID:** aab98b8b-a06e-434d-a8c9-ac353c08e684 b", "<p><strong>ID:</strong> aab98b8b-a06e-434d-a8c9-ac353c08e684 b</p>\n"},
		"choice":                 {"**Contract**: `full_time_employee`", "<p><strong>Contract</strong>: full time employee</p>\n"},
		"choice in a sentence":   {"**Contract**: set `by_hand` here", "<p><strong>Contract</strong>: set <code>by_hand</code> here</p>\n"},
		"code of a label":        {"**Path:** `a/b`", "<p><strong>Path:</strong> <code>a/b</code></p>\n"},
		"label of nothing":       {"**Needs:**\n\n# A\n\n**Template**:\n\n**Steps**:\n\n- b\n\n**Role**:", "<h3 id=\"s-a\">A</h3>\n<p><strong>Steps</strong>:</p>\n<ul>\n<li>b</li>\n</ul>\n"},
		"label of labels":        {"**Connections:**\n\n**Synergy:** a\n\n**Bold**\n\n# B", "<p><strong>Connections:</strong></p>\n<p><strong>Synergy:</strong> a</p>\n<p><strong>Bold</strong></p>\n<h3 id=\"s-b\">B</h3>\n"},
		"no label of a risk":     {"**Priority:** High", "<p><strong>Priority:</strong> High</p>\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := markdown(tc.src, here())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, c.html); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestUnrulyMarkdown holds documents that would take the parser minutes, and one just within bounds.
func TestUnrulyMarkdown(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		src   string
		plain bool
	}{
		"deep quotation":  {strings.Repeat("> ", 500_000), true},
		"deep list":       {"a\n\n" + strings.Repeat("1. ", 50) + "x", true},
		"long paragraph":  {strings.Repeat("[a](", 50_000), true},
		"many lines":      {strings.Repeat("*a _b\n", 50_000), true},
		"long row":        {"| a |\n|---|\n|" + strings.Repeat("[a](", 50_000), true},
		"huge":            {strings.Repeat("a\n\n", 400_000), true},
		"long table":      {"| a |\n|---|\n" + strings.Repeat("| word |\n", 10_000), false},
		"many paragraphs": {strings.Repeat("word\n\n", 20_000), false},
		"same headings":   {strings.Repeat("# a\n\n", 20_000), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := markdown(tc.src, here())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.HasPrefix(c.html, "<blockquote class=\"prompt\">"); got != tc.plain {
				t.Errorf("shown as plain text: %v, want %v", got, tc.plain)
			}
		})
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	c, err := checks("> Demo.\n\n# Checks\n\n2 found.\n\n| Severity | What |\n|---|---|\n| error | A note |\n| note | b |\n", here())
	if err != nil {
		t.Fatal(err)
	}
	want := "<blockquote>\n<p>Demo.</p>\n</blockquote>\n<p>2 found.</p>\n" + tableOpen + "<table>\n<thead>\n<tr>\n<th>Severity</th>\n<th>What</th>\n</tr>\n</thead>\n<tbody>\n" +
		"<tr>\n<td><span class=\"badge poor\">error</span></td>\n<td>A note</td>\n</tr>\n<tr>\n<td><span class=\"badge \">note</span></td>\n<td>b</td>\n</tr>\n</tbody>\n</table>" + tableClose
	if d := cmp.Diff(want, c.html); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestMarkdownOutline(t *testing.T) {
	t.Parallel()
	c, err := markdown("## One *and* `x`\n### Below\n## Two &amp; three", here())
	if err != nil {
		t.Fatal(err)
	}
	want := []heading{{"s-one-and-x", "One and x"}, {"s-two-three", "Two & three"}}
	if d := cmp.Diff(want, c.headings, cmp.AllowUnexported(heading{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestReadingTime(t *testing.T) {
	t.Parallel()
	for want, markup := range map[string]string{
		"1 min": "<p>a</p>",
		"2 min": "<p title=" + strings.Repeat("x", 9000) + ">" + strings.Repeat("word ", 520),
		"3 min": strings.Repeat("字", 1300),
	} {
		if got := readingTime(markup); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestBreakdown(t *testing.T) {
	t.Parallel()
	const start, end = tableOpen + "<table class=\"dataframe\">\n<thead><tr>", "</tbody></table>" + tableClose
	for name, tc := range map[string]struct{ src, want, size, err string }{
		"tree": {
			src: "Level 1;Level 2;Level 3;Task ID\nP;;;a\n;A <b>;;b\n;;B;c\n;C;;d\n;;\"x; y\";e\n",
			want: start + "<th scope=\"col\">No.</th><th scope=\"col\">Activity</th></tr></thead>\n<tbody>\n" +
				"<tr class=\"depth-1\"><td class=\"number\"></td><td>P</td></tr>\n" +
				"<tr class=\"depth-2\"><td class=\"number\">1</td><td>A &lt;b&gt;</td></tr>\n" +
				"<tr class=\"depth-3\"><td class=\"number\">1.1</td><td>B</td></tr>\n" +
				"<tr class=\"depth-2\"><td class=\"number\">2</td><td>C</td></tr>\n" +
				"<tr class=\"depth-3\"><td class=\"number\">2.1</td><td>x; y</td></tr>\n" + end,
			size: "5 activities",
		},
		"level without a title": {
			src: "Level 1;Level 2;Task ID\nP;;a\n;;b\n;A;c\n",
			want: start + "<th scope=\"col\">No.</th><th scope=\"col\">Activity</th></tr></thead>\n<tbody>\n" +
				"<tr class=\"depth-1\"><td class=\"number\"></td><td>P</td></tr>\n" +
				"<tr class=\"depth-1\"><td class=\"number\"></td><td></td></tr>\n" +
				"<tr class=\"depth-2\"><td class=\"number\">1</td><td>A</td></tr>\n" + end,
			size: "3 activities",
		},
		"other table, text as text": {
			src:  "a;b;empty\n2025;NA;\n\n;;\n007;1;;\n",
			want: start + "<th scope=\"col\">a</th><th scope=\"col\">b</th></tr></thead>\n<tbody>\n<tr><td>2025</td><td>NA</td></tr>\n<tr><td>007</td><td>1</td></tr>\n" + end,
			size: "2 rows",
		},
		"no rows": {src: "a;b\n", err: "no rows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := breakdown(tc.src, here())
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, c.html); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if c.size != tc.size {
				t.Errorf("size %s, want %s", c.size, tc.size)
			}
		})
	}
}

func TestForeignHTML(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		render         renderFunc
		src, want, err string
	}{
		"region": {fragment, "<h1>no</h1><!--HTML_BODY_CONTENT_START--><p>a</p><!--HTML_BODY_CONTENT_END--><p>no</p>", "<p>a</p>", ""},
		"last end marker": {fragment, "<!--HTML_BODY_CONTENT_START--><p>a</p><!--HTML_BODY_CONTENT_END--><p>b</p><!--HTML_BODY_CONTENT_END-->",
			"<p>a</p><p>b</p>", ""},
		"no markers":     {fragment, `<div class="question-answer-pair" id="x"><p style="a">a &lt; b</p></div>`, `<div class="question-answer-pair"><p>a &lt; b</p></div>`, ""},
		"own classes":    {fragment, `<p class="notice">a</p><p class="gantt-x gantt-y">b</p>`, `<p>a</p><p class="gantt-x gantt-y">b</p>`, ""},
		"unbalanced":     {fragment, `</div></main><p>a<ul><li>b`, `<p>a</p><ul><li>b</li></ul>`, ""},
		"nothing":        {fragment, `<p><script>a</script></p>`, "", "no text"},
		"plain text end": {fragment, `a<plaintext></div>b`, `a&lt;/div&gt;b`, ""},
		"drawing": {chart, `<svg viewBox="0 0 1 1"><path class="gantt-link" d="M0 0L1 1" onclick="x" fill="url(#a)"/></svg>`,
			`<div class="chart" role="group" aria-label="Chart" tabindex="0"><svg viewBox="0 0 1 1"><path class="gantt-link" d="M0 0L1 1"></path></svg></div>` + "\n", ""},
		"drawn by script": {chart, `<div class="mermaid">gantt</div><script src="https://x.example"></script>`, "", "drawn by a script"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := tc.render(tc.src, here())
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, c.html); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
