/* SPDX-License-Identifier: Apache-2.0 */
/* site - a fresh installation in a folder of its own, made by `keyward init --softhsm`
 *
 * As root it belongs to nobody (uid 65534), as the daemon's files would not be root's; as
 * anybody else it belongs to that user. */
#ifndef KEYWARD_TESTS_SITE_H
#define KEYWARD_TESTS_SITE_H

#include <stdio.h>
#include <sys/types.h>

#include "check.h"
#include "run.h"

#include <keyward/keyring.h>
#include <keyward/moment.h>

#define NOBODY 65534

struct site {
    char dir[64];  /* mkdtemp, passable by all */
    char base[80]; /* dir/kw: --dir            */
    char config[128], keyring[128], pin[128], so_pin[128], state[128], tokens[128];
    char control[96], calls[96]; /* of the fault module   */
    FILE *watch;                 /* the call log, a FIFO  */
    struct kw_run run;           /* of the last call      */
};

/* The folder alone; nothing in it yet. */
void site_begin(struct site *s);
/* And `keyward init --softhsm`, which must succeed. */
void site_make(struct site *s);
/* And the fault module (tests/fault/fault.h) between the tool and SoftHSM. */
void site_make_fault(struct site *s);
void site_tell(struct site *s, const char *control);
void site_remove(struct site *s);

/* Runs keyward with these words and --config; gives its exit status. */
int site_keyward(struct site *s, const char *const words[]);
#define KEYWARD_DO(s, ...) site_keyward((s), (const char *const[]){__VA_ARGS__, NULL})
/* The same, and the status must be `want`. */
#define KEYWARD_MUST(s, want, ...)                                                       \
    do {                                                                                 \
        int site_status = KEYWARD_DO(s, __VA_ARGS__);                                    \
        if (site_status != (want))                                                       \
            fail_msg("exit status %d, not %d\n%s%s", site_status, (want), (s)->run.out,  \
                     (s)->run.err);                                                      \
    } while (0)

/* Of `key disable` and `key destroy`, in a case that is not about their reports. */
#define WITHOUT_PROOF "--without-proof", "made in a test"

/* Empties the module's call log; whether it has been called since. */
void site_forget_calls(const struct site *s);
bool site_was_called(const struct site *s);
/* Makes the module's call log a FIFO, so that a case can wait for a call. */
void site_watch_calls(struct site *s);
/* Blocks until the module is in the n-th call of this function from now on; gives the
 * number of the process that made it. */
pid_t site_await_call(struct site *s, const char *function, int n);
/* Starts keyward with these words and --config; site_end waits for it, gives its exit
 * status (128 + a signal's number) and what it said in s->run. */
pid_t site_start(struct site *s, const char *const words[]);
#define SITE_START(s, ...) site_start((s), (const char *const[]){__VA_ARGS__, NULL})
int site_end(struct site *s, pid_t pid);
/* What a started one has said on standard output until now, in s->run.out. */
void site_listen(struct site *s);
/* From now on keyward cannot fsync this folder; NULL: it can again. */
void site_no_sync(const char *folder);
/* Waits for it, or for a child that became ours, and gives what waitpid(2) says. */
int site_reap(pid_t pid);

/* Replaces `from`, which must be there, in the configuration. */
void site_edit(struct site *s, const char *from, const char *to);

/* The keyring as it lies there; the caller gives it back. */
struct kw_keyring *site_ring(const struct site *s);
struct kw_moment ago(int64_t ns); /* by both clocks */
/* As the daemon does when it has taken the keyring into use, `age_ns` ago; `active` is
 * what this node wraps with. */
void site_take_ring(const struct site *s, uint32_t active, int64_t age_ns);
void site_take_ring_at(const struct site *s, uint32_t active, struct kw_moment when);
/* The token's folder as it is now, beside it, and what keyward wants to hear of it. */
void site_clone_token(struct site *s, char *ret_env, size_t cap);

/* false, too, when one of them is not there. */
bool site_share_a_disk(const char *path, const char *other);
unsigned site_mode(const char *path);
unsigned site_owner(const char *path);
/* Every name below `dir` has the sealed mode; as many names were looked at. */
size_t site_sealed(const char *dir);
/* How many names there are, itself included. */
size_t site_names(const char *dir);
/* So that the HSM's own tools may change the token. */
void site_unseal(const struct site *s);
/* Whether they all have it. */
bool site_is_sealed(const char *dir);

#endif
