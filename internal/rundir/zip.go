package rundir

import (
	"archive/zip"
	"fmt"
	"io"
	"time"
)

// zipTime is given to every entry, so that equal runs make equal archives.
var zipTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Pack adds a file to the archive of a run.
func Pack(z *zip.Writer, name string, content io.Reader) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: zipTime})
	if err == nil {
		_, err = io.Copy(w, content)
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

// Zip writes the artifacts as an archive, sorted by name, without log.txt and the hidden folder.
// Links are left out.
func (d *Dir) Zip(w io.Writer) error {
	names, err := d.Names()
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, name := range names {
		if name == LogName {
			continue
		}
		if err := d.pack(z, name); err != nil {
			return err
		}
	}
	return z.Close()
}

func (d *Dir) pack(z *zip.Writer, name string) error {
	f, err := d.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return Pack(z, name, f)
}
