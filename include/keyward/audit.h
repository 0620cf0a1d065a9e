/* SPDX-License-Identifier: Apache-2.0 */
/* audit - one record of the audit log: how it is spelled, and how it hangs on the one before
 *
 * A record is a line of JSON (RFC 8259) whose members have one order and one spelling, so
 * that no two lines say the same and a reader needs no JSON library.  Each ends in a hash
 * of itself and of the record before it: whoever changes, drops or inserts one has to write
 * all that follow anew.  docs/FORMATS.md, section 7, has every byte.
 *
 * Threads:   plain values; any thread.
 * Blocking:  never.
 * Secrets:   none can be put in: a value is as its member wants it, or there is no record.
 */
#ifndef KEYWARD_AUDIT_H
#define KEYWARD_AUDIT_H

#include <keyward/bytes.h>
#include <keyward/sha256.h>

enum {
    KW_AUDIT_LINE_MAX = 1024, /* bytes, with the line feed */
    KW_AUDIT_VALUES_MAX = 16,
    KW_AUDIT_TIME = 27, /* 2026-01-31T12:00:00.000000Z */
};

/* ---- what a record says --------------------------------------------------------------- */

enum kw_audit_kind {
    KW_AUDIT_GENESIS, /* the first of a log: which one, whose, and what ran     */
    KW_AUDIT_FILE,    /* the first of each later file: which one it continues   */
    KW_AUDIT_START,
    KW_AUDIT_STOP,
    KW_AUDIT_CALL,         /* an Encrypt or a Decrypt, and what came of it           */
    KW_AUDIT_TAMPERED,     /* the file on disk was not as it had been left           */
    KW_AUDIT_TORN,         /* bytes behind the last whole record were put aside      */
    KW_AUDIT_UNSYNCED,     /* what the file before has at its end is not certain    */
    KW_AUDIT_WITHHELD,     /* a call was on record as released, and was not          */
    KW_AUDIT_UNRECORDED,   /* so many are not on record                            */
    KW_AUDIT_REFUSED,      /* so many like each other, of one peer, within a second  */
    KW_AUDIT_EVENT,        /* a change: of health, a key, a worker, a login …        */
    KW_AUDIT_OPERATOR,     /* an act of the operator's tool: to be done, or its outcome */
    KW_AUDIT_LOG_LOST,     /* more of a log was remembered elsewhere than is here    */
    KW_AUDIT_OPERATOR_LOG, /* where the log of the operator's tool stands            */
    KW_AUDIT_CHECKPOINT,   /* where the log stands: what can be signed, and shipped  */
    KW_AUDIT_SIGNATURE,    /* of a checkpoint before it, when it came                */
    KW_AUDIT_KINDS,
};

