// Package kubernetestest holds tests that build the manifests as kubectl does and read them by the types of Kubernetes and
// KEDA. It is a module of its own, so that what they need stays out of the product's.
package kubernetestest
