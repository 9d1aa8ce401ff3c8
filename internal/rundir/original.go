package rundir

import (
	"errors"
	"io/fs"
)

// originals holds, under the artifact's own name, what stood there before a person changed it.
const originals = Hidden + "/original"

// KeepOriginal copies an artifact aside before its first change by hand; a copy that is there
// already stays, for it is older.
func (d *Dir) KeepOriginal(name string) error {
	data, err := d.Read(name)
	if err != nil {
		return err
	}
	if err := d.root.Mkdir(originals, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	err = d.writeSynced(originals+"/"+name, data)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// RestoreOriginal undoes the changes by hand to an artifact; fs.ErrNotExist when there are none.
func (d *Dir) RestoreOriginal(name string) error {
	if err := check(name); err != nil {
		return err
	}
	data, err := d.root.ReadFile(originals + "/" + name)
	if err != nil {
		return err
	}
	if err := d.Write(name, data); err != nil {
		return err
	}
	return d.root.Remove(originals + "/" + name)
}

// HasOriginal tells whether an artifact was changed by hand and can be restored.
func (d *Dir) HasOriginal(name string) bool {
	if check(name) != nil {
		return false
	}
	_, err := d.root.Stat(originals + "/" + name)
	return err == nil
}
