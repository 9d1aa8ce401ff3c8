//go:build race

package run_test

func init() { simPlans = 1 } // the race detector makes each of them thirty times as slow
