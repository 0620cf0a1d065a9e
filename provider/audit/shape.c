/* SPDX-License-Identifier: Apache-2.0 */
/* The members of each kind of record. */
#include <keyward/audit.h>

#define SHA256 KW_AUDIT_HEX, KW_SHA256

enum { DER = 2 * 72, NODE = 64, BOOT = 39, VERSION = 32, SERIAL = 32 };

static const struct kw_audit_member genesis[] = {
    [KW_AUDIT_GENESIS_FORMAT] = {"format", KW_AUDIT_NUMBER},
    [KW_AUDIT_GENESIS_LOG] = {"log", SHA256},
    [KW_AUDIT_GENESIS_NODE] = {"node", KW_AUDIT_TEXT, NODE},
    [KW_AUDIT_GENESIS_BOOT] = {"boot", KW_AUDIT_TEXT, BOOT},
    [KW_AUDIT_GENESIS_MACHINE] = {"machine", KW_AUDIT_HEX, 16, true},
    [KW_AUDIT_GENESIS_VERSION] = {"version", KW_AUDIT_TEXT, VERSION},
    [KW_AUDIT_GENESIS_CONFIGURATION] = {"configuration", SHA256},
    [KW_AUDIT_GENESIS_KEYRING] = {"keyring", SHA256, true},
    [KW_AUDIT_GENESIS_BEFORE] = {"before", SHA256, true},
};
static const struct kw_audit_member file[] = {
    [KW_AUDIT_FILE_FORMAT] = {"format", KW_AUDIT_NUMBER},
    [KW_AUDIT_FILE_LOG] = {"log", SHA256},
    [KW_AUDIT_FILE_PREVIOUS] = {"previous", SHA256},
};
static const struct kw_audit_member start[] = {
    [KW_AUDIT_START_VERSION] = {"version", KW_AUDIT_TEXT, VERSION},
    [KW_AUDIT_START_BOOT] = {"boot", KW_AUDIT_TEXT, BOOT},
    [KW_AUDIT_START_PID] = {"pid", KW_AUDIT_NUMBER},
    [KW_AUDIT_START_CONFIGURATION] = {"configuration", SHA256},
    [KW_AUDIT_START_KEYRING] = {"keyring", SHA256, true},
};
static const struct kw_audit_member stop[] = {
    [KW_AUDIT_STOP_REASON] = {"reason", KW_AUDIT_WORD, 32},
};
static const struct kw_audit_member call[] = {
    [KW_AUDIT_CALL_METHOD] = {"method", KW_AUDIT_WORD, 8},
    [KW_AUDIT_CALL_CLASS] = {"class", KW_AUDIT_WORD, 32},
    [KW_AUDIT_CALL_REQUEST] = {"request", KW_AUDIT_REQUEST},
    [KW_AUDIT_CALL_KEY_ID] = {"key_id", KW_AUDIT_KEY_ID, .may_be_null = true},
    [KW_AUDIT_CALL_PEER_UID] = {"peer_uid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CALL_PEER_GID] = {"peer_gid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CALL_PEER_PID] = {"peer_pid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CALL_PEER_START] = {"peer_start", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CALL_TOKEN] = {"token", KW_AUDIT_TEXT, SERIAL, true},
    [KW_AUDIT_CALL_SOURCE] = {"source", KW_AUDIT_WORD, 8},
    [KW_AUDIT_CALL_CODE] = {"code", KW_AUDIT_NUMBER},
    [KW_AUDIT_CALL_REASON] = {"reason", KW_AUDIT_WORD, 32},
    [KW_AUDIT_CALL_CKR] = {"ckr", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CALL_TOOK_US] = {"took_us", KW_AUDIT_NUMBER},
    [KW_AUDIT_CALL_CIPHERTEXT] = {"ciphertext", KW_AUDIT_HEX, 8, true},
};
static const struct kw_audit_member tampered[] = {
    [KW_AUDIT_TAMPERED_WHAT] = {"what", KW_AUDIT_WORD, 8},
    [KW_AUDIT_TAMPERED_WANTED] = {"wanted", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_TAMPERED_FOUND] = {"found", KW_AUDIT_NUMBER, .may_be_null = true},
};
static const struct kw_audit_member torn[] = {
    [KW_AUDIT_TORN_BYTES] = {"bytes", KW_AUDIT_NUMBER},
    [KW_AUDIT_TORN_SHA256] = {"sha256", SHA256},
    [KW_AUDIT_TORN_LAST] = {"last", KW_AUDIT_NUMBER},
};
static const struct kw_audit_member unsynced[] = {
    [KW_AUDIT_UNSYNCED_BYTES] = {"bytes", KW_AUDIT_NUMBER},
};
static const struct kw_audit_member withheld[] = {
    [KW_AUDIT_WITHHELD_CALL] = {"call", KW_AUDIT_NUMBER},
    [KW_AUDIT_WITHHELD_CODE] = {"code", KW_AUDIT_NUMBER},
    [KW_AUDIT_WITHHELD_REASON] = {"reason", KW_AUDIT_WORD, 32},
};
static const struct kw_audit_member unrecorded[] = {
    [KW_AUDIT_UNRECORDED_METHOD] = {"method", KW_AUDIT_WORD, 8, true},
    [KW_AUDIT_UNRECORDED_CLASS] = {"class", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_UNRECORDED_CODE] = {"code", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_UNRECORDED_REASON] = {"reason", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_UNRECORDED_COUNT] = {"count", KW_AUDIT_NUMBER},
};
static const struct kw_audit_member refused[] = {
    [KW_AUDIT_REFUSED_METHOD] = {"method", KW_AUDIT_WORD, 8, true},
    [KW_AUDIT_REFUSED_CLASS] = {"class", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_REFUSED_PEER_UID] = {"peer_uid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_REFUSED_PEER_GID] = {"peer_gid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_REFUSED_PEER_PID] = {"peer_pid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_REFUSED_PEER_START] = {"peer_start", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_REFUSED_CODE] = {"code", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_REFUSED_REASON] = {"reason", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_REFUSED_COUNT] = {"count", KW_AUDIT_NUMBER},
};
static const struct kw_audit_member event[] = {
    [KW_AUDIT_EVENT_NAME] = {"event", KW_AUDIT_WORD, 32},
    [KW_AUDIT_EVENT_CLASS] = {"class", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_EVENT_TOKEN] = {"token", KW_AUDIT_TEXT, NODE, true},
    [KW_AUDIT_EVENT_KEY_ID] = {"key_id", KW_AUDIT_KEY_ID, .may_be_null = true},
    [KW_AUDIT_EVENT_PID] = {"pid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_EVENT_FROM] = {"from", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_EVENT_TO] = {"to", KW_AUDIT_WORD, 32, true},
    [KW_AUDIT_EVENT_COUNT] = {"count", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_EVENT_WHY] = {"why", KW_AUDIT_TEXT, 240, true},
};
static const struct kw_audit_member operator_[] = {
    [KW_AUDIT_OPERATOR_ACT] = {"act", KW_AUDIT_WORD, 32},
    [KW_AUDIT_OPERATOR_KEY_ID] = {"key_id", KW_AUDIT_KEY_ID, .may_be_null = true},
    [KW_AUDIT_OPERATOR_UID] = {"uid", KW_AUDIT_NUMBER},
    [KW_AUDIT_OPERATOR_LOGIN_UID] = {"login_uid", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_OPERATOR_TICKET] = {"ticket", KW_AUDIT_TEXT, 64, true},
    [KW_AUDIT_OPERATOR_OUTCOME] = {"outcome", KW_AUDIT_WORD, 8},
};
static const struct kw_audit_member log_lost[] = {
    [KW_AUDIT_LOG_LOST_LOG] = {"log", SHA256},
    [KW_AUDIT_LOG_LOST_LAST] = {"last", KW_AUDIT_NUMBER},
    [KW_AUDIT_LOG_LOST_HEAD] = {"head", SHA256},
};
static const struct kw_audit_member operator_log[] = {
    [KW_AUDIT_OPERATOR_LOG_LOG] = {"log", SHA256, true},
    [KW_AUDIT_OPERATOR_LOG_LAST] = {"last", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_OPERATOR_LOG_HEAD] = {"head", SHA256, true},
};
static const struct kw_audit_member checkpoint[] = {
    [KW_AUDIT_CHECKPOINT_LOG] = {"log", SHA256},
    [KW_AUDIT_CHECKPOINT_NODE] = {"node", KW_AUDIT_TEXT, NODE},
    [KW_AUDIT_CHECKPOINT_COVERED] = {"covered", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_HEAD] = {"head", SHA256},
    [KW_AUDIT_CHECKPOINT_RECORDS] = {"records", KW_AUDIT_NUMBER, .may_be_null = true},
    [KW_AUDIT_CHECKPOINT_WRAP] = {"wrap", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_VERIFY] = {"verify", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_UNWRAP] = {"unwrap", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_CANARY] = {"canary", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_SELF_TEST] = {"self_test", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_SIGN] = {"sign", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_LOGIN] = {"login", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_TIME_US] = {"time_us", KW_AUDIT_NUMBER},
    [KW_AUDIT_CHECKPOINT_SYNCHRONISED] = {"synchronised", KW_AUDIT_NUMBER},
};
static const struct kw_audit_member signature[] = {
    [KW_AUDIT_SIGNATURE_COVERS] = {"covers", KW_AUDIT_NUMBER},
    [KW_AUDIT_SIGNATURE_KEY] = {"key", SHA256},
    [KW_AUDIT_SIGNATURE_SIGNATURE] = {"signature", KW_AUDIT_WORD, DER},
};

static const struct kw_audit_shape shapes[KW_AUDIT_KINDS] = {
    [KW_AUDIT_GENESIS] = {"genesis", KW_AUDIT_GENESIS_VALUES, genesis},
    [KW_AUDIT_FILE] = {"file", KW_AUDIT_FILE_VALUES, file},
    [KW_AUDIT_START] = {"start", KW_AUDIT_START_VALUES, start},
    [KW_AUDIT_STOP] = {"stop", KW_AUDIT_STOP_VALUES, stop},
    [KW_AUDIT_CALL] = {"call", KW_AUDIT_CALL_VALUES, call},
    [KW_AUDIT_TAMPERED] = {"tampered", KW_AUDIT_TAMPERED_VALUES, tampered},
    [KW_AUDIT_TORN] = {"torn", KW_AUDIT_TORN_VALUES, torn},
    [KW_AUDIT_UNSYNCED] = {"unsynced", KW_AUDIT_UNSYNCED_VALUES, unsynced},
    [KW_AUDIT_WITHHELD] = {"withheld", KW_AUDIT_WITHHELD_VALUES, withheld},
    [KW_AUDIT_UNRECORDED] = {"unrecorded", KW_AUDIT_UNRECORDED_VALUES, unrecorded},
    [KW_AUDIT_REFUSED] = {"refused", KW_AUDIT_REFUSED_VALUES, refused},
    [KW_AUDIT_EVENT] = {"event", KW_AUDIT_EVENT_VALUES, event},
    [KW_AUDIT_OPERATOR] = {"operator", KW_AUDIT_OPERATOR_VALUES, operator_},
    [KW_AUDIT_LOG_LOST] = {"log-lost", KW_AUDIT_LOG_LOST_VALUES, log_lost},
    [KW_AUDIT_OPERATOR_LOG] = {"operator-log", KW_AUDIT_OPERATOR_LOG_VALUES,
                               operator_log},
    [KW_AUDIT_CHECKPOINT] = {"checkpoint", KW_AUDIT_CHECKPOINT_VALUES, checkpoint},
    [KW_AUDIT_SIGNATURE] = {"signature", KW_AUDIT_SIGNATURE_VALUES, signature},
};

const struct kw_audit_shape *kw_audit_shape(enum kw_audit_kind kind)
{
    return &shapes[kind];
}
