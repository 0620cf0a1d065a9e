/* SPDX-License-Identifier: Apache-2.0 */
/* stage - a whole front with a fake clock whose workers are played by the test
 *
 * spawn, kill and reap are replaced; a fake worker is one end of a socket pair, a page
 * and an event descriptor that stands for its process. */
#ifndef KEYWARD_TESTS_STAGE_H
#define KEYWARD_TESTS_STAGE_H

#include <event2/event.h>

#include "check.h"
#include "front_internal.h"

#define K1 "kw1-1-0123456789abcdef01234567" /* retired */
#define K2 "kw1-2-0123456789abcdef01234567" /* active  */
#define K3 "kw1-3-0123456789abcdef01234567"

enum { FAKES_MAX = 32 };
struct fake {
    unsigned token;
    int socket, process;
    struct kw_page *page;
    bool killed, logged_in, has_pin_key;
    bool crashes;    /* its end is a fault of its own, by a signal */
    bool unkillable; /* its kill only takes time: 10 s */
    uint32_t active_n;
    uint64_t bytes; /* resident; 0: not to be seen */
};
struct stage {
    char dir[64], state_path[80], pin_path[80], pin[96], status[96];
    bool count_low, final_try; /* the token's flags, as fakes send them */
    struct kw_fake_clock time;
    struct kw_clock clock;
    struct kw_lock lock;
    struct event_base *loop;
    struct kw_state_dir *state;
    struct kw_front_token_options tokens[2]; /* "tok", "tok2" */
    struct kw_front_options options;
    struct kw_front *front;
    struct kw_hsm_door door;
    struct fake fakes[FAKES_MAX];
    unsigned started, changes, looks;
    unsigned sessions;           /* of each fake, 0 = 1 */
    unsigned share;              /* of what is asked    */
    bool verifies;               /* as struct kw_hsm_job */
    enum kw_hsm_refusal refusal; /* as stage_version was told last */
    int64_t op_ns;               /* so long an operation takes, as fakes say */
};

void stage_begin(struct stage *s);      /* no front yet: options may be changed */
void stage_two_tokens(struct stage *s); /* before it is opened; a worker each */
void stage_open(struct stage *s); /* a front, keyring with versions 1 and 2 in use */
void stage_open_without_keyring(struct stage *s);
void stage_close(struct stage *s); /* ends the fakes, then the front */
void stage_end(struct stage *s);
/* Replaces the PIN file. */
void stage_write_pin(struct stage *s, const char *pin);
/* Another keyring: version 3 becomes active. */
void stage_use_next(struct stage *s);
/* So many versions, the last one active. */
void stage_use_many(struct stage *s, uint32_t count);
/* Version 3 is active, and this is the state of version 1. */
void stage_use_next_but_the_first(struct stage *s, enum kw_key_state state);
/* The same, but version 3 is one that this program does not understand. */
void stage_use_future(struct stage *s);

void stage_spin(struct stage *s);                    /* what is readable now */
void stage_pass(struct stage *s, int64_t ns);        /* in ticks of a second at most */
void stage_stand_still(struct stage *s, int64_t ns); /* in one leap */
struct kw_hsm_health stage_health(struct stage *s);
kw_err stage_version(struct stage *s, const char *key_id);
struct kw_front_status stage_status(struct stage *s);

/* The fake has opened the token, read the PIN file and asks; the front's word.  false: it
 * does not answer (yet). */
bool fake_asks(struct stage *s, unsigned i, struct kw_wire_permit *ret);
bool fake_hears(struct stage *s, unsigned i, struct kw_wire_permit *ret);
/* It asks, must be let, and is in C_Login; its C_Login ended so. */
void fake_in_login(struct stage *s, unsigned i);
void fake_sends_login(struct stage *s, unsigned i, kw_err e, const char *why);
void fake_login(struct stage *s, unsigned i, kw_err e, const char *why); /* all three */
/* Both, and it worked. */
void fake_logs_in(struct stage *s, unsigned i);
/* The fake says (having logged in, if it has not): verdicts (all versions OK but `n`,
 * which is `e`), READY. */
void fake_ready(struct stage *s, unsigned i);
void fake_ready_but(struct stage *s, unsigned i, uint32_t n, kw_err e);
void fake_ready_found(struct stage *s, unsigned i, uint32_t n, kw_err e,
                      unsigned findings);
void fake_failed(struct stage *s, unsigned i, kw_err e, const char *why);
/* The next job in its socket; false when none is there. */
bool fake_job(struct stage *s, unsigned i, struct kw_wire_job *ret);
uint64_t fake_take(struct stage *s, unsigned i, enum kw_wire_op op); /* its id */
void fake_answer(struct stage *s, unsigned i, uint64_t id, kw_err e, const char *output);
/* The same after a close look. */
void fake_looked(struct stage *s, unsigned i, uint64_t id, kw_err e, unsigned findings,
                 const char *output);
void fake_say(struct stage *s, unsigned i, const void *bytes, size_t len);
void fake_dies(struct stage *s, unsigned i);
/* Answers canaries that are waiting, all good. */
void fake_canaries(struct stage *s, unsigned i);
void start_two(struct stage *s); /* two ready workers, HSM up, canaries answered */

struct outcome {
    bool done;
    kw_err err;
    char output[64];
    kw_hsm_ticket ticket;
    struct stage *stage;
    bool distrust;       /* it when it comes */
    const char *instead; /* of its token: this one's is what proved false */
};
/* An unwrap of `text`: a good answer has as many bytes less 16. */
kw_err ask(struct stage *s, const char *key_id, const char *text, struct outcome *ret);
kw_err ask_to(struct stage *s, enum kw_hsm_op op, const char *key_id, const char *text,
              struct outcome *ret);

#endif
