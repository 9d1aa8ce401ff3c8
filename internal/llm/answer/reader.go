package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"planexe/internal/llm/schema"
)

// maxDepth is far more than any answer nests, and little enough for hostile text.
const maxDepth = 200

var (
	errCut  = errors.New("the text ends inside the JSON")
	errDeep = fmt.Errorf("nested deeper than %d", maxDepth)
)

// reader reads one JSON value. It takes JSON as it should be, and what models make of it as far as
// the meaning is certain: nothing is ever added but commas and colons.
type reader struct {
	text    string
	at      int // next byte
	depth   int
	began   bool // a name and its colon were read: this is meant to be JSON
	repairs []string
}

func (r *reader) repair(what string) {
	if !slices.Contains(r.repairs, what) {
		r.repairs = append(r.repairs, what)
	}
}

// value reads the value at r.at, which has no space before it.
func (r *reader) value() (any, error) {
	if r.at == len(r.text) {
		return nil, errCut
	}
	switch c := r.text[r.at]; {
	case c == '{' || c == '[':
		if r.depth == maxDepth {
			return nil, errDeep
		}
		r.depth++
		r.at++
		read := r.list
		if c == '{' {
			read = r.object
		}
		v, err := read()
		if err == nil { // the depth of a failure is wanted
			r.depth--
		}
		return v, err
	case c == '"' || c == '\'':
		return r.str()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	}
	return r.literal()
}

func (r *reader) object() (any, error) {
	out := schema.Object{}
	for {
		if err := r.space(); err != nil {
			return nil, err
		}
		if r.take('}') {
			if len(out) > 0 {
				r.repair("trailing comma dropped")
			}
			return out, nil
		}
		name, repaired, err := r.name(true)
		if err != nil {
			return nil, err
		}
		for {
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			out = append(out, schema.Member{Name: name, Value: v})
			if err := r.space(); err != nil {
				return nil, err
			}
			if r.take('}') {
				return out, nil
			}
			if r.take(',') {
				break
			}
			if r.at == len(r.text) {
				return nil, errCut
			}
			if c := r.text[r.at]; repaired || c != '"' && c != '\'' {
				return nil, errors.New("expected a comma or }")
			}
			if name, repaired, err = r.name(false); err != nil { // one repair per member: a name needs its colon here
				return nil, err
			}
			r.repair("missing comma added")
		}
	}
}

// name reads a member's name and the colon, which may be missing if repairable.
func (r *reader) name(repairable bool) (name string, repaired bool, err error) {
	if r.at == len(r.text) {
		return "", false, errCut
	}
	if c := r.text[r.at]; c != '"' && c != '\'' {
		return "", false, errors.New("expected a name in quotes")
	}
	if name, err = r.str(); err != nil {
		return "", false, err
	}
	if err = r.space(); err != nil {
		return "", false, err
	}
	switch {
	case r.take(':'):
		r.began = true
	case r.at == len(r.text):
		return "", false, errCut
	case !repairable || strings.IndexByte(",}]", r.text[r.at]) >= 0:
		return "", false, errors.New("expected a colon")
	default:
		r.repair("missing colon added")
		repaired = true
	}
	return name, repaired, r.space()
}

func (r *reader) list() (any, error) {
	out := []any{}
	for {
		if err := r.space(); err != nil {
			return nil, err
		}
		if r.take(']') {
			if len(out) > 0 {
				r.repair("trailing comma dropped")
			}
			return out, nil
		}
		for {
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			end := r.at
			if err := r.space(); err != nil {
				return nil, err
			}
			if r.take(']') {
				return out, nil
			}
			if r.take(',') {
				break
			}
			if r.at == len(r.text) {
				return nil, errCut
			}
			// "a" "b" lacks a comma; "a "b" c" lacks the backslashes of quotes and must not become three items.
			if _, text := v.(string); strings.IndexByte("}]:", r.text[r.at]) >= 0 || text && r.at == end {
				return nil, errors.New("expected a comma or ]")
			}
			r.repair("missing comma added")
		}
	}
}

