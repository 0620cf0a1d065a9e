/* SPDX-License-Identifier: Apache-2.0 */
/* Which tables there are, and what stands in their columns. */
#include <keyward/evidence.h>

#define TEXT(name, title, says)                                                          \
    {                                                                                    \
        name, title, KW_COLUMN_TEXT, false, says                                         \
    }
#define TEXT_OR_NULL(name, title, says)                                                  \
    {                                                                                    \
        name, title, KW_COLUMN_TEXT, true, says                                          \
    }
#define NUMBER(name, title, says)                                                        \
    {                                                                                    \
        name, title, KW_COLUMN_NUMBER, false, says                                       \
    }
#define NUMBER_OR_NULL(name, title, says)                                                \
    {                                                                                    \
        name, title, KW_COLUMN_NUMBER, true, says                                        \
    }
#define BOOL(name, title, says)                                                          \
    {                                                                                    \
        name, title, KW_COLUMN_BOOL, false, says                                         \
    }
#define BOOL_OR_NULL(name, title, says)                                                  \
    {                                                                                    \
        name, title, KW_COLUMN_BOOL, true, says                                          \
    }

#define NODE TEXT("node", "Node", "the control plane's name")
#define TOKEN TEXT("token", "Token", "its name in the node's configuration")
#define SERIAL_OR_NULL                                                                   \
    TEXT_OR_NULL("serial", "Serial", "the token's serial number, as it gives it")
#define VERSION_N NUMBER("n", "n", "the KEK version's number")
#define KEY_ID TEXT("key_id", "key_id", "the KEK version's key_id")
#define OUTCOME TEXT("outcome", "Outcome", "pass, fail or not-answered")

static const struct kw_evidence_column controls[] = {
    TEXT("framework", "Framework", "whose control it is"),
    TEXT("control", "Control", "its number there"),
    TEXT("asks", "What is asked", "in keyward's words, not in its own"),
    TEXT("outcome", "Outcome",
         "satisfied: every check passes; not-satisfied: one fails, or is not answered; "
         "operator: no check shows it, the operator has to"),
    TEXT("checks", "Checks", "names of checks, a blank between"),
    TEXT("operator", "What the operator shows",
         "what no file of the bundle can show: ask the operator for it"),
};

static const struct kw_evidence_column checks[] = {
    TEXT("check", "Check", "its name"),
    TEXT("subject", "Of", "a node, a token, a key, a report, or all"),
    OUTCOME,
    TEXT("why", "Why", "what was seen, or what was missing"),
    TEXT("tables", "Seen in", "names of tables, a blank between"),
    TEXT("command", "Collected by",
         "what made that by which it was judged: a command of keyward, or whose word"),
};

static const struct kw_evidence_column nodes[] = {
    NODE,
    BOOL("collected", "Collected", "is there a folder of this node?"),
    TEXT_OR_NULL("time", "Time", "when it was collected"),
    TEXT_OR_NULL("version", "keyward", "the version that collected it"),
    BOOL_OR_NULL("complete", "Complete", "was everything looked at?"),
    TEXT_OR_NULL("not_looked_at", "Not looked at", "what was not, and why"),
    TEXT_OR_NULL("domain", "Domain", "of its keyring"),
    TEXT_OR_NULL("environment", "Environment", "as its configuration states it"),
    TEXT_OR_NULL("configuration_sha256", "Configuration, SHA-256",
                 "of its keyward.yaml, as it was read there"),
    TEXT_OR_NULL("keyring_sha256", "Keyring, SHA-256", "of its keyring.json"),
    NUMBER_OR_NULL("keyring_serial", "Keyring's serial",
                   "each change of a keyring counts one up"),
    TEXT_OR_NULL("folder_sha256", "Folder, SHA-256",
                 "of node.json, which has that of each other file"),
};

