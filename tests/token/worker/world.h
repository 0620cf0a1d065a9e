/* SPDX-License-Identifier: Apache-2.0 */
/* world - a front with real workers before a SoftHSM token of its own
 *
 * The keyring has versions 1 (retired) and 2 (active) and, when asked, more.  Everything
 * runs on one libevent loop; a case waits for events, ctest's time limit is the only
 * guard. */
#ifndef KEYWARD_TESTS_WORLD_H
#define KEYWARD_TESTS_WORLD_H

#include <event2/event.h>
#include <sys/stat.h>

#include <keyward/alloc.h>
#include <keyward/front.h>

#include "check.h"
#include "fault_module.h"
#include "test_softhsm.h"

#define DOMAIN_NAME "test"

enum { OBJECTS_MAX = 8 };

struct world {
    struct kw_softhsm hsm;
    struct kw_keyring *ring;
    struct kw_blob bytes;
    struct kw_lock lock;
    struct event_base *loop;
    struct kw_state_dir *state;
    char state_path[160], status_path[160]; /* whose folder is the runtime directory */
    struct kw_front_variable env[5];
    struct kw_front_token_options token;
    struct kw_front_options options;
    struct kw_front *front;
    struct kw_hsm_door door;
    unsigned changes, looks;
    char objects[OBJECTS_MAX][320]; /* path of the key object of version n */
};

/* Token, two keys, keyring; no front yet.  Options may be changed before world_start. */
void world_make(struct world *w);
/* The same, where no worker may be lost for being slow, however busy the machine is. */
void world_make_patient(struct world *w);
void world_start(struct world *w); /* a front that uses the keyring */
void world_stop(struct world *w);
void world_end(struct world *w);

/* One more version in the keyring file, its key in the token. */
void world_add_version(struct world *w, uint32_t n, enum kw_key_state state);
/* Moves the baseline: the old active becomes retired. */
void world_activate(struct world *w, uint32_t n);
void world_write_ring(struct world *w);
/* Takes the version's object out of the token's folder; makes another key in its
 * place. */
void world_forget_key(const struct world *w, uint32_t n);
void world_make_key(struct world *w, uint32_t n);
/* Another key with the label and locator of the version's, beside it. */
void world_add_twin(const struct world *w, uint32_t n);
void world_make_twin(struct kw_token *token, const char *label, kw_span locator);
const char *world_key_id(const struct world *w, uint32_t n);

/* Runs the loop until `is_so`, for ever if need be. */
void world_until(struct world *w, bool (*is_so)(struct world *w));
struct kw_hsm_health world_health(struct world *w);
bool is_up(struct world *w);
bool is_lost(struct world *w);
bool not_coming(struct world *w);
size_t ready_count(struct world *w);
pid_t ready_pid(struct world *w, size_t i);

/* One seed under a version: its stored parts. */
struct parcel {
    char key_id[KW_KEY_ID_MAX + 1];
    uint8_t iv[12], aad[KW_AAD_MAX], sealed[KW_SEALED_MAX], plain[48];
    size_t aad_len, sealed_len;
};
/* Wraps random bytes / unwraps and compares; the error is the job's (or submit's). */
KW_MUST_USE kw_err world_wrap(struct world *w, uint32_t n, struct parcel *ret);
/* A parcel as clients have it of any version: wrapped by the workers when that is the active
 * one, else as it was in its time. */
void world_sealed(struct world *w, uint32_t n, struct parcel *ret);
KW_MUST_USE kw_err world_unwrap(struct world *w, const struct parcel *p);
/* Without waiting: `done` is called by the loop. */
KW_MUST_USE kw_err world_submit_unwrap(struct world *w, const struct parcel *p,
                                       kw_hsm_done *done, void *ctx, int64_t in_ns);

/* Calls of C_Login in the fault module's log. */
unsigned world_logins(const struct world *w);

#endif
