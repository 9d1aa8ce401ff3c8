package report

import (
	"bytes"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	rhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

func escape(s string) string { return html.EscapeString(s) }

// plainText shows text as it was written, but for the title that the request begins with.
func plainText(src string, _ place) (content, error) {
	body := strings.ReplaceAll(escape(strings.TrimSpace(strings.TrimPrefix(src, "Plan:\n"))), "\n", "<br>\n")
	return content{html: "<blockquote class=\"prompt\"><p>" + body + "</p></blockquote>\n"}, nil
}

// markdown renders CommonMark with the tables, bare links and task lists of GFM.
//
// Left out on purpose, because plans mean something else by it: HTML (a "<placeholder>" is text),
// headings by underline (a rule below a paragraph), code by indentation, and strikethrough ("~5 to
// ~7" are estimates). Line breaks are kept: the documents are written line by line.
func markdown(src string, at place) (content, error) {
	if unruly(src) {
		return plainText(src, at)
	}
	src = idLine.ReplaceAllString(src, "")
	doc := &document{place: at}
	md := goldmark.New(
		goldmark.WithParser(parser.NewParser(
			parser.WithBlockParsers(
				util.Prioritized(parser.NewThematicBreakParser(), 200),
				util.Prioritized(parser.NewListParser(), 300),
				util.Prioritized(parser.NewListItemParser(), 400),
				util.Prioritized(parser.NewATXHeadingParser(), 600),
				util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
				util.Prioritized(parser.NewBlockquoteParser(), 800),
				util.Prioritized(indented{parser.NewParagraphParser()}, 1000),
			),
			parser.WithInlineParsers(
				util.Prioritized(parser.NewCodeSpanParser(), 100),
				util.Prioritized(parser.NewLinkParser(), 200),
				util.Prioritized(parser.NewAutoLinkParser(), 300),
				util.Prioritized(lineBreak{}, 400),
				util.Prioritized(parser.NewEmphasisParser(), 500),
			),
			parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
			parser.WithASTTransformers(util.Prioritized(doc, 1000)),
		)),
		goldmark.WithExtensions(
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
			extension.Linkify,
			extension.TaskList,
		),
		goldmark.WithRendererOptions(
			rhtml.WithHardWraps(),
			renderer.WithNodeRenderers(util.Prioritized(scrollingTable{}, 100), util.Prioritized(tick{}, 100)),
		),
	)
	var out bytes.Buffer
	if err := md.Convert([]byte(src), &out); err != nil {
		return content{}, fmt.Errorf("its Markdown cannot be shown")
	}
	body := out.String()
	return content{html: body, headings: doc.top, size: readingTime(body)}, nil
}

// idLine is a line that tells nothing but an id: that is for programs, which read the file itself.
var idLine = regexp.MustCompile("(?m)^(?:[-*] )?\\*\\*(?:[^*\n]{1,40}\\*\\*:?[ \\t]*`?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`?|[^*\n]{0,30}ID:?\\*\\*:?[ \\t]*`[A-Z]\\d{1,3}`)[ \\t]*(?:\n|$)")

// deep is a line that opens more lists and quotations than a document has use for.
var deep = regexp.MustCompile(`(?m)^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){50}`)

// unruly tells whether a document could keep the parser busy for minutes: its time grows with the
// square of the nesting and of the length of a paragraph. No plan comes near these bounds.
func unruly(src string) bool {
	const document, paragraph = 1 << 20, 64 << 10
	size := 0
	for line := range strings.Lines(src) {
		switch trimmed := strings.TrimSpace(line); {
		case len(line) <= paragraph && (trimmed == "" || trimmed[0] == '|'): // table cells are parsed one by one
			size = 0
		default:
			size += len(line)
		}
		if size > paragraph {
			return true
		}
	}
	return len(src) > document || deep.MatchString(src)
}

// indented is a paragraph that may begin with any indentation. Without the parser of indented code
// nobody else takes such a line, and it would be lost.
type indented struct{ parser.BlockParser }

func (indented) CanAcceptIndentedLine() bool { return true }

// document is the AST transformer that fits a document into the page.
type document struct {
	place
	outline []int     // levels of the headings above the current one, as written
	top     []heading // the topmost headings
}

// Transform leaves out labels of nothing, moves headings below the section's own and gives them ids, keeps
// only links that lead out of the page, replaces pictures by their descriptions, and marks ratings.
func (d *document) Transform(root *ast.Document, r text.Reader, _ parser.Context) {
	source := r.Source()
	dropEmptyLabels(root, source)
	var nodes []ast.Node // first collected, then changed: a walk does not survive surgery
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			mergeTexts(n, source)
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.Heading:
			d.heading(n, source)
		case *ast.Link:
			if !external(n.Destination) {
				unwrap(n)
				continue
			}
			n.SetAttributeString("rel", []byte("noopener noreferrer"))
			n.SetAttributeString("target", []byte("_blank"))
		case *ast.Image:
			unwrap(n)
		case *ast.AutoLink:
			if n.AutoLinkType == ast.AutoLinkEmail {
				continue
			}
			if !external(n.URL(source)) {
				n.Parent().ReplaceChild(n.Parent(), n, literal(escape(string(n.Label(source)))))
				continue
			}
			n.SetAttributeString("rel", []byte("noopener noreferrer"))
			n.SetAttributeString("target", []byte("_blank"))
		case *ast.Text:
			markRating(n, source)
		case *ast.CodeSpan:
			readable(n, source)
		}
	}
}

