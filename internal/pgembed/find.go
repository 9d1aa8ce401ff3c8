package pgembed

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// BinVar names the directory of the Postgres binaries to use.
const BinVar = "PLANEXE_PG_BIN_DIR"

// ErrNoBinaries says how to get Postgres.
var ErrNoBinaries = errors.New("no Postgres is installed here: install it (Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql@17; Fedora: dnf install postgresql-server), " +
	"or set " + BinVar + " to the directory that holds postgres and initdb, or use a database elsewhere with SQLALCHEMY_DATABASE_URI, or let Docker bring one: docker compose --profile multi up")

// Find returns the directory that holds postgres and initdb: PLANEXE_PG_BIN_DIR, or what is on the
// PATH, or where systems put it, the highest version first.
func Find() (string, error) {
	if dir := os.Getenv(BinVar); dir != "" {
		return check(dir)
	}
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin", `C:\Program Files\PostgreSQL\*\bin`, "/usr/local/pgsql/bin", "/usr/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are right
		slices.SortFunc(found, func(a, b string) int { return number(b) - number(a) })
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		if usable(dir) {
			return dir, nil
		}
	}
	return "", ErrNoBinaries
}

// check returns a directory that was asked for.
func check(dir string) (string, error) {
	if !usable(dir) {
		return "", errors.New(BinVar + " is " + dir + ": there are no programs postgres and initdb in it")
	}
	return dir, nil
}

func usable(dir string) bool {
	for _, name := range []string{"postgres", "initdb"} {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

// number is the version in a path.
func number(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(digits[0])
	return n
}
