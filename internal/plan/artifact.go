// Package plan holds the plan's own language: the artifacts a run is made of and the types of
// those that later steps read as data. It imports nothing of the project.
package plan

import (
	"path"
	"slices"
	"strings"
	"sync"
)

// File is the handle of one artifact: a file of the run directory that exactly one step writes.
// Steps name handles, never file names, so that a reader finds every use of an artifact.
type File struct {
	// Name is the file name in the run directory, a contract with other tools. A handle of
	// numbered files holds {n} where the 1-based item number goes.
	Name string
	// Label names the document inside prompts, in lower_snake_case.
	Label string
	// Title is what a person calls the document.
	Title string
	// Extra marks a file that is written but not declared: it does not count for completeness
	// or progress, and is not in the expected list.
	Extra bool
}

// Artifact is anything that stands for one artifact: a File, or a typed handle made of one.
type Artifact interface {
	Artifact() File
}

// Artifact returns f itself.
func (f File) Artifact() File { return f }

// Numbered tells whether the handle stands for numbered files.
func (f File) Numbered() bool { return strings.Contains(f.Name, "{n}") }

// IsJSON tells whether the content is JSON. 018-3 is plain text in spite of its name.
func (f File) IsJSON() bool { return path.Ext(f.Name) == ".json" && f.Name != ProjectTitle.Name }

// JSON is the handle of a JSON artifact whose content later steps read as a T.
type JSON[T any] struct{ File }

// Expected returns the names of the declared files in plain string order: what progress counts
// and what expected_filenames1.json holds.
func Expected() []string { return slices.Clone(expected()) }

var expected = sync.OnceValue(func() []string {
	var names []string
	for _, f := range All() {
		if !f.Extra {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
})

// Title returns what people call the file with a name, files of ours included; the name where it has no title.
func Title(name string) string {
	if t, ok := titles()[name]; ok {
		return t
	}
	return name
}

var titles = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, f := range slices.Concat(All(), extras()) {
		m[f.Name] = f.Title
	}
	return m
})