/* The values of each kind, in the order in which they are written. */
enum {
    KW_AUDIT_GENESIS_FORMAT, /* 1 */
    KW_AUDIT_GENESIS_LOG,    /* the id: 32 random bytes in hex */
    KW_AUDIT_GENESIS_NODE,
    KW_AUDIT_GENESIS_BOOT,    /* /proc/sys/kernel/random/boot_id (random(4)) */
    KW_AUDIT_GENESIS_MACHINE, /* machine-id(5) */
    KW_AUDIT_GENESIS_VERSION, /* of keyward */
    KW_AUDIT_GENESIS_CONFIGURATION,
    KW_AUDIT_GENESIS_KEYRING,
    KW_AUDIT_GENESIS_BEFORE, /* the id of the log whose place this one takes */
    KW_AUDIT_GENESIS_VALUES
};
enum {
    KW_AUDIT_FILE_FORMAT, /* 1 */
    KW_AUDIT_FILE_LOG,
    KW_AUDIT_FILE_PREVIOUS, /* the hash of the record before it */
    KW_AUDIT_FILE_VALUES
};
enum {
    KW_AUDIT_START_VERSION,
    KW_AUDIT_START_BOOT,
    KW_AUDIT_START_PID,
    KW_AUDIT_START_CONFIGURATION,
    KW_AUDIT_START_KEYRING,
    KW_AUDIT_START_VALUES
};
enum { KW_AUDIT_STOP_REASON, KW_AUDIT_STOP_VALUES };
enum {
    KW_AUDIT_CALL_METHOD,
    KW_AUDIT_CALL_CLASS,
    KW_AUDIT_CALL_REQUEST, /* the request's uid (k8s.io/kms, v2) */
    KW_AUDIT_CALL_KEY_ID,
    KW_AUDIT_CALL_PEER_UID,
    KW_AUDIT_CALL_PEER_GID,
    KW_AUDIT_CALL_PEER_PID,
    KW_AUDIT_CALL_PEER_START, /* clock ticks since boot, proc_pid_stat(5) field 22 */
    KW_AUDIT_CALL_TOKEN,      /* its serial number */
    KW_AUDIT_CALL_SOURCE,     /* hsm, joined, cache or none */
    KW_AUDIT_CALL_CODE,       /* of gRPC, 0 to 16 */
    KW_AUDIT_CALL_REASON,     /* kw_code_name */
    KW_AUDIT_CALL_CKR,        /* CK_RV of PKCS#11 */
    KW_AUDIT_CALL_TOOK_US,
    KW_AUDIT_CALL_CIPHERTEXT, /* the first 8 bytes of its SHA-256 */
    KW_AUDIT_CALL_VALUES
};
enum {
    KW_AUDIT_TAMPERED_WHAT,   /* moved, size or links */
    KW_AUDIT_TAMPERED_WANTED, /* the size, or the number of links */
    KW_AUDIT_TAMPERED_FOUND,
    KW_AUDIT_TAMPERED_VALUES
};
enum {
    KW_AUDIT_TORN_BYTES,
    KW_AUDIT_TORN_SHA256,
    KW_AUDIT_TORN_LAST, /* seq of the last good record */
    KW_AUDIT_TORN_VALUES
};

enum {
    KW_AUDIT_UNSYNCED_BYTES, /* were not certain there when the disk failed */
    KW_AUDIT_UNSYNCED_VALUES
};
enum {
    KW_AUDIT_WITHHELD_CALL, /* seq of its record */
    KW_AUDIT_WITHHELD_CODE, /* what was answered */
    KW_AUDIT_WITHHELD_REASON,
    KW_AUDIT_WITHHELD_VALUES
};
enum {
    KW_AUDIT_UNRECORDED_METHOD, /* null: changes, no calls */
    KW_AUDIT_UNRECORDED_CLASS,
    KW_AUDIT_UNRECORDED_CODE,
    KW_AUDIT_UNRECORDED_REASON,
    KW_AUDIT_UNRECORDED_COUNT,
    KW_AUDIT_UNRECORDED_VALUES
};
enum {
    KW_AUDIT_REFUSED_METHOD, /* these six null: of many peers */
    KW_AUDIT_REFUSED_CLASS,
    KW_AUDIT_REFUSED_PEER_UID,
    KW_AUDIT_REFUSED_PEER_GID,
    KW_AUDIT_REFUSED_PEER_PID,
    KW_AUDIT_REFUSED_PEER_START,
    KW_AUDIT_REFUSED_CODE,
    KW_AUDIT_REFUSED_REASON,
    KW_AUDIT_REFUSED_COUNT, /* besides those that have records of their own */
    KW_AUDIT_REFUSED_VALUES
};
enum {
    KW_AUDIT_EVENT_NAME, /* as in the daemon's own log (docs/ERRORS.md) */
    KW_AUDIT_EVENT_CLASS,
    KW_AUDIT_EVENT_TOKEN, /* its configured name */
    KW_AUDIT_EVENT_KEY_ID,
    KW_AUDIT_EVENT_PID, /* of a worker, or of a peer */
    KW_AUDIT_EVENT_FROM,
    KW_AUDIT_EVENT_TO,
    KW_AUDIT_EVENT_COUNT,
    KW_AUDIT_EVENT_WHY,
    KW_AUDIT_EVENT_VALUES
};

