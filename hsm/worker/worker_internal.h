/* SPDX-License-Identifier: Apache-2.0 */
/* worker_internal - what the files of keyward-hsm share
 *
 *   main.c   the order of start and end       guard.c  leaves when the front is gone
 *   start.c  token                            log_in.c the one login
 *   proof.c  keys and verdicts                serve.c  one job, one answer
 *   loop.c   messages in and out              send.c   messages to the front
 *   sessions.c how many, and their threads    confine.c  memory stays in
 *   sign.c   a checkpoint of the audit log
 *
 * Each session is a thread that calls the module; the guard thread only watches.  The
 * main thread starts the worker alone, and is the first session then.  Who has one session
 * has that of the login; of several each has its own, and the login's is there to keep the
 * login: a process that closes its last session is logged out (PKCS#11 v2.40 5.6). */
#ifndef KEYWARD_WORKER_INTERNAL_H
#define KEYWARD_WORKER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <keyward/clock.h>
#include <keyward/keyring.h>
#include <keyward/mutex.h>
#include <keyward/token.h>
#include <keyward/wire.h>

/* Of one version: the key object, and whether its last proof was good: nothing is done
 * under a key that is not proven. */
struct kw_worker_key {
    struct kw_token_key *key;
    bool proven;
};

/* What came of a proof or a look, besides its error. */
struct kw_worker_result {
    bool looked; /* closely: at attributes and objects, not at the check blob alone */
    unsigned findings;
    struct kw_note note;
};

enum { KW_SESSION_IN = KW_WIRE_JOBS_MAX, KW_SESSION_OUT = 8 };
struct kw_session_buffers {
    struct kw_secret in, out;
    struct mmsghdr in_headers[KW_SESSION_IN], out_headers[KW_SESSION_OUT];
    struct iovec in_parts[KW_SESSION_IN], out_parts[KW_SESSION_OUT];
    unsigned batch;   /* messages that are received at once */
    unsigned pending; /* answers not sent yet               */
};

struct kw_hsm_session {
    struct kw_hsm_worker *worker;
    unsigned line; /* of the page */
    struct kw_token *token;
    struct kw_worker_key keys[KW_VERSIONS_MAX];
    struct kw_session_buffers buffers;
    int64_t took_ns[2]; /* the last two jobs, of each its longest operation; less after
                           each job not begun */
    int64_t step_ns, longest_ns; /* of the job: its operation's start, its longest one */
    pthread_t thread;
};

/* Of each log that was signed for, how far the last checkpoint went.  A daemon has one. */
enum { KW_WORKER_LOGS = 4 };
struct kw_worker_signs {
    struct kw_mutex mutex; /* around the rest */
    size_t count;
    struct kw_worker_log {
        uint8_t log[KW_SHA256];
        uint64_t covered;
    } logs[KW_WORKER_LOGS];
};

struct kw_hsm_worker {
    struct kw_brief brief;
    char domain[KW_DOMAIN_MAX + 1];
    struct kw_page *page;
    const struct kw_clock *clock;
    int socket;
    struct kw_keyring *ring;
    struct kw_hsm_session base; /* the login's */
    struct kw_mutex proofs;     /* with several sessions: around base.keys */
    struct kw_worker_signs signs;
    size_t session_count;
    struct kw_hsm_session *sessions; /* one: base */
    bool serving;        /* the page shows jobs, not what the token module is doing */
    _Atomic bool at_end; /* the library is spoilt: answer and leave                 */
};

/* confine.c: no core file, not dumpable; the first thing a worker does.  IO. */
KW_MUST_USE kw_err kw_worker_confine(struct kw_note *note);

/* guard.c.  Starts the thread; before the module is loaded. */
KW_MUST_USE kw_err kw_guard_start(int socket);
/* Nobody leaves while this is held: around C_Login. */
void kw_guard_hold(void);
void kw_guard_release(void);

/* log_in.c: the PIN, the front's permit, C_Login.  PIN_STOP, and what the front says;
 * CANCELLED: it said nothing. */
