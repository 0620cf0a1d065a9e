/* SPDX-License-Identifier: Apache-2.0 */
/* remedy - an operator who does what a refusal prints, and nothing else
 *
 * Every line is a command, or begins with "# ": then it says when the lines below it are
 * the ones to run, or what to do before them.  A line that is not known here is a defect:
 * whoever writes a new one teaches it to the model. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 10, WORDS_MAX = 12 };

struct remedy {
    struct world *w;
    size_t i;
    const struct kw_keyring *ring; /* what lies there; NULL = nothing */
    struct kw_judgement j;
    int file;       /* what FILE stands for, NOBODY = nothing yet */
    bool is_chosen; /* a choice was made: the others are not read */
    bool reads;     /* the lines are those to run */
    bool stop;      /* something better lies there now */
    bool in_vain;   /* there is nothing to be had */
};

static bool starts(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* ---- what the operator can see of the cluster ---- */

/* Does another node hold `file`, or one made from it? */
static bool others_hold(const struct remedy *r, int file)
{
    for (size_t o = 0; o < r->w->node_count; o++) {
        if (o == r->i)
            continue;
        if (descends(r->w, file, node_lies(r->w, o)) ||
            descends(r->w, file, r->w->nodes[o].seen))
            return true;
    }
    return false;
}

static int file_here(const struct remedy *r)
{
    return r->ring != NULL ? file_find(r->w, r->ring->sha256) : NOBODY;
}

/* Is `file` one of the 64 made from `from`, or itself? */
static bool is_near(const struct world *w, int from, int file)
{
    return descends(w, from, file) &&
           w->files[file].serial - w->files[from].serial <= KW_ANCESTORS_MAX;
}

/* The newest of those that another node or a backup has. */
static int newest_of(const struct remedy *r, int from)
{
    int best = NOBODY;
    for (int f = 0; f < (int)r->w->file_count; f++)
        if (r->w->files[f].is_kept && is_near(r->w, from, f))
            best = f;
    for (size_t o = 0; o < r->w->node_count; o++) {
        int lies = node_lies(r->w, o);
        if (o != r->i && is_near(r->w, from, lies) && lies > best)
            best = lies;
    }
    return best;
}

static int seen(const struct remedy *r)
{
    return r->w->nodes[r->i].seen;
}

/* ---- when ---- */

static bool is_when_here(struct remedy *r)
{
    bool here = others_hold(r, file_here(r)), last = others_hold(r, seen(r));
    return file_here(r) != NOBODY && (here == last ? chance(r->w, 50) : here);
}

static bool is_when_file(struct remedy *r)
{
    r->file = newest_of(r, seen(r));
    return r->file != NOBODY;
}

/* Of those that anybody has: where changes are made, another node, its last good one, a
 * backup. */
static int any_file(const struct remedy *r)
{
    const struct world *w = r->w;
    int file = node_lies(r->w, w->place);
    for (size_t o = 0; o < w->node_count && file == NOBODY; o++)
        if ((file = node_lies(r->w, o)) == NOBODY)
            file = w->nodes[o].seen;
    for (int f = (int)w->file_count - 1; f >= 0 && file == NOBODY; f--)
        if (w->files[f].is_kept)
            file = f;
    return file;
}

static bool is_when_any_file(struct remedy *r)
{
    r->file = any_file(r);
    return r->file != NOBODY;
}

/* The cluster has no keyring any more. */
static bool is_in_vain(struct remedy *r)
{
    r->in_vain = r->stop = true;
    return true;
}

static bool is_when_itself(struct remedy *r)
{
    bool kept = seen(r) != NOBODY && r->w->files[seen(r)].is_kept;
    for (size_t o = 0; o < r->w->node_count && !kept; o++)
        kept = o != r->i && seen(r) != NOBODY && node_lies(r->w, o) == seen(r);
    r->file = kept ? seen(r) : NOBODY;
    return kept;
}

/* A file that no tool made is nobody's choice. */
static bool is_when_own(struct remedy *r)
{
    return file_here(r) == NOBODY || chance(r->w, 50);
}

static bool is_always(struct remedy *r)
{
    (void)r;
    return true;
}

static bool is_perhaps(struct remedy *r)
{
    return chance(r->w, 50);
}

/* ---- what to do first ---- */

static void copy_to(struct world *w, int file, size_t o)
{
    say(w, "n%zu: gets serial %llu", o, (unsigned long long)w->files[file].serial);
    raw_write(w->nodes[o].keyring, kw_blob_peek(&w->files[file].bytes));
}

/* The newest one that was made from what lies here. */
static void get_newest(struct remedy *r)
{
    int here = file_here(r), best = here;
    for (size_t o = 0; o < r->w->node_count; o++) {
        int lies = node_lies(r->w, o);
        if (here != NOBODY && descends(r->w, here, lies) && lies > best)
            best = lies;
    }
    if (best == here)
        return;
    copy_to(r->w, best, r->i);
    r->stop = true;
}

/* What follows is chosen anew. */
static void give_to_all(struct remedy *r)
{
    int file = node_lies(r->w, r->i);
    r->is_chosen = false;
    for (size_t o = 0; o < r->w->node_count && file != NOBODY; o++)
        if (o != r->i) {
            copy_to(r->w, file, o);
            node_reload(r->w, o);
            node_settle(r->w, o);
        }
}

static void do_nothing(struct remedy *r)
{
    (void)r;
}

static const struct sentence {
    const char *begins;
    bool (*when)(struct remedy *r); /* NULL = it is no choice */
    void (*act)(struct remedy *r);
} sentences[] = {
    {"# compare it with the keyrings of the other nodes", NULL, do_nothing},
    {"# when the others hold what lies here now, or one made from it", is_when_here,
     NULL},
    {"# when they hold what this node took last, or one made from it", is_always, NULL},
    {"# keyring trust is no way out", NULL, do_nothing},
    {"# both have wrapped", NULL, do_nothing},
    {"# both may have wrapped", NULL, do_nothing},
    {"# when this node's own goes on", is_when_own, NULL},
    {"# when what lies here goes on", is_always, NULL},
    {"# when another node or a backup has just what", is_when_itself, NULL},
    {"# when another node or a backup has one", is_when_any_file, NULL},
    {"# when another node or a backup has", is_when_file, NULL},
    {"# when none has", is_in_vain, NULL},
    {"# when there are only older backups", is_always, NULL},
    {"# when the keyring is the wrong one", is_always, NULL},
    {"# when the configuration is the wrong one", is_always, NULL},
    {"# when version ", is_perhaps, NULL}, /* … may be used again */
    {"# when it must stay disabled", is_always, NULL},
    {"# first copy the newest keyring here", NULL, get_newest},
    {"# then give it to every node", NULL, give_to_all},
    {"# when a second token, or a restored backup, has the key", is_perhaps, NULL},
    {"# when there is no second copy, and you accept that", is_always, NULL},
};

static void comment(struct remedy *r, const char *line)
{
    for (size_t k = 0; k < sizeof sentences / sizeof sentences[0]; k++) {
        const struct sentence *s = &sentences[k];
        if (!starts(line, s->begins))
            continue;
        if (s->when == NULL) {
            if (r->reads)
                s->act(r);
            return;
        }
        r->reads = !r->is_chosen && s->when(r);
        r->is_chosen = r->is_chosen || r->reads;
        if (r->reads)
            say(r->w, "   %s", line);
        return;
    }
    broke(r->w, "the model does not know the line: %s", line);
}

/* ---- commands ---- */

static bool is(char *const *words, size_t count, const char *first, const char *second,
               const char *third)
{
    return count >= 3 && strcmp(words[0], first) == 0 && strcmp(words[1], second) == 0 &&
           strcmp(words[2], third) == 0;
}

static uint32_t number(const char *word)
{
    return (uint32_t)strtoul(word, NULL, 10);
}

static bool install(struct remedy *r, char *const *words)
{
    if (strcmp(words[3], "FILE") == 0) {
        raw_write(words[4], kw_blob_peek(&r->w->files[r->file].bytes));
        reach.fetched++;
        return true;
    }
    struct kw_blob bytes = raw_read(words[3]);
    bool there = bytes.ptr != NULL;
    if (there)
        raw_write(words[4], kw_blob_peek(&bytes));
    kw_blob_wipe(&bytes);
    reach.put_back++;
    return there;
}

/* The newest backup that the tool takes; for a key that none of them has, what the tool
 * says then. */
static bool adopt(struct remedy *r, const char *key_id)
{
    enum outcome o = REFUSED;
    for (int f = (int)r->w->file_count - 1; f >= 0 && o != DONE; f--)
        if (r->w->files[f].is_kept)
            o = tool_adopt(r->w, r->i, key_id, f, false);
    reach.adopted += o == DONE;
    if (o == DONE)
        return true;
    reach.unproven++;
    return tool_adopt(r->w, r->i, key_id, NOBODY, true) == DONE;
}

static bool key_create(struct remedy *r, char *const *words, size_t count)
{
    if (count == 3)
        return tool_create(r->w, r->i, 0) == DONE;
    return count == 7 && strcmp(words[3], "--adopt") == 0 &&
           strcmp(words[5], "--keyring-backup") == 0 && strcmp(words[6], "FILE") == 0 &&
           adopt(r, words[4]);
}

/* Files of the state directory are moved away before their memory is made anew. */
static bool move(struct remedy *r, char *const *words)
{
    struct node *node = &r->w->nodes[r->i];
    char last[192];
    snprintf(last, sizeof last, "%s/keyring.json", node->state);
    if (strcmp(words[1], last) == 0)
        node->has_last = false;
    else if (starts(words[1], node->state))
        node_forget(r->w, r->i);
    return rename(words[1], words[2]) == 0;
}

static bool keyward(struct remedy *r, char *const *words, size_t count)
{
    struct world *w = r->w;
    if (count == 3 && is(words, count, "keyward", "state", "create")) {
        reach.begun_anew++;
        return tool_rebuild(w, r->i) == DONE;
    }
    if (is(words, count, "keyward", "key", "create"))
        return key_create(r, words, count);
    if (count == 6 && is(words, count, "keyward", "keyring", "trust") &&
        strcmp(words[4], "--sha256") == 0 &&
        strcmp(words[3], w->nodes[r->i].keyring) == 0) {
        reach.trusted++;
        return tool_trust(w, r->i, words[5]) == DONE;
    }
    if (count == 4 && is(words, count, "keyward", "key", "accept"))
        return tool_change(w, r->i, KW_ACT_ACCEPT, number(words[3])) == DONE;
    if (count == 4 && is(words, count, "keyward", "key", "enable")) {
        reach.enabled++;
        return tool_change(w, r->i, KW_ACT_ENABLE, number(words[3])) == DONE;
    }
    if ((count == 7 || count == 8) && is(words, count, "keyward", "key", "activate") &&
        strcmp(words[6], count == 7 ? "--only-copy" : "--second-copy-token") == 0) {
        reach.renewed++;
        return tool_activate(w, r->i, number(words[3]), true, true) == DONE;
    }
    return false;
}

static bool run(struct remedy *r, char *const *words, size_t count)
{
    if (count == 5 && is(words, count, "install", "-m", "0644"))
        return install(r, words);
    if (count == 3 && strcmp(words[0], "mv") == 0)
        return move(r, words);
    if (count == 3 && is(words, count, "systemctl", "reload-or-restart", "keywardd")) {
        if (r->w->nodes[r->i].is_up)
            node_reload(r->w, r->i);
        else
            node_start(r->w, r->i);
        node_settle(r->w, r->i);
        return true;
    }
    return keyward(r, words, count);
}

/* Words apart at blanks; "&&" ends a command. */
static void command(struct remedy *r, const char *line)
{
    char copy[4 * KW_PATH_MAX];
    char *words[WORDS_MAX], *rest = copy;
    size_t count = 0;
    bool good = true;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; good && (word = strsep(&rest, " ")) != NULL;) {
        if (strcmp(word, "&&") == 0) {
            good = run(r, words, count);
            count = 0;
        } else if (count < WORDS_MAX) {
            words[count++] = word;
        }
    }
    if (!good || !run(r, words, count))
        broke(r->w, "n%zu: a command of the way out fails: %s", r->i, line);
}

