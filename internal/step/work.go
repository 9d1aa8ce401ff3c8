package step

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"planexe/internal/llm"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
)

// Work is one execution of a step.
type Work struct {
	*pipeline.Work
	Env     *Env
	prompts map[string]*prompt
	digests sync.Map // label → digest: a step's inputs do not change, and all its questions show them
}

// Read returns the content of a declared artifact as the type of its handle.
func Read[T any](w *Work, a plan.JSON[T]) (T, error) {
	var v T
	data, err := w.Work.Read(a.Name)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("%s does not hold what it should: %w", a.Name, err)
	}
	return v, nil
}

// Maybe is Read for an artifact that may be missing; then it returns the zero value.
func Maybe[T any](w *Work, a plan.JSON[T]) (T, error) {
	v, err := Read(w, a)
	if errors.Is(err, fs.ErrNotExist) {
		var none T
		return none, nil
	}
	return v, err
}

// Text returns the content of a declared artifact; "" when one that may be missing is.
func (w *Work) Text(a plan.Artifact) (string, error) {
	data, err := w.Work.Read(a.Artifact().Name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(data), err
}

// WriteJSON writes v with two spaces of indentation.
func (w *Work) WriteJSON(a plan.Artifact, v any) error {
	data, err := encode(v, "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", a.Artifact().Name, err)
	}
	return w.Work.Write(a.Artifact().Name, data)
}

// WriteRaw writes the fields of v followed by metadata that tells which models answered.
// Same answers, same bytes: no times and no prompts.
func (w *Work) WriteRaw(a plan.Artifact, v any, from ...llm.Source) error {
	return w.writeRaw(a.Artifact().Name, v, from)
}

// WriteItem writes the raw file of the n-th item, from 1, under a numbered handle.
func (w *Work) WriteItem(a plan.Artifact, n int, v any, from ...llm.Source) error {
	return w.writeRaw(strings.Replace(a.Artifact().Name, "{n}", strconv.Itoa(n), 1), v, from)
}

func (w *Work) writeRaw(name string, v any, from []llm.Source) error {
	body, err := encode(v, "")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	var metadata any = map[string]any{"models": from}
	if len(from) == 1 {
		metadata = from[0]
	}
	meta, err := encode(metadata, "")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if len(body) < 2 || body[len(body)-1] != '}' {
		return fmt.Errorf("encode %s: %T is no object", name, v)
	}
	body = bytes.TrimRight(body[:len(body)-1], " ")
	if len(body) > 1 {
		body = append(body, ',')
	}
	body = append(body, `"metadata":`...)
	body = append(append(body, meta...), '}')
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return w.Work.Write(name, out.Bytes())
}

// DemoNote opens every page of a run made with the demo model.
const DemoNote = "> **Demo.** Written without a model from the words of the request. It shows the form of a plan, not its substance."

// SampleNote opens every page of a sample plan.
const SampleNote = "> **Sample.** The recorded plan for a request that is not yours. It shows what a plan looks like."

// WritePage writes Markdown; pages of a demo run or a sample say so.
func (w *Work) WritePage(a plan.Artifact, markdown string) error {
	switch {
	case w.Env.Demo:
		markdown = DemoNote + "\n\n" + strings.TrimLeft(markdown, "\n")
	case w.Env.Sample:
		markdown = SampleNote + "\n\n" + strings.TrimLeft(markdown, "\n")
	}
	return w.Work.Write(a.Artifact().Name, []byte(markdown))
}

// Page returns a page without such a note, for putting pages together.
func (w *Work) Page(a plan.Artifact) (string, error) {
	text, err := w.Text(a)
	return withoutNote(text), err
}

func withoutNote(page string) string {
	for _, note := range []string{DemoNote, SampleNote} {
		if text, ok := strings.CutPrefix(page, note); ok {
			return strings.TrimPrefix(text, "\n\n")
		}
	}
	return page
}

// ID derives the n-th id of the step in the shape of a version 4 UUID: the same run gives the
// same ids.
func (w *Work) ID(n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", w.Env.Seed, w.Step(), n))
	sum[6] = sum[6]&0x0f | 0x40
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// document returns an artifact as it stands in prompts: text as it is, JSON as an outline.
func document(f plan.File, read func(string) ([]byte, error)) (string, error) {
	data, err := read(f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return "(This document could not be made. Do without it and do not guess what it says.)", nil
	}
	if err != nil {
		return "", err
	}
	if !f.IsJSON() {
		return idLine.ReplaceAllString(withoutNote(string(data)), ""), nil
	}
	return outline(data)
}

// idLine is a page's line that names an item's id. Prompts leave it out: it would stand beside the ids
// of the question, and a model mixes them up.
var idLine = regexp.MustCompile(`(?m)^\*\*(?:[A-Z]\w* )?ID:?\*\*:?.*\n\n?`)
