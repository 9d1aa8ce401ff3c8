package auth

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const phrase = "a long pass phrase"

func accounts(t *testing.T) (*Accounts, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.Pool(t)
	a, err := New(t.Context(), pool, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a, pool
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (a *Accounts) in(t *testing.T, login, password string) string {
	t.Helper()
	cookie, _, _, err := a.SignIn(t.Context(), login, password, "192.0.2.1", "test")
	ok(t, err)
	return cookie
}

func (a *Accounts) open(t *testing.T, cookie string) bool {
	t.Helper()
	_, is, err := a.Session(t.Context(), cookie)
	ok(t, err)
	return is
}

// Ensure the administrator of the environment is what the environment says, and that a restart signs nobody out.
func TestEnvAdmin(t *testing.T) {
	t.Parallel()
	a, _ := accounts(t)
	ctx := t.Context()
	ok(t, a.EnsureAdmin(ctx, "root", phrase))
	cookie := a.in(t, "ROOT", phrase)
	ok(t, a.EnsureAdmin(ctx, "root", phrase))
	if !a.open(t, cookie) {
		t.Error("a restart ends sessions")
	}
	s, _, err := a.Session(ctx, cookie)
	ok(t, err)
	if !s.User.Admin || !s.User.Managed || s.User.Actor() != "admin:root" {
		t.Errorf("the administrator is %+v", s.User)
	}
	for what, err := range map[string]error{
		"password": a.ChangePassword(ctx, s, phrase, "another pass phrase"), "role": a.SetRole(ctx, "x", s.User.ID, Plain),
		"disable": a.Disable(ctx, "x", s.User.ID, true), "delete": a.Delete(ctx, "x", s.User.ID),
	} {
		if !errors.Is(err, ErrManaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok(t, a.EnsureAdmin(ctx, "root", "another pass phrase"))
	if a.open(t, cookie) {
		t.Error("a new password leaves old sessions open")
	}
	if _, _, _, err := a.SignIn(ctx, "root", phrase, "192.0.2.1", ""); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
}

// Ensure that wrong, unknown and disabled look the same, that guessing is stopped, and that only for the guesser.
func TestSignIn(t *testing.T) {
	t.Parallel()
	a, _ := accounts(t)
	ctx := t.Context()
	user := must[User](t)(a.Create(ctx, "admin:x", "someone", "", Plain, phrase))
	off := must[User](t)(a.Create(ctx, "admin:x", "gone", "", Plain, phrase))
	must[User](t)(a.Create(ctx, "admin:x", "invited", "", Plain, ""))
	ok(t, a.Disable(ctx, "admin:x", off.ID, true))
	for _, c := range [][2]string{{"someone", "wrong"}, {"nobody", phrase}, {"gone", phrase}, {"invited", ""}, {"", ""}} {
		if _, _, _, err := a.SignIn(ctx, c[0], c[1], "192.0.2.7", ""); !errors.Is(err, ErrWrong) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := a.Create(ctx, "x", "SomeOne", "", Plain, phrase); !errors.Is(err, ErrTaken) {
		t.Errorf("the same login: %v", err)
	}
	var wait *WaitError
	for range perLogin {
		_, _, _, err := a.SignIn(ctx, "someone", "guess", "192.0.2.9", "")
		if errors.As(err, &wait) {
			break
		}
	}
	if _, _, _, err := a.SignIn(ctx, "Someone", phrase, "192.0.2.9", ""); !errors.As(err, &wait) {
		t.Errorf("after %d guesses: %v", perLogin, err)
	}
	if cookie := a.in(t, "someone", phrase); !a.open(t, cookie) {
		t.Error("the right password from elsewhere does not work")
	}
	if user.Admin || user.Managed {
		t.Errorf("made %+v", user)
	}
}

// Ensure sessions end when they should, and that each token is a session's own.
func TestSessions(t *testing.T) {
	t.Parallel()
	a, pool := accounts(t)
	ctx := t.Context()
	user := must[User](t)(a.Create(ctx, "admin:x", "someone", "", Plain, phrase))
	one, two := a.in(t, "someone", phrase), a.in(t, "someone", phrase)
	s1, _, _ := a.Session(ctx, one)
	s2, _, _ := a.Session(ctx, two)
	if !s1.Valid(s1.Token) || s1.Valid(s2.Token) || s1.Valid("") {
		t.Error("tokens do not tell sessions apart")
	}
	list := must[[]Open](t)(a.Sessions(ctx, s1))
	if len(list) != 2 || list[0].Mine == list[1].Mine {
		t.Errorf("sessions: %+v", list)
	}
	for _, o := range list {
		if s1.Valid(o.Name) || s2.Valid(o.Name) {
			t.Error("the list shows a token")
		}
		if !o.Mine {
			ok(t, a.End(ctx, s1, o.Name))
		}
	}
	if a.open(t, two) || !a.open(t, one) {
		t.Error("the wrong session was ended")
	}
	for what, sql := range map[string]string{
		"idle": "update app_session set last_used_at = now() - interval '13 hours'", "over": "update app_session set ends_at = now(), last_used_at = now()",
	} {
		cookie := a.in(t, "someone", phrase)
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
		if a.open(t, cookie) {
			t.Errorf("%s: still open", what)
		}
	}
	ok(t, a.Sweep(ctx))
	cookie := a.in(t, "someone", phrase)
	ok(t, a.SetRole(ctx, "admin:x", user.ID, Admin))
	if a.open(t, cookie) {
		t.Error("a change of rights leaves the session open")
	}
	if err := a.Delete(ctx, "admin:x", user.ID); !errors.Is(err, ErrLast) {
		t.Errorf("the last administrator: %v", err)
	}
	if a.open(t, "") || a.open(t, "nonsense") {
		t.Error("nonsense is a session")
	}
}

// Ensure a link sets a password once.
func TestLink(t *testing.T) {
	t.Parallel()
	a, _ := accounts(t)
	ctx := t.Context()
	user := must[User](t)(a.Create(ctx, "admin:x", "invited", "", Plain, ""))
	link := must[string](t)(a.Link(ctx, "admin:x", user.ID))
	other := must[string](t)(a.Link(ctx, "admin:x", user.ID))
	if got, err := a.LinkUser(ctx, link); err != nil || got.Login != "invited" {
		t.Errorf("the link is of %+v, %v", got, err)
	}
	if err := a.UseLink(ctx, link, "short"); err == nil {
		t.Error("a short password is taken")
	}
	ok(t, a.UseLink(ctx, link, phrase))
	a.in(t, "invited", phrase)
	for what, l := range map[string]string{"used": link, "another of theirs": other, "made up": "x"} {
		if err := a.UseLink(ctx, l, "yet another phrase"); !errors.Is(err, ErrLink) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
