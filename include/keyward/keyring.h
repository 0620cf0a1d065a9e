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
    KW_KEY_UNKNOWN, /* not written: the version needs a newer keyward; as disabled here */
};
const char *kw_key_state_name(enum kw_key_state s); /* "unknown" too */
/* false for "unknown": no file says so. */
bool kw_key_state_from_name(const char *name, enum kw_key_state *ret_state);

/* May data sealed under a version of this state be unwrapped?  (accepted, active,
 * retired) */
bool kw_key_state_unwraps(enum kw_key_state s);
/* May a node make it its active version?  (accepted, active) */
bool kw_key_state_wraps(enum kw_key_state s);
/* Is its key looked for and its check blob opened?  (all but disabled, destroyed,
 * unknown) */
bool kw_key_state_is_probed(enum kw_key_state s);

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
#define KW_OBJECTS_MAX 2u       /* objects of one version: a KEK, a key pair, …  */
#define KW_OBJECT_TOKENS_MAX 4u /* tokens in which one object lies               */
#define KW_ANCESTORS_MAX 64u    /* files before this one whose digests it names  */
#define KW_HISTORY_MAX 512u     /* lines of history                              */
#define KW_SERIAL_MAX ((UINT64_C(1) << 53) - 1) /* whole in every JSON reader       */
#define KW_EXT_MAX 4096u         /* bytes of one `ext`, written on one line       */
#define KW_EXT_DEPTH 4u          /* the `ext` object itself is the first          */
#define KW_CRITICAL_MAX 8u       /* names in one `critical`                       */
#define KW_CRITICAL_NAME_MAX 32u /* bytes of such a name                          */
#define KW_UNKNOWN_VERSION_MAX                                                           \
    (16u * 1024) /* bytes of a version that is not understood, on one line */

/* What an object of a version is for.  Format 1 with AES-256-GCM has one KEK. */
enum kw_object_role { KW_ROLE_KEK, KW_ROLE_MAC, KW_ROLE_PUBLIC, KW_ROLE_PRIVATE };
const char *kw_object_role_name(enum kw_object_role role);
#define KW_TYPE_AES_256 "aes-256"

/* A token in which the object was put, or seen to lie.  A serial is a hint: a restored
 * copy may have the same. */
struct kw_object_token {
    char label[33], serial[17];
    uint8_t
        locator[KW_LOCATOR_MAX]; /* CKA_ID there, if it is another; len 0 = it is not */
    size_t locator_len;
    char proven[KW_TIME_TEXT]; /* when it opened the check blob there, "" = never */
    char gone[96]; /* "" = not known to be; "seen TIME"; "said WHO TIME: WHY" */
};
struct kw_object {
    enum kw_object_role role;
    char type[17];                   /* "aes-256"                        */
    char label[KW_LABEL_MAX + 1];    /* CKA_LABEL                        */
    uint8_t locator[KW_LOCATOR_MAX]; /* CKA_ID; len 0 = find by label alone */
    size_t locator_len;
    struct kw_key_attributes attributes; /* as read back at the ceremony */
    struct kw_object_token tokens[KW_OBJECT_TOKENS_MAX];
    size_t token_count;
};

/* One KEK version.  Text is "" when the file has null. */
struct kw_version {
    uint32_t n; /* 1..KW_VERSION_N_MAX */
    char key_id[KW_KEY_ID_MAX + 1];
    enum kw_mechanism mechanism;
    uint8_t format;
    enum kw_key_state state;
    uint8_t check_blob[KW_CHECK_BLOB_MAX]; /* meant to be an envelope of purpose check;
                                              whether it is, kw_check_blob_job says */
    size_t check_blob_len;
    struct kw_object objects[KW_OBJECTS_MAX]; /* the first one wraps and unwraps */
    size_t object_count;
    char created[KW_TIME_TEXT], accepted[KW_TIME_TEXT], activated[KW_TIME_TEXT],
        retired[KW_TIME_TEXT], disabled[KW_TIME_TEXT], destroyed[KW_TIME_TEXT];
    char disabled_from[16]; /* state to return to, "" unless disabled            */
    char tool[32];          /* such as "keyward 0.1.0"                            */
    char operator_[64];     /* who ran the ceremony                               */
    struct {
        char label[33], serial[17], manufacturer[33], model[17], firmware[16];
    } token;                              /* CK_TOKEN_INFO of the ceremony, blanks cut */
    bool want_destroyable, want_copyable; /* choices of the ceremony */
    char origin[96]; /* how the key came here: "made", "adopted: …", "unproven: …" */
    char second_copy[128]; /* "" = nothing said; "only-copy: <who>, <time>"; a proof */
    uint32_t same_key_as;  /* an earlier version with these objects; 0 = none */
    char ext[KW_EXT_MAX +
             1]; /* what a newer keyward keeps here, one line of JSON; "" = {} */
    /* Of a version that this program does not understand (state KW_KEY_UNKNOWN): why, its
     * state as it stands in the file, and its JSON, owned by the ring; else "" and NULL.
     * Nothing but n, key_id and same_key_as is filled in then. */
    char unknown[96], unknown_state[16];
    char *unknown_json;
};
#define KW_ORIGIN_UNPROVEN                                                               \
    "unproven: " /* an origin that begins so: nothing was proven                         \
                  */

