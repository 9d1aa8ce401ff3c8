package multi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"planexe/internal/api"
	"planexe/internal/auth"
	"planexe/internal/config"
	"planexe/internal/queue"
	"planexe/internal/store"
	"planexe/internal/web/kit"
)

// Limits of requests by partners.
const (
	mostUserID     = 256
	mostNonce      = 255
	mostParameters = 30
	mostName       = 64
	mostValue      = 1024
	runsPerMinute  = 30 // of an address
	runsPerHour    = 10 // of a user_id
)

// runForm is what /run was asked for.
type runForm struct {
	prompt, userID, nonce string
	parameters            map[string]string
}

// run is the entry of partners, and of forms of this site. Everything is looked at before the nonce is used up.
func (a *app) run(w http.ResponseWriter, r *http.Request) {
	noCache(w)
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		jsonError(w, http.StatusMethodNotAllowed, "use GET or POST")
		return
	}
	form := r.ParseForm() // who asks first for a field would lose the error
	// A form of this site comes with a token; cookies count for nothing else, so that no session can be ridden.
	if r.Method == http.MethodPost && r.URL.RawQuery == "" && r.PostFormValue(kit.TokenField) != "" {
		if http.NewCrossOriginProtection().Check(r) != nil {
			jsonError(w, http.StatusForbidden, "this request came from another web site")
			return
		}
		a.guarded(route{"/run", member, a.runOwn}).ServeHTTP(w, r)
		return
	}
	switch {
	case a.PublicRun == config.RunOff && r.Method == http.MethodGet:
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	case a.PublicRun != config.RunGet && r.Method == http.MethodGet, a.PublicRun == config.RunOff:
		jsonError(w, http.StatusForbidden, "plans cannot be started this way here: sign in")
		return
	}
	f, status, problem := readRun(r, form)
	if problem == "" {
		switch err := auth.CheckNonce(a.PartnerSecret, f.nonce, f.userID, time.Now()); {
		case errors.Is(err, auth.ErrNonceForm):
			status, problem = http.StatusBadRequest, err.Error()
		case err != nil:
			status, problem = http.StatusUnauthorized, err.Error()
		}
	}
	if problem != "" {
		a.refuse(w, r, status, problem)
		return
	}
	id, err := a.createForPartner(r, f)
	var wait *auth.WaitError
	var e *api.Error
	switch {
	case errors.As(err, &wait):
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Wait/time.Second)))
		a.refuse(w, r, http.StatusTooManyRequests, "too many plans were asked for: try again later")
	case errors.As(err, &e):
		if e.Wait > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(int(e.Wait.Seconds())))
		}
		a.refuse(w, r, e.Status, e.Detail)
	case err != nil:
		a.Log.Error("a partner's plan could not be queued", "error", err)
		a.refuse(w, r, http.StatusServiceUnavailable, "the database does not answer: try again in a minute")
	default:
		a.frame(w)
		a.render(w, r, http.StatusOK, framedPage(kit.Page{Title: "Your plan is being made", Bare: true, Refresh: 10}, framedView{id: id.String()}))
	}
}

// refuse says why there is no plan: to programs as JSON, and to the visitor who looks at a partner's frame on a page that may stand in it.
func (a *app) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	if d := r.Header.Get("Sec-Fetch-Dest"); d != "iframe" && d != "frame" {
		jsonError(w, status, text)
		return
	}
	a.frame(w)
	a.render(w, r, status, refusedPage(kit.Page{Title: "There is no plan"}, text))
}

