/* SPDX-License-Identifier: Apache-2.0 */
/* keyring - the KEK versions, their states, and which one this node may use for what
 *
 * The keyring file is the same on every control-plane node (docs/FORMATS.md).  A parsed
 * keyring is immutable and counted: whoever keeps a pointer holds one reference.
 * What this node did or saw itself (activation, high-water marks) is in state.h.
 *
 * Threads:   a parsed keyring may be read from any thread; take and give are atomic.
 * Blocking:  only the functions that name a path.
 * Secrets:   none.  Check blobs are ciphertext.
 */
#ifndef KEYWARD_KEYRING_H
#define KEYWARD_KEYRING_H

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/envelope.h>
#include <keyward/file.h>
#include <keyward/limits.h>

/* created: canaries only.  accepted: decrypt.  active: the cluster's baseline.
 * retired: decrypt only.  disabled: nobody (reversible).  destroyed: gone. */
enum kw_key_state {
    KW_KEY_CREATED,
    KW_KEY_ACCEPTED,
    KW_KEY_ACTIVE,
    KW_KEY_RETIRED,
    KW_KEY_DISABLED,
    KW_KEY_DESTROYED,
};
const char *kw_key_state_name(enum kw_key_state s);
bool kw_key_state_from_name(const char *name, enum kw_key_state *ret_state);

/* May data sealed under a version of this state be unwrapped?  (accepted, active,
 * retired) */
bool kw_key_state_unwraps(enum kw_key_state s);
/* May a node make it its active version?  (accepted, active) */
bool kw_key_state_wraps(enum kw_key_state s);

/* A rule about an attribute of the key object, as read back at the ceremony or now.
 * "Not answered" is never "pass". */
enum kw_answer { KW_ANSWER_FALSE, KW_ANSWER_TRUE, KW_ANSWER_NONE };
struct kw_key_attributes {
    enum kw_answer token, private_, sensitive, always_sensitive, extractable,
        never_extractable, local, encrypt, decrypt, wrap, unwrap, sign, verify, derive,
        modifiable, copyable, destroyable;
    uint32_t value_len; /* bytes; 0 = not answered */
};
/* The attributes in a fixed order, so that file, judge, `key show` and reports agree. */
struct kw_attribute_field {
    const char *name; /* such as "CKA_ALWAYS_SENSITIVE" */
    size_t offset;    /* of the enum kw_answer in struct kw_key_attributes */
};
extern const struct kw_attribute_field kw_attribute_fields[];
extern const size_t kw_attribute_fields_count;

#define KW_CHECK_BLOB_MAX 160u
#define KW_LOCATOR_MAX 32u
#define KW_SIGNATURES_MAX 512u /* bytes of one version's, their NULs included */
#define KW_SIGNATURES_COUNT 8u

/* One KEK version.  Text is "" when the file has null. */
struct kw_version {
    uint32_t n; /* 1..KW_VERSION_N_MAX */
    char key_id[KW_KEY_ID_MAX + 1];
    enum kw_mechanism mechanism;
    uint8_t format;
    enum kw_key_state state;
    uint8_t check_blob[KW_CHECK_BLOB_MAX]; /* an envelope of purpose check */
    size_t check_blob_len;
    uint8_t locator[KW_LOCATOR_MAX]; /* CKA_ID; len 0 = find by label alone */
    size_t locator_len;
    char created[KW_TIME_TEXT], accepted[KW_TIME_TEXT], activated[KW_TIME_TEXT],
        retired[KW_TIME_TEXT], disabled[KW_TIME_TEXT], destroyed[KW_TIME_TEXT];
    char disabled_from[16]; /* state to return to, "" unless disabled            */
    char tool[32];          /* such as "keyward 0.1.0"                            */
    char operator_[64];     /* who ran the ceremony                               */
    struct {
        char label[33], serial[17], manufacturer[33], model[17], firmware[16];
    } token;                              /* CK_TOKEN_INFO of the ceremony, blanks cut */
    struct kw_key_attributes attributes;  /* as read back at the ceremony */
    bool want_destroyable, want_copyable; /* choices of the ceremony */
    char second_copy[128]; /* "" = nothing said; "only-copy: <who>, <time>"; a proof */
    uint32_t same_key_as;  /* an earlier version with this key object; 0 = none */
    /* Room for later: strings, each with its NUL; kept as read, judged by nobody yet. */
    char signatures[KW_SIGNATURES_MAX];
    size_t signatures_len;
};

struct kw_keyring {
    char domain[KW_DOMAIN_MAX + 1];
    uint64_t serial;      /* 1, 2, 3 …: every change adds one; 0 = never saved */
    char prev_sha256[65]; /* hex of the file this one replaced, or ""  */
    uint32_t active;      /* the baseline, 0 = none yet                */
    size_t count;
    struct kw_version *versions; /* ascending n */
    uint8_t sha256[32];          /* of the bytes it was read from             */
    unsigned refs;               /* private */
};

/* Reads the file's bytes.  Strict: unknown, duplicate or missing members, other types,
 * two versions in state active or one that is not the baseline, duplicate n, duplicate
 * key_id, a check blob that is no envelope of purpose check for the version's mechanism,
 * a same-key-as that names no earlier version, NUL or bad UTF-8: BAD_INPUT, each with a
 * note of its own that names the version and the member.
 * Two versions may share a locator only when same-key-as says that they are one key.
 * NO_MEMORY.  *ret_ring is untouched on failure and holds one reference on success. */
