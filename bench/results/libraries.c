/* SPDX-License-Identifier: Apache-2.0 */
/* Which libraries this program has in, and which version of each: asked at run time,
 * for it is the installed one that was measured.  Looked up by name, so that this room
 * knows none of their headers and a program without one of them says nothing of it. */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "environment.h"

/* POSIX lets a function's address be read out of what dlsym gives. */
union symbol {
    void *address;
    const char *(*plain)(void);
    const char *(*of)(int what);
    /* nghttp2_version(): a struct that begins like this, kept so for ever (its own
     * documentation says so). */
    const struct {
        int age, number;
        const char *text;
    } * (*info)(int least);
};

static union symbol find(const char *name)
{
    return (union symbol){.address = dlsym(RTLD_DEFAULT, name)};
}

static void add(struct kw_environment *e, const char *name, const char *version)
{
    if (version == NULL || e->library_count == KW_RESULTS_NOTES)
        return;
    struct kw_results_note *n = &e->library[e->library_count++];
    snprintf(n->key, sizeof n->key, "%s", name);
    snprintf(n->value, sizeof n->value, "%s", version);
}

void kw_environment_libraries(struct kw_environment *e)
{
    enum { OPENSSL_FULL_VERSION_STRING_TEXT = 7 };
    char libc[64] = "";
    const union symbol grpc = find("grpc_version_string");
    const union symbol openssl = find("OpenSSL_version");
    const union symbol nghttp2 = find("nghttp2_version");
    e->library_count = 0;
    if (confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc) > 0)
        add(e, "libc", libc);
    if (grpc.address != NULL)
        add(e, "grpc", grpc.plain());
    if (openssl.address != NULL)
        add(e, "openssl", openssl.of(OPENSSL_FULL_VERSION_STRING_TEXT));
    if (nghttp2.address != NULL)
        add(e, "nghttp2", nghttp2.info(0)->text);
    add(e, "jansson", jansson_version_str());
}
