package multi

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"planexe/internal/auth"
	"planexe/internal/web/kit"
	"planexe/internal/web/single"
)

// signInView is the form of the sign-in.
type signInView struct {
	next, login, problem string
	signup               bool
}

func (a *app) showSignIn(w http.ResponseWriter, r *http.Request) {
	if s := sessionOf(r.Context()); s != nil {
		http.Redirect(w, r, home(s.User, r.URL.Query().Get("next")), http.StatusFound)
		return
	}
	a.askSignIn(w, r, http.StatusOK, signInView{next: r.URL.Query().Get("next")})
}

func (a *app) askSignIn(w http.ResponseWriter, r *http.Request, status int, v signInView) {
	v.next, v.signup = kit.Local(v.next), a.Signup
	p := a.page(w, r, "Sign in")
	p.Bare = true
	a.render(w, r, status, signInPage(p, v))
}

// home is where somebody goes who has signed in.
func home(u auth.User, next string) string {
	if to := kit.Local(next); to != "/" {
		return to
	}
	if u.Admin {
		return "/admin/"
	}
	return "/"
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	v := signInView{next: r.FormValue("next"), login: clip(r.PostFormValue("username"), 128)}
	if s := sessionOf(r.Context()); s != nil { // a new session has a new name, and the old one is worth nothing
		if err := a.accounts.SignOut(r.Context(), *s); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	cookie, keep, user, err := a.accounts.SignIn(r.Context(), v.login, r.PostFormValue("password"), a.address(r), r.UserAgent())
	var wait *auth.WaitError
	switch {
	case errors.As(err, &wait):
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Wait/time.Second)+1))
		v.problem = "There were too many wrong tries. Try again in " + single.Roughly(wait.Wait.Seconds()) + "."
		a.askSignIn(w, r, http.StatusTooManyRequests, v)
	case errors.Is(err, auth.ErrWrong):
		v.problem = "The login or the password is wrong."
		a.askSignIn(w, r, http.StatusUnauthorized, v)
	case err != nil:
		a.fail(w, r, err)
	default:
		a.setCookie(w, r, cookie, keep)
		http.Redirect(w, r, home(user, v.next), http.StatusFound)
	}
}

// signOut ends the session. By a link it does so only when the link stands on a page of this site.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	s := sessionOf(r.Context())
	foreign := r.Header.Get("Sec-Fetch-Site") == "cross-site" || r.Header.Get("Sec-Fetch-Site") == "same-site"
	if s != nil && !(r.Method == http.MethodGet && foreign) {
		if err := a.accounts.SignOut(r.Context(), *s); err != nil {
			a.fail(w, r, err)
			return
		}
		a.setCookie(w, r, "", -time.Second)
		a.cookies.SetFlash(w, r, kit.Good, "You are signed out.")
	}
	http.Redirect(w, r, "/", http.StatusFound)
}

// accountForm is a form that makes an account or sets its password.
type accountForm struct {
	login, problem string
	link           string // the secret part of the address; "" is a sign-up
}

func (a *app) showSignUp(w http.ResponseWriter, r *http.Request) {
	if !a.Signup {
		a.notFound(w, r)
		return
	}
	a.askSignUp(w, r, http.StatusOK, accountForm{})
}

func (a *app) askSignUp(w http.ResponseWriter, r *http.Request, status int, v accountForm) {
	p := a.page(w, r, "Make an account")
	p.Bare = true
	a.render(w, r, status, signUpPage(p, v))
}

// signUps is how many accounts may be made from one address in an hour.
const signUps = 5

func (a *app) signUp(w http.ResponseWriter, r *http.Request) {
	if !a.Signup {
		a.notFound(w, r)
		return
	}
	v := accountForm{login: clip(r.PostFormValue("username"), 128)}
	if r.PostFormValue("password") != r.PostFormValue("again") {
		v.problem = "The two passwords are not the same."
		a.askSignUp(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	err := a.accounts.Turn(r.Context(), "signup "+a.address(r), signUps, time.Hour)
	if err == nil {
		_, err = a.accounts.Create(r.Context(), "", v.login, "", auth.Plain, r.PostFormValue("password"))
	}
	if err != nil {
		v.problem = single.Sentence(err.Error())
		a.askSignUp(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	a.back(w, r, "/login", kit.Good, "Your account is made. Sign in with it.")
}

func (a *app) showLink(w http.ResponseWriter, r *http.Request) {
	user, err := a.accounts.LinkUser(r.Context(), r.PathValue("link"))
	if errors.Is(err, auth.ErrLink) {
		a.problem(w, r, http.StatusNotFound, "This link does not work any more", "It was used before, or it is over: a link works once, within a day. Ask an administrator for another one.")
		return
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.askPassword(w, r, http.StatusOK, accountForm{login: user.Login, link: r.PathValue("link")})
}

func (a *app) askPassword(w http.ResponseWriter, r *http.Request, status int, v accountForm) {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is a secret
	p := a.page(w, r, "Set your password")
	p.Bare = true
	a.render(w, r, status, passwordPage(p, v))
}

func (a *app) useLink(w http.ResponseWriter, r *http.Request) {
	link := r.PathValue("link")
	user, err := a.accounts.LinkUser(r.Context(), link)
	if err == nil {
		if r.PostFormValue("password") != r.PostFormValue("again") {
			a.askPassword(w, r, http.StatusUnprocessableEntity, accountForm{login: user.Login, link: link, problem: "The two passwords are not the same."})
			return
		}
		if bad := auth.CheckPassword(user.Login, r.PostFormValue("password")); bad != nil {
			a.askPassword(w, r, http.StatusUnprocessableEntity, accountForm{login: user.Login, link: link, problem: single.Sentence(bad.Error())})
			return
		}
		err = a.accounts.UseLink(r.Context(), link, r.PostFormValue("password"))
	}
	switch {
	case errors.Is(err, auth.ErrLink):
		a.showLink(w, r)
	case err != nil:
		a.fail(w, r, err)
	default:
		a.back(w, r, "/login", kit.Good, "Your password is set. Sign in with it.")
	}
}
