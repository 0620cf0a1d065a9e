/* SPDX-License-Identifier: Apache-2.0 */
/* state - what this node must remember across restarts
 *
 * The state directory (configuration: `state`) belongs to the daemon's user, mode 0700:
 *   marks.json       the last keyring taken into use, by serial and digest; which key_ids
 *                    this node knows, in which state, since when accepted; the highest
 *                    baseline and the highest version it wrapped with
 *   activation.json  this node's act of activation
 *   pin-latch.json   whether a login may be tried (pin_latch.h)
 *   keyring.json     the last good keyring, byte for byte
 *   lock             who changes one of them holds flock(2) on it
 * Files are replaced whole (file.h).  A file that is missing means "nothing remembered";
 * one that cannot be read or parsed is an error, never "nothing".
 *
 * Threads:   one at a time per directory (daemon's main thread, or the tool).
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_STATE_H
#define KEYWARD_STATE_H

#include <keyward/keyring.h>
#include <keyward/moment.h>

struct kw_state_dir; /* an opened directory */

/* Borrows nothing.  MISSING, IO; DENIED when it is writable by group or others, or owned
 * by somebody else than this process's uid (root may open anybody's). */
KW_MUST_USE kw_err kw_state_open(const char *path, struct kw_state_dir **ret_dir,
                                 struct kw_note *note);
void kw_state_close(struct kw_state_dir *dir); /* NULL does nothing; unlocks */

/* One lock for all files of the directory: flock(2) on its file `lock`.  To be held for
 * one read-change-write and no longer; taken without waiting.  Readers need none: a file
 * is replaced whole.  A second one by the same dir is a bug.
 * BUSY  somebody else is at it: the note names who, as far as it can be seen; try again
 * IO    the lock file can be neither made nor opened (a directory that is not writable)
 */
KW_MUST_USE kw_err kw_state_lock(struct kw_state_dir *dir, struct kw_note *note);
void kw_state_unlock(struct kw_state_dir *dir); /* not locked: does nothing */

/* A version by its name: both parts, as a number alone is reused by a fork. */
struct kw_named {
    uint32_t n; /* 0 = none */
    char key_id[KW_KEY_ID_MAX + 1];
};

/* What this node knows of one version.  The identity stays as long as the version may
 * come back; the time is of the states that unwrap, or of `disabled`, and goes with
 * them. */
struct kw_mark {
    struct kw_named id;
    char state[16]; /* as it stood in the last ring taken here */
    bool wrapped;   /* a baseline that was taken here, or what this node wrapped with */
    bool accepted;  /* it is in a state that unwraps */
    struct kw_moment since; /* and has been here since then; or it is disabled here since
                               then; wall_ns is 0 = neither */
};

/* A keyring that somebody said to take although it does not follow from what was seen.
 * What was made from it is meant too, but when the last ring was made from it as well. */
struct kw_trust {
    uint8_t sha256[32];
    size_t sha256_len; /* 0 = none */
    char at[KW_TIME_TEXT], by[64];
};

struct kw_marks {
    uint64_t serial;    /* of the last ring taken here, 0 = none       */
    uint8_t sha256[32]; /* its digest                                   */
    size_t sha256_len;
    uint8_t ancestors[KW_ANCESTORS_MAX][32]; /* its own */
    size_t ancestor_count;
    uint32_t next_n;          /* its own */
    struct kw_named baseline; /* the highest of the rings' own `active`       */
    struct kw_named active;   /* the highest that this node wrapped with      */
    struct kw_mark versions[KW_VERSIONS_MAX]; /* those of the last ring */
    size_t count;
    struct kw_trust trust;   /* waits; gone with the next ring that is taken */
    struct kw_trust trusted; /* was taken, the last time */
    char rebuilt[96];        /* "" or when and from what the marks were made anew */
};
KW_MUST_USE kw_err kw_state_marks(struct kw_state_dir *dir, struct kw_marks *ret_marks,
                                  struct kw_note *note);
/* The same from and to the bytes of the file; pure.  BAD_INPUT (also over 64 KiB, and for
 * marks that would not be read again), NO_MEMORY.  *ret_… is untouched on failure. */
KW_MUST_USE kw_err kw_marks_parse(kw_span json, struct kw_marks *ret_marks,
                                  struct kw_note *note);
KW_MUST_USE kw_err kw_marks_write(const struct kw_marks *marks, struct kw_blob *ret_json);
const struct kw_mark *kw_marks_of(const struct kw_marks *marks, uint32_t n);

/* The marks after this node took `ring` into use and wraps with version `active` (0 =
 * none); true when they changed.  Pure.  A version is accepted, or disabled, here from
 * `now` on (KW_NO_MOMENT: it is not known since when, and nothing may wait for that);
 * anew when the clock that said since when was set back before it over a restart, or when
 * the ring's history has an accept, enable or adopt of it after the last ring, or does
 * not tell: it no longer reaches back so far, or the ring does not follow. */
bool kw_marks_raise(struct kw_marks *marks, const struct kw_keyring *ring,
                    uint32_t active, struct kw_moment now);
/* The same for the file, written only when something changed.  This and the three below
 * hold the directory's lock meanwhile: BUSY as kw_state_lock says, and nothing is
 * changed. */
KW_MUST_USE kw_err kw_state_raise(struct kw_state_dir *dir, const struct kw_keyring *ring,
                                  uint32_t active, struct kw_moment now,
                                  struct kw_note *note);
