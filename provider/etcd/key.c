/* SPDX-License-Identifier: Apache-2.0 */
/* key - which object a key of etcd's is
 *
 * A built-in resource lies below its plural alone, one of a CustomResourceDefinition, and
 * a few built-in ones, below their group (a name with a dot) and their plural. */
#include <keyward/etcd_value.h>

/* Paths that are not called what the API calls them (kubernetes/kubernetes:
 * pkg/registry/core/rest, pkg/kubeapiserver/default_storage_factory_builder.go). */
static const struct {
    const char *path, *alias;
} aliases[] = {
    {"services/specs", "services"}, {"services/endpoints", "endpoints"},
    {"minions", "nodes"},           {"controllers", "replicationcontrollers"},
    {"ingress", "ingresses"},
};

static kw_span key_take_segment(struct kw_src *src)
{
    const kw_span rest = kw_src_rest(src);
    size_t len = 0;
    while (len < rest.len && rest.ptr[len] != '/')
        len++;
    const kw_span segment = kw_src_take(src, len);
    if (kw_src_left(src) > 0)
        kw_src_take(src, 1);
    return segment;
}

static bool key_has_dot(kw_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '.')
            return true;
    return false;
}

static void key_take_resource(struct kw_src *src, struct kw_etcd_key *key)
{
    key->resource = key_take_segment(src);
    if (key_has_dot(key->resource)) {
        key->group = key->resource;
        key->resource = key_take_segment(src);
    } else if (kw_span_equal_str(key->resource, "services")) {
        const kw_span below = key_take_segment(src);
        key->resource.len += 1 + below.len;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (key->group.len == 0 && kw_span_equal_str(key->resource, aliases[i].path))
            key->alias = aliases[i].alias;
}

bool kw_etcd_key_read(kw_span key, kw_span prefix, struct kw_etcd_key *ret_key)
{
    struct kw_src src = kw_src_of(key);
    struct kw_etcd_key k = {.alias = NULL};
    const kw_span begins = kw_src_take(&src, prefix.len);
    if (src.bad || !kw_span_equal(begins, prefix) || kw_src_u8(&src) != '/')
        return false;
    key_take_resource(&src, &k);
    k.name = key_take_segment(&src);
    if (kw_src_left(&src) > 0) {
        k.name_space = k.name;
        k.name = kw_src_take(&src, kw_src_left(&src));
    }
    *ret_key = k;
    return k.resource.len > 0 && k.name.len > 0;
}