/* One line of who did what. */
struct kw_history {
    uint64_t serial; /* of the file that the act made       */
    char act[16];    /* "create", "accept", … (act.h)       */
    uint32_t n;
    char at[KW_TIME_TEXT], by[64], tool[32];
    char proof[128]; /* what was seen or said; "" = nothing */
};

struct kw_keyring {
    char domain[KW_DOMAIN_MAX + 1];
    uint64_t serial; /* 1, 2, 3 …: every change adds one; 0 = never saved */
    uint8_t ancestors[KW_ANCESTORS_MAX][32]; /* [k - 1]: SHA-256 of file serial - k */
    size_t ancestor_count; /* the smaller of serial - 1 and KW_ANCESTORS_MAX */
    uint32_t next_n;       /* no version had this N or a higher one         */
    uint32_t active;       /* the baseline, 0 = none yet                    */
    size_t count;
    struct kw_version *versions; /* ascending n */
    size_t history_count;
    struct kw_history *history; /* ascending serial */
    size_t critical_count;      /* names that this program does not know: it reads, and */
    char critical[KW_CRITICAL_MAX][KW_CRITICAL_NAME_MAX + 1]; /* must not write    */
    char ext[KW_EXT_MAX + 1];
    uint8_t sha256[32]; /* of the bytes it was read from             */
    unsigned refs;      /* private; the last member */
};

/* Reads the file's bytes.  Strict: unknown, duplicate or missing members, other types,
 * two versions in state active or one that is not the baseline, duplicate n, duplicate
 * key_id, an n that is not below next-n, objects that do not fit the mechanism, a
 * same-key-as that names no earlier version or one with other objects, ancestors that are
 * not one per file before it, text that is not printable: BAD_INPUT, each with a note of
 * its own that names the version and the member.
 * What a newer keyward may add is no error: `ext` is kept; a version whose mechanism,
 * format, state, object role or type is not known, or that has a critical name, becomes
 * KW_KEY_UNKNOWN.
 * Two versions may share an object only when same-key-as says that they are one key.
 * A check blob may hold any bytes: whether it is one is the version's own verdict.
 * NO_MEMORY.  *ret_ring is untouched on failure and holds one reference on success. */
KW_MUST_USE kw_err kw_keyring_parse(kw_span json, struct kw_keyring **ret_ring,
                                    struct kw_note *note);

/* Reads the file: parse, plus MISSING, IO, and BAD_INPUT over KW_KEYRING_MAX.
 * ret_bytes (may be NULL) receives the file's bytes. */
KW_MUST_USE kw_err kw_keyring_load(const char *path, struct kw_keyring **ret_ring,
                                   struct kw_blob *ret_bytes, struct kw_note *note);
/* The same for what the daemon, whose user is `uid`, would read (kw_file_read_trusted).
 * DENIED  others could have changed it: the note says by what, and nothing was read */
KW_MUST_USE kw_err kw_keyring_load_trusted(const char *path, uid_t uid,
                                           struct kw_keyring **ret_ring,
                                           struct kw_blob *ret_bytes,
                                           struct kw_note *note);

/* A copy that may be changed before it is written (one reference, sha256 zero). */
KW_MUST_USE kw_err kw_keyring_dup(const struct kw_keyring *ring,
                                  struct kw_keyring **ret_ring);
/* An empty ring for a domain: serial 0, no versions.  BAD_INPUT when it is no domain. */
KW_MUST_USE kw_err kw_keyring_new(const char *domain, struct kw_keyring **ret_ring);
/* Adds a version in its place and raises next_n above it; pointers to versions end.  n
 * and key_id must be new (BAD_INPUT), KW_VERSIONS_MAX (BUSY).  v is one that this program
 * understands. */
KW_MUST_USE kw_err kw_keyring_add(struct kw_keyring *ring, const struct kw_version *v);
/* Takes version n out; pointers to versions end.  It must be there. */
void kw_keyring_remove(struct kw_keyring *ring, uint32_t n);
/* Adds a line of history; the oldest ones make room.  NO_MEMORY. */
KW_MUST_USE kw_err kw_keyring_record(struct kw_keyring *ring, const struct kw_history *h);

