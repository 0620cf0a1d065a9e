/* SPDX-License-Identifier: Apache-2.0 */
/* keyward keyring compare - who holds the same keyring, who is behind, who forked, and
 * since which act.  No configuration, no node: files only. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "held.h"
#include "next.h"

enum { ITEMS_MAX = 2 * KW_WORDS_MAX, ACTS_SHOWN = 12 };

struct comparison {
    const struct kw_cli *cli;
    struct kw_held items[ITEMS_MAX];
    struct kw_relative relatives[ITEMS_MAX];
    size_t count;
    size_t reference;
};

static const struct kw_held *reference(const struct comparison *c)
{
    return &c->items[c->reference];
}

static kw_err keyring_compare_read_all(struct comparison *c, const struct kw_words *files,
                                       const struct kw_words *statuses,
                                       struct kw_note *note)
{
    kw_err e = KW_OK;
    for (size_t i = 0; i < files->count && !kw_failed(e); i++) {
        e = kw_held_file(files->at[i], &c->items[c->count], note);
        c->count += !kw_failed(e);
    }
    for (size_t i = 0; i < statuses->count && !kw_failed(e); i++) {
        e = kw_held_status(statuses->at[i], &c->items[c->count], note);
        c->count += !kw_failed(e);
    }
    return e;
}

/* ---- what was done since ---- */

struct acts {
    char text[1024];
    size_t len, shown;
};

KW_PRINTF(2, 3) static void add(struct acts *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(a->text + a->len, sizeof a->text - a->len, fmt, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof a->text - a->len)
        a->len += (size_t)n;
    else
        a->text[a->len] = '\0';
}

/* "accept 2 by Ada (serial 6), …" of all files after `since`. */
static void count_acts(const struct kw_held *h, uint64_t since, struct acts *a)
{
    *a = (struct acts){.len = 0};
    if (h->ring == NULL)
        add(a, "what it did is not in a status");
    for (size_t i = 0; h->ring != NULL && i < h->ring->history_count; i++) {
        const struct kw_history *line = &h->ring->history[i];
        if (line->serial <= since)
            continue;
        if (a->shown++ < ACTS_SHOWN)
            add(a, "%s%s %u by %s (serial %llu)", a->len > 0 ? ", " : "", line->act,
                (unsigned)line->n, line->by[0] != '\0' ? line->by : "?",
                (unsigned long long)line->serial);
    }
    if (a->shown > ACTS_SHOWN)
        add(a, " and %zu more", a->shown - ACTS_SHOWN);
    if (a->len == 0)
        add(a, "nothing that its history still has");
}

static json_t *acts_json(const struct kw_held *h, uint64_t since)
{
    json_t *acts = json_array();
    for (size_t i = 0; h->ring != NULL && i < h->ring->history_count; i++) {
        const struct kw_history *line = &h->ring->history[i];
        if (line->serial > since)
            json_array_append_new(acts, json_pack("{s:I, s:s, s:i, s:s, s:s}", "serial",
                                                  (json_int_t)line->serial, "act",
                                                  line->act, "n", (int)line->n, "at",
                                                  line->at, "by", line->by));
    }
    return acts;
}

/* ---- words ---- */

static void name(const struct kw_held *h, char dst[64])
{
    char hex[13];
    kw_hex(hex, sizeof hex, kw_span_of(h->sha256, 6));
    snprintf(dst, 64, "serial %llu (sha256 %s...)", (unsigned long long)h->serial, hex);
}

static void print_fork(const struct comparison *c, size_t i)
{
    struct acts here, there;
    const struct kw_held *item = &c->items[i], *to = reference(c);
    uint64_t common = c->relatives[i].common;
    count_acts(item, common, &here);
    count_acts(to, common, &there);
    if (common > 0)
        printf("; both were made from serial %llu", (unsigned long long)common);
    else
        printf("; which file both were made from is not known");
    printf("\n            since then %s did: %s\n            and %s did: %s\n",
           item->name, here.text, to->name, there.text);
}

