package multi

import (
	"errors"
	"net/http"
	"time"

	"planexe/internal/auth"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

// accountView is somebody's own page.
type accountView struct {
	user     auth.User
	sessions []auth.Open
	problems map[string]string // by form
}

func (a *app) showAccount(w http.ResponseWriter, r *http.Request) {
	a.account(w, r, http.StatusOK, nil)
}

func (a *app) account(w http.ResponseWriter, r *http.Request, status int, problems map[string]string) {
	s := sessionOf(r.Context())
	sessions, err := a.accounts.Sessions(r.Context(), *s)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, status, accountPage(a.page(w, r, "Your account"), accountView{s.User, sessions, problems}))
}

func (a *app) changeAccount(w http.ResponseWriter, r *http.Request) {
	s, ctx := sessionOf(r.Context()), r.Context()
	what := r.PathValue("what")
	var err error
	done := ""
	switch what {
	case "name":
		err, done = a.accounts.Rename(ctx, s.User.ID, r.PostFormValue("name")), "Your name is changed."
	case "password":
		switch {
		case r.PostFormValue("password") != r.PostFormValue("again"):
			err = errors.New("the two new passwords are not the same")
		default:
			err = a.accounts.Turn(ctx, "password "+s.User.ID.String(), changes, window)
			if err == nil {
				err, done = a.accounts.ChangePassword(ctx, *s, r.PostFormValue("old"), r.PostFormValue("password")), "Your password is changed, and your other sessions have ended."
			}
		}
		if errors.Is(err, auth.ErrWrong) {
			err = errors.New("the old password is wrong")
		}
	case "sessions":
		err, done = a.accounts.End(ctx, *s, r.PostFormValue("session")), "Signed out there."
	case "delete":
		if r.PostFormValue("login") != s.User.Login {
			a.account(w, r, http.StatusUnprocessableEntity, map[string]string{what: "Type your login to show that you mean it."})
			return
		}
		if err = a.removeUser(r, s.User, true); err == nil {
			a.setCookie(w, r, "", -1)
			a.back(w, r, "/", kit.Good, "Your account and your plans are deleted.")
			return
		}
	default:
		a.notFound(w, r)
		return
	}
	if err != nil {
		a.account(w, r, http.StatusUnprocessableEntity, map[string]string{what: single.Sentence(err.Error())})
		return
	}
	a.back(w, r, "/account", kit.Good, done)
}

// removeUser deletes an account. Its plans are stopped, and go too when they are to.
func (a *app) removeUser(r *http.Request, u auth.User, plans bool) error {
	ctx := r.Context()
	actor := sessionOf(ctx).User.Actor()
	if u.Managed {
		return auth.ErrManaged
	}
	list, err := a.q.UserTasks(ctx, &u.ID)
	if err != nil {
		return err
	}
	if err := a.accounts.Delete(ctx, actor, u.ID); err != nil {
		return err
	}
	// The plans are nobody's now, so an administrator's right is needed; the account was asked for above.
	return a.clearTasks(r, list, actor, plans)
}

// clearTasks stops plans that are not over, or deletes all.
func (a *app) clearTasks(r *http.Request, list []store.UserTasksRow, actor string, remove bool) error {
	for _, t := range list {
		var err error
		if remove {
			err = a.queue.Delete(r.Context(), t.ID, queue.By{Actor: actor})
		} else {
			err = a.queue.Stop(r.Context(), t.ID, queue.By{Actor: actor})
		}
		var refused *queue.RefusedError
		if err != nil && !errors.As(err, &refused) && !errors.Is(err, queue.ErrNotFound) && !errors.Is(err, queue.ErrStopRequested) {
			return err
		}
	}
	return nil
}

// changes is how often somebody may try to change their password within a window.
const (
	changes = 10
	window  = 15 * time.Minute
)