KW_MUST_USE kw_err kw_worker_log_in(struct kw_hsm_worker *w, struct kw_note *note);

/* start.c: everything up to READY.  An error: *note says why, nothing was sent yet. */
KW_MUST_USE kw_err kw_worker_start(struct kw_hsm_worker *w, struct kw_note *note);

/* proof.c.  A proven key is looked at (closely: also its attributes and objects), also one
 * that another session has proven; any other is proven from the beginning; so is one
 * whose handle died.  Errors of the key: what kw_worker_is_verdict says; others: the
 * token's. */
KW_MUST_USE kw_err kw_worker_prove(struct kw_hsm_session *s, size_t i, bool closely,
                                   struct kw_worker_result *ret_result);
bool kw_worker_is_verdict(kw_err e);
/* After an error that is no verdict: true when it is this version's matter and not the
 * token's, as the token answers for another one; then *result says so.  Never true of the
 * active version. */
bool kw_worker_blames_version(struct kw_hsm_session *s, size_t i, kw_err e,
                              struct kw_worker_result *result);
/* The verdict on the active version, sent to the front; the others are proven when they
 * are asked for first.  An error is the token's. */
KW_MUST_USE kw_err kw_worker_prove_active(struct kw_hsm_worker *w, uint32_t *ret_verdicts,
                                          struct kw_note *note);

/* Takes over what another session has proven; false: nobody has. */
bool kw_worker_take_over(struct kw_hsm_session *s, size_t i);

/* sessions.c: after the proofs, before READY: as many as the brief wants and the token
 * has.  NO_MEMORY: no room in locked memory */
KW_MUST_USE kw_err kw_worker_open_sessions(struct kw_hsm_worker *w, struct kw_note *note);
void kw_worker_close_sessions(struct kw_hsm_worker *w); /* their threads have ended */
/* Arena for so many sessions, bytes. */
size_t kw_worker_session_bytes(const struct kw_brief *brief);

/* serve.c: output lies in *ret_output (empty unless OK). */
struct kw_served {
    struct kw_wire_answer answer;
    struct kw_secret output;             /* answer.output borrows from it */
    char reason[KW_WIRE_REASON_MAX + 1]; /* so does answer.reason */
};
void kw_worker_serve(struct kw_hsm_session *s, const struct kw_wire_job *job,
                     struct kw_served *ret);

/* sign.c: *ret is public key and signature (KW_WIRE_SIGNED bytes).
 * HSM_CONFIG  the brief names no key, or as kw_token_sign
 * DENIED      it covers less than one that was signed before
 * others      as kw_token_sign; none of them ends the worker */
KW_MUST_USE kw_err kw_worker_sign(struct kw_hsm_session *s, const struct kw_wire_job *job,
                                  struct kw_secret *ret, struct kw_note *note);

/* An operation of the module came back (kw_token_watch); ctx is the session. */
void kw_worker_step(void *ctx);

/* loop.c.  `batch`: so many jobs are taken at once, 1..KW_SESSION_IN.  NO_MEMORY */
KW_MUST_USE kw_err kw_session_buffers_init(struct kw_session_buffers *b, unsigned batch);
void kw_session_buffers_wipe(struct kw_session_buffers *b);
/* Every session, until the front is gone or at_end.  One that hangs is waited for. */
void kw_worker_loop(struct kw_hsm_worker *w);

/* send.c: one message, whole or not at all; a front that is gone is the guard's
 * matter. */
void kw_worker_send_facts(const struct kw_hsm_worker *w);
void kw_worker_send_pin(const struct kw_hsm_worker *w, const struct kw_pin_facts *facts);
void kw_worker_send_login(const struct kw_hsm_worker *w, kw_err e,
                          const struct kw_note *note);
void kw_worker_send_verdict(const struct kw_hsm_worker *w,
                            const struct kw_wire_verdict *v);
void kw_worker_send_ready(const struct kw_hsm_worker *w, uint32_t verdicts);
void kw_worker_send_failed(int socket, kw_err e, const struct kw_note *note);

#endif