static const struct kw_evidence_column tokens[] = {
    NODE,
    TOKEN,
    BOOL("asked", "Asked", "was there a login?"),
    TEXT_OR_NULL("error", "Error", "why it was not asked"),
    TEXT_OR_NULL("label", "Label", "CK_TOKEN_INFO"),
    SERIAL_OR_NULL,
    TEXT_OR_NULL("manufacturer", "Manufacturer", "CK_TOKEN_INFO"),
    TEXT_OR_NULL("model", "Model", "CK_TOKEN_INFO"),
    TEXT_OR_NULL("firmware", "Firmware", "CK_TOKEN_INFO"),
    TEXT_OR_NULL("hardware", "Hardware", "CK_TOKEN_INFO"),
    TEXT_OR_NULL("library", "Library", "CK_INFO, the library's description"),
    TEXT_OR_NULL("library_version", "Library's version",
                 "CK_INFO, the library's version"),
    BOOL_OR_NULL("softhsm", "SoftHSM", "is it the software token?"),
    TEXT_OR_NULL("mechanism", "Mechanism", "by which the KEK wraps"),
    TEXT_OR_NULL("iv_source", "IV", "who makes the IV: caller, or token"),
    BOOL_OR_NULL("self_test", "Self-test",
                 "a round trip was good, and changed tag, additional data and IV were "
                 "refused"),
    BOOL_OR_NULL("audit_key_good", "Audit key",
                 "it is there, signs, does nothing else and cannot leave; null: none is "
                 "configured, or it is not known"),
    TEXT_OR_NULL("audit_key_sha256", "Audit key, SHA-256", "of its SubjectPublicKeyInfo"),
    TEXT_OR_NULL("standard", "Standard", "the operator states it"),
    TEXT_OR_NULL("certificate", "Certificate", "the operator states it"),
    TEXT_OR_NULL("level", "Level", "the operator states it"),
    TEXT_OR_NULL("location", "Location", "the operator states it"),
};

static const struct kw_evidence_column keys[] = {
    NODE,
    TOKEN,
    SERIAL_OR_NULL,
    VERSION_N,
    KEY_ID,
    TEXT("state", "State", "in the node's keyring"),
    BOOL("baseline", "Baseline", "is it the keyring's?"),
    BOOL("active_here", "Active", "does this node wrap with it?"),
    TEXT("asked", "Asked", "proof, presence or nothing"),
    BOOL_OR_NULL("found", "Found", "is there an object of its label and locator?"),
    BOOL_OR_NULL("check_blob_opens", "Proven", "does it open the check blob?"),
    TEXT("findings", "Findings", "of the proof, a blank between; empty: none"),
    TEXT_OR_NULL("verdict", "Verdict",
                 "of the decisive rules on its attributes: pass, fail or not-answered; "
                 "null: nothing was read"),
    TEXT_OR_NULL("error", "Error", "why proof or search did not succeed"),
};

static const struct kw_evidence_column attributes[] = {
    NODE,
    TOKEN,
    SERIAL_OR_NULL,
    VERSION_N,
    KEY_ID,
    TEXT("attribute", "Attribute", "PKCS#11's name"),
    TEXT_OR_NULL("at_ceremony", "At the ceremony",
                 "true, false, a number; null: not answered, or not kept"),
    TEXT_OR_NULL("now", "Now", "the same when it was collected"),
    TEXT_OR_NULL("wants", "Rule", "what it must be; null: there is no rule"),
    BOOL_OR_NULL("decisive", "Decisive", "is the key bad when it is not?"),
    TEXT_OR_NULL("outcome", "Outcome", "pass, fail or not-answered; null: no rule"),
};

static const struct kw_evidence_column algorithms[] = {
    TEXT("purpose", "Purpose", "what it does"),
    TEXT("algorithm", "Algorithm", "with its mechanism and sizes"),
    NUMBER_OR_NULL("key_bits", "Key, bits", "strength of the key"),
    TEXT("runs", "Where", "where it is computed"),
    TEXT("key_lies", "Key lies", "where the key is kept"),
    TEXT("lasts", "Lasts", "how long a key of it is used"),
    TEXT("standard", "Standard", "what defines it"),
};

static const struct kw_evidence_column configuration[] = {
    NODE,
    TEXT("setting", "Setting", "its path in node.json's configuration"),
    TEXT("value", "Value", "as it is effective; empty: null"),
};

static const struct kw_evidence_column rotations[] = {
    VERSION_N,
    KEY_ID,
    TEXT("state", "State", "in the newest keyring"),
    TEXT("origin", "Origin", "how the key came here"),
    TEXT_OR_NULL("created", "Created", "when"),
    TEXT_OR_NULL("activated", "Activated", "when it became the baseline"),
    TEXT_OR_NULL("retired", "Retired", "when it ceased to wrap"),
    TEXT_OR_NULL("disabled", "Disabled", "when"),
    TEXT_OR_NULL("destroyed", "Destroyed", "when"),
    NUMBER_OR_NULL("days_used", "Days used",
                   "it has been, or was, the baseline, rounded up; null: it never was"),
    TEXT_OR_NULL("ends", "Cryptoperiod ends", "activated and the cryptoperiod"),
    NUMBER_OR_NULL("days_left", "Days left",
                   "of the baseline, rounded down; below 0: it is over; null: it is not "
                   "the baseline"),
};

static const struct kw_evidence_column copies[] = {
    VERSION_N,
    KEY_ID,
    TEXT("state", "State", "in the newest keyring"),
    TEXT_OR_NULL("token_label", "Token", "in which the key lies"),
    SERIAL_OR_NULL,
    TEXT_OR_NULL("proven", "Proven", "when it opened the check blob there"),
    TEXT_OR_NULL("gone", "Gone", "when it was seen, or said, to be gone there"),
    TEXT_OR_NULL("second_copy", "Second copy", "what the keyring has of one"),
};

