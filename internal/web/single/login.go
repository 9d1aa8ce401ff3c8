package single

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"planexe/internal/web/kit"
)

// locked lets only those in who know the password.
func (u *ui) locked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if in, _ := u.logins.Get(r); in {
			next.ServeHTTP(w, r)
			return
		}
		to := "/login"
		if r.Method == http.MethodGet && r.URL.Path != "/" {
			to += "?to=" + url.QueryEscape(r.URL.RequestURI())
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
}

func (u *ui) showLogin(w http.ResponseWriter, r *http.Request) {
	if in, _ := u.logins.Get(r); in || u.Password == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	u.askPassword(w, r, http.StatusOK, r.URL.Query().Get("to"), "")
}

func (u *ui) askPassword(w http.ResponseWriter, r *http.Request, status int, to, problem string) {
	p := kit.Page{Title: "Log in", Theme: kit.Theme(r), Bare: true}
	u.render(w, r, status, loginPage(p, kit.Local(to), problem))
}

func (u *ui) login(w http.ResponseWriter, r *http.Request) {
	to := r.PostFormValue("to")
	if wait := u.guesses.Wait(); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
		u.askPassword(w, r, http.StatusTooManyRequests, to, fmt.Sprintf("There were too many wrong passwords. Try again in %s.", duration(wait.Seconds()+1)))
		return
	}
	right := u.Password != "" && kit.Same(r.PostFormValue("password"), u.Password) && kit.Same(r.PostFormValue("user"), "user")
	u.guesses.Note(right)
	if !right {
		u.Log.Warn("wrong password", "from", r.RemoteAddr)
		u.askPassword(w, r, http.StatusUnauthorized, to, "The user name or the password is wrong.")
		return
	}
	u.logins.Put(w, r, true)
	http.Redirect(w, r, kit.Local(to), http.StatusSeeOther)
}

func (u *ui) logout(w http.ResponseWriter, r *http.Request) {
	u.logins.Drop(w, r)
	u.keys.Drop(w, r)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
