package step

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// digestSize is how many bytes of a document a digest keeps. A document within it is shown whole, so
// that small plans lose nothing.
const digestSize = 7 << 9

// shortLine is how many bytes of a line a digest keeps rather than more lines: most statements of a plan
// are that short, and half of one says less than nothing.
const shortLine = 140

// digestMark opens a digest, so that nobody takes what was left out for missing from the plan.
const digestMark = "(digest: headings and beginnings of lines)\n"

// digest keeps of a document what one needs to know what is in it and to point at it: its headings,
// and below each its first statements, as many as there is room for, cut at one length. Headings of the
// deepest level go when there are too many of them. What is kept stands word for word.
func digest(text string, limit int) string {
	text = strings.TrimSpace(text)
	if len(text) <= limit {
		return text
	}
	limit -= len(digestMark)
	sections := sectionsOf(text)
	fits := func(lines, n int) bool { return len(brief(sections, lines, n)) <= limit }
	for l := levels(sections); len(l) > 2 && !fits(1, shortLine); l = l[:len(l)-1] {
		sections = merge(sections, l[len(l)-1])
	}
	lines := most(1, len(text), func(n int) bool { return fits(n, shortLine) })
	long := most(shortLine/2, limit, func(n int) bool { return fits(lines, n) })
	return digestMark + shorten(brief(sections, lines, long), limit)
}

// most is the largest number up to high that fits, or low when none does. What fits, fits when it is
// smaller too.
func most(low, high int, fits func(int) bool) int {
	return low + max(0, sort.Search(high-low+1, func(i int) bool { return !fits(low + i) })-1)
}

// section is a heading of some level, "" and 0 before the first one, with the lines below it.
type section struct {
	heading string
	level   int
	lines   []string
}

func sectionsOf(text string) []section {
	out := []section{{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		last := &out[len(out)-1]
		switch {
		case strings.Trim(line, "-|: *_") == "": // empty, a rule, or below the head of a table
		case strings.HasPrefix(line, "#"):
			out = append(out, section{heading: line, level: len(line) - len(strings.TrimLeft(line, "#"))})
		default:
			last.lines = append(last.lines, line)
		}
	}
	return slices.DeleteFunc(out, func(s section) bool { return s.level == 0 && len(s.lines) == 0 })
}

// levels lists the levels of headings that occur, the highest heading first.
func levels(sections []section) []int {
	var out []int
	for _, s := range sections {
		if s.level > 0 && !slices.Contains(out, s.level) {
			out = append(out, s.level)
		}
	}
	slices.Sort(out)
	return out
}

// merge puts what is below the headings of a level under the headings before them.
func merge(sections []section, level int) []section {
	var out []section
	for _, s := range sections {
		if s.level == level && len(out) > 0 {
			last := &out[len(out)-1]
			last.lines = slices.Concat(last.lines, s.lines)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// brief writes at most so many lines of each section, cut at n bytes.
func brief(sections []section, lines, n int) string {
	var b strings.Builder
	for _, s := range sections {
		if s.heading != "" {
			b.WriteString(clip(s.heading, 2*shortLine) + "\n")
		}
		for _, line := range telling(s.lines, lines) {
			b.WriteString(clip(line, n) + "\n")
		}
	}
	return strings.TrimSpace(b.String())
}

// telling picks so many lines, in their order. Lines that hardly say anything alone, such as a label with
// one word, or what announces a list, stand back behind others.
func telling(lines []string, most int) []string {
	const little = 40
	spare := len(lines) - most
	if spare <= 0 {
		return lines
	}
	out := slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
		leave := spare > 0 && (len(line) < little || strings.HasSuffix(strings.TrimRight(line, "* "), ":"))
		if leave {
			spare--
		}
		return leave
	})
	return out[:min(most, len(out))]
}

// clip cuts a line at n bytes: behind a sentence if one ends in the second half, else behind a word.
func clip(line string, n int) string {
	if len(line) <= n {
		return line
	}
	for n > 0 && !utf8.RuneStart(line[n]) {
		n--
	}
	head := line[:n]
	for i := len(head); i > n/2; {
		r, width := utf8.DecodeLastRuneInString(head[:i])
		if strings.ContainsRune("。！？", r) || strings.ContainsRune(".!?", r) && line[i] == ' ' {
			return head[:i]
		}
		i -= width
	}
	if cut := strings.LastIndexByte(head, ' '); cut > n/2 {
		head = head[:cut]
	}
	return strings.TrimRight(head, " ,;:") + " …"
}
