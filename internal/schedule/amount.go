package schedule

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// amount is a time as a whole number of some power of ten of the unit: 128 bits, two's complement. Sums
// of floating-point numbers depend on their order, and "no float at all" needs an exact zero.
type amount struct {
	hi int64
	lo uint64
}

func (a amount) plus(b amount) amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	return amount{a.hi + b.hi + int64(carry), lo}
}

func (a amount) minus(b amount) amount {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	return amount{a.hi - b.hi - int64(borrow), lo}
}

func (a amount) less(b amount) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a amount) max(b amount) amount {
	if a.less(b) {
		return b
	}
	return a
}

func (a amount) compare(b amount) int {
	switch {
	case a.less(b):
		return -1
	case b.less(a):
		return 1
	}
	return 0
}

// unit is what an amount counts: 10 to the power of minus its value.
type unit int

// mostSum bounds the sum of all numbers of a network in its unit, so that no way through it overflows.
const mostSum = 1 << 122

// unit returns the largest unit that all durations and lags are multiples of.
func (n Network) unit() (unit, error) {
	var u unit
	sum := 0.0
	look := func(v float64) {
		_, exponent := decimal(v)
		u = max(u, unit(-exponent))
		sum += math.Abs(v)
	}
	for _, a := range n.Activities {
		look(a.Duration)
	}
	for _, l := range n.Links {
		look(l.Lag)
	}
	if !(sum*math.Pow10(int(u)) < mostSum) {
		return 0, fmt.Errorf("the durations and lags are too large or have too many digits to compute with: their sum is %.3g, with %d decimals; want at most 36 digits", sum, u)
	}
	return u, nil
}

// decimal is v in the shortest decimal form that means it: digits × 10^exponent.
func decimal(v float64) (digits int64, exponent int) {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return int64(v), 0
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], math.Abs(v), 'e', -1, 64) // d.ddde±dd, at most 17 digits
	decimals, i := 0, 0
	for ; text[i] != 'e'; i++ {
		if text[i] != '.' {
			digits = digits*10 + int64(text[i]-'0')
			decimals++
		}
	}
	e, _ := strconv.Atoi(string(text[i+1:])) // AppendFloat wrote it
	if v < 0 {
		digits = -digits
	}
	return digits, e - (decimals - 1)
}

// of returns v, which must be a multiple of the unit.
func (u unit) of(v float64) amount {
	digits, exponent := decimal(v)
	a := amount{digits >> 63, uint64(digits)}
	for range exponent + int(u) {
		carry, lo := bits.Mul64(a.lo, 10)
		a = amount{a.hi*10 + int64(carry), lo}
	}
	return a
}

// float returns the number nearest to a.
func (u unit) float(a amount) float64 {
	// Both are exact then, and so one division rounds once.
	if a.hi == 0 && a.lo < 1<<53 && u <= 22 {
		return float64(a.lo) / math.Pow10(int(u))
	}
	x := new(big.Int).Lsh(big.NewInt(a.hi), 64)
	x.Add(x, new(big.Int).SetUint64(a.lo))
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(u)), nil)
	f, _ := new(big.Rat).SetFrac(x, scale).Float64()
	return f
}
