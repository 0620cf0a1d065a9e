/* SPDX-License-Identifier: Apache-2.0 */
/* Which process ran where, in a sentence that says what may be concluded from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/bytes.h>

#include "rounds.h"

/* first 1, last 0: anywhere. */
struct range {
    unsigned long first, last;
};

static bool anywhere(const struct range *x)
{
    return x->first > x->last;
}

/* "0", "2-3" or "any". */
static bool read_range(const char *text, struct range *ret_range)
{
    char *end = NULL;
    if (strcmp(text, "any") == 0) {
        *ret_range = (struct range){1, 0};
        return true;
    }
    if (text[0] < '0' || text[0] > '9')
        return false;
    struct range x = {.first = strtoul(text, &end, 10)};
    x.last = x.first;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9')
        x.last = strtoul(end + 1, &end, 10);
    if (*end != '\0' || x.last < x.first || x.last > 1023)
        return false;
    *ret_range = x;
    return true;
}

static void say_cpus(char *dst, size_t cap, const char *text, const struct range *x)
{
    if (anywhere(x))
        snprintf(dst, cap, "any CPU");
    else
        snprintf(dst, cap, "CPU%s %s", x->first < x->last ? "s" : "", text);
}

static void set_words(struct kw_results_layout *l, const struct range *client,
                      const struct range *server)
{
    char one[64], other[64];
    say_cpus(one, sizeof one, l->client, client);
    say_cpus(other, sizeof other, l->server, server);
    if (strcmp(l->client, l->server) == 0 && !anywhere(client))
        snprintf(l->words, sizeof l->words,
                 "client, daemon and workers share %s: no scaling conclusion", one);
    else if (anywhere(client) || anywhere(server) ||
             (client->first <= server->last && server->first <= client->last))
        snprintf(l->words, sizeof l->words,
                 "client on %s, daemon and workers on %s, so that they may share one: no "
                 "scaling conclusion",
                 one, other);
    else
        snprintf(l->words, sizeof l->words,
                 "client on %s, daemon and workers on %s: they share none", one, other);
}

/* Copies from *at to `stop` (or the end) and moves *at behind it. */
static bool take(const char **at, const char *before, char stop, char *dst, size_t cap)
{
    const size_t len = strlen(before);
    if (strncmp(*at, before, len) != 0)
        return false;
    const char *from = *at + len, *end = strchr(from, stop);
    if (end == NULL)
        return false;
    *at = *end != '\0' ? end + 1 : end;
    return kw_copy_str(dst, cap, kw_span_of(from, (size_t)(end - from)));
}

kw_err kw_layout_read(const char *text, struct kw_results_layout *ret_layout,
                      struct kw_note *note)
{
    struct kw_results_layout l = {
        .name = "unknown",
        .words = "nobody told which process runs on which CPU: no scaling conclusion"};
    struct range client, server;
    if (text == NULL) {
        *ret_layout = l;
        return KW_OK;
    }
    const char *at = text;
    if (!take(&at, "", '=', l.name, sizeof l.name) || !kw_results_is_name(l.name) ||
        !take(&at, "client:", ',', l.client, sizeof l.client) ||
        !take(&at, "server:", '\0', l.server, sizeof l.server) ||
        !read_range(l.client, &client) || !read_range(l.server, &server)) {
        kw_note_set(
            note,
            "--layout %s: it wants NAME=client:CPUS,server:CPUS, CPUS being 0, 2-3 "
            "or any",
            text);
        return kw_err_at(KW_CODE_BAD_INPUT, "layout");
    }
    set_words(&l, &client, &server);
    *ret_layout = l;
    return KW_OK;
}
