package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"planexe/internal/store"
)

// How long sessions last: without use, and in all. Those of administrators are short.
const (
	userIdle, userWhole   = 12 * time.Hour, 30 * 24 * time.Hour
	adminIdle, adminWhole = 2 * time.Hour, 12 * time.Hour
)

// Limits on wrong passwords within a window: for one login from one address, and for an address. A right password from elsewhere still
// works, so nobody can lock somebody else out.
const (
	window       = 15 * time.Minute
	perLogin     = 5
	perAddress   = 50
	agentLength  = 200
	loginInLimit = 128
)

// Session is somebody signed in.
type Session struct {
	User  User
	Token string        // that their forms carry
	Left  time.Duration // until it ends when nothing more is done
	Fixed bool          // using it does not make it last longer: the end of all its time is nearer
	id    []byte        // what the database calls it
}

// token is a name of a session for a purpose; only the services can make it.
func (a *Accounts) token(purpose string, id []byte) string {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(purpose))
	mac.Write(id)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// SignIn begins a session and returns what the browser keeps, and for how long. Errors are ErrWrong, for each reason not to let
// somebody in, and *WaitError.
func (a *Accounts) SignIn(ctx context.Context, login, password, address, agent string) (cookie string, keep time.Duration, user User, err error) {
	login = clip(login, loginInLimit)
	pair, from := "login "+address+" "+strings.ToLower(login), "address "+address
	seconds, err := a.q.Blocked(ctx, []string{pair, from})
	if err != nil {
		return "", 0, user, fmt.Errorf("look at earlier tries: %w", err)
	}
	if seconds > 0 {
		return "", 0, user, &WaitError{time.Duration(seconds*float64(time.Second)) + time.Second}
	}
	row, err := a.q.UserByLogin(ctx, login)
	known := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", 0, user, fmt.Errorf("look for the account: %w", err)
	}
	// The same work for a login that does not exist, is disabled, or has another password.
	if len(password) > mostPassword {
		password = ""
	}
	right, weak, err := a.hash.check(ctx, password, row.PasswordHash)
	if err != nil {
		return "", 0, user, err
	}
	if !known || !right || row.DisabledAt != nil {
		for key, allowed := range map[string]int32{pair: perLogin, from: perAddress} {
			if err := a.q.NoteFailure(ctx, store.NoteFailureParams{Key: key, WindowSeconds: window.Seconds(), Allowed: allowed}); err != nil {
				return "", 0, user, fmt.Errorf("count a wrong try: %w", err)
			}
		}
		about := map[string]any{"login": row.Login} // never what was typed: it may be a password in the wrong field
		if err := note(ctx, a.q, "system", "Sign-in failed", about); err != nil {
			return "", 0, user, err
		}
		return "", 0, user, ErrWrong
	}
	if weak && !row.ManagedByEnv {
		if hash, err := a.hash.hash(ctx, password); err == nil {
			if err := a.q.RehashPassword(ctx, store.RehashPasswordParams{ID: row.ID, PasswordHash: hash, Old: row.PasswordHash}); err != nil {
				a.log.Warn("a password could not be hashed anew", "error", err)
			}
		}
	}
	user = userOf(row)
	text, kept := secret()
	idle, whole := userIdle, userWhole
	if user.Admin {
		idle, whole = adminIdle, adminWhole
	}
	err = a.within(ctx, func(q *store.Queries) error {
		return errors.Join(
			q.CreateSession(ctx, store.CreateSessionParams{ID: kept, UserID: row.ID, IdleSeconds: int32(idle.Seconds()), Seconds: whole.Seconds(), UserAgent: clip(agent, agentLength)}),
			q.NoteSignIn(ctx, row.ID), q.Forgive(ctx, pair), note(ctx, q, user.Actor(), "Signed in", map[string]any{"login": user.Login}),
		)
	})
	if err != nil {
		return "", 0, user, fmt.Errorf("begin a session: %w", err)
	}
	return text, whole, user, nil
}

