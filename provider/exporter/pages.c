/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <string.h>

#include <event2/buffer.h>

#define READYZ_OF "/readyz/"

bool kw_page_exists(const char *path)
{
    return strcmp(path, "/metrics") == 0 || strcmp(path, "/livez") == 0 ||
           strcmp(path, "/readyz") == 0 ||
           strncmp(path, READYZ_OF, strlen(READYZ_OF)) == 0;
}

static struct kw_page_answer page_text(int status)
{
    return (struct kw_page_answer){status, KW_PAGE_TEXT};
}

static struct kw_page_answer page_silent(struct evbuffer *body, const char *why)
{
    (void)evbuffer_add_printf(body, "[-]keywardd failed: %s\n", why);
    return page_text(503);
}

static void page_end(struct evbuffer *body, const char *what, bool good, bool verbose)
{
    if (!good)
        (void)evbuffer_add_printf(body, "%s check failed\n", what);
    else if (verbose)
        (void)evbuffer_add_printf(body, "%s check passed\n", what);
    else
        (void)evbuffer_add_printf(body, "ok");
}

static struct kw_page_answer page_livez(struct evbuffer *body, bool verbose)
{
    if (verbose)
        (void)evbuffer_add_printf(body, "[+]keywardd ok\n");
    page_end(body, "livez", true, verbose);
    return page_text(200);
}

static void readyz_class(struct evbuffer *body, const char *name, const char *status)
{
    char shown[64];
    (void)kw_copy_printable(shown, sizeof shown, kw_span_str(name));
    if (strcmp(status, "ok") == 0)
        (void)evbuffer_add_printf(body, "[+]class %s ok\n", shown);
    else
        (void)evbuffer_add_printf(body, "[-]class %s failed: %.40s\n", shown, status);
}

/* Classes of that name, or all. */
struct readyz {
    size_t found, good;
};

static struct readyz readyz_look(struct evbuffer *lines, const json_t *document,
                                 const char *only)
{
    const json_t *classes = json_object_get(document, "classes");
    struct readyz r = {0};
    for (size_t i = 0; i < json_array_size(classes); i++) {
        const json_t *class = json_array_get(classes, i);
        const char *name = json_string_value(json_object_get(class, "name"));
        const char *status = json_string_value(json_object_get(class, "status"));
        if (name == NULL || (only != NULL && strcmp(name, only) != 0))
            continue;
        status = status != NULL ? status : "unknown";
        r.found++;
        r.good += strcmp(status, "ok") == 0;
        readyz_class(lines, name, status);
    }
    return r;
}

static struct kw_page_answer page_readyz(struct evbuffer *body, const char *only,
                                         const json_t *document, bool verbose)
{
    const struct readyz r = readyz_look(body, document, only);
    const bool good = r.found > 0 && r.good == r.found;
    if (only != NULL && r.found == 0) {
        (void)evbuffer_add_printf(body, "no such class\n");
        return page_text(404);
    }
    if (good && !verbose)
        (void)evbuffer_drain(body, evbuffer_get_length(body));
    page_end(body, "readyz", good, verbose);
    return page_text(good ? 200 : 503);
}

struct kw_page_answer kw_page_write(struct evbuffer *body,
                                    const struct kw_http_request *request,
                                    const json_t *document, const char *why,
                                    const struct kw_metrics_options *options)
{
    const char *path = request->path;
    if (strcmp(path, "/metrics") == 0) {
        if (kw_metrics_write(body, document, options))
            return (struct kw_page_answer){200, KW_PAGE_METRICS};
        (void)evbuffer_drain(body, evbuffer_get_length(body));
        return page_text(500);
    }
    if (!kw_page_exists(path)) {
        (void)evbuffer_add_printf(body, "/metrics, /livez, /readyz, /readyz/CLASS\n");
        return page_text(404);
    }
    if (document == NULL)
        return page_silent(body, why);
    if (strcmp(path, "/livez") == 0)
        return page_livez(body, request->verbose);
    const bool all = strcmp(path, "/readyz") == 0;
    return page_readyz(body, all ? NULL : path + strlen(READYZ_OF), document,
                       request->verbose);
}
