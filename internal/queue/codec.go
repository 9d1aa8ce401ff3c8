package queue

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
)

const (
	identity = "identity"
	gzipped  = "gzip"
	// worthwhile is the size from which on compressing pays.
	worthwhile = 256
	// maxDecoded bounds what a row may become: a body is never trusted to be what it says.
	maxDecoded = 1 << 30
)

// encode compresses a body where that makes it smaller.
func encode(data []byte) (encoding string, body []byte) {
	if len(data) < worthwhile {
		return identity, nonNil(data)
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level exists
	_, _ = z.Write(data)                            // a buffer takes everything
	_ = z.Close()
	if b.Len() >= len(data) {
		return identity, data
	}
	return gzipped, b.Bytes()
}

// nonNil keeps an empty body from becoming NULL.
func nonNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

func decode(encoding string, body []byte) ([]byte, error) {
	switch encoding {
	case identity:
		return body, nil
	case gzipped:
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, fmt.Errorf("read a compressed body: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(z, maxDecoded+1))
		if err != nil {
			return nil, fmt.Errorf("read a compressed body: %w", err)
		}
		if len(data) > maxDecoded {
			return nil, fmt.Errorf("a compressed body is larger than %d bytes", maxDecoded)
		}
		return data, nil
	}
	return nil, fmt.Errorf("a body has the encoding %q, which this version does not know: use the newer version everywhere", encoding)
}
