package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash: what a guesser pays per guess. More than the 19 MiB and 2 passes that are the least.
const (
	memory  = 32 << 10 // KiB
	passes  = 2
	threads = 1
	keySize = 32
	salt    = 16
)

// The lengths of passwords in bytes.
const (
	leastPassword = 12
	mostPassword  = 256
)

// hasher makes and checks argon2id hashes, at most as many at once as there are processors: a flood of
// sign-ins then waits instead of taking all memory.
type hasher struct{ slots chan struct{} }

func newHasher() *hasher { return &hasher{make(chan struct{}, runtime.GOMAXPROCS(0))} }

func (h *hasher) key(ctx context.Context, password string, salt []byte, memory, passes uint32, threads uint8, size uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		debug.FreeOSMemory() // else the memory of one sign-in stays with an idle service for minutes
		<-h.slots
	}()
	return argon2.IDKey([]byte(password), salt, passes, memory, threads, size), nil
}

// hash returns a PHC string.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	s := make([]byte, salt)
	_, _ = rand.Read(s) // never fails
	key, err := h.key(ctx, password, s, memory, passes, threads, keySize)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads, enc(s), enc(key)), nil
}

// phc is a hash taken apart.
type phc struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

func parsePHC(text string) (p phc, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return p, errors.New("not an argon2id hash")
	}
	var version int
	if _, err = fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, errors.New("unknown version of argon2")
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.threads); err != nil {
		return p, errors.New("unreadable parameters of argon2")
	}
	if p.memory > 1<<20 || p.passes < 1 || p.passes > 64 || p.threads < 1 { // a row that was tampered with must not stop the service
		return p, errors.New("impossible parameters of argon2")
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, errors.New("unreadable salt")
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.key) == 0 {
		return p, errors.New("unreadable hash")
	}
	return p, nil
}

// check tells whether a password belongs to a hash, and whether the hash should be made anew. A hash that cannot be read
// belongs to no password, but costs the same time: nobody learns which logins exist.
func (h *hasher) check(ctx context.Context, password, hash string) (right, weak bool, err error) {
	p, bad := parsePHC(hash)
	if bad != nil {
		p = phc{memory, passes, threads, make([]byte, salt), make([]byte, keySize)}
	}
	key, err := h.key(ctx, password, p.salt, p.memory, p.passes, p.threads, uint32(len(p.key)))
	if err != nil {
		return false, false, err
	}
	right = subtle.ConstantTimeCompare(key, p.key) == 1 && bad == nil
	return right, p.memory < memory || p.passes < passes, nil
}

// common are passwords of twelve bytes and more that guessers try first.
var common = []string{
	"123456789012", "1234567890123", "password1234", "passwordpassword", "qwertyuiopas", "qwertyuiop123", "iloveyou1234", "administrator",
	"changemechangeme", "letmeinletmein", "welcome12345", "abcdefghijkl", "111111111111", "000000000000", "planexeplanexe", "correcthorsebatterystaple",
	"password12345", "1q2w3e4r5t6y", "qwerty123456", "admin1234567",
}

// CheckPassword says for people what is wrong with a new password; nil is nothing.
func CheckPassword(login, password string) error {
	low := strings.ToLower(password)
	switch {
	case len(password) < leastPassword:
		return fmt.Errorf("a password has at least %d characters: a few words make a good one", leastPassword)
	case len(password) > mostPassword:
		return fmt.Errorf("a password has at most %d characters", mostPassword)
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return errors.New("this password holds characters that are no text")
	case low == strings.ToLower(login):
		return errors.New("the password must not be the login")
	case slices.Contains(common, low), strings.Count(low, low[:1]) == len(low):
		return errors.New("this is one of the passwords that everybody tries first: choose another")
	}
	return nil
}

// CheckLogin says for people what is wrong with a login; nil is nothing.
func CheckLogin(login string) error {
	if login == "" || len(login) > 128 {
		return errors.New("a login has 1 to 128 characters")
	}
	for _, c := range login {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-@+", c) {
			return errors.New("a login is made of letters, digits and . _ - @ +")
		}
	}
	return nil
}
