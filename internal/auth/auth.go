// Package auth knows who somebody is: accounts with passwords, sessions that can be taken back, limits on guessing, and the nonces by
// which a partner's pages start plans. All of it stands in Postgres, so that several frontends agree.
package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"planexe/internal/store"
)

// The roles.
const (
	Admin = "admin"
	Plain = "user"
)

// Errors that callers tell apart. Their texts are for people.
var (
	ErrWrong    = errors.New("the login or the password is wrong")
	ErrTaken    = errors.New("this login is taken")
	ErrManaged  = errors.New("this account is the environment's: change PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME and PLANEXE_FRONTEND_MULTIUSER_ADMIN_PASSWORD instead")
	ErrLast     = errors.New("this is the last administrator who can sign in: make another one first")
	ErrLink     = errors.New("this link was used before, or is over: ask for another one")
	ErrNotFound = errors.New("there is no such account")
)

// WaitError says that there were too many tries.
type WaitError struct{ Wait time.Duration }

func (e *WaitError) Error() string {
	return fmt.Sprintf("too many wrong tries: wait %s", e.Wait.Round(time.Second))
}

// User is somebody who can sign in.
type User struct {
	ID      uuid.UUID
	Login   string
	Name    string // "" is the login
	Admin   bool
	Managed bool // by the environment
}

// Shown is what others call them.
func (u User) Shown() string {
	if u.Name != "" {
		return u.Name
	}
	return u.Login
}

// Actor names the person in events.
func (u User) Actor() string {
	if u.Admin {
		return "admin:" + u.Login
	}
	return "user:" + u.Login
}

func userOf(row store.AppUser) User {
	return User{ID: row.ID, Login: row.Login, Name: row.DisplayName, Admin: row.Role == Admin, Managed: row.ManagedByEnv}
}

// Accounts are the accounts of one database.
type Accounts struct {
	pool *pgxpool.Pool
	q    *store.Queries
	hash *hasher
	key  []byte // signs form tokens
	log  *slog.Logger
}

// New returns the accounts of a database whose schema is up to date. Without a key it uses the one that the database keeps, and makes
// that when it is the first to ask.
func New(ctx context.Context, pool *pgxpool.Pool, key string, log *slog.Logger) (*Accounts, error) {
	a := &Accounts{pool: pool, q: store.New(pool), hash: newHasher(), key: []byte(key), log: log}
	if key == "" {
		fresh := make([]byte, 32)
		_, _ = rand.Read(fresh) // never fails
		kept, err := a.q.Secret(ctx, store.SecretParams{Name: "session", Value: fresh})
		if err != nil {
			return nil, fmt.Errorf("read the key that signs forms: %w", err)
		}
		a.key = kept
	}
	return a, nil
}

