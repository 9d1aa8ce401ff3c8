package answer

import "strings"

const (
	bom        = "\uFEFF"
	thinkStart = "<think>"
	thinkEnd   = "</think>"
)

func trim(text string) string { return strings.TrimSpace(strings.TrimPrefix(text, bom)) }

// Visible returns what the model says to us: the text without byte order mark, thinking and outer
// space. It is empty when the thinking never ends.
func Visible(text string) string {
	text = trim(text)
	var b strings.Builder
	for {
		before, rest, opened := strings.Cut(text, thinkStart)
		_, after, closed := strings.Cut(rest, thinkEnd)
		if !opened || !closed {
			break
		}
		b.WriteString(before)
		text = after
	}
	b.WriteString(text)
	text = b.String()
	if i := strings.LastIndex(text, thinkEnd); i >= 0 { // chat templates swallow the opening tag
		text = text[i+len(thinkEnd):]
	}
	if text = strings.TrimSpace(text); strings.HasPrefix(text, thinkStart) {
		return ""
	}
	return text
}

// Text returns the part of a free-text answer between the first start marker and the last end
// marker. When one is missing it returns all of the visible text, without the other, and false.
func Text(text, start, end string) (string, bool) {
	text = Visible(text)
	if _, rest, ok := strings.Cut(text, start); ok {
		if i := strings.LastIndex(rest, end); i >= 0 {
			return strings.TrimSpace(rest[:i]), true
		}
	}
	return strings.TrimSpace(strings.NewReplacer(start, "", end, "").Replace(text)), false
}

// span is a part of a text, in bytes.
type span struct{ start, end int }

// fences returns the contents of the Markdown code fences; the last one may be open.
func fences(text string) []span {
	const fence = "```"
	var out []span
	for at := 0; ; {
		i := strings.Index(text[at:], fence)
		if i < 0 {
			return out
		}
		start := at + i + len(fence)
		end := len(text)
		if i := strings.Index(text[start:], fence); i >= 0 {
			end = start + i
		}
		out = append(out, span{start, end})
		at = min(end+len(fence), len(text))
	}
}
