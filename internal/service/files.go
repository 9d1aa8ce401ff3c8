package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"planexe/internal/api"
	"planexe/internal/pipeline"
	"planexe/internal/plan"
	"planexe/internal/rundir"
	"planexe/internal/runs"
)

// FileInput is the input of an operation on one file of a run.
type FileInput struct {
	RunInput
	File string `path:"file" doc:"Name of a file of the run"`
}

func (s *Service) listFiles(_ context.Context, in *RunInput) (*answer[api.RunFiles], error) {
	dir, err := s.known(in.ID)
	if err != nil {
		return nil, err
	}
	entries, err := s.library.Names(in.ID)
	if err != nil {
		return nil, s.failed(err, in.ID, "cannot list files")
	}
	d, err := rundir.OpenRead(dir)
	if err != nil {
		return nil, s.failed(err, in.ID, "cannot list files")
	}
	defer d.Close()
	out := api.RunFiles{RunID: in.ID, RunDir: dir, Files: []string{}, Items: []api.File{}}
	for _, e := range entries {
		out.Files = append(out.Files, e.Name())
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		out.Items = append(out.Items, api.File{
			Name: e.Name(), SizeBytes: info.Size(), ModifiedAt: info.ModTime().UTC(), Step: s.graph.Producer(e.Name()),
			Editable: runs.Editable(s.graph, e.Name()), Edited: d.HasOriginal(e.Name()),
		})
	}
	return &answer[api.RunFiles]{out}, nil
}

// open opens a regular file of a run.
func (s *Service) open(id, name string) (*os.File, fs.FileInfo, error) {
	dir, err := s.known(id)
	if err != nil {
		return nil, nil, err
	}
	missing := fail(http.StatusNotFound, "no file %s in run %s", clip(name), id)
	// A look first: opening a pipe or a device can wait for ever.
	if info, err := os.Lstat(filepath.Join(dir, filepath.Base(name))); err != nil || !info.Mode().IsRegular() {
		return nil, nil, missing
	}
	d, err := rundir.OpenRead(dir)
	if err != nil {
		return nil, nil, s.failed(err, id, "read the run")
	}
	defer d.Close()
	f, err := d.Open(name)
	switch {
	case errors.Is(err, fs.ErrInvalid):
		return nil, nil, fail(http.StatusBadRequest, "invalid file name")
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, missing
	case err != nil:
		return nil, nil, s.failed(err, id, "read "+name)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, s.failed(err, id, "read "+name)
	}
	return f, info, nil
}

// serve lets the standard library send content: ranges, conditions and lengths are its business.
func serve(send func(w http.ResponseWriter, r *http.Request)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humachi.Unwrap(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadLimit))
		w.Header().Set("Cache-Control", "private, no-cache") // ask again, with the ETag
		send(w, r)
	}}
}

func quoted(tag string) string { return `"` + tag + `"` }

func attachment(name string) string {
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// mostDigested is up to which size a file's ETag is the digest of its content, which an edit wants.
const mostDigested = 16 << 20

func (s *Service) getFile(_ context.Context, in *FileInput) (*huma.StreamResponse, error) {
	f, info, err := s.open(in.ID, in.File)
	if err != nil {
		return nil, err
	}
	var content io.ReadSeeker = f
	tag := fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())
	if info.Size() <= mostDigested {
		data, err := io.ReadAll(f)
		if err != nil {
			f.Close()
			return nil, s.failed(err, in.ID, "read "+in.File)
		}
		content, tag = bytes.NewReader(data), pipeline.Digest(data)
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		defer f.Close()
		h := w.Header()
		h.Set("ETag", quoted(tag))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		switch strings.ToLower(path.Ext(in.File)) {
		case ".json":
			h.Set("Content-Type", "application/json")
		case ".md", ".txt", ".csv", ".jsonl":
			h.Set("Content-Type", "text/plain; charset=utf-8")
		default: // HTML among them: it is not shown in a page of this origin
			h.Set("Content-Type", "application/octet-stream")
			h.Set("Content-Disposition", attachment(in.File))
		}
		http.ServeContent(w, r, in.File, info.ModTime(), content)
	}), nil
}

type putInput struct {
	FileInput
	IfMatch string `header:"If-Match" doc:"ETag of the content that was read"`
}

func (s *Service) putFile(ctx context.Context, in *putInput) (*answer[api.EditResponse], error) {
	content, _ := ctx.Value(upload{}).([]byte)
	f, _, err := s.open(in.ID, in.File)
	if err != nil {
		return nil, err
	}
	f.Close()
	seen := strings.Trim(in.IfMatch, `"`)
	if in.IfMatch == "*" {
		seen = ""
	}
	err = s.manager.Edit(in.ID, s.graph, in.File, content, seen)
	if errors.Is(err, runs.ErrNotEditable) {
		return nil, &failure{status: http.StatusUnprocessableEntity, fields: []api.FieldError{
			{Type: "not_editable", Loc: []any{"path", "file"}, Msg: err.Error()},
		}}
	}
	if err != nil {
		return nil, s.failed(err, in.ID, "cannot change "+in.File)
	}
	s.log.Info("file edited", "run_id", in.ID, "file", in.File)
	return s.dirty(in.ID)
}

