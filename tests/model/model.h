/* SPDX-License-Identifier: Apache-2.0 */
/* model - a cluster of two or three nodes and its keyring, lived through at random
 *
 * What is real: everything of hsm/keyring (reading, writing and saving the file, the
 * state directory, the judge and its words, the acts, the rebuilding), on files in a
 * folder of its own.  What is played: the daemon (node.c, in the order of
 * provider/daemon/reload.c), the operator's tool (tool.c, as provider/cli lays its
 * table), the operator who does what a refusal tells him, word by word (remedy.c), the
 * token (a set of labels) and the system calls that fail (seam.c).
 *
 * One history is one seed.  history.c makes it up; lineage.c knows the truth about every
 * file (which file it was made from, what state each version is in, by a specification of
 * its own); truth.c compares after every step:
 *
 *   - a file follows what it was made from: serial, ancestors, states, numbers, history;
 *     no number and no key_id is given twice;
 *   - a node takes a ring only if it follows from what it took before, or somebody said
 *     that he trusts it; then every version that it could unwrap with it still can,
 *     unless somebody disabled, destroyed or pruned it; none that it wrapped with is
 *     lost;
 *   - a node never wraps with a lower version than it did; its marks only rise;
 *   - acceptance begins anew with every accept, enable and adopt between two looks;
 *   - what is refused changes nothing: an act no file, a ring no memory;
 *   - after every failed system call a file is whole, the old or the new one, and the
 *     error says which; after a loss of power too;
 *   - a node that served serves after a restart;
 *   - the way out that a refusal prints leads to a node that serves;
 *   - no text advises to destroy or to remove what is in use.
 *
 * A failure prints the history and the seed that replays it.  planted.cmake makes
 * programs with a bug planted into the real code, which the same checks must find.
 *
 * Threads:  none. */
#ifndef KEYWARD_TESTS_MODEL_H
#define KEYWARD_TESTS_MODEL_H

#include <keyward/act.h>

#define MODEL_DOMAIN "model"

enum { NODES_MAX = 3, KEYS_MAX = 64, FILES_MAX = 384, NOBODY = -1 };

/* ---- keys and files: the truth (lineage.c) ---- */

/* A key_id that was ever made.  Its object lies in the token, which all nodes share. */
struct key {
    char id[KW_KEY_ID_MAX + 1];
    uint32_t n;
    int same_as;    /* the key that it was made with --same-key-as, or NOBODY */
    int object;     /* the key whose object it uses: its own, or an earlier one's */
    bool is_orphan; /* no file has it (yet) */
};

/* What a version is in a file, beyond the states that are written. */
enum { TRUE_NONE = KW_KEY_UNKNOWN + 1, TRUE_PRUNED, TRUE_LOST };

/* A keyring file that was ever saved. */
struct file {
    uint8_t sha256[32];
    uint64_t serial;
    int parent; /* the file it was made from, NOBODY = it is the first */
    struct kw_blob bytes;
    struct kw_keyring *ring; /* what they were parsed to */
    uint8_t state[KEYS_MAX]; /* enum kw_key_state, or TRUE_… */
    uint8_t from[KEYS_MAX];  /* of a disabled one */
    int16_t since[KEYS_MAX]; /* in which it began to unwrap, or was disabled, last */
    int active;              /* key, NOBODY = none */
    uint32_t next_n;
    bool is_kept; /* an operator's backup has it */
};

/* ---- nodes ---- */

struct node {
    char keyring[128], state[128];
    /* the daemon: what is in service */
    bool is_up;
    struct kw_keyring *ring;
    struct kw_blob bytes;
    int file;
    uint32_t active;
    bool is_remembered;
    /* what its state directory must know */
    bool has_last;  /* a last good keyring */
    bool is_unsure; /* a write failed: it may be there or not */
    int seen;       /* the last ring that was remembered */
    int trusted;    /* what somebody said to trust, while nothing was taken since */
    int trusted_once;
    struct kw_marks marks;
    uint64_t wrapped, unwraps, disabled, destroyed; /* sets of keys */
    uint32_t highest;                               /* version it wrapped with */
    int64_t since[KEYS_MAX];
};

struct world {
    uint64_t seed, dice;
    int64_t now_ns;
    char folder[64];
    size_t node_count;
    struct node nodes[NODES_MAX];
    size_t place; /* the node where the changes are made */
    size_t key_count;
    struct key keys[KEYS_MAX];
    size_t file_count;
    struct file files[FILES_MAX];
    char broken[2048]; /* "" or the first thing that is not as it must be */
    char *story;       /* the history so far, one act a line */
    size_t story_len, story_cap;
};

/* What the histories of this process came through: a check that is never reached checks
 * nothing. */
struct reach {
    unsigned refusals[KW_REFUSED_UNTRUSTED + 1];
    unsigned acts[KW_ACT_COUNT], acts_refused[KW_ACT_COUNT];
    unsigned cures, put_back, trusted, adopted, unproven, enabled, renewed, fetched,
        begun_anew;
    unsigned faults, deaths, reverted, forged, far, restarts;
};
extern struct reach reach;

/* ---- world.c ---- */