static void follow(struct remedy *r)
{
    char line[4 * KW_PATH_MAX];
    const char *at = r->j.cure;
    r->reads = true;
    say(r->w, "n%zu: %s", r->i, r->j.why.text);
    while (*at != '\0' && !r->stop && r->w->broken[0] == '\0') {
        size_t len = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, at);
        if (starts(line, "# "))
            comment(r, line);
        else if (r->reads)
            command(r, line);
        at += len + (at[len] == '\n');
    }
}

/* ---- until it serves ---- */

/* Not refused, but not whole, or a node that knows nothing: the operator copies one. */
static void copy_one(struct remedy *r)
{
    int file = newest_of(r, seen(r));
    if (file == NOBODY)
        file = any_file(r);
    if (file != NOBODY)
        copy_to(r->w, file, r->i);
    else
        say(r->w, "nobody has a keyring any more");
    r->in_vain = file == NOBODY;
}

/* Every version of what it took last was destroyed before one was ever active: there is
 * nothing to adopt, nothing to serve, and nothing that could be lost. */
static bool has_nothing(const struct remedy *r)
{
    const struct file *f = &r->w->files[seen(r)];
    for (size_t k = 0; k < r->w->key_count; k++)
        if (f->state[k] < KW_KEY_DESTROYED)
            return false;
    return r->j.refusal == KW_REFUSED_MISSING;
}