// dropEmptyLabels removes paragraphs that are only a label ("**Dependencies:**") of a value that was left
// empty: the next heading, rule or label follows at once. A label with its colon in bold may be the title of
// those that follow it.
func dropEmptyLabels(root ast.Node, source []byte) {
	var empty []ast.Node
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		label, after, ok := labelOf(n, source)
		outside := after == ":"
		if !ok || after != "" && !outside || !outside && !strings.HasSuffix(label, ":") {
			continue
		}
		switch next := n.NextSibling(); {
		case next == nil, next.Kind() == ast.KindHeading, next.Kind() == ast.KindThematicBreak:
			empty = append(empty, n)
		case outside:
			if _, after, ok := labelOf(next, source); ok && strings.HasPrefix(after, ":") {
				empty = append(empty, n)
			}
		}
	}
	for _, n := range empty {
		root.RemoveChild(root, n)
	}
}

// labelOf splits a paragraph that begins in bold into that and the text after it.
func labelOf(n ast.Node, source []byte) (label, after string, ok bool) {
	strong, ok := n.FirstChild().(*ast.Emphasis)
	if !ok || n.Kind() != ast.KindParagraph || strong.Level != 2 {
		return "", "", false
	}
	label = plain(strong, source)
	return label, strings.TrimSpace(strings.TrimPrefix(plain(n, source), label)), true
}

// choice is a value out of a fixed list, as programs write it.
var choice = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

// readable writes a choice that is the whole value of a label for people: `full_time_employee` is a full time
// employee.
func readable(n *ast.CodeSpan, source []byte) {
	label, after, ok := labelOf(n.Parent(), source)
	value := strings.TrimSpace(strings.TrimPrefix(after, ":"))
	if ok && (value != after || strings.HasSuffix(label, ":")) && value == plain(n, source) && choice.MatchString(value) {
		n.Parent().ReplaceChild(n.Parent(), n, literal(strings.ReplaceAll(value, "_", " ")))
	}
}

// mergeTexts joins neighbouring texts below n: the parser cuts wherever a link could have begun.
func mergeTexts(n ast.Node, source []byte) {
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		if t, ok := c.(*ast.Text); ok && next != nil && t.Merge(next, source) {
			n.RemoveChild(n, next)
			continue
		}
		c = next
	}
}

func (d *document) heading(h *ast.Heading, source []byte) {
	for len(d.outline) > 0 && d.outline[len(d.outline)-1] >= h.Level {
		d.outline = d.outline[:len(d.outline)-1]
	}
	d.outline = append(d.outline, h.Level)
	h.Level = min(6, d.level+len(d.outline)-1)
	title := plain(h, source)
	id := d.id(title)
	h.SetAttributeString("id", []byte(id))
	if h.Level == d.level && title != "" {
		d.top = append(d.top, heading{id, title})
	}
}

// plain is the text below n.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(util.UnescapePunctuations(n.Value(source)))
			}
		case *ast.AutoLink:
			if entering {
				b.Write(n.Label(source))
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(html.UnescapeString(b.String())), " ")
}

// external tells whether a link may stay: an absolute address of a harmless scheme.
func external(dest []byte) bool {
	u, err := url.Parse(string(dest))
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" || err == nil && u.Scheme == "mailto"
}

// unwrap puts the children of n in its place.
func unwrap(n ast.Node) {
	parent := n.Parent()
	for c := n.FirstChild(); c != nil; {
		next := c.NextSibling()
		parent.InsertBefore(parent, n, c)
		c = next
	}
	parent.RemoveChild(parent, n)
}

// literal is a node that is written as it is: for HTML made here.
func literal(markup string) *ast.String {
	s := ast.NewString([]byte(markup))
	s.SetCode(true)
	return s
}

// lineBreak understands the one tag models need in table cells.
type lineBreak struct{}

var brTag = regexp.MustCompile(`^<[bB][rR]\s*/?>`)

func (lineBreak) Trigger() []byte { return []byte{'<'} }

func (lineBreak) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	tag := brTag.Find(line)
	if tag == nil {
		return nil
	}
	block.Advance(len(tag))
	return literal("<br>")
}

