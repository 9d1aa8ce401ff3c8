//go:build race

package run_test

func init() { simPlans = 10 } // the race detector makes them ten times as slow
