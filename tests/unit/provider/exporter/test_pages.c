/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <event2/buffer.h>

#include "pages.h"

static char body[1 << 16];

static int asked(const char *path, bool verbose, const char *json, const char *why)
{
    static const struct kw_metrics_options options = {0};
    struct kw_http_request request = {.verbose = verbose};
    json_t *document = json == NULL ? NULL : json_loads(json, 0, NULL);
    struct evbuffer *out = evbuffer_new();
    CHECK(kw_copy_str(request.path, sizeof request.path, kw_span_str(path)));
    const struct kw_page_answer a = kw_page_write(out, &request, document, why, &options);
    const int len = evbuffer_remove(out, body, sizeof body - 1);
    body[len > 0 ? len : 0] = '\0';
    evbuffer_free(out);
    json_decref(document);
    return a.status;
}

#define ONE_IS_BAD                                                                       \
    "{\"version\":\"1\",\"classes\":[{\"name\":\"secrets\",\"status\":\"ok\"},"          \
    "{\"name\":\"bulk\",\"status\":\"hsm-down\"}]}"
#define GOOD                                                                             \
    "{\"version\":\"1\",\"classes\":[{\"name\":\"secrets\",\"status\":\"ok\"},"          \
    "{\"name\":\"bulk\",\"status\":\"ok\"}]}"

TEST(any__silent_daemon__503_and_why_but_metrics_say_0)
{
    CHECK(asked("/livez", false, NULL, "it hangs") == 503);
    CHECK_STR(body, "[-]keywardd failed: it hangs\n");
    CHECK(asked("/readyz", true, NULL, "it hangs") == 503);
    CHECK(asked("/metrics", false, NULL, "it hangs") == 200);
    CHECK_HAS(body, "\nkeyward_up 0\n");
}

TEST(readyz__a_class_is_not__503_and_which)
{
    CHECK(asked("/readyz", false, ONE_IS_BAD, "") == 503);
    CHECK_STR(body, "[+]class secrets ok\n[-]class bulk failed: hsm-down\n"
                    "readyz check failed\n");
    CHECK(asked("/readyz/bulk", false, ONE_IS_BAD, "") == 503);
    CHECK(asked("/readyz/secrets", false, ONE_IS_BAD, "") == 200);
    CHECK_STR(body, "ok");
}

TEST(readyz__no_classes_or_none_of_that_name__not_ready_and_not_found)
{
    CHECK(asked("/readyz", false, "{\"classes\":[]}", "") == 503);
    CHECK(asked("/readyz", false, "{\"classes\":[{\"name\":\"a\"}]}", "") == 503);
    CHECK(asked("/readyz/none", false, GOOD, "") == 404);
    CHECK(asked("/readyz/", false, GOOD, "") == 404);
}

TEST(livez__hsm_is_lost__ok)
{
    CHECK(asked("/livez", false, ONE_IS_BAD, "") == 200);
    CHECK_STR(body, "ok");
    CHECK(asked("/livez", true, ONE_IS_BAD, "") == 200);
    CHECK_STR(body, "[+]keywardd ok\nlivez check passed\n");
}

TEST(readyz__all_are__ok_and_a_list_when_wanted)
{
    CHECK(asked("/readyz", false, GOOD, "") == 200);
    CHECK_STR(body, "ok");
    CHECK(asked("/readyz", true, GOOD, "") == 200);
    CHECK_STR(body, "[+]class secrets ok\n[+]class bulk ok\nreadyz check passed\n");
}

TEST(other_paths__404_and_what_there_is)
{
    CHECK(asked("/", false, GOOD, "") == 404);
    CHECK_STR(body, "/metrics, /livez, /readyz, /readyz/CLASS\n");
    CHECK(asked("/metricsx", false, GOOD, "") == 404);
}

KW_SUITE("provider/exporter/pages")