/* The same by a process that has marks which it could not write so far (serial 0: none):
 * they are raised, and not those of the file, but for the trust that waits there. */
KW_MUST_USE kw_err kw_state_raise_known(struct kw_state_dir *dir,
                                        const struct kw_marks *known,
                                        const struct kw_keyring *ring, uint32_t active,
                                        struct kw_moment now, struct kw_note *note);
/* Records the trust in a file with this digest. */
KW_MUST_USE kw_err kw_state_trust(struct kw_state_dir *dir, const struct kw_trust *trust,
                                  struct kw_note *note);
/* New marks for a node that lost its memory: those of `ring`, and who said so.
 * DENIED  there are marks already */
KW_MUST_USE kw_err kw_state_rebuild(struct kw_state_dir *dir,
                                    const struct kw_keyring *ring, struct kw_moment now,
                                    const char *who, struct kw_note *note);

struct kw_activation {
    uint32_t n; /* 0 = none recorded */
    char key_id[KW_KEY_ID_MAX + 1];
    char at[KW_TIME_TEXT];
    char by[64];
    char proof[128]; /* second copy, or "only-copy" */
};
KW_MUST_USE kw_err kw_state_activation(struct kw_state_dir *dir,
                                       struct kw_activation *ret_act,
                                       struct kw_note *note);
/* BAD_INPUT when the key_id is not one of version n, or a text is not printable. */
KW_MUST_USE kw_err kw_state_activate(struct kw_state_dir *dir,
                                     const struct kw_activation *act,
                                     struct kw_note *note);

KW_MUST_USE kw_err kw_state_save_keyring(struct kw_state_dir *dir, kw_span bytes,
                                         struct kw_note *note);
/* MISSING when none was ever saved. */
KW_MUST_USE kw_err kw_state_last_keyring(struct kw_state_dir *dir,
                                         struct kw_keyring **ret_ring,
                                         struct kw_blob *ret_bytes, struct kw_note *note);

/* ---- may this node use a ring? ----------------------------------------------------- */

/* Why not.  The order is that of looking: the first one that holds is the answer. */
enum kw_refusal {
    KW_ADMITTED,
    KW_REFUSED_DOMAIN,  /* of another domain                                          */
    KW_REFUSED_MISSING, /* there is no file, and this node has seen one               */
    KW_REFUSED_DAMAGED, /* what lies there cannot be read as a keyring                */
    KW_REFUSED_OLDER,   /* the last one taken here was made from it, as far as is known */
    KW_REFUSED_FORK,    /* its serial or its ancestors are of other files than ours   */
    KW_REFUSED_FAR,     /* the last ring taken here is further back than it can prove */
    KW_REFUSED_RENAMED, /* a number has another key_id than here                      */
    KW_REFUSED_LOST,    /* a version is missing that was not destroyed and pruned, or
                           is back in `created` */
    KW_REFUSED_DESTROYED, /* a version that this node wrapped with is destroyed, and was
                             neither that nor disabled when it looked last             */
    KW_REFUSED_NEXT_N,    /* a number would be given twice                              */
    KW_REFUSED_BASELINE,  /* its baseline is lower than one taken here                  */
    KW_REFUSED_ACTIVE,    /* this node would wrap with a lower version than it did      */
    KW_REFUSED_UNTRUSTED, /* trusted, but a version that this node wrapped with is not in
                             it, or destroyed in it                                    */
};

#define KW_CURE_MAX (16u * KW_PATH_MAX) /* 64 versions to adopt, long paths */

/* The files that a remedy names. */
struct kw_places {
    const char *keyring; /* the keyring file    */
    const char *state;   /* the state directory */
};

struct kw_judgement {
    enum kw_refusal refusal;
    uint32_t n;             /* the version that it is about, 0 = none              */
    uint32_t active;        /* ADMITTED, ACTIVE: wraps with it; 0 = none yet       */
    bool last_good;         /* the last good copy is there, and this node would take it */
    struct kw_note why;     /* both rings named, what is wrong, what helps in a word */
    char cure[KW_CURE_MAX]; /* the way out: commands, one a line; "# when" begins a
                               choice between them, another "# " says what to do
                               first; "" when admitted                            */
};

/* What this node knows besides the ring. */
struct kw_memory {
    const struct kw_marks *marks;
    const struct kw_activation *act;
    const struct kw_keyring *last; /* the last good one; NULL = there is none.  What the
                                      marks do not know yet of it counts as taken: it is
                                      written before them */
    const struct kw_keyring *refused; /* the judge's own word: `last` is none */
};

/* Judges `ring` (NULL = there is no file).  Pure.  The version to wrap with is the
 * highest of the baseline, this node's act and what it wrapped with before, the latter
 * two when they are accepted in `ring` under the same key_id; one that is not understood
 * stays the one, and then nothing can wrap. */
void kw_keyring_judge(const struct kw_keyring *ring, const char *domain,
                      const struct kw_memory *memory, const struct kw_places *places,
                      struct kw_judgement *ret);
/* The same of a file that is there and was not read: DAMAGED, whatever is remembered.
 * `reason`: what kw_keyring_load said, with the file's name. */
void kw_keyring_judge_damaged(const char *reason, const char *domain,
                              const struct kw_memory *memory,
                              const struct kw_places *places, struct kw_judgement *ret);

#endif
