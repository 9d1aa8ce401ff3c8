// Package composetest holds tests that load docker-compose.yml as Docker does. It is a module of its own, so that what
// they need stays out of the product's.
package composetest