static void help(struct remedy *r)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    kw_err e = kw_keyring_load(r->w->nodes[r->i].keyring, &ring, NULL, &note);
    r->ring = ring;
    bool damaged = kw_failed(e) && e.code != KW_CODE_MISSING;
    if (!kw_failed(node_judge(r->w, r->i, ring, damaged ? note.text : NULL, &r->j))) {
        if (r->j.refusal != KW_ADMITTED && r->j.cure[0] == '\0')
            broke(r->w, "n%zu: no way out is printed for: %s", r->i, r->j.why.text);
        else if (r->j.refusal != KW_ADMITTED) {
            follow(r);
            r->in_vain = r->in_vain || (seen(r) != NOBODY && has_nothing(r));
        } else if (ring == NULL)
            copy_one(r);
    }
    kw_keyring_give(ring);
    r->ring = NULL;
}

void remedy_run(struct world *w, size_t i)
{
    struct node *node = &w->nodes[i];
    for (int round = 0; round < ROUNDS && w->broken[0] == '\0'; round++) {
        struct remedy r = {.w = w, .i = i, .file = NOBODY};
        if (node->is_up)
            node_reload(w, i);
        else
            node_start(w, i);
        node_settle(w, i);
        if (node_serves(w, i) || (w->file_count == 0 && node_lies(w, i) == NOBODY))
            return;
        reach.cures++;
        help(&r);
        if (r.in_vain)
            return;
    }
    broke(w, "n%zu does not serve, whatever its refusals tell", i);
}
