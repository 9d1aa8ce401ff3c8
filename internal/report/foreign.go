package report

import (
	"errors"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// fragment shows HTML that was written into the run directory: our own, but whoever can write a
// file can change it, so it is sanitised like any other.
func fragment(src string, at place) (content, error) {
	body, err := sanitise(region(src))
	if err != nil {
		return content{}, err
	}
	if strings.TrimSpace(tags.ReplaceAllString(body, "")) == "" {
		return content{}, errors.New("it holds no text")
	}
	return content{html: body, size: readingTime(body)}, nil
}

var drawn = regexp.MustCompile(`<(svg|table|ol|ul)\b`)

// chart shows a chart that is drawn in the file itself, as SVG, table or list. Style and script of
// the file stay out. The page has its own for the classes gantt-grid, -axis, -bar, -summary,
// -critical, -milestone and -link, which follow it into the dark and onto paper.
func chart(src string, at place) (content, error) {
	body, err := sanitise(region(src))
	if err != nil {
		return content{}, err
	}
	if !drawn.MatchString(body) {
		return content{}, errors.New("its chart is drawn by a script from the network, which this page does not run; open the file itself")
	}
	return content{html: `<div class="chart" role="group" aria-label="Chart" tabindex="0">` + body + "</div>\n"}, nil
}

// region cuts the content out of a whole page by its markers; without them all of it is content.
func region(src string) string {
	const start, end = "<!--HTML_BODY_CONTENT_START-->", "<!--HTML_BODY_CONTENT_END-->"
	_, rest, found := strings.Cut(src, start)
	if i := strings.LastIndex(rest, end); found && i >= 0 {
		return rest[:i]
	}
	return src
}

// sanitise returns the harmless part of a piece of HTML, with its tags balanced so that it cannot
// close what it did not open. Balancing comes last: it parses and writes what the policy left, and
// the policy leaves no element whose text is written raw.
func sanitise(src string) (string, error) {
	clean := policy().Sanitize(src)
	nodes, err := html.ParseFragment(strings.NewReader(clean), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", errors.New("its HTML cannot be read")
	}
	var balanced strings.Builder
	for _, n := range nodes {
		if err := html.Render(&balanced, n); err != nil {
			return "", errors.New("its HTML cannot be read")
		}
	}
	return balanced.String(), nil
}

// policy allows text, lists, tables, links out of the page and drawings; no ids, styles, scripts,
// forms, pictures or frames.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "b", "i", "code", "pre",
		"blockquote", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "caption",
		"details", "summary", "time", "svg", "g", "rect", "line", "path", "circle", "polygon", "polyline", "text", "tspan", "title", "desc")

	class := regexp.MustCompile(`^(question-answer-pair|gantt-[a-z0-9-]+( gantt-[a-z0-9-]+)*)$`)
	number := regexp.MustCompile(`^-?[0-9.]+(%|px)?$`)
	numbers := regexp.MustCompile(`^[-+0-9., eE]+$`)
	p.AllowAttrs("class").Matching(class).Globally()
	p.AllowAttrs("aria-label").Globally()
	p.AllowAttrs("aria-hidden").Matching(regexp.MustCompile(`^true$`)).Globally()
	p.AllowAttrs("role").Matching(regexp.MustCompile(`^(img|presentation|group|list|listitem)$`)).Globally()
	p.AllowAttrs("scope").Matching(regexp.MustCompile(`^(row|col)$`)).OnElements("th")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("th", "td")
	p.AllowAttrs("x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width", "height").Matching(number).
		OnElements("svg", "rect", "line", "circle", "text", "tspan")
	p.AllowAttrs("viewbox", "points").Matching(numbers).OnElements("svg", "polygon", "polyline")
	p.AllowAttrs("d").Matching(regexp.MustCompile(`^[-+0-9., a-zA-Z]+$`)).OnElements("path")
	p.AllowAttrs("transform").Matching(regexp.MustCompile(`^(translate|rotate|scale)\([-+0-9., ]+\)$`)).OnElements("g", "text", "path", "rect")
	p.AllowAttrs("text-anchor").Matching(regexp.MustCompile(`^(start|middle|end)$`)).OnElements("text", "tspan", "g")

	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
}