enum {
    KW_AUDIT_OPERATOR_ACT,    /* key-create, pin-retry, …                             */
    KW_AUDIT_OPERATOR_KEY_ID, /* null: it is of none                                  */
    KW_AUDIT_OPERATOR_UID,    /* getuid(2) */
    KW_AUDIT_OPERATOR_LOGIN_UID, /* /proc/self/loginuid; null: of no login */
    KW_AUDIT_OPERATOR_TICKET,    /* what the operator said */
    KW_AUDIT_OPERATOR_OUTCOME,   /* begun, done or failed */
    KW_AUDIT_OPERATOR_VALUES
};
enum {
    KW_AUDIT_LOG_LOST_LOG, /* its id, the last record of it that is known, and its hash */
    KW_AUDIT_LOG_LOST_LAST,
    KW_AUDIT_LOG_LOST_HEAD,
    KW_AUDIT_LOG_LOST_VALUES
};
enum { /* all null: it is there, or was, and cannot be read as a log */
       KW_AUDIT_OPERATOR_LOG_LOG, /* its id, its last record, and what that says is its hash */
       KW_AUDIT_OPERATOR_LOG_LAST,
       KW_AUDIT_OPERATOR_LOG_HEAD,
       KW_AUDIT_OPERATOR_LOG_VALUES
};
/* What is signed (checkpoint.h), in its order, but for `records`. */
enum {
    KW_AUDIT_CHECKPOINT_LOG,
    KW_AUDIT_CHECKPOINT_NODE,
    KW_AUDIT_CHECKPOINT_COVERED, /* seq of the record before this one */
    KW_AUDIT_CHECKPOINT_HEAD,    /* and its hash */
    KW_AUDIT_CHECKPOINT_RECORDS, /* since what the checkpoint before covers */
    KW_AUDIT_CHECKPOINT_WRAP,    /* the counts, as enum kw_checkpoint_count */
    KW_AUDIT_CHECKPOINT_VERIFY,
    KW_AUDIT_CHECKPOINT_UNWRAP,
    KW_AUDIT_CHECKPOINT_CANARY,
    KW_AUDIT_CHECKPOINT_SELF_TEST,
    KW_AUDIT_CHECKPOINT_SIGN,
    KW_AUDIT_CHECKPOINT_LOGIN,
    KW_AUDIT_CHECKPOINT_TIME_US,      /* since 1970 */
    KW_AUDIT_CHECKPOINT_SYNCHRONISED, /* 0 or 1 */
    KW_AUDIT_CHECKPOINT_VALUES
};
enum {
    KW_AUDIT_SIGNATURE_COVERS,    /* `covered` of the checkpoint */
    KW_AUDIT_SIGNATURE_KEY,       /* SHA-256 of its SubjectPublicKeyInfo */
    KW_AUDIT_SIGNATURE_SIGNATURE, /* DER, in lower-case hex */
    KW_AUDIT_SIGNATURE_VALUES
};

/* How the value of a member is spelled. */
enum kw_audit_spelling {
    KW_AUDIT_NUMBER,  /* 0 to 2^63 - 1, decimal, without leading zeros */
    KW_AUDIT_WORD,    /* 1 to `most` of a-z 0-9 - */
    KW_AUDIT_TEXT,    /* 0 to `most` printable characters of ASCII, without " and \ */
    KW_AUDIT_HEX,     /* exactly `most` bytes, two lower-case digits each */
    KW_AUDIT_REQUEST, /* a UUID in lower case, or foreign */
    KW_AUDIT_KEY_ID,  /* kw1-N-24 digits of hex, or foreign */
};
struct kw_audit_member {
    const char *name;
    enum kw_audit_spelling spelling;
    uint16_t most;
    bool may_be_null;
};
struct kw_audit_shape {
    const char *name; /* the kind, as it is written */
    size_t count;     /* of its own members */
    const struct kw_audit_member *member;
};
/* `kind` is below KW_AUDIT_KINDS. */
const struct kw_audit_shape *kw_audit_shape(enum kw_audit_kind kind);

