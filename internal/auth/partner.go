package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The reasons why a partner's nonce is not accepted.
var (
	ErrNonceForm  = errors.New("the nonce is malformed: it is v1.<end>.<random>.<mac>")
	ErrNonceOver  = errors.New("the nonce is over: make a new one")
	ErrNonceWrong = errors.New("the nonce is not signed with the partner's secret for this user_id")
)

// furthest is how far ahead the end of a nonce may be.
const furthest = 15 * time.Minute

// leastRandom is the least number of random bytes in a nonce.
const leastRandom = 16

// SignNonce makes a nonce by which a partner's page may start one plan for a user until an end: v1.<unix end>.<random>.<mac>, the mac
// being the HMAC-SHA256 of the first three parts and the user id, joined by line feeds.
func SignNonce(secret []byte, userID string, end time.Time) string {
	random := make([]byte, leastRandom)
	_, _ = rand.Read(random) // never fails
	head := fmt.Sprintf("v1.%d.%s", end.Unix(), base64.RawURLEncoding.EncodeToString(random))
	return head + "." + nonceMAC(secret, head, userID)
}

func nonceMAC(secret []byte, head, userID string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(strings.ReplaceAll(head, ".", "\n") + "\n" + userID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// CheckNonce tells whether a nonce may be used now. It does not know whether it was used before.
func CheckNonce(secret []byte, nonce, userID string, now time.Time) error {
	parts := strings.Split(nonce, ".")
	if len(parts) != 4 || parts[0] != "v1" || len(nonce) > 255 {
		return ErrNonceForm
	}
	unix, err := strconv.ParseInt(parts[1], 10, 64)
	random, bad := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || bad != nil || len(random) < leastRandom {
		return ErrNonceForm
	}
	if !hmac.Equal([]byte(parts[3]), []byte(nonceMAC(secret, strings.Join(parts[:3], "."), userID))) {
		return ErrNonceWrong
	}
	if end := time.Unix(unix, 0); now.After(end) || end.After(now.Add(furthest)) {
		return ErrNonceOver
	}
	return nil
}