func (s *Service) revertFile(_ context.Context, in *FileInput) (*answer[api.EditResponse], error) {
	f, _, err := s.open(in.ID, in.File)
	if err != nil {
		return nil, err
	}
	f.Close()
	err = s.manager.Revert(in.ID, in.File)
	if errors.Is(err, runs.ErrNotFound) {
		return nil, fail(http.StatusNotFound, "%s was not changed by hand", in.File)
	}
	if err != nil {
		return nil, s.failed(err, in.ID, "cannot restore "+in.File)
	}
	s.log.Info("file reverted", "run_id", in.ID, "file", in.File)
	return s.dirty(in.ID)
}

func (s *Service) dirty(id string) (*answer[api.EditResponse], error) {
	steps, err := s.manager.Stale(id, s.graph, "")
	if err != nil {
		return nil, s.failed(err, id, "read the run")
	}
	return &answer[api.EditResponse]{api.EditResponse{Dirty: append([]string{}, steps...)}}, nil
}

func (s *Service) report(_ context.Context, in *RunInput) (*huma.StreamResponse, error) {
	if _, err := s.known(in.ID); err != nil {
		return nil, err
	}
	f, info, err := s.open(in.ID, plan.Report.Name)
	var known *failure
	if errors.As(err, &known) && known.status == http.StatusNotFound {
		return nil, fail(http.StatusNotFound, "no report for run %s", in.ID)
	}
	if err != nil {
		return nil, err
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		defer f.Close()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+plan.Report.Name+`"`)
		w.Header().Set("ETag", quoted(fmt.Sprintf("%x-%x", info.Size(), info.ModTime().UnixNano())))
		http.ServeContent(w, r, plan.Report.Name, info.ModTime(), f)
	}), nil
}

// zip packs into a temporary file: length and ranges are part of the contract, and memory is not
// to grow with the archive. A caller who has the present state gets a 304 before anything is packed.
func (s *Service) zip(_ context.Context, in *RunInput) (*huma.StreamResponse, error) {
	if _, err := s.known(in.ID); err != nil {
		return nil, err
	}
	a, err := s.library.Archive(in.ID)
	if err != nil {
		return nil, s.failed(err, in.ID, "cannot create the archive")
	}
	return serve(func(w http.ResponseWriter, r *http.Request) {
		defer a.Close()
		tag := quoted(a.Tag())
		w.Header().Set("ETag", tag)
		if strings.Contains(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		f, err := pack(a)
		if err != nil {
			w.Header().Del("ETag")
			s.log.Error("an archive could not be made", "run_id", in.ID, "error", err)
			fail(http.StatusInternalServerError, "cannot create the archive").write(w)
			return
		}
		defer os.Remove(f.Name())
		defer f.Close()
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="`+in.ID+`.zip"`)
		http.ServeContent(w, r, in.ID+".zip", a.Modified(), f)
	}), nil
}

func pack(a *runs.Archive) (*os.File, error) {
	f, err := os.CreateTemp("", "planexe-*.zip")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // it lives as long as it is open, whatever becomes of us; some systems forbid that
	if err := a.Write(f); err != nil {
		f.Close()
		_ = os.Remove(f.Name())
		return nil, err
	}
	return f, nil
}

type logInput struct {
	RunInput
	Lines int `query:"lines" default:"200" minimum:"1" maximum:"2000" doc:"At most so many"`
}

// mostTail bounds how much of the end of a log is looked at.
const mostTail = 2 << 20

func (s *Service) tail(_ context.Context, in *logInput) (*huma.StreamResponse, error) {
	f, info, err := s.open(in.ID, rundir.LogName)
	var known *failure
	if errors.As(err, &known) && known.status == http.StatusNotFound {
		if _, err := s.known(in.ID); err != nil {
			return nil, err
		}
		return serve(func(w http.ResponseWriter, _ *http.Request) { // it has not begun yet
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	from := max(0, info.Size()-mostTail)
	data, err := io.ReadAll(io.NewSectionReader(f, from, info.Size()-from))
	if err != nil {
		return nil, s.failed(err, in.ID, "read the log")
	}
	text := s.redact(lastLines(string(data), in.Lines))
	return serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text)
	}), nil
}

// lastLines returns the last n lines of a text that ends in a newline.
func lastLines(text string, n int) string {
	at := len(strings.TrimSuffix(text, "\n"))
	for ; n > 0 && at >= 0; n-- {
		at = strings.LastIndexByte(text[:at], '\n')
	}
	return text[at+1:]
}