/* The canonical text: what parse reads back to an equal ring; ends in a newline.
 * BAD_INPUT for a ring that parse would refuse (a serial of 0 too); NO_MEMORY. */
KW_MUST_USE kw_err kw_keyring_write(const struct kw_keyring *ring,
                                    struct kw_blob *ret_json);

/* Writes `ring` over the file as its next serial: serial + 1, ancestors led by the digest
 * of the file before (both set in *ring), temporary file, fsync, rename, folder fsync.
 * The file before is the one that is there; where there is none, the lost one that *ring
 * describes by serial and sha256 (kw_act_rebuild), or none when its serial is 0.
 * BUSY    the file on disk is not the one `ring` was made from (its sha256 differs from
 *         `expected_sha256`; NULL = there must be no file)
 * DENIED  ring->critical_count is not 0: this program must not write it
 * BUG     there must be no file, and *ring describes a lost one without its digest
 * IO      kw_file_is_written(e) tells "written, not yet durable" from "not written" */
KW_MUST_USE kw_err kw_keyring_save(const char *path, struct kw_keyring *ring,
                                   const uint8_t expected_sha256[32],
                                   struct kw_note *note);

struct kw_keyring *kw_keyring_take(struct kw_keyring *ring); /* one more reference */
void kw_keyring_give(struct kw_keyring *ring);               /* NULL does nothing  */

const struct kw_version *kw_keyring_by_n(const struct kw_keyring *ring, uint32_t n);
const struct kw_version *kw_keyring_by_key_id(const struct kw_keyring *ring,
                                              kw_span key_id);
struct kw_version *kw_keyring_edit(struct kw_keyring *ring, uint32_t n); /* of a dup */

/* The object that wraps and unwraps for `v`, a version that is understood. */
const struct kw_object *kw_version_kek(const struct kw_version *v);
/* The CKA_ID under which `o` lies in the token with this serial ("" = any): the row's
 * own, else the object's; empty = found by label alone. */
kw_span kw_object_locator(const struct kw_object *o, const char *serial);
/* The first version after `after` (NULL = from the first one) that is not destroyed and
 * has an object of v's, v itself left out; NULL = no more.  Of a version that is not
 * understood: whose text names it; of `v` itself: the object that has its key_id. */
const struct kw_version *kw_keyring_sharer(const struct kw_keyring *ring,
                                           const struct kw_version *v,
                                           const struct kw_version *after);

/* First 16 bytes of SHA-256("keyward-locator" | domain | key_id): CKA_ID of a new object,
 * so that a token's objects tell their domain. */
#define KW_NEW_LOCATOR 16u
void kw_locator_make(const char *domain, const char *key_id,
                     uint8_t ret_locator[KW_NEW_LOCATOR]);

/* kw1-<n>-<24 hex digits>, fresh at random. */
void kw_key_id_make(uint32_t n, char dst[KW_KEY_ID_MAX + 1]);
/* true for exactly that shape (no leading zero in n); ret_n may be NULL. */
bool kw_key_id_parse(kw_span key_id, uint32_t *ret_n);

/* ---- check blobs: the proof that this token holds this key ------------------------- */

/* What a worker needs to open a version's check blob: AAD, iv and sealed part (spans
 * borrow from `v` and `aad`).  FORGED when the blob is none of this version: no envelope
 * of purpose check, or of another mechanism or format; `where` says which. */
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

/* The same rules one by one, for who reports them: each decisive one passes just when
 * kw_attributes_judge is OK. */
enum kw_rule_outcome { KW_RULE_PASS, KW_RULE_FAIL, KW_RULE_NOT_ANSWERED };
const char *kw_rule_outcome_name(enum kw_rule_outcome outcome); /* "not-answered" */
struct kw_attribute_rule {
    const char *name;  /* such as "CKA_EXTRACTABLE"               */
    const char *wants; /* "true", "false" or "at least 32"        */
    bool is_decisive;  /* when it does not pass, the key is bad   */
    enum kw_rule_outcome outcome;
};
#define KW_ATTRIBUTE_RULES 15u
void kw_attributes_judge_each(const struct kw_key_attributes *a,
                              struct kw_attribute_rule ret_rules[KW_ATTRIBUTE_RULES]);

/* ---- verdicts: what this node found about each version ----------------------------- */

struct kw_verdict {
    kw_err err; /* OK: proven here.  STARTING: not asked yet.  Else why not.   */
    char reason[KW_NOTE_MAX]; /* for the log and `keyward status`; no secret */
};

#endif
