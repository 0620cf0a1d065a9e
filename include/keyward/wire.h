/* SPDX-License-Identifier: Apache-2.0 */
/* wire - what goes over the process wall: messages, the brief, the phase page
 *
 * One SOCK_SEQPACKET message is one job, one answer or one report; the kernel gives
 * framing, wake-up and the end of file.  Every message begins with a magic byte and its
 * kind, numbers are big-endian, lengths are exact.  A reader refuses everything that its
 * writer would not have written, so what was read writes back identically.
 *
 * A worker has one session or several, each a thread that receives a job, does it and
 * sends the answer; all receive from the one socket.
 *
 * Before C_Login the worker asks and waits: PIN, then the front's PERMIT, then LOGIN with
 * how it ended.
 *
 * Before it is started a worker gets three descriptors: the socket, a sealed memfd with
 * its brief (which module, token, PIN source, keyring), and the page on which it says
 * where it is.
 *
 * Threads:   pure functions; the page is atomic.
 * Secrets:   job inputs and answer outputs are plaintext (a checkpoint's are not): messages
 *            lie in the arena.
 */
#ifndef KEYWARD_WIRE_H
#define KEYWARD_WIRE_H

#include <stdatomic.h>

#include <keyward/bytes.h>
#include <keyward/checkpoint.h>
#include <keyward/limits.h>
#include <keyward/pin_source.h>

#define KW_WIRE_SOCKET_FD 3 /* descriptors of a worker when it starts */
#define KW_WIRE_BRIEF_FD 4
#define KW_WIRE_PAGE_FD 5

#define KW_WIRE_MAX 1024u /* bytes of any message */
/* Jobs in one worker's socket at most: a job there cannot be taken back, and the default
 * socket buffer holds about 90 messages of 1 KB. */
#define KW_WIRE_JOBS_MAX 32u

enum kw_wire_kind {
    KW_WIRE_JOB = 1, /* front to worker */
    KW_WIRE_ANSWER,  /* worker to front, one per job, in any order             */
    KW_WIRE_FACTS,   /* once, after the token was found                        */
    KW_WIRE_VERDICT, /* one per KEK version, before READY                      */
    KW_WIRE_READY,   /* once; jobs may come                                    */
    KW_WIRE_FAILED,  /* the last one: it cannot become, or stay, ready         */
    KW_WIRE_PIN,     /* worker to front, once: may I log in with this PIN?     */
    KW_WIRE_PERMIT,  /* front to worker, its answer; nothing else comes before jobs */
    KW_WIRE_LOGIN,   /* worker to front, once: how C_Login ended               */
};
/* 0 when the message is too short or does not begin with the magic byte. */
enum kw_wire_kind kw_wire_kind_of(kw_span message);

enum kw_wire_op {
    KW_WIRE_WRAP = 1, /* the numbers of hsm.h                       */
    KW_WIRE_UNWRAP = 2,
    KW_WIRE_CANARY = 3, /* open the check blob of version n; and wrap */
    KW_WIRE_SIGN = 4,   /* a checkpoint of the audit log              */
};
/* A good answer to SIGN: the public key, and the signature as r and s. */
#define KW_WIRE_SIGNED (KW_SPKI + KW_SIGNATURE)

struct kw_wire_job {
    uint64_t id; /* never 0, never used twice */
    enum kw_wire_op op;
    int64_t until_ns;       /* CLOCK_MONOTONIC, >= 0                  */
    kw_span key_id;         /* WRAP, UNWRAP; borrowed                 */
    kw_span iv, aad, input; /* SIGN: only the input, the fields as kw_checkpoint_put
                               writes them: never a hash, nor anything else */
    uint32_t n;             /* CANARY: which version                    */
    bool also_wrap;         /* CANARY */
    bool closely;           /* CANARY: look at the key's attributes and objects too */
};
/* Encode: appends; BUG when a field breaks its bound, NO_MEMORY when it does not fit.
 * Decode: BAD_INPUT; spans borrow from the message.  So do all pairs below. */
