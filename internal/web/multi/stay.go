package multi

import (
	"net/http"

	"planexe/internal/auth"
)

// lasting is how long a session still lasts, for the script of an open page. The token lets its forms be sent after somebody has signed
// in again in another window; pages of other sites cannot read it.
type lasting struct {
	Seconds int    `json:"seconds"` // 0 is over
	Fixed   bool   `json:"fixed"`   // it cannot be made longer
	Token   string `json:"token,omitempty"`
}

// sessionLeft tells how long the session lasts. Asking is no use of it: else an open page would keep it alive.
func (a *app) sessionLeft(w http.ResponseWriter, r *http.Request) {
	var s auth.Session
	if c, err := r.Cookie(a.cookieName(r)); err == nil {
		var ok bool
		if s, ok, err = a.accounts.Peek(r.Context(), c.Value); err != nil {
			jsonError(w, http.StatusServiceUnavailable, "the database does not answer: try again in a minute")
			return
		} else if !ok {
			s = auth.Session{}
		}
	}
	a.lasts(w, s)
}

// stay is use of the session: that the request came through is all there is to do.
func (a *app) stay(w http.ResponseWriter, r *http.Request) { a.lasts(w, *sessionOf(r.Context())) }

func (a *app) lasts(w http.ResponseWriter, s auth.Session) {
	writeJSON(w, http.StatusOK, lasting{int(s.Left.Seconds()), s.Fixed, s.Token})
}