// Key returns a key of its own for a purpose, made from the one of the accounts.
func (a *Accounts) Key(purpose string) []byte {
	mac := hmac.New(sha256.New, a.key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// EnsureAdmin makes the account of the environment, or makes it what the environment says. When its password has changed, its sessions
// end.
func (a *Accounts) EnsureAdmin(ctx context.Context, login, password string) error {
	if err := CheckLogin(login); err != nil {
		return fmt.Errorf("PLANEXE_FRONTEND_MULTIUSER_ADMIN_USERNAME: %w", err)
	}
	row, err := a.q.UserByLogin(ctx, login)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("look for the administrator: %w", err)
	}
	if err == nil && row.ManagedByEnv && row.Role == Admin {
		right, weak, err := a.hash.check(ctx, password, row.PasswordHash)
		if err != nil {
			return err
		}
		if right && !weak {
			return nil
		}
	}
	hash, err := a.hash.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.within(ctx, func(q *store.Queries) error {
		if err := q.EnsureEnvAdmin(ctx, store.EnsureEnvAdminParams{Login: login, PasswordHash: hash}); err != nil {
			return fmt.Errorf("make the administrator: %w", err)
		}
		row, err := q.UserByLogin(ctx, login)
		if err != nil {
			return err
		}
		if _, err := q.EndSessions(ctx, store.EndSessionsParams{UserID: row.ID, Keep: []byte{}}); err != nil {
			return err
		}
		return note(ctx, q, "system", "Administrator set from the environment", map[string]any{"login": login})
	})
}

// within runs f in a transaction.
func (a *Accounts) within(ctx context.Context, f func(*store.Queries) error) error {
	return pgx.BeginFunc(ctx, a.pool, func(tx pgx.Tx) error { return f(a.q.WithTx(tx)) })
}

// note writes an event about accounts. The context holds no password, link or address.
func note(ctx context.Context, q *store.Queries, actor, message string, about map[string]any) error {
	data, err := json.Marshal(about)
	if err != nil {
		return err
	}
	return q.InsertEvent(ctx, store.InsertEventParams{EventType: store.EventtypeGENERICEVENT, Message: message, Context: data, Actor: actor})
}

// secret returns a random text for a browser or a link, and what is kept of it.
func secret() (text string, kept []byte) {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	text = base64.RawURLEncoding.EncodeToString(b)
	return text, digest(text)
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// Create makes an account; without a password nobody can sign in to it until a link has set one.
func (a *Accounts) Create(ctx context.Context, actor, login, name, role, password string) (User, error) {
	if err := CheckLogin(login); err != nil {
		return User{}, err
	}
	if role != Admin && role != Plain {
		return User{}, fmt.Errorf("the role is %q: it has to be user or admin", role)
	}
	hash := ""
	if password != "" {
		if err := CheckPassword(login, password); err != nil {
			return User{}, err
		}
		var err error
		if hash, err = a.hash.hash(ctx, password); err != nil {
			return User{}, err
		}
	}
	var user User
	err := a.within(ctx, func(q *store.Queries) error {
		row, err := q.CreateUser(ctx, store.CreateUserParams{Login: login, DisplayName: clip(name, 128), PasswordHash: hash, Role: role})
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrTaken
		}
		if err != nil {
			return fmt.Errorf("make the account: %w", err)
		}
		user = userOf(row)
		if actor == "" {
			actor = user.Actor()
		}
		return note(ctx, q, actor, "Account created", map[string]any{"login": login, "role": role})
	})
	return user, err
}

// Find returns an account.
func (a *Accounts) Find(ctx context.Context, id uuid.UUID) (User, error) {
	row, err := a.q.UserByID(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrNotFound
	}
	return userOf(row), err
}

// linkLasts is how long a link to set a password works.
const linkLasts = 24 * time.Hour

// Link returns the secret part of an address under which somebody sets their password, once, within a day.
func (a *Accounts) Link(ctx context.Context, actor string, id uuid.UUID) (string, error) {
	user, err := a.Find(ctx, id)
	if err != nil {
		return "", err
	}
	if user.Managed {
		return "", ErrManaged
	}
	text, kept := secret()
	return text, a.within(ctx, func(q *store.Queries) error {
		if err := q.CreateLink(ctx, store.CreateLinkParams{ID: kept, UserID: id, Seconds: linkLasts.Seconds()}); err != nil {
			return fmt.Errorf("make the link: %w", err)
		}
		return note(ctx, q, actor, "Password link made", map[string]any{"login": user.Login})
	})
}

// LinkUser returns whose password a link sets; looking uses nothing up.
func (a *Accounts) LinkUser(ctx context.Context, link string) (User, error) {
	row, err := a.q.LinkUser(ctx, digest(link))
	if errors.Is(err, pgx.ErrNoRows) {
		return User{}, ErrLink
	}
	return userOf(row), err
}

// UseLink sets a password by a link. All sessions of the account end.
func (a *Accounts) UseLink(ctx context.Context, link, password string) error {
	user, err := a.LinkUser(ctx, link)
	if err != nil {
		return err
	}
	if err := CheckPassword(user.Login, password); err != nil {
		return err
	}
	hash, err := a.hash.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.within(ctx, func(q *store.Queries) error {
		id, err := q.UseLink(ctx, digest(link))
		if errors.Is(err, pgx.ErrNoRows) || err == nil && id != user.ID {
			return ErrLink
		}
		if err != nil {
			return err
		}
		return replace(ctx, q, user, hash, []byte{}, user.Actor(), "Password set by link")
	})
}

// replace sets a password and ends the sessions but one.
func replace(ctx context.Context, q *store.Queries, user User, hash string, keep []byte, actor, message string) error {
	n, err := q.SetPassword(ctx, store.SetPasswordParams{ID: user.ID, PasswordHash: hash})
	if err != nil {
		return fmt.Errorf("set the password: %w", err)
	}
	if n == 0 {
		return ErrManaged
	}
	if _, err := q.EndSessions(ctx, store.EndSessionsParams{UserID: user.ID, Keep: keep}); err != nil {
		return err
	}
	return note(ctx, q, actor, message, map[string]any{"login": user.Login})
}

// ChangePassword replaces the session's own password; the other sessions end.
func (a *Accounts) ChangePassword(ctx context.Context, s Session, old, password string) error {
	if s.User.Managed {
		return ErrManaged
	}
	row, err := a.q.UserByID(ctx, s.User.ID)
	if err != nil {
		return fmt.Errorf("read the account: %w", err)
	}
	right, _, err := a.hash.check(ctx, old, row.PasswordHash)
	if err != nil {
		return err
	}
	if !right {
		return ErrWrong
	}
	if err := CheckPassword(s.User.Login, password); err != nil {
		return err
	}
	hash, err := a.hash.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.within(ctx, func(q *store.Queries) error {
		return replace(ctx, q, s.User, hash, s.id, s.User.Actor(), "Password changed")
	})
}

// Rename sets what others call somebody.
func (a *Accounts) Rename(ctx context.Context, id uuid.UUID, name string) error {
	return a.q.SetDisplayName(ctx, store.SetDisplayNameParams{ID: id, DisplayName: clip(strings.TrimSpace(name), 128)})
}

// SetRole changes what somebody may; their sessions end, so that none has rights of before.
func (a *Accounts) SetRole(ctx context.Context, actor string, id uuid.UUID, role string) error {
	if role != Admin && role != Plain {
		return fmt.Errorf("the role is %q: it has to be user or admin", role)
	}
	return a.change(ctx, actor, id, role != Admin, "Role set to "+role, func(q *store.Queries) (int64, error) {
		return q.SetRole(ctx, store.SetRoleParams{ID: id, Role: role})
	})
}

// Disable keeps somebody from signing in, or lets them again.
func (a *Accounts) Disable(ctx context.Context, actor string, id uuid.UUID, disabled bool) error {
	message := "Account enabled"
	if disabled {
		message = "Account disabled"
	}
	return a.change(ctx, actor, id, disabled, message, func(q *store.Queries) (int64, error) {
		return q.SetDisabled(ctx, store.SetDisabledParams{ID: id, Disabled: disabled})
	})
}

// Delete removes an account. What to do with its plans is decided before.
func (a *Accounts) Delete(ctx context.Context, actor string, id uuid.UUID) error {
	return a.change(ctx, actor, id, true, "Account deleted", func(q *store.Queries) (int64, error) { return q.DeleteUser(ctx, id) })
}

// change does something to an account, but not to the last administrator when it takes rights away.
func (a *Accounts) change(ctx context.Context, actor string, id uuid.UUID, takes bool, message string, do func(*store.Queries) (int64, error)) error {
	return a.within(ctx, func(q *store.Queries) error {
		admins, err := q.LockAdmins(ctx)
		if err != nil {
			return fmt.Errorf("look for administrators: %w", err)
		}
		row, err := q.UserByID(ctx, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		if row.ManagedByEnv {
			return ErrManaged
		}
		if takes && len(admins) == 1 && admins[0] == id {
			return ErrLast
		}
		if _, err := q.EndSessions(ctx, store.EndSessionsParams{UserID: id, Keep: []byte{}}); err != nil {
			return err
		}
		if _, err := do(q); err != nil {
			return fmt.Errorf("change the account: %w", err)
		}
		return note(ctx, q, actor, message, map[string]any{"login": row.Login})
	})
}

func clip(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}
