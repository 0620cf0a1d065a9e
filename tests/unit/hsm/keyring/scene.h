/* SPDX-License-Identifier: Apache-2.0 */
/* scene - a node with a memory, the file that lies there now, and what it says of it */
#ifndef KEYWARD_TESTS_KEYRING_SCENE_H
#define KEYWARD_TESTS_KEYRING_SCENE_H

#include "judged.h"

#define RING "/etc/keyward/keyring.json"
#define RELOAD "systemctl reload-or-restart keywardd\n"
#define INSTALL(from)                                                                    \
    "install -m 0644 " from " " RING ".new && mv " RING ".new " RING "\n" RELOAD
#define PUT_BACK INSTALL("/var/lib/keyward/keyring.json")
#define COMPARE                                                                          \
    "# compare it with the keyrings of the other nodes first (keyward keyring "          \
    "compare)\n# when the others hold what lies here now, or one made from it:\n"
#define OURS "# when they hold what this node took last, or one made from it:\n"
#define NEWEST                                                                           \
    "# first copy the newest keyring here (keyward keyring compare) and reload: what "   \
    "is made from an older one is a fork\n"
#define NEXT_KEK                                                                         \
    "keyward key create\nkeyward key accept 4\n"                                         \
    "# then give it to every node, reload them, and go on here:\n"                       \
    "# when a second token, or a restored backup, has the key:\n"                        \
    "keyward key activate 4 --baseline --now --second-copy-token URI\n" RELOAD           \
    "# when there is no second copy, and you accept that:\n"                             \
    "keyward key activate 4 --baseline --now --only-copy\n" RELOAD

/* What this node took last, and what lies there now. */
struct scene {
    struct kw_keyring *last, *now;
    struct kw_marks marks;
    const struct kw_keyring *copy; /* in the state directory */
    struct kw_judgement j;
};

/* It has taken good_file(), whose copy is in the state directory. */
void scene_begin(struct scene *s);
void scene_end(struct scene *s);
/* Judges; the refusal must be this one. */
void scene_judged(struct scene *s, enum kw_refusal want);
/* "serial N (sha256 …...)" of this file stands in the words. */
void scene_names(const struct scene *s, const struct kw_keyring *file);
/* The way out is these three, one after the other. */
void scene_cured(const struct scene *s, const char *first, const char *then,
                 const char *last);
/* The way back when the state directory has no copy that helps: the file itself from
 * somewhere, or else its keys, one by one.  Until the next one. */
const char *scene_fetched(const struct scene *s);
/* The command that trusts this file in the keyring's place; until the next one. */
char *trust_line(const struct kw_keyring *file);

#endif
