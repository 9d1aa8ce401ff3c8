package check

import (
	"regexp"
	"strings"
)

// form is the Markdown form of a block.
type form int

const (
	paragraph form = iota
	heading
	item
	row // of a table, the header included, the rule left out
)

// block is one line of a document. Pages write one paragraph per line.
type block struct {
	file    string
	kind    kind
	section string // heading it stands below
	part    int    // number of that heading: different sections may share its words
	form    form
	level   int      // of a heading
	label   string   // bold words and colon at its start
	text    string   // without markup and label
	cells   []string // of a row
	group   int      // rows of one table and items of one list share it
}

type document struct {
	file   string
	kind   kind
	blocks []block
}

// lines appends plain text that is no Markdown page.
func (d *document) lines(section, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line[:min(len(line), maxLine)]); line != "" {
			b := block{file: d.file, kind: d.kind, section: section, text: plain(line)}
			b.label, b.text = labelled(line)
			d.blocks = append(d.blocks, b)
		}
	}
}

var (
	headingMark = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$`)
	itemMark    = regexp.MustCompile(`^[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+`)
	tableRule   = regexp.MustCompile(`^[ \t]*\|?[ \t:|-]*-[ \t:|-]*\|?[ \t]*$`)
	boldLabel   = regexp.MustCompile(`^\*\*([^*]{1,120}?)(?::\*\*|\*\*:|\*\*[ \t]*$)[ \t]*`)
	link        = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*\)`)
	url         = regexp.MustCompile(`(?:https?://|www\.)[^\s<>()\[\]"]+`)
	marks       = strings.NewReplacer("**", "", "__", "", "`", "")
	demoNote    = "> **Demo.**"
)

// parse takes a Markdown page apart. Code is left out.
func parse(file string, k kind, text string) document {
	d := document{file: file, kind: k}
	section, part, group, last, fence := "", 0, 0, paragraph, ""
	for line := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		line = line[:min(len(line), maxLine)]
		trimmed := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) {
				fence = ""
			}
			continue
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			fence = trimmed[:3]
			continue
		case trimmed == "" || strings.Trim(trimmed, "-*_ ") == "" && len(trimmed) > 2 || strings.HasPrefix(trimmed, demoNote):
			continue
		}
		b := block{file: file, kind: k, section: section, part: part}
		if m := headingMark.FindStringSubmatch(line); m != nil {
			section, part = plain(m[2]), part+1
			b.form, b.level, b.text, b.section, b.part = heading, len(m[1]), section, section, part
		} else if strings.HasPrefix(trimmed, "|") {
			if tableRule.MatchString(line) {
				continue
			}
			b.form = row
			for _, c := range strings.Split(strings.Trim(strings.ReplaceAll(trimmed, `\|`, "\x00"), "|"), "|") {
				b.cells = append(b.cells, strings.TrimSpace(plain(strings.ReplaceAll(c, "\x00", "|"))))
			}
			b.text = strings.Join(b.cells, " | ")
		} else {
			content := strings.TrimLeft(line, " \t>")
			if mark := itemMark.FindString(line); mark != "" {
				b.form, content = item, line[len(mark):]
			}
			b.label, b.text = labelled(content)
		}
		if b.form != last {
			group++
		}
		b.group, last = group, b.form
		d.blocks = append(d.blocks, b)
	}
	return d
}

// labelled cuts a bold label off the start of a line.
func labelled(line string) (label, text string) {
	if m := boldLabel.FindStringSubmatch(line); m != nil {
		return plain(m[1]), plain(line[len(m[0]):])
	}
	return "", plain(line)
}

// plain takes markup and addresses out of a line.
func plain(line string) string {
	if hasAny(line, "](") {
		line = link.ReplaceAllString(line, "$1")
	}
	if hasAny(line, "://", "www.") {
		line = url.ReplaceAllString(line, "")
	}
	return strings.TrimSpace(marks.Replace(line))
}

// full is the text with its label.
func (b block) full() string {
	if b.label == "" {
		return b.text
	}
	return b.label + ": " + b.text
}

// prose tells whether a block is running text.
func (b block) prose() bool { return b.form == paragraph || b.form == item }

// each calls f with every block.
func (r *run) each(f func(block)) {
	for _, d := range r.docs {
		for _, b := range d.blocks {
			f(b)
		}
	}
}