// A rating is shown as a badge where it stands alone: after a label in bold, or in a table cell. It
// is known by its sign, whatever the language, or, after a label that rates risk, by its word.
var (
	signed    = regexp.MustCompile(`^([🛑🔴🟠🟡⚠✅🟢])\x{FE0F}?\s*\S.{0,40}$`)
	worded    = regexp.MustCompile(`(?i)^(low|medium|moderate|high|critical|extreme)\b(?:\s*\(?\d+/\d+\)?)?`)
	scored    = regexp.MustCompile(`(?i)^(low|medium|moderate|high|critical|extreme)\s*\(?\d+/\d+\)?$`)
	riskLabel = regexp.MustCompile(`(?i)^(likelihood|probability|severity|risk|risk level|level)\s*:?$`)
)

func tone(mark string) string {
	switch strings.ToLower(mark) {
	case "✅", "🟢", "low":
		return "good"
	case "⚠", "🟡", "🟠", "medium", "moderate":
		return "fair"
	}
	return "poor"
}

// markRating makes a badge of the rating in n, if there is one.
func markRating(n *ast.Text, source []byte) {
	value := string(n.Value(source))
	lineEnd := n.SoftLineBreak() || n.HardLineBreak()
	if strings.ContainsAny(value, "\\&") || n.NextSibling() != nil && !lineEnd {
		return // escapes are the renderer's business
	}
	trimmed := strings.TrimLeft(value, ": ")
	before, value := value[:len(value)-len(trimmed)], strings.TrimSpace(trimmed)
	m := signed.FindStringSubmatch(value)
	rest := ""
	switch prev := n.PreviousSibling().(type) {
	case nil:
		if n.Parent().Kind() != extast.KindTableCell {
			return
		}
		if m == nil {
			m = scored.FindStringSubmatch(value)
		}
	case *ast.Emphasis:
		if prev.Level != 2 {
			return
		}
		if m == nil && riskLabel.MatchString(plain(prev, source)) {
			if m = worded.FindStringSubmatch(value); m != nil {
				value, rest = m[0], value[len(m[0]):]
			}
		}
	default:
		return
	}
	if m == nil || rest != "" && !strings.HasPrefix(rest, " (") { // a sentence may begin with a rating
		return
	}
	markup := fmt.Sprintf("%s<span class=\"badge %s\">%s</span>%s", escape(before), tone(m[1]), escape(value), escape(rest))
	if lineEnd {
		markup += "<br>\n"
	}
	n.Parent().ReplaceChild(n.Parent(), n, literal(markup))
}

// tick is the box of a task in a list: there is nothing to press, so it is a picture with a name.
type tick struct{}

func (tick) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(extast.KindTaskCheckBox, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		markup := `<span class="tick" role="img" aria-label="open">☐</span> `
		if n.(*extast.TaskCheckBox).IsChecked {
			markup = `<span class="tick" role="img" aria-label="done">☑</span> `
		}
		_, err := w.WriteString(markup)
		return ast.WalkContinue, err
	})
}

// scrollingTable lets a wide table scroll inside its own box.
type scrollingTable struct{}

const (
	tableOpen  = `<div class="table" role="group" aria-label="Table" tabindex="0">`
	tableClose = "</div>\n"
)

func (scrollingTable) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(extast.KindTable, func(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
		markup := tableOpen + "<table>\n"
		if !entering {
			markup = "</table>" + tableClose
		}
		_, err := w.WriteString(markup)
		return ast.WalkContinue, err
	})
}

var tags = regexp.MustCompile(`<[^>]*>`)

// readingTime estimates how long a person reads the text of the HTML, e.g. "7 min": some 1,300
// letters a minute, a third as many where a sign is a syllable or a word.
func readingTime(markup string) string {
	weight := 0
	for _, r := range html.UnescapeString(tags.ReplaceAllString(markup, "")) {
		weight++
		if r >= 0x2E80 {
			weight += 2
		}
	}
	return fmt.Sprintf("%d min", max(1, (weight+650)/1300))
}

// checks shows what the checks found: the section's title stands for the page's own, severities are badges.
func checks(src string, at place) (content, error) {
	if title := pageTitle.FindStringIndex(src); title != nil {
		src = src[:title[0]] + src[title[1]:]
	}
	c, err := markdown(src, at)
	c.html = severities.Replace(c.html)
	return c, err
}

var (
	pageTitle  = regexp.MustCompile(`(?m)^# .*\n`)
	severities = strings.NewReplacer("<td>error</td>", badge("poor", "error"), "<td>warning</td>", badge("fair", "warning"), "<td>note</td>", badge("", "note"))
)

// badge is a table cell with a rating in English.
func badge(tone, text string) string {
	return fmt.Sprintf("<td><span class=\"badge %s\">%s</span></td>", tone, text)
}
