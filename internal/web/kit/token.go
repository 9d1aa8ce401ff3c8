package kit

import "context"

// TokenField is the name of the form field that holds the session's token.
const TokenField = "csrf_token"

type tokenKey struct{}

// WithToken makes every form on a page carry a session's token.
func WithToken(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, tokenKey{}, token)
}

func tokenOf(ctx context.Context) string {
	t, _ := ctx.Value(tokenKey{}).(string)
	return t
}