KW_MUST_USE kw_err kw_wire_encode_job(const struct kw_wire_job *job, kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_job(kw_span message, struct kw_wire_job *ret_job);

/* What was found about a version's objects besides the error; bits, the numbers of enum
 * kw_finding (token.h). */
enum kw_wire_finding {
    KW_WIRE_EXPOSED = 1,   /* the key may leave the token: its version ends everywhere */
    KW_WIRE_REPLACED = 2,  /* another key has its label                                */
    KW_WIRE_COPYABLE = 4,  /* told, serves on                                          */
    KW_WIRE_DUPLICATE = 8, /* told, serves on                                          */
    KW_WIRE_FINDINGS = 15, /* not a bit: all of them                                   */
};
#define KW_WIRE_REASON_MAX 159u
#define KW_WIRE_HSM_NS_MAX (INT64_MAX / 16) /* those of several answers are added up */

struct kw_wire_answer {
    uint64_t id;
    kw_err err; /* `where` crosses the wall as a number of a fixed table */
    int64_t hsm_ns;
    bool looked;       /* closely, at the version's objects, while this was answered    */
    unsigned findings; /* of that look                                                  */
    kw_span reason;    /* text for the operator; empty when err is OK                   */
    kw_span output;    /* empty unless err is OK */
};
KW_MUST_USE kw_err kw_wire_encode_answer(const struct kw_wire_answer *answer,
                                         kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_answer(kw_span message,
                                         struct kw_wire_answer *ret_answer);

/* What the front shows in log and status. */
struct kw_wire_facts {
    char library[33], library_version[16];
    char label[33], serial[17], manufacturer[33], model[17], firmware[16];
    bool softhsm;
    bool gcm; /* AES-GCM is among its mechanisms; key sizes in bytes, as the token says */
    uint32_t gcm_key_min, gcm_key_max;
};
KW_MUST_USE kw_err kw_wire_encode_facts(const struct kw_wire_facts *facts, kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_facts(kw_span message, struct kw_wire_facts *ret_facts);

struct kw_wire_verdict {
    uint32_t n;
    kw_err err; /* OK: proven                      */
    unsigned findings;
    char reason[KW_WIRE_REASON_MAX + 1]; /* "" or text for the operator     */
};
KW_MUST_USE kw_err kw_wire_encode_verdict(const struct kw_wire_verdict *verdict,
                                          kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_verdict(kw_span message,
                                          struct kw_wire_verdict *ret_verdict);

struct kw_wire_ready {
    uint8_t keyring_sha256[32]; /* of the bytes in the brief      */
    uint32_t verdicts;          /* how many verdicts were sent    */
    unsigned sessions;          /* 1..KW_SESSIONS_MAX: that many jobs at once */
};
KW_MUST_USE kw_err kw_wire_encode_ready(const struct kw_wire_ready *ready, kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_ready(kw_span message, struct kw_wire_ready *ret_ready);

struct kw_wire_failed {
    kw_err err;
    struct kw_note note;
};
KW_MUST_USE kw_err kw_wire_encode_failed(const struct kw_wire_failed *failed,
                                         kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_failed(kw_span message,
                                         struct kw_wire_failed *ret_failed);

/* What the front decides by (pin_latch.h).  The mark stands for the PIN, which never
 * crosses the wall. */
KW_MUST_USE kw_err kw_wire_encode_pin(const struct kw_pin_facts *pin, kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_pin(kw_span message, struct kw_pin_facts *ret_pin);

/* OK: log in, now.  Else not, and the note says why.  Of a note that is no text (a path
 * may hold anything) every strange byte becomes "?": the permit itself must get
 * through. */
struct kw_wire_permit {
    kw_err err;
    struct kw_note note; /* "" with OK */
};
KW_MUST_USE kw_err kw_wire_encode_permit(const struct kw_wire_permit *permit,
                                         kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_permit(kw_span message,
                                         struct kw_wire_permit *ret_permit);

/* C_Login came back.  The note as above. */
struct kw_wire_login {
    kw_err err;
    struct kw_note note; /* "" with OK */
    bool was_in;         /* OK: somebody was logged in, the PIN was not looked at */
};
KW_MUST_USE kw_err kw_wire_encode_login(const struct kw_wire_login *login, kw_dst *dst);
KW_MUST_USE kw_err kw_wire_decode_login(kw_span message, struct kw_wire_login *ret_login);

/* ---- the brief --------------------------------------------------------------------- */

#define KW_BRIEF_MAX (KW_KEYRING_MAX + 8192u)
#define KW_SESSIONS_USUAL 4u /* of a token that takes milliseconds */
/* The PIN's source is named, the PIN is not here.  The key of its mark is a secret:
 * writing and reading one is a sink for it, and the sealed memory is the worker's alone.
 */
struct kw_brief {
    kw_span module, uri, pin; /* 1..KW_PATH_MAX bytes of text */
    kw_span domain;           /* 1..KW_DOMAIN_MAX             */
    kw_span pin_key;          /* KW_PIN_KEY bytes, or none: then there is no mark       */
    bool production;          /* refuse a SoftHSM token                                 */
    bool mlock;               /* the arena's second backend, as the front itself has it */
    uint32_t active_n;        /* its canary wraps too; 0 = none                         */
    uint8_t sessions; /* 1..KW_SESSIONS_MAX; 0: one for SoftHSM, else KW_SESSIONS_USUAL */
    uint8_t parts;    /* 1..255: what the token has free is for so many workers         */
    kw_span audit_label; /* of the audit log's key, 1..KW_LABEL_MAX bytes; or none      */
    kw_span
        audit_sha256; /* of its SubjectPublicKeyInfo, KW_SHA256 bytes; or none, both */
    kw_span keyring;  /* the file's bytes, 1..KW_KEYRING_MAX                    */
};
KW_MUST_USE kw_err kw_brief_encode(const struct kw_brief *brief, kw_dst *dst);
KW_MUST_USE kw_err kw_brief_decode(kw_span bytes, struct kw_brief *ret_brief);
/* A sealed memfd that holds it (close-on-exec).  IO, NO_MEMORY, BUG. */
KW_MUST_USE kw_err kw_brief_seal(const struct kw_brief *brief, int *ret_fd);
/* Maps one for reading; the mapping stays for the life of the process.
 * IO; BAD_INPUT when it is not sealed or not a brief. */
KW_MUST_USE kw_err kw_brief_map(int fd, struct kw_brief *ret_brief);

/* ---- the phase page ---------------------------------------------------------------- */

/* Where the process is; the numbers of enum kw_phase (token.h).  From READY on it is IDLE,
 * and the lines of its sessions say what they are at. */
enum kw_page_phase {
    KW_PAGE_NEW = 0,
    KW_PAGE_INIT,
    KW_PAGE_LOGIN, /* never SIGKILL here without a long grace */
    KW_PAGE_FIND,
    KW_PAGE_TEST,
    KW_PAGE_IDLE,
    KW_PAGE_OP,
    KW_PAGE_EXIT,
};
struct kw_page_session {
    _Atomic uint64_t id;      /* wire id of the job it is at, 0 = none */
    _Atomic int64_t start_ns; /* CLOCK_MONOTONIC: of the operation     */
};
struct kw_page {
    _Atomic uint32_t phase, logins;
    struct kw_page_session sessions[KW_SESSIONS_MAX];
};
/* Makes a page (sealed against resizing) and maps it. */
KW_MUST_USE kw_err kw_page_make(int *ret_fd, struct kw_page **ret_page);
KW_MUST_USE kw_err kw_page_map(int fd, struct kw_page **ret_page);
void kw_page_unmap(struct kw_page *page); /* NULL does nothing */

void kw_page_enter(struct kw_page *page, enum kw_page_phase phase);
/* A session begins with a job: before the module is called.  Step: it goes on to the next
 * operation of the same job.  Ends: after. */
void kw_page_begin(struct kw_page *page, unsigned session, uint64_t id,
                   int64_t mono_now_ns);
void kw_page_step(struct kw_page *page, unsigned session, int64_t mono_now_ns);
void kw_page_end(struct kw_page *page, unsigned session);

/* A number that is no phase reads as LOGIN, the careful one. */
enum kw_page_phase kw_page_phase(struct kw_page *page);
uint32_t kw_page_logins(struct kw_page *page); /* how often C_Login was begun */
/* One consistent look at a session; id 0: at none, or it moves under our eyes.  What the
 * worker writes is its own word: an id counts only if it was given that job. */
struct kw_page_job {
    uint64_t id;
    int64_t start_ns;
};
struct kw_page_job kw_page_job(struct kw_page *page, unsigned session);

#endif