// Session returns the session of what a browser keeps; false when there is none any more. That counts as use of it.
func (a *Accounts) Session(ctx context.Context, cookie string) (Session, bool, error) {
	return a.session(ctx, cookie, true)
}

// Peek is Session for those who only look how long it lasts.
func (a *Accounts) Peek(ctx context.Context, cookie string) (Session, bool, error) {
	return a.session(ctx, cookie, false)
}

func (a *Accounts) session(ctx context.Context, cookie string, use bool) (Session, bool, error) {
	if cookie == "" || len(cookie) > 100 {
		return Session{}, false, nil
	}
	id := digest(cookie)
	row, err := a.q.SessionUser(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, fmt.Errorf("look for the session: %w", err)
	}
	if use && row.Stale {
		if err := a.q.TouchSession(ctx, id); err != nil {
			a.log.Warn("the use of a session could not be noted", "error", err)
		} else {
			row.IdleLeft = float64(row.IdleSeconds)
		}
	}
	left := time.Duration(min(row.IdleLeft, row.WholeLeft) * float64(time.Second))
	return Session{User: userOf(row.AppUser), Token: a.token("form", id), Left: left, Fixed: row.WholeLeft <= row.IdleLeft, id: id}, true, nil
}

// Valid tells whether a form carries the session's token.
func (s Session) Valid(token string) bool { return hmac.Equal([]byte(s.Token), []byte(token)) }

// SignOut ends a session.
func (a *Accounts) SignOut(ctx context.Context, s Session) error { return a.q.EndSession(ctx, s.id) }

// Open is a session as its owner sees it.
type Open struct {
	Name     string // that ends it
	Agent    string
	Began    time.Time
	LastUsed time.Time
	Mine     bool // it is the one that asks
}

// Sessions lists the sessions of the one that asks, last used first.
func (a *Accounts) Sessions(ctx context.Context, s Session) ([]Open, error) {
	rows, err := a.q.SessionsOf(ctx, s.User.ID)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var out []Open
	for _, r := range rows {
		// The name is made from the id by the key: the page then holds nothing that stands in the table.
		out = append(out, Open{Name: a.token("session", r.ID), Agent: r.UserAgent, Began: r.CreatedAt, LastUsed: r.LastUsedAt, Mine: string(r.ID) == string(s.id)})
	}
	return out, nil
}

// End ends one of the sessions of the one that asks, or with "" all others.
func (a *Accounts) End(ctx context.Context, s Session, name string) error {
	if name == "" {
		_, err := a.q.EndSessions(ctx, store.EndSessionsParams{UserID: s.User.ID, Keep: s.id})
		return err
	}
	rows, err := a.q.SessionsOf(ctx, s.User.ID)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, r := range rows {
		if hmac.Equal([]byte(a.token("session", r.ID)), []byte(name)) {
			return a.q.EndSession(ctx, r.ID)
		}
	}
	return nil // it has ended already
}

// EndAll ends all sessions of somebody.
func (a *Accounts) EndAll(ctx context.Context, actor string, u User) error {
	return a.within(ctx, func(q *store.Queries) error {
		if _, err := q.EndSessions(ctx, store.EndSessionsParams{UserID: u.ID, Keep: []byte{}}); err != nil {
			return err
		}
		return note(ctx, q, actor, "Signed out everywhere", map[string]any{"login": u.Login})
	})
}

// Turn counts a request of a kind, such as a partner's from one address; it returns a *WaitError when there were more than allowed in
// the window.
func (a *Accounts) Turn(ctx context.Context, key string, allowed int, window time.Duration) error {
	many, err := a.q.TakeTurn(ctx, store.TakeTurnParams{Key: clip(key, 400), WindowSeconds: window.Seconds(), Allowed: int32(allowed)})
	if err != nil {
		return fmt.Errorf("count a request: %w", err)
	}
	if many {
		return &WaitError{window}
	}
	return nil
}

// Sweep removes what is over: sessions, links and counters.
func (a *Accounts) Sweep(ctx context.Context) error { return a.q.DropOldSessions(ctx) }
