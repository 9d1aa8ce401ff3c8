package runs

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"planexe/internal/rundir"
)

// Archive packs a run: every regular file below its directory except the hidden folder and files
// named log.txt.
type Archive struct {
	root  *os.Root
	names []string
	tag   string
	last  time.Time
}

// Archive looks at what there is to pack. The caller closes it.
func (l *Library) Archive(id string) (*Archive, error) {
	path, err := l.Find(id)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path) // which no link leads out of
	if err != nil {
		return nil, cause(err)
	}
	a := &Archive{root: root}
	state := sha256.New()
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == rundir.Hidden:
			return fs.SkipDir
		case !d.Type().IsRegular() || d.Name() == rundir.LogName:
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(state, "%q %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		if info.ModTime().After(a.last) {
			a.last = info.ModTime()
		}
		a.names = append(a.names, name)
		return nil
	})
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("list the files of run %s: %w", id, cause(err))
	}
	a.tag = hex.EncodeToString(state.Sum(nil)[:16])
	return a, nil
}

// Tag names the state of the files.
func (a *Archive) Tag() string { return a.tag }

// Modified returns when the newest of the files was written.
func (a *Archive) Modified() time.Time { return a.last }

// Close releases the directory.
func (a *Archive) Close() error { return a.root.Close() }

// Write packs the files in the order of their names. A file that is gone by now is left out.
func (a *Archive) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, name := range a.names {
		f, err := a.root.Open(name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("pack %s: %w", name, cause(err))
		}
		err = rundir.Pack(z, name, f)
		f.Close()
		if err != nil {
			return err
		}
	}
	return z.Close()
}