struct kw_audit_value {
    bool is_null;
    uint64_t number; /* of a NUMBER */
    kw_span text;    /* of all others, as it stands between the quotes; borrowed */
};
static inline struct kw_audit_value kw_audit_number(uint64_t number)
{
    return (struct kw_audit_value){.number = number};
}
static inline struct kw_audit_value kw_audit_text(const char *text)
{
    return (struct kw_audit_value){.text = kw_span_str(text)};
}
#define KW_AUDIT_NULL ((struct kw_audit_value){.is_null = true})

struct kw_audit_record {
    uint64_t seq;     /* one more than the record before */
    kw_span time;     /* UTC, KW_AUDIT_TIME bytes; borrowed */
    uint64_t mono_us; /* CLOCK_MONOTONIC */
    enum kw_audit_kind kind;
    struct kw_audit_value value[KW_AUDIT_VALUES_MAX];
};

/* What cannot stand in a TEXT becomes `?` or, of quotes, `'`. */
void kw_audit_make_text(char *text);

/* ---- foreign names --------------------------------------------------------------------- */

/* What a peer calls its request or its key stands in a record as it is only in our own
 * form (`spelling` REQUEST or KEY_ID), else as "other:LENGTH:", and 16 digits of its
 * SHA-256: a name from outside is no place to write into the log.  NO_MEMORY. */
enum { KW_AUDIT_NAME = 48 };
KW_MUST_USE kw_err kw_audit_name(enum kw_audit_spelling spelling, kw_span name,
                                 char dst[KW_AUDIT_NAME]);

/* ---- lines ----------------------------------------------------------------------------- */

/* Appends the record's line, and its line feed, to `dst`, which has room for
 * KW_AUDIT_LINE_MAX more (asserted).  `previous` is the hash of the record before; the log's
 * id for a GENESIS.  Nothing is written when it fails.
 * BAD_INPUT  a value is not as its member wants it, or the line would be too long; `where`
 *            has the member's name
 * NO_MEMORY  */
KW_MUST_USE kw_err kw_audit_write(const struct kw_audit_record *record,
                                  const uint8_t previous[KW_SHA256], kw_dst *dst,
                                  uint8_t ret_hash[KW_SHA256]);

/* Could it be written, with whatever seq and time?  What fits its members fits a line. */
bool kw_audit_is_writable(const struct kw_audit_record *record);

/* Reads a line without its line feed.  Every other spelling of the same is refused: what
 * was read is written back identically.  The record borrows from the line.  *ret_hash is
 * what the line says; kw_audit_hash says what it should.
 * BAD_INPUT  the note has the place and what is wanted there */
KW_MUST_USE kw_err kw_audit_read(kw_span line, struct kw_audit_record *ret_record,
                                 uint8_t ret_hash[KW_SHA256], struct kw_note *note);

/* Of a line that kw_audit_read took.  NO_MEMORY. */
KW_MUST_USE kw_err kw_audit_hash(kw_span line, const uint8_t previous[KW_SHA256],
                                 uint8_t ret_hash[KW_SHA256]);

/* ---- the chain ------------------------------------------------------------------------- */

/* What is known after some records; {0} before the first. */
struct kw_audit_chain {
    bool has_begun;
    bool knows_its_beginning; /* with a GENESIS, or where the caller said */
    uint64_t next_seq;
    uint8_t log[KW_SHA256];  /* the id; zero until a GENESIS or FILE said it */
    uint8_t head[KW_SHA256]; /* hash of the last record */
};

/* Where the caller knows it to be: the record that comes has this seq, and the one before
 * this hash. */
void kw_audit_chain_from(struct kw_audit_chain *c, uint64_t seq,
                         const uint8_t previous[KW_SHA256]);

/* The next line, without its line feed.  A chain that begins in the middle begins with a
 * FILE, and believes it.  After a failure the chain is as it was before.
 * BAD_INPUT  the line is no record (the note says where)
 * FORGED     it is one, and none that follows here: another seq, hash or log, or a
 *            checkpoint of something else than what lies before it
 * NO_MEMORY  */
KW_MUST_USE kw_err kw_audit_chain_take(struct kw_audit_chain *c, kw_span line,
                                       struct kw_audit_record *ret_record,
                                       struct kw_note *note);

#endif
