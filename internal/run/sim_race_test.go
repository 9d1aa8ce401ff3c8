//go:build race

package run_test

func init() { simPlans = 4 } // the race detector makes each of them ten times as slow