static void print_item(const struct comparison *c, size_t i)
{
    char file[64];
    struct acts acts;
    const struct kw_held *item = &c->items[i];
    struct kw_relative r = c->relatives[i];
    name(item, file);
    printf("%-10s  %s: %s", i == c->reference ? "newest" : kw_relation_name(r.is),
           item->name, file);
    switch (r.is) {
    case KW_HELD_BEHIND:
        count_acts(reference(c), r.common, &acts);
        printf("\n            since then: %s\n", acts.text);
        return;
    case KW_HELD_FORKED: print_fork(c, i); return;
    case KW_HELD_UNKNOWN:
        puts(item->serial > reference(c)->serial
                 ? "; later than every file given here: bring its file to compare it"
                 : "; too far away to be compared: bring a file from between");
        return;
    case KW_HELD_FOREIGN: printf("; of domain %s\n", item->domain); return;
    case KW_HELD_NONE: puts("; it has taken no keyring"); return;
    case KW_HELD_SAME:
    case KW_HELD_AHEAD: break;
    }
    putchar('\n');
}

static bool has(const struct comparison *c, enum kw_relation r)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->relatives[i].is == r)
            return true;
    return false;
}

/* ---- what comes next ---- */

static bool keyring_compare_is_same_file(const struct kw_held *a, const struct kw_held *b)
{
    return kw_span_equal(kw_span_of(a->sha256, 32), kw_span_of(b->sha256, 32));
}

/* Of a daemon that forked only its digest is known, unless its file was given too.  NULL:
 * there is no such status. */
static const struct kw_held *status_alone(const struct comparison *c)
{
    for (size_t i = 0; i < c->count; i++) {
        bool alone = c->items[i].ring == NULL && c->relatives[i].is == KW_HELD_FORKED;
        for (size_t k = 0; k < c->count && alone; k++)
            alone = c->items[k].ring == NULL ||
                    !keyring_compare_is_same_file(&c->items[k], &c->items[i]);
        if (alone)
            return &c->items[i];
    }
    return NULL;
}

static bool is_a_side(const struct comparison *c, size_t i)
{
    return c->items[i].ring != NULL &&
           (i == c->reference || c->relatives[i].is == KW_HELD_FORKED);
}

/* Would the nodes of all other sides take it? */
static bool may_stay(const struct comparison *c, size_t one)
{
    for (size_t i = 0; i < c->count; i++)
        if (i != one && is_a_side(c, i) &&
            !kw_compare_may_trust(&c->items[i], &c->items[one]))
            return false;
    return is_a_side(c, one);
}

/* The side that goes on: the newest one, or another that lacks nothing; NULL: none. */
static const struct kw_held *staying(const struct comparison *c)
{
    if (may_stay(c, c->reference))
        return reference(c);
    for (size_t i = 0; i < c->count; i++)
        if (may_stay(c, i))
            return &c->items[i];
    return NULL;
}

/* "a.json has sealed under version 2 (…)", one line a side. */
static void name_sealed(const struct comparison *c, struct kw_commands *next)
{
    for (size_t i = 0; i < c->count; i++)
        for (size_t k = 0; k < c->count; k++) {
            const struct kw_version *v =
                i != k && is_a_side(c, i) && is_a_side(c, k)
                    ? kw_compare_sealed_apart(&c->items[i], &c->items[k])
                    : NULL;
            if (v == NULL)
                continue;
            kw_commands_add(next,
                            "# %s: something may be sealed under version %u (%s), which "
                            "%s cannot open",
                            c->items[i].name, (unsigned)v->n, v->key_id,
                            c->items[k].name);
            break;
        }
}

static void add_unmendable(const struct comparison *c, const char *config,
                           struct kw_commands *next)
{
    kw_commands_add(next,
                    "# both have wrapped: no node takes the file of the other side, "
                    "trusted or not; keep all files and every key");
    name_sealed(c, next);
    kw_commands_add(next,
                    "# on a node in whose keyring's place another side's file lies, "
                    "this says what can be done:");
    kw_commands_add(next, "keyward key list%s", config);
}

static void add_install(const struct kw_held *file, struct kw_commands *next)
{
    kw_commands_install(next, file->name, "KEYRING");
    kw_commands_add(next, "systemctl reload keywardd");
}

static void add_forked(const struct comparison *c, const char *config,
                       struct kw_commands *next)
{
    char hex[65], file[4 * KW_PATH_MAX];
    const struct kw_held *alone = status_alone(c), *to = staying(c);
    if (alone != NULL) {
        kw_commands_add(next,
                        "# the change was made in two places; %s is a status: bring the "
                        "keyring file of that node too, which says under what it seals",
                        alone->name);
        return;
    }
    if (to == NULL) {
        add_unmendable(c, config, next);
        return;
    }
    kw_hex(hex, sizeof hex, kw_span_of(to->sha256, 32));
    kw_commands_add(next,
                    "# the change was made in two places: keep the one under whose "
                    "versions something may be sealed; when it is %s, on every node "
                    "that holds another one, KEYRING being its keyring file:",
                    to->name);
    if (kw_shell_word(file, sizeof file, to->name))
        kw_commands_add(next, "keyward keyring trust %s --sha256 %s%s", file, hex,
                        config);
    add_install(to, next);
}

