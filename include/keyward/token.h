/* SPDX-License-Identifier: Apache-2.0 */
/* token - one PKCS#11 module, one token in it, one login, its sessions, keys by label
 *
 * Linked by keyward-hsm and by the operator's tool, never by keywardd.  Loads exactly the
 * module it is told to (p11_kit_module_load; never every module the host has), finds
 * exactly one token by PKCS#11 URI (RFC 7512), logs in at most once in its life, and
 * proves which object holds the key of a version.
 *
 * Every CK_RV goes through one table (hsm/token/ckr.c).  After any error of an operation
 * its session is closed and a new one opened, as an error may leave the operation active
 * for ever (PKCS#11 2.40 5.2 leaves it to the token).
 *
 * Threads:   one thread, the one that opened it; each branch is another thread's.
 * Blocking:  every call into the module may hang for ever: that is why it runs in a
 *            process of its own.  kw_token_options.phase tells where it is.
 * Secrets:   the PIN is read for the login into the arena and wiped at once after it.
 * Sources:   PKCS#11 v2.40 (OASIS), CK_GCM_PARAMS of v2.40 errata 01 (six fields).
 */
#ifndef KEYWARD_TOKEN_H
#define KEYWARD_TOKEN_H

#include <keyward/bytes.h>
#include <keyward/checkpoint.h>
#include <keyward/ckr.h>
#include <keyward/keyring.h>
#include <keyward/limits.h>
#include <keyward/manifest.h>
#include <keyward/pin_source.h>
#include <keyward/secret.h>

/* Where the thread that calls the module is.  Never SIGKILL a process in LOGIN: a soft
 * token rewrites its files there. */
enum kw_phase {
    KW_PHASE_NEW = 0,
    KW_PHASE_INIT,  /* loading, C_Initialize, slots */
    KW_PHASE_LOGIN, /* C_Login                      */
    KW_PHASE_FIND,  /* keys and attributes          */
    KW_PHASE_TEST,  /* self-test and check blobs    */
    KW_PHASE_IDLE,
    KW_PHASE_OP,
    KW_PHASE_EXIT,
};

struct kw_token_options {
    const char *module; /* path; absolute */
    const char *uri; /* pkcs11:token=…;serial=…; no pin-value, no module-path         */
    const char *pin; /* "file:/path" or "credential:NAME" (systemd.exec(5))           */
    bool read_write; /* a ceremony; everything else opens a read-only session         */
    bool pin_proven; /* kw_token_login alone: COUNT_LOW is no reason to stop          */
    void (*phase)(void *ctx, enum kw_phase phase); /* may be NULL */
    void *phase_ctx;
};

/* Facts for log, status and keyring; blanks cut, made printable. */
struct kw_token_facts {
    char library[33], library_manufacturer[33], library_version[16], cryptoki_version[16];
    char label[33], serial[17], manufacturer[33], model[17], firmware[16], hardware[16];
    uint64_t slot;
    bool softhsm; /* the module or the token says SoftHSM: refused in production */
    bool pin_count_low, pin_final_try, pin_locked, login_required;
    bool has_gcm, has_aes_keygen;        /* as C_GetMechanismInfo says: a hint */
    uint32_t gcm_key_min, gcm_key_max;   /* bytes */
    bool write_protected, no_rw_session; /* every read-write session is taken      */
    uint64_t private_free_bytes;         /* for private objects; KW_TOKEN_NOT_TOLD */
    uint64_t free_sessions;              /* KW_TOKEN_NOT_TOLD: no limit, or not told */
};
#define KW_TOKEN_NOT_TOLD UINT64_MAX

struct kw_token;
/* From now on `step` is called whenever an operation of the module came back. */
void kw_token_watch(struct kw_token *token, void (*step)(void *ctx), void *ctx);
struct kw_token_key; /* a found key: handle and label; dies with the token */

/* Loads and initialises the module, finds the token, reads the facts.  No login.
 * MISSING     the module's path, or no token matches (transient: zero slots too)
 * HSM_CONFIG  not a PKCS#11 module; the URI is malformed, has unknown attributes or a
 *             pin-value; more than one token matches; pkcs11-spy; anybody but root and
 *             this process's user could have changed or exchanged the module
 *             (kw_file_judge): none of its code has run then
 * HSM_DOWN    the module answered an error */
