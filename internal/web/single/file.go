package single

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"planexe/internal/api"
	"planexe/internal/plan"
	"planexe/internal/web/kit"
)

type opening = func(ctx context.Context, id string, header http.Header) (*http.Response, error)

// fileView is one file of a run.
type fileView struct {
	runView
	file    api.File
	text    string
	html    string // safe; of Markdown
	tree    any    // of JSON, when isTree
	isTree  bool
	binary  bool
	etag    string
	mine    string        // what the person has typed, when the file changed meanwhile
	problem string        // of the text
	takes   *api.Estimate // what an edit leads to
	before  *section      // readable documents beside this one
	after   *section
}

// mostShown bounds what is shown of a file; it can be downloaded whole.
const mostShown = 1 << 20

// loadFile reads a file for its page.
func (u *ui) loadFile(r *http.Request) (fileView, error) {
	id, name := r.PathValue("id"), r.PathValue("name")
	run, err := u.load(r.Context(), id, filesTab)
	if err != nil {
		return fileView{}, err
	}
	v := fileView{runView: run, file: api.File{Name: name}}
	if i := slices.IndexFunc(run.files, func(f api.File) bool { return f.Name == name }); i >= 0 {
		v.file = run.files[i]
	}
	data, etag, err := u.Worker.File(r.Context(), id, name)
	if err != nil {
		return v, err
	}
	v.etag = etag
	v.show(data)
	var there []section
	for _, s := range run.sections() {
		if s.File != nil {
			there = append(there, s)
		}
	}
	if i := slices.IndexFunc(there, func(s section) bool { return s.Name == name }); i >= 0 {
		if i > 0 {
			v.before = &there[i-1]
		}
		if i+1 < len(there) {
			v.after = &there[i+1]
		}
	}
	return v, nil
}

// show prepares the content. All of it was written by a model, or by nobody knows whom.
func (v *fileView) show(data []byte) {
	if bytes.IndexByte(data, 0) >= 0 {
		v.binary = true
		return
	}
	v.text = strings.ToValidUTF8(string(data), "�")
	switch {
	case len(data) > mostShown:
		v.text = strings.ToValidUTF8(v.text[:mostShown], "")
	case path.Ext(v.file.Name) == ".md":
		v.html = prose(v.text)
	case path.Ext(v.file.Name) == ".json":
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		var tree any
		if dec.Decode(&tree) == nil {
			v.tree, v.isTree = tree, true
		}
	}
}

// prose renders Markdown; HTML in it is left out, and links lead to web pages only.
func prose(source string) string {
	var out bytes.Buffer
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table), goldmark.WithRendererOptions(html.WithHardWraps()),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(tame{}, 1000))),
	)
	if err := md.Convert([]byte(source), &out); err != nil {
		return ""
	}
	return out.String()
}

// tame fits a document into a page: headings are one level lower, since the page has its own, and pictures,
// which would be fetched from elsewhere, become their words.
type tame struct{}

func (tame) Transform(root *ast.Document, _ text.Reader, _ parser.Context) {
	var pictures []ast.Node
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // which returns no error
		switch n := n.(type) {
		case *ast.Heading:
			if entering {
				n.Level = min(6, n.Level+1)
			}
		case *ast.Image:
			if entering {
				pictures = append(pictures, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, p := range pictures {
		for c := p.FirstChild(); c != nil; c = p.FirstChild() {
			p.Parent().InsertBefore(p.Parent(), p, c)
		}
		p.Parent().RemoveChild(p.Parent(), p)
	}
}

func (u *ui) showFile(w http.ResponseWriter, r *http.Request) {
	v, err := u.loadFile(r)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	u.render(w, r, http.StatusOK, filePage(u.page(w, r, plan.Title(v.file.Name), "/runs"), v))
}

// rawFile gives a file as a download; it is never shown as a page.
func (u *ui) rawFile(w http.ResponseWriter, r *http.Request) {
	data, _, err := u.Worker.File(r.Context(), r.PathValue("id"), r.PathValue("name"))
	if err != nil {
		u.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+plainName(r.PathValue("name"))+`"`)
	h.Set("Content-Length", fmt.Sprint(len(data)))
	_, _ = w.Write(data)
}

func (u *ui) editFile(w http.ResponseWriter, r *http.Request) {
	v, err := u.loadFile(r)
	if err != nil {
		u.fail(w, r, err)
		return
	}
	u.showEdit(w, r, http.StatusOK, v)
}

func (u *ui) showEdit(w http.ResponseWriter, r *http.Request, status int, v fileView) {
	if v.State.Live() && v.problem == "" {
		u.back(w, r, v.fileURL(v.file.Name), kit.Fair, "Files can be edited when the plan is not being made. Stop it first, or wait for its end.")
		return
	}
	if e, err := u.Worker.Estimate(r.Context(), api.EstimateQuery{RunID: v.RunID, LLMModel: v.LLMModel, SpeedVsDetail: v.SpeedVsDetail, File: v.file.Name}); err == nil {
		v.takes = &e
	}
	u.render(w, r, status, editPage(u.page(w, r, "Edit "+plan.Title(v.file.Name), "/runs"), v))
}

// saveFile keeps an edit, and starts what follows from it when that was asked for.
func (u *ui) saveFile(w http.ResponseWriter, r *http.Request) {
	id, name := r.PathValue("id"), r.PathValue("name")
	text := strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")
	answer, err := u.Worker.PutFile(r.Context(), id, name, []byte(text), r.PostFormValue("etag"))
	var e *api.Error
	if errors.As(err, &e) && e.Status < http.StatusInternalServerError {
		v, loadErr := u.loadFile(r)
		if loadErr != nil {
			u.fail(w, r, loadErr)
			return
		}
		v.problem = sentence(e.Detail)
		if e.Status == http.StatusPreconditionFailed {
			v.problem = "The file has changed since you opened it. Below are both texts: your own, and the one that stands there now. Saving again replaces it."
			v.mine = text
		} else {
			v.mine, v.text, v.etag = "", text, r.PostFormValue("etag")
		}
		u.showEdit(w, r, e.Status, v)
		return
	}
	if err != nil {
		u.fail(w, r, err)
		return
	}
	if r.PostFormValue("then") != "rerun" {
		u.back(w, r, runURL(r)+"/files/"+url.PathEscape(name), kit.Good, "Saved. "+sentence(follow(len(answer.Dirty))))
		return
	}
	u.resumeRun(w, r)
}

func follow(dirty int) string {
	if dirty == 0 {
		return "no step reads it"
	}
	return counted(dirty, "step is", "steps are") + " out of date now: bring the plan up to date when you are done with editing"
}

func (u *ui) revertFile(w http.ResponseWriter, r *http.Request) {
	answer, err := u.Worker.RevertFile(r.Context(), r.PathValue("id"), r.PathValue("name"))
	to := runURL(r) + "/files/" + url.PathEscape(r.PathValue("name"))
	if err != nil {
		u.back(w, r, to, kit.Poor, sentence(refused(err)))
		return
	}
	u.back(w, r, to, kit.Good, "Your edit is taken back. "+sentence(follow(len(answer.Dirty))))
}
