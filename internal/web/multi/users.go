package multi

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"planexe/internal/auth"
	"planexe/internal/store"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

var userColumns = []column{
	{text: "Login", sort: "login"}, {text: "Role"}, {text: "Created", sort: "created"}, {text: "Last sign-in"}, {text: "Plans", class: "number"}, {text: "Running", class: "number"}, {text: "Cost", class: "number"},
}

var roleOptions = []option{{auth.Plain, "User"}, {auth.Admin, "Administrator"}}

var userFilters = []filter{
	{name: "search", label: "Search", kind: "search", hint: "Login or name", add: func(where func(string, ...any), v string) bool {
		where("(lower(login) like lower(?) or lower(display_name) like lower(?))", likePrefix(v), likePrefix(v))
		return true
	}},
	{name: "role", label: "Role", kind: "select", options: roleOptions, add: among(roleOptions, func(v string) string { return "role = '" + v + "'" })},
}

// usersView is the list of accounts, with the form for another one.
type usersView struct {
	listing
	rows    []store.UserRowsRow
	problem string
	login   string
}

func (a *app) listUsers(w http.ResponseWriter, r *http.Request) {
	a.usersAt(w, r, http.StatusOK, usersView{})
}

func (a *app) usersAt(w http.ResponseWriter, r *http.Request, status int, v usersView) {
	q := users.query()
	v.listing = listed(r, "Users", "created", q, userColumns, userFilters)
	v.path = "/admin/useritem/"
	found, err := show(a, r, q, &v.listing)
	if err == nil {
		var ids []uuid.UUID
		for _, u := range found {
			ids = append(ids, u.ID)
		}
		if v.rows, err = a.q.UserRows(r.Context(), ids); err == nil {
			slices.SortFunc(v.rows, func(x, y store.UserRowsRow) int { return slices.Index(ids, x.ID) - slices.Index(ids, y.ID) })
		}
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, status, usersPage(a.adminPage(w, r, "Users"), v))
}

func (a *app) createUser(w http.ResponseWriter, r *http.Request) {
	login := clip(r.PostFormValue("login"), 128)
	actor := by(r.Context()).Actor
	user, err := a.accounts.Create(r.Context(), actor, login, r.PostFormValue("name"), r.PostFormValue("role"), "")
	if err != nil {
		a.usersAt(w, r, http.StatusUnprocessableEntity, usersView{problem: single.Sentence(err.Error()), login: login})
		return
	}
	a.link(w, r, user)
}

// link shows a fresh link by which somebody sets their password. It is shown once and stands in no address.
func (a *app) link(w http.ResponseWriter, r *http.Request, user auth.User) {
	secret, err := a.accounts.Link(r.Context(), by(r.Context()).Actor, user.ID)
	if errors.Is(err, auth.ErrManaged) {
		a.back(w, r, "/admin/user/"+user.ID.String(), kit.Fair, single.Sentence(err.Error()))
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	base := a.PublicURL
	if base == "" {
		base = "http://" + r.Host
		if a.encrypted(r) {
			base = "https://" + r.Host
		}
	}
	a.render(w, r, http.StatusOK, linkPage(a.adminPage(w, r, "Password link"), user, base+"/password/"+secret))
}

// userView is the page of an account.
type userView struct {
	store.UserRowsRow
	me bool
}

func (v userView) path(end string) string { return "/admin/user/" + v.ID.String() + end }

func (a *app) findUser(r *http.Request) (userView, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return userView{}, gone()
	}
	rows, err := a.q.UserRows(r.Context(), []uuid.UUID{id})
	if err != nil {
		return userView{}, err
	}
	if len(rows) == 0 {
		return userView{}, gone()
	}
	return userView{rows[0], sessionOf(r.Context()).User.ID == id}, nil
}

func (a *app) showUser(w http.ResponseWriter, r *http.Request) {
	v, err := a.findUser(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.render(w, r, http.StatusOK, userPage(a.adminPage(w, r, v.Login), v))
}

func (a *app) changeUser(w http.ResponseWriter, r *http.Request) {
	v, err := a.findUser(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ctx, actor := r.Context(), by(r.Context()).Actor
	user := auth.User{ID: v.ID, Login: v.Login, Admin: v.Role == auth.Admin, Managed: v.ManagedByEnv}
	done := ""
	switch r.PathValue("what") {
	case "link":
		a.link(w, r, user)
		return
	case "role":
		err, done = a.accounts.SetRole(ctx, actor, v.ID, r.PostFormValue("role")), "The role is changed; the sessions of before have ended."
	case "disable":
		if err = a.accounts.Disable(ctx, actor, v.ID, true); err == nil {
			list, failed := a.q.UserTasks(ctx, &v.ID)
			if err = failed; err == nil {
				err = a.clearTasks(r, list, actor, false)
			}
		}
		done = "The account is disabled, its sessions have ended, and its plans are stopped."
	case "enable":
		err, done = a.accounts.Disable(ctx, actor, v.ID, false), "The account can sign in again."
	case "signout":
		err, done = a.accounts.EndAll(ctx, actor, user), "All sessions of the account have ended."
	case "delete":
		if r.PostFormValue("login") != v.Login {
			a.back(w, r, v.path(""), kit.Fair, "Type the login to show that you mean it. Nothing was done.")
			return
		}
		if err = a.removeUser(r, user, r.PostFormValue("plans") == "delete"); err == nil {
			a.back(w, r, "/admin/useritem/", kit.Good, "The account "+v.Login+" is deleted.")
			return
		}
	default:
		a.notFound(w, r)
		return
	}
	switch {
	case errors.Is(err, auth.ErrManaged), errors.Is(err, auth.ErrLast), errors.Is(err, auth.ErrNotFound):
		a.back(w, r, v.path(""), kit.Fair, single.Sentence(err.Error()))
	case err != nil:
		a.fail(w, r, err)
	default:
		a.back(w, r, v.path(""), kit.Good, done)
	}
}