static void keyring_compare_add_next(const struct comparison *c, struct kw_commands *next)
{
    char config[KW_CLI_CONFIG_MAX];
    kw_cli_config(c->cli, config, sizeof config);
    if (reference(c)->ring == NULL)
        return;
    if (has(c, KW_HELD_FORKED)) {
        add_forked(c, config, next);
    } else if (has(c, KW_HELD_BEHIND) || has(c, KW_HELD_NONE)) {
        kw_commands_add(next,
                        "# on the nodes that are behind, KEYRING being their keyring "
                        "file:");
        add_install(reference(c), next);
    }
}

static json_t *item_json(const struct comparison *c, size_t i)
{
    char hex[65];
    const struct kw_held *item = &c->items[i];
    struct kw_relative r = c->relatives[i];
    bool apart = r.is == KW_HELD_BEHIND || r.is == KW_HELD_FORKED;
    kw_hex(hex, sizeof hex, kw_span_of(item->sha256, 32));
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o}", "name", item->name, "kind",
        item->ring != NULL ? "keyring" : "status", "domain", item->domain, "serial",
        (json_int_t)item->serial, "sha256", item->serial > 0 ? hex : "", "is",
        kw_relation_name(r.is), "common_serial",
        r.common > 0 ? json_integer((json_int_t)r.common) : json_null(), "acts",
        apart ? acts_json(item, r.common) : json_array(), "acts_of_newest",
        apart ? acts_json(reference(c), r.common) : json_array());
}

static int keyring_compare_report(const struct comparison *c)
{
    struct kw_commands next = {.len = 0};
    json_t *items = json_array();
    bool same = true;
    for (size_t i = 0; i < c->count; i++) {
        same = same && c->relatives[i].is == KW_HELD_SAME;
        json_array_append_new(items, item_json(c, i));
        if (!c->cli->json)
            print_item(c, i);
    }
    keyring_compare_add_next(c, &next);
    return kw_done(c->cli,
                   json_pack("{s:b, s:s, s:o}", "ok", same, "newest", reference(c)->name,
                             "items", items),
                   next.text, same ? KW_EXIT_GOOD : KW_EXIT_PROBLEM);
}

static int keyring_compare_run(struct comparison *c, const struct kw_words *files,
                               const struct kw_words *statuses)
{
    struct kw_note note = {{0}};
    kw_err e = keyring_compare_read_all(c, files, statuses, &note);
    int code = kw_failed(e) ? kw_fail(c->cli, e, &note) : -1;
    if (code < 0) {
        c->reference = kw_compare_reference(c->items, c->count);
        for (size_t i = 0; i < c->count; i++)
            c->relatives[i] = kw_compare(&c->items[i], reference(c));
        code = keyring_compare_report(c);
    }
    for (size_t i = 0; i < c->count; i++)
        kw_held_wipe(&c->items[i]);
    return code;
}

int kw_verb_compare(int argc, char **argv)
{
    struct kw_words files = {.count = 0}, statuses = {.count = 0};
    struct kw_cli cli;
    struct comparison c = {.cli = &cli};
    const struct kw_option options[] = {
        {"status", "FILE",
         "what keyward status --json printed on a node; as often as "
         "wanted",
         NULL, NULL, &statuses},
    };
    const struct kw_usage usage = {
        .verb = "keyring compare",
        .operands = "FILE…",
        .rest = &files,
        .summary =
            "Says which keyrings are the same, which one is behind, and which were made "
            "in "
            "two\nplaces, since which act.  Works on files alone, anywhere: no "
            "configuration is read.\nExit status 0: all hold the same; 1: they differ.",
        .config = "for the commands that it prints; it reads none",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0 && files.count + statuses.count < 2)
        code =
            kw_usage_error(usage.verb, "it wants at least two: keyring files, or saved "
                                       "statuses with --status FILE");
    return code >= 0 ? code : keyring_compare_run(&c, &files, &statuses);
}