static const struct kw_evidence_column acts[] = {
    TEXT("from", "From", "keyring, or the node whose operators' log it is"),
    TEXT("time", "Time", "when"),
    BOOL("in_period", "In the period", "does it lie in the period?"),
    TEXT("act", "Act", "its name"),
    TEXT_OR_NULL("key_id", "key_id", "of the version"),
    TEXT_OR_NULL("by", "By", "who: a name, or uid and login uid"),
    TEXT_OR_NULL("ticket", "Ticket", "as it was said"),
    TEXT_OR_NULL("outcome", "Outcome", "done, failed, or broken off"),
    TEXT_OR_NULL("proof", "Proof", "what was seen or said"),
};

static const struct kw_evidence_column logs[] = {
    NODE,
    TEXT("log", "Log", "audit, or operator"),
    NUMBER("files", "Files", "so many were read"),
    TEXT("verdict", "Verdict",
         "sound, incomplete, broken, or none: there is no record, or it was not copied"),
    TEXT_OR_NULL("why", "Why", "what is broken or missing"),
    NUMBER("records", "Records", "so many follow each other"),
    TEXT_OR_NULL("first_time", "First", "the first record's time"),
    TEXT_OR_NULL("last_time", "Last", "the last record's time"),
    TEXT_OR_NULL("log_id", "Log's id", "of its first record"),
    TEXT_OR_NULL("head", "Head", "hash of the last record"),
    BOOL("beginning_known", "From its first record", "is the log's first record there?"),
    NUMBER_OR_NULL("anchored_to", "Anchored to", "the last record that an anchor proves"),
    NUMBER_OR_NULL("signed_to", "Signed to", "the last record that a signature covers"),
    BOOL("end_signed", "End signed", "is nothing unsigned behind it?"),
    NUMBER("unsigned_stretches", "Unsigned stretches",
           "that only later signatures cover"),
    TEXT_OR_NULL("key_sha256", "Key",
                 "SHA-256 of the key that signatures were judged by"),
    NUMBER("marks", "Marks", "records that say that something is missing or was changed"),
    NUMBER("checkpoints", "Checkpoints", "in the period"),
    NUMBER("unsynchronised", "Clock unsynchronised",
           "checkpoints in the period at which the kernel did not call its clock "
           "synchronised"),
    BOOL_OR_NULL("covered", "Covers the period",
                 "no gap; null: an operators' log covers none, and of a broken log "
                 "nothing is said"),
    NUMBER_OR_NULL("gaps", "Gaps", "in the period"),
    NUMBER_OR_NULL("gap_seconds", "Gaps, seconds", "of all together"),
};

static const struct kw_evidence_column coverage[] = {
    NODE,
    TEXT("from", "From", "the first moment"),
    TEXT("to", "To", "the first moment behind it"),
    TEXT("kind", "Kind", "anchored, signed, running, unsigned, stopped or absent"),
    BOOL("gap", "Gap", "is it not proven as was asked?"),
};

static const struct kw_evidence_column calls[] = {
    NODE,
    TEXT("method", "Method", "encrypt or decrypt"),
    TEXT("class", "Class", "of the socket that was asked"),
    TEXT("source", "Source", "where the answer is from: hsm, cache, joined or none"),
    NUMBER("code", "Code", "gRPC's"),
    TEXT("reason", "Reason", "keyward's code"),
    TEXT_OR_NULL("key_id", "key_id", "as the log has it"),
    NUMBER("count", "Calls", "so many in the period"),
};

static const struct kw_evidence_column etcd[] = {
    TEXT("report", "Report", "its file in the bundle"),
    TEXT("sha256", "SHA-256", "of that file"),
    TEXT("inputs", "Of", "paths of what was read, a comma between"),
    TEXT("verdict", "Verdict", "the report's"),
    NUMBER("exit", "Exit", "the audit's exit status"),
    NUMBER_OR_NULL("revision", "Revision", "the highest in the database"),
    TEXT("must_be_encrypted", "Must be encrypted", "by what that was judged"),
    NUMBER("violations", "Violations", "current objects that are not as they must be"),
    NUMBER("leftovers", "Leftovers", "the same in old revisions, free pages and logs"),
    NUMBER("unread", "Unread", "things that could not be read"),
    TEXT_OR_NULL("restorable", "Restorable", "null: that was not asked"),
    TEXT_OR_NULL("restore_serial", "By token",
                 "serial number of the token that was asked"),
    BOOL("redacted", "Redacted", "names and paths are digits"),
};