func (r *reader) take(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// space skips white space and comments.
func (r *reader) space() error {
	for r.at < len(r.text) {
		rest := r.text[r.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			r.at++
		case rest[0] == '#' || strings.HasPrefix(rest, "//"):
			r.repair("comment dropped")
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				r.at += i
			} else {
				r.at = len(r.text)
			}
		case strings.HasPrefix(rest, "/*"):
			r.repair("comment dropped")
			i := strings.Index(rest[2:], "*/")
			if i < 0 {
				r.at = len(r.text)
				return errCut
			}
			r.at += i + 4
		default:
			return nil
		}
	}
	return nil
}

func (r *reader) literal() (any, error) {
	end := r.at
	for end < len(r.text) && end < r.at+len("False ") && (r.text[end]|0x20) >= 'a' && (r.text[end]|0x20) <= 'z' {
		end++
	}
	word := r.text[r.at:end]
	if end == len(r.text) && word != "" {
		for _, whole := range []string{"true", "false", "null", "True", "False", "None"} {
			if strings.HasPrefix(whole, word) && whole != word {
				return nil, errCut
			}
		}
	}
	switch word {
	case "True", "False", "None":
		r.repair("Python literal")
	case "true", "false", "null":
	default:
		return nil, errors.New("expected a value")
	}
	r.at = end
	switch word {
	case "true", "True":
		return true, nil
	case "false", "False":
		return false, nil
	}
	return nil, nil
}

func (r *reader) number() (any, error) {
	start := r.at
	for r.at < len(r.text) && strings.IndexByte("+-.0123456789eE", r.text[r.at]) >= 0 {
		r.at++
	}
	word := r.text[start:r.at]
	if r.at == len(r.text) {
		return nil, errCut // digits may be missing, and the closers are
	}
	if !json.Valid([]byte(word)) {
		r.at = start
		return nil, errors.New("not a number as JSON writes it")
	}
	return json.Number(word), nil
}

// str reads a string in double or single quotes.
func (r *reader) str() (string, error) {
	quote := r.text[r.at]
	if quote == '\'' {
		r.repair("single quotes")
	}
	r.at++
	start := r.at
	var b strings.Builder // stays empty as long as the text can be used as it is
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == quote:
			whole := r.text[start:r.at]
			r.at++
			if b.Len() == 0 {
				return valid(whole), nil
			}
			b.WriteString(whole)
			return valid(b.String()), nil
		case c == '\\':
			b.WriteString(r.text[start:r.at])
			if err := r.escape(&b); err != nil {
				return "", err
			}
			start = r.at
		case c < 0x20:
			r.repair("control character in a string")
			r.at++
		default:
			r.at++
		}
	}
	return "", errCut
}

// escape reads a backslash and what belongs to it.
func (r *reader) escape(b *strings.Builder) error {
	if r.at+1 == len(r.text) {
		r.at++
		return errCut
	}
	c := r.text[r.at+1]
	r.at += 2
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		b.WriteByte("\"\\/\b\f\n\r\t"[i])
		return nil
	}
	if c == '\'' {
		r.repair("unknown escape")
		b.WriteByte(c)
		return nil
	}
	if c != 'u' {
		r.repair("unknown escape")
		b.WriteByte('\\')
		r.at-- // the character may be of several bytes, or the string's end
		return nil
	}
	u, ok := r.hex()
	if !ok {
		if r.at+4 > len(r.text) {
			r.at = len(r.text)
			return errCut
		}
		return errors.New("expected four hexadecimal digits after \\u")
	}
	if utf16.IsSurrogate(u) && strings.HasPrefix(r.text[r.at:], `\u`) {
		r.at += 2
		low, ok := r.hex()
		if pair := utf16.DecodeRune(u, low); ok && pair != utf8.RuneError {
			u = pair
		} else if r.at -= 2; ok { // no pair: the second one stands for itself
			r.at -= 4
		}
	}
	b.WriteRune(u) // writes U+FFFD for half a pair, as encoding/json does
	return nil
}

func (r *reader) hex() (rune, bool) {
	if r.at+4 > len(r.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	if err != nil {
		return 0, false
	}
	r.at += 4
	return rune(n), true
}

// valid replaces each byte that is no UTF-8, as encoding/json does.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(c rune) rune { return c }, s)
}
