/* SPDX-License-Identifier: Apache-2.0 */
#include "planes.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audited.h"
#include "folder.h"

enum { PATH_CAP = 256, PATHS = 16, SECRETS = 0, BULK = 1, THREADS = 2, WORKERS = 2 };

const char *planes_name(unsigned plane)
{
    static const char *const names[PLANES] = {"cp-1", "cp-2", "cp-3"};
    return names[plane];
}

const char *planes_path(const struct planes *p, const char *fmt, ...)
{
    static char paths[PATHS][PATH_CAP];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    va_list args;
    const int n = snprintf(path, PATH_CAP, "%s/", p->dir);
    va_start(args, fmt);
    CHECK(vsnprintf(path + n, (size_t)(PATH_CAP - n), fmt, args) < PATH_CAP - n);
    va_end(args);
    return path;
}

static void now(char dst[32])
{
    char text[KW_TIME_TEXT];
    kw_time_text(text, kw_wall_ns(&kw_clock_system));
    snprintf(dst, 32, "%s", text);
}

/* ---- calls ---- */

static void load_one(struct planes *p, unsigned plane, unsigned class, const char *socket)
{
    CHECK(p->class[plane][class].load == NULL);
    p->class[plane][class].load = load_start(socket, THREADS);
}

void planes_load(struct planes *p)
{
    for (unsigned i = 0; i < PLANES; i++) {
        load_one(p, i, SECRETS, p->node[i].secrets);
        load_one(p, i, BULK, p->node[i].bulk);
    }
}

void planes_load_await(struct planes *p, uint64_t rounds)
{
    for (unsigned i = 0; i < PLANES; i++)
        for (unsigned c = 0; c < PLANES_CLASSES; c++)
            if (p->class[i][c].load != NULL)
                load_await(p->class[i][c].load, rounds);
}

static void load_end_one(struct planes *p, unsigned plane, unsigned class)
{
    struct load_counts counts;
    if (p->class[plane][class].load == NULL)
        return;
    load_stop(p->class[plane][class].load, &counts);
    p->class[plane][class].load = NULL;
    p->class[plane][class].encrypts += counts.encrypts;
    p->class[plane][class].decrypts += counts.decrypts;
    load_judge(&counts, 0);
}

void planes_load_end(struct planes *p)
{
    for (unsigned i = 0; i < PLANES; i++)
        for (unsigned c = 0; c < PLANES_CLASSES; c++)
            load_end_one(p, i, c);
}

static void seal_one(struct planes *p, unsigned plane)
{
    static struct kw_client_reply reply;
    struct kw_client *c = instance_client(&p->node[plane], p->node[plane].secrets);
    instance_encrypt(c, kw_span_str(PLANES_SEED), &reply);
    kw_client_close(c);
    p->class[plane][SECRETS].encrypts++;
}

/* ---- from the beginning to the end ---- */

static void build_nodes(struct planes *p)
{
    char line[AUDITED_KEY_LINE];
    for (unsigned i = 0; i < PLANES; i++) {
        struct instance *h = &p->node[i];
        if (i == 0) {
            instance_build(h, NULL);
            audited_sign(h, line);
        } else {
            instance_join(h, &p->node[0], NULL);
            audited_sign_too(h, line);
        }
        instance_edit(h, "{level: debug}", "{level: info}");
        p->class[i][SECRETS].name = "secrets";
        p->class[i][BULK].name = "bulk";
    }
}

void planes_build(struct planes *p)
{
    *p = (struct planes){.dir = "/tmp/kw-planes-XXXXXX"};
    CHECK(mkdtemp(p->dir) != NULL);
    build_nodes(p);
    for (unsigned i = 0; i < PLANES; i++)
        instance_up(&p->node[i]);
    now(p->from);
    for (unsigned i = 0; i < PLANES; i++)
        seal_one(p, i);
}

/* A worker that becomes ready while the daemon ends is a change behind its last words. */
static void stop_one(struct instance *h)
{
    instance_await_workers(h, WORKERS);
    assert_int_equal(instance_stop(h), 0);
}

void planes_restart(struct planes *p, unsigned plane)
{
    stop_one(&p->node[plane]);
    instance_up(&p->node[plane]);
}

void planes_stop(struct planes *p)
{
    for (unsigned i = 0; i < PLANES; i++)
        stop_one(&p->node[i]);
    now(p->to);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void planes_destroy(struct planes *p)
{
    for (unsigned i = 0; i < PLANES; i++)
        instance_destroy(&p->node[i]);
    CHECK(nftw(p->dir, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0);
}

/* ---- the next KEK ---- */

static void act(struct instance *h, const char *verb, const char *n, const char *option)
{
    static char said[8192];
    const int status = instance_tool(h, said, sizeof said, "key", verb, "--ticket",
                                     PLANES_TICKET, n, option, NULL);
    if (status != 0)
        fail_msg("keyward key %s: exit status %d\n%s", verb, status, said);
}

static void activate(struct instance *h, const char *option)
{
    static char said[8192];
    const int status =
        instance_tool(h, said, sizeof said, "key", "activate", "2", "--ticket",
                      PLANES_TICKET, "--only-copy", "--now", option, NULL);
    if (status != 0)
        fail_msg("keyward key activate: exit status %d\n%s", status, said);
}

/* Keys by the HSM's means, the keyring as a file; each node takes it into use. */
static void hand_out(struct planes *p)
{
    char *keyring = instance_read(p->node[0].keyring);
    for (unsigned i = 1; i < PLANES; i++) {
        folder_copy(p->node[0].tokens, p->node[i].tokens);
        instance_write(p->node[i].keyring, keyring);
    }
    free(keyring);
    for (unsigned i = 0; i < PLANES; i++)
        instance_reload(&p->node[i], "serial=");
}

void planes_rotate(struct planes *p)
{
    act(&p->node[0], "create", NULL, NULL);
    act(&p->node[0], "accept", "2", NULL);
    hand_out(p);
    for (unsigned i = 0; i < PLANES; i++) {
        activate(&p->node[i], NULL);
        instance_reload(&p->node[i], "active=2");
    }
    activate(&p->node[0], "--baseline");
    hand_out(p);
}

/* ---- evidence ---- */

void planes_collect(struct planes *p)
{
    static char said[1 << 16];
    for (unsigned i = 0; i < PLANES; i++) {
        const char *name = planes_name(i);
        const int status =
            instance_tool(&p->node[i], said, sizeof said, "evidence", "collect", "--name",
                          name, "--out", planes_path(p, "evidence-%s", name), NULL);
        if (status != 0)
            fail_msg("%s: exit status %d\n%s", name, status, said);
        CHECK(audited_keep_anchors(&p->node[i], planes_path(p, "anchors-%s", name)) > 0);
    }
    now(p->at);
}
