package kit

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var embedded embed.FS

// AssetPath is where assets are mounted.
const AssetPath = "/assets/"

type asset struct {
	kind        string
	plain, gzip []byte
}

// assets are the embedded files by the name they are served under, which holds a sum of the content:
// so a browser may keep them for ever, and a new build has new names.
type assets struct {
	urls  map[string]string // plain name → URL
	files map[string]asset  // name in the URL → content
}

// theAssets are made once, when the first page asks for them.
var theAssets = sync.OnceValue(func() assets {
	a := assets{map[string]string{}, map[string]asset{}}
	entries, err := fs.ReadDir(embedded, "assets")
	if err != nil {
		panic(err) // not embedded: the build is broken
	}
	for _, e := range entries {
		data, err := embedded.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		kind := mime.TypeByExtension(ext)
		switch ext { // the system's table may differ
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".svg":
			kind = "image/svg+xml"
		}
		a.urls[e.Name()] = AssetPath + name
		a.files[name] = asset{kind, data, compress(data)}
	}
	return a
})

// Asset returns the URL of an embedded file, such as style.css. It panics for one that is not there.
func Asset(name string) string {
	url, ok := theAssets().urls[name]
	if !ok {
		panic("kit: no asset " + name)
	}
	return url
}

// Assets serves the embedded files below AssetPath.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, ok := theAssets().files[strings.TrimPrefix(r.URL.Path, AssetPath)]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", file.kind)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Add("Vary", "Accept-Encoding")
		data := file.plain
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			data = file.gzip
			h.Set("Content-Encoding", "gzip")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
}