KW_MUST_USE kw_err kw_token_open(const struct kw_token_options *options,
                                 struct kw_token **ret_token, struct kw_note *note);
/* Closes the session and finalises.  NULL does nothing. */
void kw_token_close(struct kw_token *token);
const struct kw_token_facts *kw_token_facts(const struct kw_token *token);

/* Everything that a login wants before C_Login: the flags as they are now, a session, the
 * PIN.  Nothing is tried; the PIN is read this once.  *ret_facts lacks the mark.
 * MISSING, DENIED, BAD_INPUT  the PIN source (or control bytes in it); HSM_DOWN, … */
KW_MUST_USE kw_err kw_token_pin(struct kw_token *token, struct kw_secret *ret_pin,
                                struct kw_pin_facts *ret_facts, struct kw_note *note);
/* C_Login with that PIN, once in a process (a second call is a bug).  The PIN is wiped.
 * *ret_tried (may be NULL): C_Login was called.
 * PIN_STOP  PIN wrong, locked, expired …; or the token says meanwhile that its PIN is
 *           locked or has one try left: nothing was tried then
 * HSM_DOWN, HSM_CONFIG, … */
KW_MUST_USE kw_err kw_token_login_with(struct kw_token *token, struct kw_secret *pin,
                                       bool *ret_tried, struct kw_note *note);
/* The token said that somebody was logged in already: it took the login, and did not look
 * at the PIN. */
bool kw_token_was_logged_in(const struct kw_token *token);
/* Both, for whoever has nobody to ask in between: measurements, tests.
 * PIN_STOP  also COUNT_LOW without pin_proven: nothing was tried then */
KW_MUST_USE kw_err kw_token_login(struct kw_token *token, struct kw_note *note);

/* Which IV regime AES-GCM has here, found out on a throw-away session key.
 * HSM_CONFIG  the token makes its own IV (write-back or appended): not supported in this
 *             version; or it cannot do AES-GCM at all: the note says which
 * Also the functional self-test: round trip; changed tag, AAD and IV must all fail. */
KW_MUST_USE kw_err kw_token_self_test(struct kw_token *token, struct kw_note *note);

/* Exactly one secret key with CKA_LABEL = key_id (and CKA_ID = locator unless empty).
 * MISSING  none;  HSM_CONFIG  more than one.  Borrowed until kw_token_close. */
KW_MUST_USE kw_err kw_token_find(struct kw_token *token, const char *key_id,
                                 kw_span locator, struct kw_token_key **ret_key,
                                 struct kw_note *note);
KW_MUST_USE kw_err kw_token_attributes(struct kw_token *token, struct kw_token_key *key,
                                       struct kw_key_attributes *ret_attributes);

/* What else it says of itself, for a report: in a fixed order, as text fit to be shown.  No
 * answer, and an empty one, is no text. */
struct kw_key_property {
    const char *name; /* such as "CKA_KEY_GEN_MECHANISM" */
    bool is_answered;
    char text[160];
};
#define KW_KEY_PROPERTIES 11u
/* SESSION, HSM_DOWN, …  the token's trouble; some may be filled in then */
KW_MUST_USE kw_err
kw_token_describe(struct kw_token *token, struct kw_token_key *key,
                  struct kw_key_property ret_properties[KW_KEY_PROPERTIES]);

/* A secret key on the token, by what it says of itself. */
struct kw_listed_key {
    char label[KW_KEY_ID_MAX + 8];   /* CKA_LABEL; a longer one is not listed */
    uint8_t locator[KW_LOCATOR_MAX]; /* CKA_ID; len 0 = none                  */
    size_t locator_len;
};
/* All secret keys on the token whose label begins with `label_begin`.  Wants a login.
 * BUSY  more than `max`; the first ones are in dst */
KW_MUST_USE kw_err kw_token_list(struct kw_token *token, const char *label_begin,
                                 struct kw_listed_key *dst, size_t max, size_t *ret_count,
                                 struct kw_note *note);

