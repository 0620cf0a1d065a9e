/* SPDX-License-Identifier: Apache-2.0 */
/* key - which object a key of etcd's is
 *
 * A built-in resource lies below its plural alone, one of a CustomResourceDefinition, and
 * a few built-in ones, below their group (a name with a dot) and their plural. */
#include <keyward/etcd_value.h>

/* What the paths leave out (kubernetes/kubernetes: pkg/registry/.../rest, the storage of
 * each resource; pkg/kubeapiserver/default_storage_factory_builder.go). */
static const struct kw_etcd_builtin builtins[] = {
    {"secrets", "secrets", ""},
    {"configmaps", "configmaps", ""},
    {"pods", "pods", ""},
    {"namespaces", "namespaces", ""},
    {"events", "events", ""},
    {"services/endpoints", "endpoints", ""},
    {"services/specs", "services", ""},
    {"minions", "nodes", ""},
    {"persistentvolumes", "persistentvolumes", ""},
    {"persistentvolumeclaims", "persistentvolumeclaims", ""},
    {"serviceaccounts", "serviceaccounts", ""},
    {"limitranges", "limitranges", ""},
    {"resourcequotas", "resourcequotas", ""},
    {"podtemplates", "podtemplates", ""},
    {"controllers", "replicationcontrollers", ""},
    {"deployments", "deployments", "apps"},
    {"replicasets", "replicasets", "apps"},
    {"statefulsets", "statefulsets", "apps"},
    {"daemonsets", "daemonsets", "apps"},
    {"controllerrevisions", "controllerrevisions", "apps"},
    {"jobs", "jobs", "batch"},
    {"cronjobs", "cronjobs", "batch"},
    {"horizontalpodautoscalers", "horizontalpodautoscalers", "autoscaling"},
    {"poddisruptionbudgets", "poddisruptionbudgets", "policy"},
    {"ingress", "ingresses", "networking.k8s.io"},
    {"ingressclasses", "ingressclasses", "networking.k8s.io"},
    {"networkpolicies", "networkpolicies", "networking.k8s.io"},
    {"ipaddresses", "ipaddresses", "networking.k8s.io"},
    {"servicecidrs", "servicecidrs", "networking.k8s.io"},
    {"roles", "roles", "rbac.authorization.k8s.io"},
    {"rolebindings", "rolebindings", "rbac.authorization.k8s.io"},
    {"clusterroles", "clusterroles", "rbac.authorization.k8s.io"},
    {"clusterrolebindings", "clusterrolebindings", "rbac.authorization.k8s.io"},
    {"storageclasses", "storageclasses", "storage.k8s.io"},
    {"volumeattachments", "volumeattachments", "storage.k8s.io"},
    {"csidrivers", "csidrivers", "storage.k8s.io"},
    {"csinodes", "csinodes", "storage.k8s.io"},
    {"csistoragecapacities", "csistoragecapacities", "storage.k8s.io"},
    {"volumeattributesclasses", "volumeattributesclasses", "storage.k8s.io"},
    {"priorityclasses", "priorityclasses", "scheduling.k8s.io"},
    {"leases", "leases", "coordination.k8s.io"},
    {"leasecandidates", "leasecandidates", "coordination.k8s.io"},
    {"runtimeclasses", "runtimeclasses", "node.k8s.io"},
    {"endpointslices", "endpointslices", "discovery.k8s.io"},
    {"validatingwebhookconfigurations", "validatingwebhookconfigurations",
     "admissionregistration.k8s.io"},
    {"mutatingwebhookconfigurations", "mutatingwebhookconfigurations",
     "admissionregistration.k8s.io"},
    {"validatingadmissionpolicies", "validatingadmissionpolicies",
     "admissionregistration.k8s.io"},
    {"validatingadmissionpolicybindings", "validatingadmissionpolicybindings",
     "admissionregistration.k8s.io"},
    {"mutatingadmissionpolicies", "mutatingadmissionpolicies",
     "admissionregistration.k8s.io"},
    {"mutatingadmissionpolicybindings", "mutatingadmissionpolicybindings",
     "admissionregistration.k8s.io"},
    {"certificatesigningrequests", "certificatesigningrequests", "certificates.k8s.io"},
    {"clustertrustbundles", "clustertrustbundles", "certificates.k8s.io"},
    {"podcertificaterequests", "podcertificaterequests", "certificates.k8s.io"},
    {"flowschemas", "flowschemas", "flowcontrol.apiserver.k8s.io"},
    {"prioritylevelconfigurations", "prioritylevelconfigurations",
     "flowcontrol.apiserver.k8s.io"},
    {"resourceclaims", "resourceclaims", "resource.k8s.io"},
    {"resourceclaimtemplates", "resourceclaimtemplates", "resource.k8s.io"},
    {"deviceclasses", "deviceclasses", "resource.k8s.io"},
    {"resourceslices", "resourceslices", "resource.k8s.io"},
    {"storageversions", "storageversions", "internal.apiserver.k8s.io"},
    {"storageversionmigrations", "storageversionmigrations", "storagemigration.k8s.io"},
};

/* Up to the next slash, which is taken off, too.  Its length. */
static size_t key_take_segment(struct kw_src *src, kw_span *ret_segment)
{
    size_t end = src->at;
    while (end < src->all.len && src->all.ptr[end] != '/')
        end++;
    const size_t len = end - src->at;
    *ret_segment = kw_src_take(src, len);
    if (kw_src_left(src) > 0)
        kw_src_take(src, 1);
    return len;
}

static bool key_has_dot(kw_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '.')
            return true;
    return false;
}

static const struct kw_etcd_builtin *key_builtin(kw_span path)
{
    const size_t count = sizeof builtins / sizeof builtins[0];
    size_t i = 0;
    while (i < count && !kw_span_equal_str(path, builtins[i].path))
        i++;
    return i < count ? &builtins[i] : NULL;
}

static void key_take_resource(struct kw_src *src, struct kw_etcd_key *key)
{
    kw_span below;
    (void)key_take_segment(src, &key->resource);
    if (key_has_dot(key->resource)) {
        key->group = key->resource;
        (void)key_take_segment(src, &key->resource);
    } else if (kw_span_equal_str(key->resource, "services") && kw_src_left(src) > 0) {
        key->resource.len += 1 + key_take_segment(src, &below);
    }
    if (key->group.len == 0)
        key->builtin = key_builtin(key->resource);
}

bool kw_etcd_key_read(kw_span key, kw_span prefix, struct kw_etcd_key *ret_key)
{
    struct kw_src src = kw_src_of(key);
    struct kw_etcd_key k = {.builtin = NULL};
    const kw_span begins = kw_src_take(&src, prefix.len);
    if (src.bad || !kw_span_equal(begins, prefix) || kw_src_u8(&src) != '/')
        return false;
    key_take_resource(&src, &k);
    (void)key_take_segment(&src, &k.name);
    if (kw_src_left(&src) > 0) {
        k.name_space = k.name;
        k.name = kw_src_take(&src, kw_src_left(&src));
    }
    if (k.resource.len == 0 || k.name.len == 0)
        return false;
    *ret_key = k;
    return true;
}
