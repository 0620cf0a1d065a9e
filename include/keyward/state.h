/* SPDX-License-Identifier: Apache-2.0 */
/* state - what this node must remember across restarts
 *
 * The state directory (configuration: `state`) belongs to the daemon's user, mode 0700:
 *   marks.json       highest serial, baseline and active N ever seen; since when each
 *                    version is seen as accepted here
 *   activation.json  this node's act of activation
 *   pin-latch.json   why no login may be tried, until the PIN source changes
 *   keyring.json     the last good keyring, byte for byte
 * Files are replaced whole (file.h).  A file that is missing means "nothing remembered";
 * one that cannot be read or parsed is an error, never "nothing".
 *
 * Threads:   one at a time per directory (daemon's main thread, or the tool).
 * Blocking:  on the disk.
 */
#ifndef KEYWARD_STATE_H
#define KEYWARD_STATE_H

#include <keyward/keyring.h>
#include <keyward/pin_source.h>

struct kw_state_dir; /* an opened directory */

/* Borrows nothing.  MISSING, IO; DENIED when it is writable by group or others, or owned
 * by somebody else than this process's uid (root may open anybody's). */
KW_MUST_USE kw_err kw_state_open(const char *path, struct kw_state_dir **ret_dir,
                                 struct kw_note *note);
void kw_state_close(struct kw_state_dir *dir); /* NULL does nothing */

struct kw_marks {
    uint64_t serial_max;
    uint8_t serial_sha256[32]; /* of the keyring file with that serial                 */
    size_t serial_sha256_len;  /* 0 = not known: an older program wrote the file       */
    uint32_t baseline_max; /* of the rings' own `active` member                       */
    uint32_t active_max;   /* of what this node wrapped with: a baseline or its act   */
    size_t count;          /* versions seen accepted, active or retired here */
    struct {
        uint32_t n;
        int64_t since_wall_ns;
    } accepted[KW_VERSIONS_MAX];
};
KW_MUST_USE kw_err kw_state_marks(struct kw_state_dir *dir, struct kw_marks *ret_marks,
                                  struct kw_note *note);
/* Raises the marks to what `ring` and `active` say and records versions newly seen as
 * accepted; never lowers one.  Writes only when something changed. */
KW_MUST_USE kw_err kw_state_raise(struct kw_state_dir *dir, const struct kw_keyring *ring,
                                  uint32_t active, int64_t wall_ns, struct kw_note *note);

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

/* The PIN latch. */
struct kw_pin_latch {
    bool latched; /* no login until the source changes                             */
    bool proven;  /* a login with exactly this source has worked here              */
    bool retry;   /* a human lifted the latch (keyward pin retry): one try is owed  */
    struct kw_pin_source source; /* the source both words are about                 */
    char token[33];
    char reason[160];
    char at[KW_TIME_TEXT];
};
/* One latch per token name (the file holds them all). */
KW_MUST_USE kw_err kw_state_pin_latch(struct kw_state_dir *dir, const char *token,
                                      struct kw_pin_latch *ret_latch,
                                      struct kw_note *note);
/* A reason that is not printable is made so.  BUSY when 32 other tokens have a latch. */
KW_MUST_USE kw_err kw_state_set_pin_latch(struct kw_state_dir *dir,
                                          const struct kw_pin_latch *latch,
                                          struct kw_note *note);

KW_MUST_USE kw_err kw_state_save_keyring(struct kw_state_dir *dir, kw_span bytes,
                                         struct kw_note *note);
/* MISSING when none was ever saved. */
KW_MUST_USE kw_err kw_state_last_keyring(struct kw_state_dir *dir,
                                         struct kw_keyring **ret_ring,
                                         struct kw_blob *ret_bytes, struct kw_note *note);

/* May this node take `ring` into use?  Pure.
 * BAD_INPUT  the domain is not `domain`; the serial or the baseline is lower than this
 *            node has seen; the serial is the highest seen and the bytes are others; the
 *            serial is the next one and prev-sha256 is not what was seen: each with its
 *            own note and the remedy.  A node may have missed files, so a larger jump is
 *            taken. */
KW_MUST_USE kw_err kw_keyring_admit(const struct kw_keyring *ring, const char *domain,
                                    const struct kw_marks *marks, struct kw_note *note);

/* The version this node wraps with: the higher of the baseline and this node's act (when
 * the act's version is accepted in `ring` under the same key_id).  Pure.  0 = none yet.
 * BAD_INPUT  it would be lower than marks->active_max (the note says what to do). */
KW_MUST_USE kw_err kw_keyring_effective(const struct kw_keyring *ring,
                                        const struct kw_activation *act,
                                        const struct kw_marks *marks, uint32_t *ret_n,
                                        struct kw_note *note);

#endif