/* One AEAD operation under a found key.  Appends to dst.  dst wants the sealed or inner
 * size; the module works in a locked scratch that is larger.
 * On SESSION the session was renewed, and a key of kw_token_find found again: the caller
 * may retry once.  A key of kw_token_prove is proven again first.
 * wrap:   HSM_CONFIG when the token changed the IV (nothing is released then)
 *         WRONG_ANSWER when what came is not sealed: it contains what went in, or has
 *         another length
 *         BAD_INPUT for an IV of zeros: no caller of ours has one
 * unwrap: FORGED (an IV of zeros too: the token is not asked), UNSURE */
KW_MUST_USE kw_err kw_token_wrap(struct kw_token *token, struct kw_token_key *key,
                                 enum kw_mechanism m, kw_span iv, kw_span aad,
                                 kw_span inner, kw_dst *dst);
KW_MUST_USE kw_err kw_token_unwrap(struct kw_token *token, struct kw_token_key *key,
                                   enum kw_mechanism m, kw_span iv, kw_span aad,
                                   kw_span sealed, struct kw_secret *ret_inner);

/* Opens a version's check blob and, for `also_wrap`, seals and opens a fresh text too.
 * WRONG_ANSWER or FORGED  the key is not the one of the ceremony: KEY_BAD for the caller
 * KEY_BAD                 what the version has is no check blob of it
 */
KW_MUST_USE kw_err kw_token_canary(struct kw_token *token, struct kw_token_key *key,
                                   const struct kw_version *v, const char *domain,
                                   bool also_wrap);

/* ---- the proof: which object of the token holds this version's key ----------------- */

/* What a look shows besides its error; bits, and the numbers that go over the wall
 * (wire.h). */
enum kw_finding {
    KW_FINDING_EXPOSED = 1,  /* an object opens the check blob, and says that it may leave
                                the token, or does not say that it may not: KEY_BAD   */
    KW_FINDING_REPLACED = 2, /* there are objects, and none opens the check blob       */
    KW_FINDING_COPYABLE = 4, /* CKA_COPYABLE is true, and at the ceremony it was not   */
    KW_FINDING_DUPLICATE = 8, /* the one that opens it is not the only one of its label */
};

/* What the keyring says of the object of one version in this token; borrows from the
 * version. */
struct kw_token_claim {
    const struct kw_version *version;
    const char *label; /* CKA_LABEL */
    kw_span locator;   /* CKA_ID, empty = by label alone */
    const char *domain;
    bool may_copy; /* CKA_COPYABLE is as the ceremony had it */
    bool also_wrap;
};
struct kw_token_claim kw_token_claim_of(const struct kw_token *token,
                                        const struct kw_version *v, const char *domain,
                                        bool also_wrap);

/* Find, check blob, attributes: of the objects with this label and locator, the one that
 * opens the check blob and passes the attributes (kw_attributes_judge); for `also_wrap`
 * it seals and opens a fresh text too.  An object that opens the check blob and may leave
 * the token ends the proof, also beside a good one.  The key is used by nobody between a
 * handle that died and a good proof: after SESSION from any call prove it again.
 * *ret_findings is set in every case, *remarks (may be NULL) on success: the attributes
 * that are wider than needed.
 * MISSING                 no object has this label and locator
 * FORGED, WRONG_ANSWER    none opens the check blob: another key has the label
 * KEY_BAD                 attributes, or a check blob that is none
 * HSM_CONFIG              the token does not let the key be used
 * SESSION, HSM_BUSY       twice;  HSM_DOWN, NO_MEMORY, BUG, …  the token's trouble or
 * ours */
KW_MUST_USE kw_err kw_token_prove(struct kw_token *token,
                                  const struct kw_token_claim *claim,
                                  struct kw_token_key **ret_key, unsigned *ret_findings,
                                  struct kw_note *note, struct kw_note *remarks);
/* A proven key again: opens the check blob and, for `also_wrap`, seals.  Closely: reads
 * CKA_EXTRACTABLE, CKA_SENSITIVE and CKA_COPYABLE in one call, and looks for the objects;
 * when ours does not stand alone, the whole proof is made again.
 * SESSION  the handle died: nothing is to be done with the key before kw_token_prove
 * others   as kw_token_prove */
