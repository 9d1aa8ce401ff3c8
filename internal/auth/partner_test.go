package auth

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// Ensure a nonce is good for its user, for a while, and for nobody else.
func TestPartnerNonce(t *testing.T) {
	t.Parallel()
	secret, now := []byte(strings.Repeat("s", 32)), time.Unix(1_800_000_000, 0)
	good := SignNonce(secret, "user-1", now.Add(time.Minute))
	parts := strings.Split(good, ".")
	for _, c := range []struct {
		name, nonce, user string
		secret            []byte
		now               time.Time
		want              error
	}{
		{"good", good, "user-1", secret, now, nil},
		{"at its end", good, "user-1", secret, now.Add(time.Minute), nil},
		{"over", good, "user-1", secret, now.Add(61 * time.Second), ErrNonceOver},
		{"too far ahead", SignNonce(secret, "user-1", now.Add(16*time.Minute)), "user-1", secret, now, ErrNonceOver},
		{"another user", good, "user-2", secret, now, ErrNonceWrong},
		{"another secret", good, "user-1", []byte(strings.Repeat("t", 32)), now, ErrNonceWrong},
		{"longer end", parts[0] + ".1800000300." + parts[2] + "." + parts[3], "user-1", secret, now, ErrNonceWrong},
		{"no mac", strings.Join(parts[:3], ".") + ".", "user-1", secret, now, ErrNonceWrong},
		{"short random", "v1.1800000060.AAAA.x", "user-1", secret, now, ErrNonceForm},
		{"any text", "DEMO_1234", "user-1", secret, now, ErrNonceForm},
		{"empty", "", "user-1", secret, now, ErrNonceForm},
		{"version", "v2" + good[2:], "user-1", secret, now, ErrNonceForm},
	} {
		if err := CheckNonce(c.secret, c.nonce, c.user, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Ensure hashes can be checked, and that a broken one belongs to no password.
func TestHash(t *testing.T) {
	t.Parallel()
	h := newHasher()
	hash, err := h.hash(t.Context(), "a long pass phrase")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=32768,t=2,p=1$") {
		t.Errorf("the hash is %s", hash)
	}
	weaker := "$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, c := range []struct {
		name, password, hash string
		right, weak          bool
	}{
		{"right", "a long pass phrase", hash, true, false}, {"wrong", "another", hash, false, false}, {"none", "", "", false, false},
		{"broken", "a long pass phrase", "$argon2id$v=19$m=9999999999,t=1,p=1$AA$AA", false, false}, {"weaker", "x", weaker, false, true},
	} {
		right, weak, err := h.check(t.Context(), c.password, c.hash)
		if err != nil || right != c.right || weak != c.weak {
			t.Errorf("%s: right %v, weak %v, %v", c.name, right, weak, err)
		}
	}
}

// Ensure weak passwords and odd logins are refused.
func TestPolicy(t *testing.T) {
	t.Parallel()
	for password, ok := range map[string]bool{
		"a long pass phrase": true, "短い日本語のパスワード": true, "short": false, "aaaaaaaaaaaaaaaa": false, "PasswordPassword": false, "someone@example.org": false,
		strings.Repeat("x y", 100): false, "with\x00inside it": false,
	} {
		if err := CheckPassword("Someone@example.org", password); (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
	}
	for login, ok := range map[string]bool{"a": true, "some.one+x@example.org": true, "": false, "a b": false, "ä": false, strings.Repeat("x", 129): false, "a\n": false} {
		if err := CheckLogin(login); (err == nil) != ok {
			t.Errorf("%q: %v", login, err)
		}
	}
}
