/* SPDX-License-Identifier: Apache-2.0 */
/* lost - a site whose keyring is lost, its keys in the token, and what is left of it */
#ifndef KEYWARD_TESTS_LOST_H
#define KEYWARD_TESTS_LOST_H

#include <keyward/keyring.h>

#include "seal.h"

struct lost {
    struct site s;
    char key_id[3][KW_KEY_ID_MAX + 1]; /* [n]                                       */
    char backup[96];                   /* the keyring before version 1 was accepted */
    char sample[96];                   /* nothing there yet                         */
};
extern struct lost lost;

/* A site whose version 1 is the baseline; `count` 2: and an accepted version 2.  With the
 * fault module, whose calls are logged, when `fault` says so. */
void lost_begin(unsigned count, bool fault);
/* What a daemon of this node remembers after it took the keyring; `last`: its copy
 * too. */
void lost_take(bool last);
/* And the keyring is gone. */
void lost_lose(bool last);
void lost_end(void);

/* Reads the names of the keyring's versions. */
void lost_names(void);
struct kw_keyring *lost_load(const char *path);
/* Writes another backup; gives `ring` up. */
void lost_back_up(struct kw_keyring *ring);

/* Nothing was written, and nothing that would destroy anything was advised. */
void lost_still(void);
/* How often the module was logged in to. */
size_t lost_logins(void);
/* Runs the first printed line that begins so, as it stands. */
void lost_obey(const char *begins);

#define ADOPT(want, ...)                                                                 \
    KEYWARD_MUST(&lost.s, want, "key", "create", "--adopt", __VA_ARGS__)
#define HAS_NOT(text, part) CHECK(strstr((text), (part)) == NULL)

#endif