KW_MUST_USE kw_err kw_token_look(struct kw_token *token, struct kw_token_key *key,
                                 const struct kw_token_claim *claim, bool closely,
                                 unsigned *ret_findings, struct kw_note *note);

/* ---- the audit log's key ----------------------------------------------------------- */

/* A key pair on P-256 that signs checkpoints and manifests and does nothing else; label and
 * the SHA-256 of its SubjectPublicKeyInfo are its names.  Looked for each time: a checkpoint
 * is rare, and so no handle dies. */
struct kw_token_signer {
    const char *label; /* CKA_LABEL of both halves, 1..KW_LABEL_MAX bytes */
    uint8_t sha256[KW_SHA256];
};
struct kw_token_signed {
    uint8_t spki[KW_SPKI];
    uint8_t signature[KW_SIGNATURE];
};

/* Finds the one pair with this label and judges it.
 * MISSING     there is no private or no public half
 * HSM_CONFIG  more than one of either, or the token does not let it be looked at
 * KEY_BAD     it may leave the token or do more than sign, or it is not on P-256 */
KW_MUST_USE kw_err kw_token_audit_key(struct kw_token *token, const char *label,
                                      uint8_t ret_spki[KW_SPKI], struct kw_note *note);
/* Signs the checkpoint under the pair with this label; its bytes and their hash are made
 * here.  That the signature is good is for the caller to verify.
 * KEY_BAD       also: it is another pair than the one that `signer` means
 * WRONG_ANSWER  the token gave something that is no signature
 * others        as kw_token_audit_key, kw_checkpoint_hash, or the token's trouble */
KW_MUST_USE kw_err kw_token_sign(struct kw_token *token,
                                 const struct kw_token_signer *signer,
                                 const struct kw_checkpoint *checkpoint,
                                 struct kw_token_signed *ret_signed,
                                 struct kw_note *note);

/* ---- further sessions of one login ---------------------------------------------- */

/* One more session of an open token that is logged in: same module, same login.  The
 * branch is for one thread, any thread; it is closed by kw_token_branch_close, before the
 * token, whose own session keeps the login alive meanwhile.
 * HSM_BUSY  the token has no session left;  HSM_DOWN, NO_MEMORY, … */
KW_MUST_USE kw_err kw_token_branch(const struct kw_token *token,
                                   struct kw_token **ret_branch, struct kw_note *note);
void kw_token_branch_close(struct kw_token *branch); /* NULL does nothing */
/* A key that another session of this login has proven; nobody may be at it meanwhile.
 * Belongs to the branch.  NO_MEMORY */
KW_MUST_USE kw_err kw_token_adopt(struct kw_token *branch, const struct kw_token_key *key,
                                  struct kw_token_key **ret_key);

/* ---- the ceremony (hsm/token/create.c, linked into the operator's tool only) ------- */

struct kw_create_options {
    const char *key_id; /* CKA_LABEL */
    kw_span locator;    /* CKA_ID    */
    bool destroyable, copyable;
};
/* Generates one AES-256 key with the narrow template (TOKEN, PRIVATE, SENSITIVE,
 * !EXTRACTABLE, ENCRYPT, DECRYPT, nothing else, ALLOWED_MECHANISMS = AES-GCM), dropping
 * optional attributes that the token does not know in a fixed order; refuses when a key
 * of that label or locator is there.  Wants read_write and a login. *ret_dropped names
 * the attributes that were left out ("" = none). */
KW_MUST_USE kw_err kw_token_create_key(struct kw_token *token,
                                       const struct kw_create_options *options,
                                       struct kw_token_key **ret_key,
                                       char ret_dropped[128], struct kw_note *note);

/* Would kw_token_create_key find these names taken?  Wants a login; read-only will do.
 * BAD_INPUT  a secret key has this label or this locator already; the note says which */
KW_MUST_USE kw_err kw_token_names_free(struct kw_token *token,
                                       const struct kw_create_options *options,
                                       struct kw_note *note);