static const struct kw_evidence_column objects[] = {
    TEXT("report", "Report", "its file in the bundle"),
    TEXT_OR_NULL("resource", "Resource", "null: a key that names no object"),
    TEXT("stored_as", "Stored as", "how it is encrypted, or not"),
    TEXT_OR_NULL("provider", "Provider", "of whom, or of whose key"),
    TEXT_OR_NULL("key_id", "key_id", "of KMS v2"),
    TEXT_OR_NULL("why", "Why not", "why it must not be stored so; null: it may"),
    NUMBER("current", "Current", "objects that a read gives"),
    NUMBER("historic", "Historic", "in old revisions and copies"),
    NUMBER("unreachable", "Unreachable", "in pages that nothing leads to"),
    NUMBER("log", "Log", "in the write-ahead log"),
};

static const struct kw_evidence_column stated[] = {
    TEXT("what", "What", "what it is about"),
    TEXT("value", "Value", "as the operator says it"),
    TEXT_OR_NULL("sha256", "SHA-256",
                 "of the file that is named; of the audit key its SubjectPublicKeyInfo"),
};

static const struct kw_evidence_column limits[] = {
    TEXT("limit", "Limit", "what this bundle does not show"),
};

#define TABLE(name, title, says)                                                         \
    {                                                                                    \
#name, title, says, name, sizeof name / sizeof name[0]                           \
    }

static const struct kw_evidence_spec specs[KW_EVIDENCE_TABLES] = {
    [KW_EVIDENCE_CONTROLS] =
        TABLE(controls, "Controls",
              "Satisfied is only what every one of its checks passes; partial evidence "
              "is not satisfied. Of the outcome operator no check speaks: ask the "
              "operator for what the last column has."),
    [KW_EVIDENCE_CHECKS] =
        TABLE(checks, "Checks",
              "Each is judged by rows of the tables that it names. What was not answered "
              "is never a pass. docs/COMPLIANCE.md of keyward has when each passes."),
    [KW_EVIDENCE_NODES] =
        TABLE(nodes, "Control planes", "Those that were named, collected or not."),
    [KW_EVIDENCE_TOKENS] =
        TABLE(tokens, "Tokens",
              "A token is an HSM, or a part of one. What each says of itself; standard, "
              "certificate, level and location are the operator's words."),
    [KW_EVIDENCE_KEYS] = TABLE(keys, "Key inventory",
                               "Each KEK version in each token of each control plane. A "
                               "KEK lies in the token, and "
                               "wraps the seeds that kube-apiserver derives its keys "
                               "from; the baseline is the version that "
                               "wraps now."),
    [KW_EVIDENCE_ATTRIBUTES] = TABLE(
        attributes, "Attributes of the keys",
        "At the ceremony and when it was collected. The vendor's library said so to "
        "keyward; "
        "nobody else attests it."),
    [KW_EVIDENCE_ALGORITHMS] =
        TABLE(algorithms, "Cryptographic architecture",
              "Every algorithm between a Secret and the HSM, with its keys."),
    [KW_EVIDENCE_CONFIGURATION] =
        TABLE(configuration, "Configuration and policy",
              "What is effective on each control plane, without secrets."),
    [KW_EVIDENCE_ROTATIONS] =
        TABLE(rotations, "Rotations and cryptoperiods", "Of the newest keyring."),
    [KW_EVIDENCE_COPIES] =
        TABLE(copies, "Copies of the keys", "In which tokens each key lies."),
    [KW_EVIDENCE_ACTS] =
        TABLE(acts, "Operators' acts",
              "From the keyring's history, and from the operators' log of each control "
              "plane."),
    [KW_EVIDENCE_LOGS] =
        TABLE(logs, "Audit logs",
              "What following each log from record to record came to. The audit logs "
              "themselves are not here: node.json has their digests."),
    [KW_EVIDENCE_COVERAGE] = TABLE(coverage, "Coverage of the period",
                                   "What the audit log of each control plane tells of "
                                   "each moment of the period."),
    [KW_EVIDENCE_CALLS] =
        TABLE(calls, "Calls in the period",
              "Encrypt and Decrypt, counted by what is on record of them."),
    [KW_EVIDENCE_ETCD] = TABLE(etcd, "etcd's files", "Reports of keyward etcd audit."),
    [KW_EVIDENCE_OBJECTS] =
        TABLE(objects, "Objects in etcd's files", "How many are stored how, and where."),
    [KW_EVIDENCE_STATED] =
        TABLE(stated, "What the operator states",
              "Nobody checked it; of each file only the digest is here."),
    [KW_EVIDENCE_LIMITS] =
        TABLE(limits, "What this does not show", "Read it before you rely on the rest."),
};

const struct kw_evidence_spec *kw_evidence_spec(enum kw_evidence_table table)
{
    return &specs[table];
}