struct kw_moment world_now(const struct world *w);
/* false when there is no folder to be had; world_close removes it. */
bool world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);
uint32_t pick(struct world *w, uint32_t below); /* 0 … below - 1 */
bool chance(struct world *w, uint32_t percent);
void say(struct world *w, const char *fmt, ...) KW_PRINTF(2, 3);
/* The first one stays; the step that finds it goes on to its end. */
void broke(struct world *w, const char *fmt, ...) KW_PRINTF(2, 3);
void world_time(const struct world *w, char dst[KW_TIME_TEXT]);
/* Raw files, past the seam.  An absent file is empty bytes with ptr NULL. */
struct kw_blob raw_read(const char *path);
void raw_write(const char *path, kw_span bytes);
bool raw_same(const struct kw_blob *a, const struct kw_blob *b);
/* A file of the node's state directory. */
struct kw_blob raw_state(const struct node *node, const char *name);
/* What a failed write said of such a file, against what lies there. */
void judge_write(struct world *w, const struct node *node, const char *name,
                 const struct kw_blob *before, kw_err e);
/* Nothing but the files that belong there lies in the node's folders. */
bool is_tidy(const struct node *node);
/* Temporary files of those who died. */
void sweep(const struct node *node);

/* ---- lineage.c ---- */

void lineage_begin(struct world *w);
int key_make(struct world *w, uint32_t n, int same_as); /* NOBODY: there are too many */
int key_find(const struct world *w, const char *key_id);
/* What a ceremony makes: its check blob tells the object. */
void version_make(const struct world *w, int key, struct kw_version *ret);
/* Is `v` proven by its check blob, which must tell of the object under its label? */
bool version_is_proven(const struct world *w, const struct kw_version *v);

int file_find(const struct world *w, const uint8_t sha256[32]);
/* Was `file` made from `from`, in any number of steps, or is it the same? */
bool descends(const struct world *w, int from, int file);
/* A file appeared: `act` on `key` made it from `parent`; `anew` = from backup and memory,
 * as there was none.  Its bytes are judged against what they must be. */
int file_add(struct world *w, const struct kw_blob *bytes, int parent, enum kw_act act,
             int key, bool anew);
/* The state of a key in a file, as a word. */
/* Has it lost a version on its way out of a loss?  It is not given to anybody. */
bool is_incomplete(const struct world *w, int file);
const char *truth_name(uint8_t state);
bool truth_unwraps(uint8_t state);

/* ---- node.c ---- */

void node_reload(struct world *w, size_t i);
void node_settle(struct world *w, size_t i); /* remembers, when it did not yet */
void node_start(struct world *w, size_t i);  /* or restarts */
void node_die(struct world *w, size_t i);
/* Does it serve what lies in its keyring file? */
bool node_serves(const struct world *w, size_t i);
/* The file that lies where its keyring belongs; NOBODY = none, or none that a tool
 * made. */
int node_lies(const struct world *w, size_t i);
/* As tool and daemon do: judges what lies in the file. */
kw_err node_judge(struct world *w, size_t i, const struct kw_keyring *ring,
                  const char *damage, struct kw_judgement *ret);
/* After its state directory was lost, as a whole or its marks. */
void node_forget(struct world *w, size_t i);

/* ---- tool.c ---- */

enum outcome { DONE, REFUSED, FAILED };

enum outcome tool_create(struct world *w, size_t i, uint32_t same_n);
enum outcome tool_change(struct world *w, size_t i, enum kw_act act, uint32_t n);
enum outcome tool_activate(struct world *w, size_t i, uint32_t n, bool baseline,
                           bool now);
/* backup: a file, or NOBODY */
enum outcome tool_adopt(struct world *w, size_t i, const char *key_id, int backup,
                        bool unproven);
enum outcome tool_trust(struct world *w, size_t i, const char *sha256_hex);
enum outcome tool_rebuild(struct world *w, size_t i);

/* ---- truth.c ---- */

void truth_in_service(struct world *w, size_t i);
void truth_remembered(struct world *w, size_t i);
/* Somebody had the marks made anew from this file. */
void truth_rebuilt(struct world *w, size_t i, int file);
/* The advice in `text`, which answers to `act` on `v` (NULL = on no version). */
void truth_advice(struct world *w, const char *text, int act, const struct kw_version *v);

/* ---- remedy.c ---- */

/* Does what the refusal of the node's file tells, until the node serves it. */
void remedy_run(struct world *w, size_t i);

/* ---- history.c ---- */

/* A first version, active on every node. */
void history_begin(struct world *w);
/* One whole history; w->broken tells. */
void history_live(struct world *w);

/* ---- seam.c ---- */

enum fault { FAULT_NONE, FAULT_ONCE, FAULT_SHORT, FAULT_DIES };

/* From now on the at-th system call on a file fails with `error`, once; or writes half;
 * or the process dies at it, so that nothing happens any more. */
void seam_arm(enum fault fault, unsigned at, int error);
/* true when there was an at-th call. */
bool seam_disarm(void);
bool seam_is_armed(void);
bool seam_is_dead(void);
/* Our own looks do not fail: between hold and release nothing is counted. */
void seam_hold(void);
void seam_release(void);
/* The machine lost power: renames that no fsync of their folder followed are undone, each
 * with even chances; the number of those. */
unsigned seam_power_loss(struct world *w);
/* "" or what a writer did that no failing disk forgives. */
const char *seam_broken(void);

/* The key_ids of a history come from its seed. */
void seam_seed(uint64_t seed);

#endif