/* Generates the audit log's pair (hsm/token/create_pair.c): the private half TOKEN, PRIVATE,
 * SENSITIVE, !EXTRACTABLE, SIGN and nothing else, looks at it as kw_token_audit_key does,
 * signs a checkpoint of no log (all zero) and verifies that.  Wants read_write and a
 * login.  *ret_dropped as above.
 * BAD_INPUT     a key of any class has this label already; the note says so
 * BUG           read-only, or no login;  others  as kw_token_sign */
KW_MUST_USE kw_err kw_token_create_audit_key(struct kw_token *token, const char *label,
                                             uint8_t ret_spki[KW_SPKI],
                                             char ret_dropped[128], struct kw_note *note);

/* Signs the manifest of a bundle of evidence (hsm/token/sign_bundle.c) under the audit log's
 * pair; that the bytes are a manifest (kw_bundle_is_manifest) is judged, and their hash is
 * made, here.  That the signature is good is for the caller to verify.
 * BAD_INPUT  they are none: the token was not asked;  others  as kw_token_sign */
KW_MUST_USE kw_err kw_token_sign_bundle(struct kw_token *token,
                                        const struct kw_token_signer *signer,
                                        kw_span manifest,
                                        struct kw_token_signed *ret_signed,
                                        struct kw_note *note);

/* ---- a measurement (hsm/token/throwaway.c, measure.c; linked into keyward-bench only) */

#define KW_THROWAWAY_BEGIN "kw-bench-"
/* A fresh label of such a key: KW_THROWAWAY_BEGIN and 24 hex digits at random. */
void kw_token_throwaway_label(char dst[KW_KEY_ID_MAX + 1]);

/* An AES-256 key as sensitive as a KEK, under a label that begins with
 * KW_THROWAWAY_BEGIN (any other is a bug and aborts), as a session object (gone with the
 * session) or on the token (wants read_write). */
KW_MUST_USE kw_err kw_token_make_throwaway(struct kw_token *token, const char *label,
                                           bool on_token, struct kw_token_key **ret_key,
                                           struct kw_note *note);
/* A copy of the throw-away key `from` as a session object, labelled `label`.
 * HSM_CONFIG, HSM_BUSY, …  as the token refused it; the note says what else to do */
KW_MUST_USE kw_err kw_token_copy_throwaway(struct kw_token *token, const char *from,
                                           const char *label,
                                           struct kw_token_key **ret_key,
                                           struct kw_note *note);
/* Destroys such a key; any other is a bug and aborts.  The object is asked for its label
 * once more before: WRONG_ANSWER when it is another one, and then it stays. */
KW_MUST_USE kw_err kw_token_destroy_throwaway(struct kw_token *token,
                                              struct kw_token_key *key);

/* The throw-away keys on the token, as kw_token_list. */
KW_MUST_USE kw_err kw_token_leftovers(struct kw_token *token, struct kw_listed_key *dst,
                                      size_t max, size_t *ret_count,
                                      struct kw_note *note);

/* Opens one more session and closes it. */
KW_MUST_USE kw_err kw_token_try_session(struct kw_token *token);
/* dst is filled from C_GenerateRandom. */
KW_MUST_USE kw_err kw_token_random(struct kw_token *token, uint8_t *dst, size_t len);
/* C_Logout, so that kw_token_login can be measured again; handles die, and every session
 * of this process is logged out. */
KW_MUST_USE kw_err kw_token_logout(struct kw_token *token);

/* ---- tests and CI ------------------------------------------------------------------ */

/* Makes a SoftHSM token in the first free slot, with both PINs set; for tests and CI.  No
 * token is open at the time; SOFTHSM2_CONF is set.  label: 1..32 bytes.
 * MISSING  no such module;  HSM_CONFIG  as kw_token_open, not SoftHSM, no free slot;
 * BAD_INPUT  label;  HSM_DOWN  a call was refused */
KW_MUST_USE kw_err kw_token_init_softhsm(const char *module, const char *label,
                                         const struct kw_secret *so_pin,
                                         const struct kw_secret *pin,
                                         struct kw_note *note);

#endif
