package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
)

// Ensure the document names what the programs are made of, each module once, with its version.
func TestWrite(t *testing.T) {
	t.Chdir("../../..")
	var b bytes.Buffer
	if err := write(&b, "v1.2.3", "2026-01-01T00:00:00Z"); err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range d.Components {
		names = append(names, c.Name)
		if c.Version == "" || c.PURL != "pkg:golang/"+c.Name+"@"+c.Version {
			t.Errorf("%+v", c)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) || !slices.Contains(names, "github.com/alecthomas/kong") || slices.Contains(names, "planexe") {
		t.Errorf("the modules are %v", names)
	}
}