// readRun reads and checks a request whose form was parsed; the status is that of a problem.
func readRun(r *http.Request, form error) (f runForm, status int, problem string) {
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		if r.URL.RawQuery != "" {
			return f, http.StatusBadRequest, "a POST must not have a query string: send the fields in the body"
		}
		if form != nil {
			if tooLarge(form) {
				return f, http.StatusRequestEntityTooLarge, fmt.Sprintf("the request is larger than %d bytes", mostBody)
			}
			return f, http.StatusBadRequest, "the form cannot be read"
		}
		values = r.PostForm
	}
	f = runForm{prompt: values.Get("prompt"), userID: values.Get("user_id"), nonce: values.Get("nonce"), parameters: map[string]string{}}
	for name, v := range values {
		if name != "prompt" && name != "user_id" && name != "nonce" {
			f.parameters[name] = v[0]
		}
	}
	switch {
	case f.nonce == "":
		return f, http.StatusBadRequest, "nonce is missing"
	case f.userID == "":
		return f, http.StatusBadRequest, "user_id is missing"
	case utf8.RuneCountInString(f.userID) > mostUserID:
		return f, http.StatusBadRequest, fmt.Sprintf("user_id is longer than %d characters", mostUserID)
	case utf8.RuneCountInString(f.nonce) > mostNonce:
		return f, http.StatusBadRequest, fmt.Sprintf("nonce is longer than %d characters", mostNonce)
	case !plain(f.userID):
		return f, http.StatusBadRequest, "user_id holds characters that are no text"
	case len(f.parameters) > mostParameters:
		return f, http.StatusBadRequest, fmt.Sprintf("there are more than %d parameters", mostParameters)
	}
	if bad := checkPrompt(f.prompt); bad != nil {
		return f, bad.Status, bad.Detail
	}
	for name, v := range f.parameters {
		if utf8.RuneCountInString(name) > mostName || utf8.RuneCountInString(v) > mostValue || !plain(name) || !plain(v) {
			return f, http.StatusBadRequest, fmt.Sprintf("the name of a parameter has at most %d characters, its value %d, and both are text", mostName, mostValue)
		}
	}
	return f, 0, ""
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// createForPartner looks at the limits, uses the nonce up and makes the plan, all or nothing.
func (a *app) createForPartner(r *http.Request, f runForm) (id uuid.UUID, err error) {
	ctx := r.Context()
	if err := a.accounts.Turn(ctx, "run "+a.address(r), runsPerMinute, time.Minute); err != nil {
		return id, err
	}
	delete(f.parameters, "traceparent") // ours alone
	var parameters json.RawMessage
	if len(a.desk.traced(ctx, f.parameters)) > 0 {
		if parameters, err = json.Marshal(f.parameters); err != nil {
			return id, err
		}
	}
	about, err := json.Marshal(map[string]string{"user_agent": clip(r.UserAgent(), 200), "network": network(a.address(r)), "user_id": f.userID})
	if err != nil {
		return id, err
	}
	used := false
	err = pgx.BeginFunc(ctx, a.Pool, func(tx pgx.Tx) error {
		q := a.q.WithTx(tx)
		fresh, err := q.UseNonce(ctx, store.UseNonceParams{NonceKey: f.nonce, Context: about})
		if err != nil {
			return err
		}
		if used = !fresh; used {
			return nil // and keep the count
		}
		n, err := q.FreshOfUser(ctx, &f.userID)
		if err != nil {
			return err
		}
		if n >= runsPerHour {
			return &auth.WaitError{Wait: time.Hour}
		}
		if err := a.desk.room(ctx, q); err != nil {
			return err
		}
		id, err = a.queue.CreateIn(ctx, tx, queue.NewTask{
			Prompt: f.prompt, UserID: &f.userID, Origin: "partner", Parameters: parameters, Actor: "partner", Message: "Enqueued task via /run endpoint",
			Details: queue.Details{"method": r.Method, "request_size_bytes": r.ContentLength, "request_content_type": clip(r.Header.Get("Content-Type"), 100), "prompt_param_characters": utf8.RuneCountInString(f.prompt)},
		})
		return err
	})
	if err == nil && used {
		err = &api.Error{Status: http.StatusConflict, Detail: "this nonce was used before: no second plan was started"}
	}
	return id, err
}

// network is an address without the part that tells one machine from its neighbours.
func network(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	bits := 24
	if at.Is6() {
		bits = 48
	}
	p, err := at.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// runOwn makes a plan for the one who is signed in; whatever user_id the form has.
func (a *app) runOwn(w http.ResponseWriter, r *http.Request) {
	f, status, problem := readOwn(r)
	if problem != "" {
		jsonError(w, status, problem)
		return
	}
	s := sessionOf(r.Context())
	used, err := a.q.NonceUsed(r.Context(), "ui:"+s.User.ID.String()+":"+f.nonce)
	if err == nil && used {
		jsonError(w, http.StatusConflict, "this form was sent before: no second plan was started")
		return
	}
	var id uuid.UUID
	if err == nil {
		id, err = a.desk.create(r.Context(), s.User, f.prompt, f.parameters, "ui:"+s.User.ID.String()+":"+f.nonce, true)
	}
	var e *api.Error
	switch {
	case errors.As(err, &e):
		jsonError(w, e.Status, e.Detail)
	case err != nil:
		jsonError(w, http.StatusServiceUnavailable, "the database does not answer: try again in a minute")
	default:
		http.Redirect(w, r, "/runs/"+id.String(), http.StatusSeeOther)
	}
}

func readOwn(r *http.Request) (runForm, int, string) {
	r.PostForm.Del(kit.TokenField)
	r.PostForm.Set("user_id", "self")
	return readRun(r, nil)
}

// frame lets a partner's pages show an answer in a frame.
func (a *app) frame(w http.ResponseWriter) {
	if len(a.FrameAncestors) == 0 {
		return
	}
	h := w.Header()
	h.Del("X-Frame-Options") // the policy says more exactly who may
	h.Del("Cross-Origin-Opener-Policy")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors "+strings.Join(a.FrameAncestors, " "))
}

func noCache(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store, no-cache, must-revalidate, max-age=0")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "-1")
}

func jsonError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}
