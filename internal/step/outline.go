package step

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// notContent are members of an artifact that say how it was made.
var notContent = []string{"metadata", "query", "user_prompt", "system_prompt"}

// outline writes JSON as indented lines, "name: text" and "- item", in the order of the file. That takes
// a model fewer tokens than quotes and brackets do, and can be cut line by line. Nulls are left out, and
// from the outermost object what is not content.
func outline(data []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	o := outliner{dec: dec}
	if err := o.value(0, ""); err != nil {
		return "", err
	}
	if _, err := dec.Token(); err != io.EOF {
		return "", fmt.Errorf("text behind the JSON value")
	}
	return strings.TrimSpace(o.b.String()), nil
}

type outliner struct {
	dec  *json.Decoder
	b    strings.Builder
	item bool // the next line is the first one of an object in a list
}

// maxOutline is how deep lists and objects may stand in each other: files can be edited by anybody.
const maxOutline = 64

// value writes the next value. Lead stands before it on its first line: "name:", "-" or nothing.
func (o *outliner) value(depth int, lead string) error {
	if depth > maxOutline {
		return fmt.Errorf("more than %d lists and objects in each other", maxOutline)
	}
	tok, err := o.dec.Token()
	if err != nil {
		return err
	}
	switch tok {
	case nil:
		return nil
	case json.Delim('{'):
		switch lead {
		case "":
			return o.object(depth, true)
		case "-":
			o.item = true
		default:
			o.line(depth, lead)
		}
		err := o.object(depth+1, false)
		o.item = false
		return err
	case json.Delim('['):
		below := depth
		if lead != "" {
			o.line(depth, lead)
			below++
		}
		for o.dec.More() {
			if err := o.value(below, "-"); err != nil {
				return err
			}
		}
		_, err := o.dec.Token()
		return err
	}
	o.line(depth, strings.TrimSpace(lead+" "+Line(fmt.Sprint(tok))))
	return nil
}

func (o *outliner) object(depth int, outermost bool) error {
	for o.dec.More() {
		key, err := o.dec.Token()
		if err != nil {
			return err
		}
		name := Line(fmt.Sprint(key))
		if outermost && slices.Contains(notContent, name) {
			var skip json.RawMessage
			if err := o.dec.Decode(&skip); err != nil {
				return err
			}
			continue
		}
		if err := o.value(depth, name+":"); err != nil {
			return err
		}
	}
	_, err := o.dec.Token()
	return err
}

// line writes a line. An item's first member stands beside its mark.
func (o *outliner) line(depth int, text string) {
	if o.item {
		o.item, depth, text = false, depth-1, "- "+text
	}
	o.b.WriteString(strings.Repeat(" ", depth) + text + "\n")
}
