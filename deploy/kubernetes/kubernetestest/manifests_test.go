package kubernetestest

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// pod is what a Deployment or StatefulSet makes.
type pod struct {
	name     string
	replicas *int32
	selector *meta.LabelSelector
	template core.PodTemplateSpec
}

type manifests struct {
	pods     []pod
	services []*core.Service
	others   []any
}

// build makes the manifests of a directory as "kubectl apply -k" does, and reads each by its type: an unknown or misspelt
// field is an error.
func build(t *testing.T, dir string) manifests {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../"+dir)
	if err != nil {
		t.Fatal(err)
	}
	var m manifests
	for _, r := range made.Resources() {
		var into any
		switch kind := r.GetGvk().ApiVersion() + " " + r.GetKind(); kind {
		case "v1 Service":
			into = &core.Service{}
		case "apps/v1 Deployment":
			into = &apps.Deployment{}
		case "apps/v1 StatefulSet":
			into = &apps.StatefulSet{}
		case "keda.sh/v1alpha1 ScaledObject":
			into = &keda.ScaledObject{}
		case "keda.sh/v1alpha1 TriggerAuthentication":
			into = &keda.TriggerAuthentication{}
		default:
			t.Errorf("%s: nobody knows how to read %s", r.GetName(), kind)
			continue
		}
		text, err := r.AsYAML()
		if err == nil {
			err = yaml.UnmarshalStrict(text, into)
		}
		if err != nil {
			t.Errorf("%s %s: %v", r.GetKind(), r.GetName(), err)
			continue
		}
		switch x := into.(type) {
		case *core.Service:
			m.services = append(m.services, x)
		case *apps.Deployment:
			m.pods = append(m.pods, pod{x.Name, x.Spec.Replicas, x.Spec.Selector, x.Spec.Template})
		case *apps.StatefulSet:
			m.pods = append(m.pods, pod{x.Name, x.Spec.Replicas, x.Spec.Selector, x.Spec.Template})
		default:
			m.others = append(m.others, x)
		}
	}
	return m
}

func matches(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

// Ensure every manifest is what Kubernetes and KEDA read, that parts find each other, and that our containers have probes,
// limits and no rights.
func TestManifests(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		"base":     "frontend-multi-user worker-plan-database",
		"keda":     "frontend-multi-user worker-plan-database",
		"postgres": "database-postgres frontend-multi-user worker-plan-database",
		"single":   "frontend-single-user worker-plan",
	} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			m := build(t, dir)
			var names []string
			for _, p := range m.pods {
				names = append(names, p.name)
				if !matches(p.selector.MatchLabels, p.template.Labels) {
					t.Errorf("%s does not find its own pods", p.name)
				}
				for _, c := range p.template.Spec.Containers {
					check(t, p, c, string(page))
				}
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != want {
				t.Errorf("it makes %s", got)
			}
			for _, s := range m.services {
				i := slices.IndexFunc(m.pods, func(p pod) bool { return matches(s.Spec.Selector, p.template.Labels) })
				if i < 0 {
					t.Errorf("service %s leads nowhere", s.Name)
					continue
				}
				for _, p := range s.Spec.Ports {
					if name := p.TargetPort.StrVal; name != "" && !hasPort(m.pods[i].template.Spec.Containers[0], name) {
						t.Errorf("service %s leads to a port %s that its pods do not have", s.Name, name)
					}
				}
			}
		})
	}
}

func hasPort(c core.Container, name string) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.Name == name })
}

func check(t *testing.T, p pod, c core.Container, page string) {
	t.Helper()
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.ReadinessProbe == nil {
		t.Errorf("%s: limits %v, requests %v, readiness %v", p.name, c.Resources.Limits, c.Resources.Requests, c.ReadinessProbe)
	}
	if p.name == "database-postgres" {
		return
	}
	s, ps := c.SecurityContext, p.template.Spec.SecurityContext
	if s == nil || ps == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !reflect.DeepEqual(s.Capabilities.Drop, []core.Capability{"ALL"}) ||
		!*ps.RunAsNonRoot || *ps.RunAsUser != 65532 || *p.template.Spec.AutomountServiceAccountToken {
		t.Errorf("%s has rights: %+v, %+v", p.name, s, ps)
	}
	for _, probe := range []*core.Probe{c.ReadinessProbe, c.LivenessProbe} {
		switch {
		case probe == nil:
			t.Errorf("%s lacks a probe", p.name)
		case probe.HTTPGet != nil && !hasPort(c, probe.HTTPGet.Port.StrVal), probe.TCPSocket != nil && !hasPort(c, probe.TCPSocket.Port.StrVal):
			t.Errorf("%s is asked at a port it does not have: %+v", p.name, probe.ProbeHandler)
		}
	}
	// A service that keeps plans is unhealthy on a full disk, and one with a database without it: neither is a reason to kill it.
	if l := c.LivenessProbe.HTTPGet; l != nil && (p.name == "worker-plan" || l.Path == c.ReadinessProbe.HTTPGet.Path && p.name != "frontend-single-user") {
		t.Errorf("%s is killed when it is unhealthy: %s", p.name, l.Path)
	}
	for _, e := range c.Env {
		if !strings.Contains(page, "`"+e.Name+"`") {
			t.Errorf("%s is given %s, which it does not read", p.name, e.Name)
		}
	}
	for _, v := range c.VolumeMounts {
		if v.Name != "run" && !slices.ContainsFunc(p.template.Spec.Volumes, func(x core.Volume) bool { return x.Name == v.Name }) {
			t.Errorf("%s mounts %s, which is no volume", p.name, v.Name)
		}
	}
}

// Ensure KEDA scales the workers, and that nothing else says how many there are.
func TestScaling(t *testing.T) {
	t.Parallel()
	m := build(t, "keda")
	var scaled *keda.ScaledObject
	for _, o := range m.others {
		if s, ok := o.(*keda.ScaledObject); ok {
			scaled = s
		}
	}
	if scaled == nil {
		t.Fatal("nothing scales")
	}
	i := slices.IndexFunc(m.pods, func(p pod) bool { return p.name == scaled.Spec.ScaleTargetRef.Name })
	if i < 0 || m.pods[i].name != "worker-plan-database" || m.pods[i].replicas != nil {
		t.Errorf("KEDA scales %s, pods %+v", scaled.Spec.ScaleTargetRef.Name, m.pods)
	}
	trigger := scaled.Spec.Triggers[0]
	if trigger.Type != "postgresql" || trigger.Metadata["query"] == "" || trigger.Metadata["targetQueryValue"] == "" || trigger.AuthenticationRef == nil {
		t.Errorf("the trigger is %+v", trigger)
	}
}