KW_MUST_USE kw_err kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring,
                                    struct kw_note *note);

/* Reads the file: parse, plus MISSING, IO, and BAD_INPUT over KW_KEYRING_MAX.
 * ret_bytes (may be NULL) receives the file's bytes. */
KW_MUST_USE kw_err kw_keyring_load(const char *path, struct kw_keyring **ret_ring,
                                   struct kw_blob *ret_bytes, struct kw_note *note);

/* A copy that may be changed before it is written (one reference, sha256 zero). */
KW_MUST_USE kw_err kw_keyring_dup(const struct kw_keyring *ring,
                                  struct kw_keyring **ret_ring);
/* An empty ring for a domain: serial 0, no versions.  BAD_INPUT when it is no domain. */
KW_MUST_USE kw_err kw_keyring_new(const char *domain, struct kw_keyring **ret_ring);
/* Adds a version in its place; pointers to versions end.  n and key_id must be new
 * (BAD_INPUT), KW_VERSIONS_MAX (BUSY). */
KW_MUST_USE kw_err kw_keyring_add(struct kw_keyring *ring, const struct kw_version *v);

/* The canonical text: what parse reads back to an equal ring; ends in a newline.
 * BAD_INPUT for a ring that parse would refuse (a serial of 0 too); NO_MEMORY. */
KW_MUST_USE kw_err kw_keyring_write(const struct kw_keyring *ring,
                                    struct kw_blob *ret_json);

/* Writes `ring` over the file as its next serial: serial + 1, prev-sha256 of the bytes
 * that are there (both set in *ring), temporary file, fsync, rename, folder fsync.
 * BUSY  the file on disk is not the one `ring` was made from (its sha256 differs from
 *       `expected_sha256`; NULL = there must be no file). */
KW_MUST_USE kw_err kw_keyring_save(const char *path, struct kw_keyring *ring,
                                   const uint8_t expected_sha256[32],
                                   struct kw_note *note);

struct kw_keyring *kw_keyring_take(struct kw_keyring *ring); /* one more reference */
void kw_keyring_give(struct kw_keyring *ring);               /* NULL does nothing  */

const struct kw_version *kw_keyring_by_n(const struct kw_keyring *ring, uint32_t n);
const struct kw_version *kw_keyring_by_key_id(const struct kw_keyring *ring,
                                              kw_span key_id);
/* The version whose key object `v` uses: the first one that same-key-as leads to, or v
 * itself.  Its key_id is the object's CKA_LABEL, its locator the CKA_ID. */
const struct kw_version *kw_keyring_object(const struct kw_keyring *ring,
                                           const struct kw_version *v);
struct kw_version *kw_keyring_edit(struct kw_keyring *ring, uint32_t n); /* of a dup */

/* kw1-<n>-<24 hex digits>, fresh at random. */
void kw_key_id_make(uint32_t n, char dst[KW_KEY_ID_MAX + 1]);
/* true for exactly that shape (no leading zero in n); ret_n may be NULL. */
bool kw_key_id_parse(kw_span key_id, uint32_t *ret_n);

/* ---- check blobs: the proof that this token holds this key --------------------------
 */

/* What a worker needs to open a version's check blob: AAD, iv and sealed part (spans
 * borrow from `v` and `aad`).  BUG when the blob is not what parse accepted. */
struct kw_check_job {
    uint8_t aad[KW_AAD_MAX];
    size_t aad_len;
    struct kw_envelope env;
};
KW_MUST_USE kw_err kw_check_blob_job(const struct kw_version *v, const char *domain,
                                     struct kw_check_job *ret_job);
/* Judges what the token gave back for it; wipes *inner in every case.
 * WRONG_ANSWER  it opened to something that is not this version's check text. */
KW_MUST_USE kw_err kw_check_blob_judge(const struct kw_check_job *job,
                                       struct kw_secret *inner);

/* The making, for the ceremony: begins with a fresh 32-byte text and IV, the caller has
 * the token seal job->inner under the new key, end writes v->check_blob. */
struct kw_check_making {
    uint8_t iv[KW_IV_MAX];
    uint8_t aad[KW_AAD_MAX];
    size_t aad_len;
    struct kw_envelope env;
    struct kw_secret inner;
};
KW_MUST_USE kw_err kw_check_making_begin(const struct kw_version *v, const char *domain,
                                         struct kw_check_making *ret_making);
KW_MUST_USE kw_err kw_check_making_end(struct kw_check_making *making, kw_span sealed,
                                       struct kw_version *v);
void kw_check_making_wipe(struct kw_check_making *making);

/* ---- attributes ------------------------------------------------------------------- */

/* pass: every decisive rule holds.  A key that is extractable, not always sensitive, not
 * a token object or shorter than 32 bytes is KEY_BAD; "not answered" on ALWAYS_SENSITIVE
 * or NEVER_EXTRACTABLE is KEY_BAD too.  The rest (usage bits that are wider than needed,
 * LOCAL not answered) goes into *ret_remarks, one comma-separated line, and passes. */
KW_MUST_USE kw_err kw_attributes_judge(const struct kw_key_attributes *a,
                                       struct kw_note *note, struct kw_note *ret_remarks);

/* ---- verdicts: what this node found about each version -------------------------------
 */

struct kw_verdict {
    kw_err err;       /* OK: proven here.  STARTING: not asked yet.  Else why not.   */
    char reason[160]; /* for the log and `keyward status`; no secret                 */
};

#endif
