/* SPDX-License-Identifier: Apache-2.0 */
/* settings - every setting there is
 *
 * A row is all that parser, messages, --print-config, the manual and the tests know of a
 * setting.  The order is the order in which they are printed. */
#include "settings.h"

#include <stddef.h>

#define ONE(block, member)                                                               \
    .offset = offsetof(struct block, member), .width = sizeof((struct block *)0)->member
#define MANY(block, member, count)                                                       \
    .offset = offsetof(struct block, member),                                            \
    .width = sizeof((struct block *)0)->member[0],                                       \
    .max = sizeof((struct block *)0)->member / sizeof((struct block *)0)->member[0],     \
    .count_offset = offsetof(struct block, count)
#define FILE_(member) ONE(kw_config, member)
#define TOKEN(member) ONE(kw_config_token, member)
#define CLASS(member) ONE(kw_config_class, member)
#define MAP(at, what)                                                                    \
    {                                                                                    \
        .path = at, .kind = KW_SETTING_MAP, .standard = "", .help = what                 \
    }

#define MINUTE_NS (60 * KW_S_NS)
#define HOUR_NS (60 * MINUTE_NS)

const struct kw_setting kw_settings[KW_SETTINGS] = {
    MAP("", "The whole file: one YAML document."),
    {.path = "domain",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_domain,
     .help = "Name under which everything is sealed. Must equal the keyring's; never "
             "changes in the life of the data.",
     FILE_(domain)},
    {.path = "environment",
     .kind = KW_SETTING_CHOICE,
     .choices = "test|production",
     .help = "What this node is for. production refuses a SoftHSM token.",
     FILE_(production)},
    {.path = "keyring",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_path,
     .standard = "/etc/keyward/keyring.json",
     .help = "The keyring file, the same on every control-plane node.",
     FILE_(keyring)},
    {.path = "state",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_path,
     .standard = "/var/lib/keyward",
     .help = "Directory of what this node remembers across restarts; mode 0700, owned by "
             "the daemon's user.",
     FILE_(state)},
    {.path = "status",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_socket,
     .standard = "/run/keyward/status.sock",
     .help = "Status socket: connect and receive one JSON document; nothing is read from "
             "the peer.",
     FILE_(status)},
    MAP("log", "What is logged, and how; to standard error."),
    {.path = "log.level",
     .kind = KW_SETTING_CHOICE,
     .choices = "debug|info|warn|error",
     .standard = "info",
     .help = "The least level that is logged.",
     FILE_(log_level)},
    {.path = "log.format",
     .kind = KW_SETTING_CHOICE,
     .choices = "logfmt|json",
     .standard = "logfmt",
     .help = "One event is one line.",
     FILE_(log_format)},
    MAP("hsm", "The token and how long it may take."),
    {.path = "hsm.deadline",
     .kind = KW_SETTING_DURATION,
     .lo = 100 * KW_MS_NS,
     .hi = 2999 * KW_MS_NS,
     .standard = "1500ms",
     .help = "Of a call, wrap and verify together. Keep it below the timeout that "
             "EncryptionConfiguration gives kube-apiserver (3s).",
     FILE_(deadline_ns)},
    {.path = "hsm.patience",
     .kind = KW_SETTING_DURATION,
     .lo = KW_S_NS,
     .hi = 5 * MINUTE_NS,
     .standard = "10s",
     .help =
         "With a worker of which an operation has missed its deadline. When it is not "
         "back then, the worker is replaced. One whose every session hangs gets no new "
         "jobs meanwhile, and another one starts at once.",
     FILE_(patience_ns)},
    {.path = "hsm.suspect",
     .kind = KW_SETTING_DURATION,
     .lo = KW_S_NS,
     .hi = 10 * MINUTE_NS,
     .standard = "10s",
     .help = "How long the token may be suspected before it counts as lost and "
             "on-hsm-loss decides.",
     FILE_(suspect_ns)},
    {.path = "hsm.recover",
     .kind = KW_SETTING_DURATION,
     .lo = 0,
     .hi = 10 * MINUTE_NS,
     .standard = "10s",
     .help =
         "A first loss ends at the first good canary, a second one within an hour after "
         "three spread over this time, each further one over three times it.",
     FILE_(recover_ns)},
    MAP("hsm.probe", "The health check: a canary, the only honest one."),
    {.path = "hsm.probe.every",
     .kind = KW_SETTING_DURATION,
     .lo = KW_S_NS,
     .hi = 10 * MINUTE_NS,
     .standard = "10s",
     .help = "Time between two canaries. Where the last one took more than a fiftieth of "
             "it, fifty times what that took, up to half of hsm.probe.stale-after: it is "
             "time that the calls do not have. Not while the token is in doubt.",
     FILE_(probe_every_ns)},
    {.path = "hsm.probe.stale-after",
     .kind = KW_SETTING_DURATION,
     .lo = 2 * KW_S_NS,
     .hi = HOUR_NS,
     .standard = "30s",
     .help = "A health record older than this counts as a failure. Longer than "
             "hsm.probe.every.",
     FILE_(stale_after_ns)},
    {.path = "hsm.order",
     .kind = KW_SETTING_CHOICE,
     .choices = "priority|spread",
     .standard = "priority",
     .help = "Of several tokens: priority gives every call to the first that can do it, "
             "and to the next one when that failed it, hung for a third of hsm.deadline "
             "or is out; spread to any that has room.",
     FILE_(order)},
    {.path = "hsm.tokens",
     .kind = KW_SETTING_MAP,
     .least = 1,
     .help = "The tokens that hold the KEK, one to four. Each must hold the same keys: "
             "what it holds is proven by the keyring's check blobs, a version at a time.",
     MANY(kw_config, tokens, token_count)},
    {.path = "hsm.tokens[].uri",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_uri,
     .help = "PKCS#11 URI (RFC 7512) that matches exactly one token of the module.",
     TOKEN(uri)},
    {.path = "hsm.tokens[].module",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_path,
     .help =
         "The vendor's PKCS#11 library. Loaded only when it, each folder above it and "
         "each link on the way are root's or the daemon's user's, and nobody else may "
         "write them.",
     TOKEN(module)},
    {.path = "hsm.tokens[].pin",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_pin,
     .help = "Where the PIN lies: a file that only the daemon's user can read, or a "
             "systemd credential. The PIN itself never stands in this file.",
     TOKEN(pin)},
    {.path = "hsm.tokens[].env",
     .kind = KW_SETTING_VARS,
     .standard = "{}",
     .help = "The vendor library's own variables. The worker gets no others.",
     MANY(kw_config_token, env, env_count)},
    {.path = "hsm.tokens[].workers",
     .kind = KW_SETTING_NUMBER,
     .lo = 1,
     .hi = KW_WORKERS_MAX,
     .standard = "2",
     .help = "Processes that work with this token.",
     TOKEN(workers)},
    {.path = "hsm.tokens[].sessions",
     .kind = KW_SETTING_NUMBER,
     .lo = 0,
     .hi = KW_SESSIONS_MAX,
     .standard = "0",
     .help = "Sessions of each worker: so many operations at once. 0: one for SoftHSM, "
             "whose threads hinder each other, and four for any other token. A token "
             "that says how many sessions it has gives at most half of those that are "
             "free, shared out among twice the workers, as at a reload new ones stand "
             "beside the old, less one of each that keeps the login; one that gives "
             "fewer is used with fewer.",
     TOKEN(sessions)},
    {.path = "audit",
     .kind = KW_SETTING_MAP,
     .standard = "",
     .whole = true,
     .help =
         "The audit log: each Encrypt and Decrypt is on record before it is answered. "
         "May be left out: then nothing is on record."},
    {.path = "audit.dir",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_path,
     .help =
         "Its folder, mode 0750, the daemon's user's; on a disk of its own rather than "
         "etcd's, which waits for the same fdatasync.",
     FILE_(audit_dir)},
    {.path = "audit.durability",
     .kind = KW_SETTING_CHOICE,
     .choices = "sync|write",
     .standard = "sync",
     .help =
         "sync: a reply leaves when its record is on the disk. write: when the kernel "
         "has it, so that a power cut can lose the last ones; a crash of keywardd "
         "cannot.",
     FILE_(audit_durability)},
    {.path = "audit.on-failure",
     .kind = KW_SETTING_CHOICE,
     .choices = "deny|allow",
     .standard = "deny",
     .help = "When a record cannot be written: deny refuses Status, Encrypt and Decrypt "
             "until "
             "it can; allow answers, and puts on record afterwards how many had none.",
     FILE_(audit_on_failure)},
    {.path = "audit.deadline",
     .kind = KW_SETTING_DURATION,
     .lo = 10 * KW_MS_NS,
     .hi = 2 * KW_S_NS,
     .standard = "250ms",
     .help = "A record that takes longer counts as one that cannot be written. It comes "
             "on top "
             "of hsm.deadline: with 250ms more for the way, both stay below 3s.",
     FILE_(audit_deadline_ns)},
    {.path = "audit.rotate",
     .kind = KW_SETTING_NUMBER,
     .lo = 1 << 20,
     .hi = INT64_C(1) << 40,
     .standard = "67108864",
     .help =
         "Bytes after which a file is closed and the next one begins; a reload (SIGHUP) "
         "does it at once. Nothing is ever deleted by keyward.",
     FILE_(audit_rotate_bytes)},
    {.path = "audit.copies",
     .kind = KW_SETTING_CHOICE,
     .choices = "none|checkpoints|all",
     .standard = "checkpoints",
     .help =
         "Which records are sent to the machine's system log as well, best effort: none, "
         "checkpoints and their signatures, or all. journald drops what is more than "
         "10000 lines of a service in 30s and tells nobody but its own log: for all, "
         "raise RateLimitBurst (journald.conf(5)).",
     FILE_(audit_copies)},
    {.path = "audit.copies-to",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_socket,
     .standard = "/dev/log",
     .help = "The system log's datagram socket. How many copies it did not take is on "
             "record.",
     FILE_(audit_copies_to)},
    {.path = "audit.key",
     .kind = KW_SETTING_MAP,
     .standard = "",
     .whole = true,
     .help =
         "The pair that signs checkpoints, and bundles of evidence, inside the token; "
         "keyward audit key create "
         "makes it, and prints this block. May be left out: then they are not signed."},
    {.path = "audit.key.label",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_label,
     .help = "CKA_LABEL of both halves, in every token that is to sign.",
     FILE_(audit_key_label)},
    {.path = "audit.key.sha256",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_sha256,
     .help = "Of its SubjectPublicKeyInfo: no other key's signature is taken.",
     FILE_(audit_key_sha256)},
    {.path = "classes",
     .kind = KW_SETTING_MAP,
     .least = 1,
     .help =
         "One per sensitivity: its own socket, provider name, scope, cache and policy.",
     MANY(kw_config, classes, class_count)},
    {.path = "classes[].name",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_name,
     .help = "For log, status and metrics. No two classes share one.",
     CLASS(name)},
    {.path = "classes[].scope",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_name,
     .help = "Sealed into every ciphertext of this class, so it never changes. No two "
             "classes share one.",
     CLASS(scope)},
    {.path = "classes[].accept-scopes",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_name,
     .standard = "[]",
     .help =
         "Other scopes that this class decrypts too, each time with a log line: for a "
         "renamed class or a moved resource.",
     MANY(kw_config_class, accept_scopes, accept_count)},
    {.path = "classes[].socket",
     .kind = KW_SETTING_TEXT,
     .text = &kw_rule_socket,
     .help = "The endpoint of EncryptionConfiguration, without unix://.",
     CLASS(socket)},
    {.path = "classes[].mode",
     .kind = KW_SETTING_MODE,
     .standard = "0660",
     .help = "File mode of the socket.",
     CLASS(mode)},
    MAP("classes[].peers",
        "Who may connect, by the kernel's word. There is no \"anybody\"."),
    {.path = "classes[].peers.uids",
     .kind = KW_SETTING_NUMBER,
     .lo = 0,
     .hi = UINT32_MAX - 1,
     .standard = "[0]",
     .help = "User ids; kube-apiserver usually runs as 0.",
     MANY(kw_config_class, uids, uid_count)},
    {.path = "classes[].peers.gids",
     .kind = KW_SETTING_NUMBER,
     .lo = 0,
     .hi = UINT32_MAX - 1,
     .standard = "[]",
     .help = "Group ids (the peer's primary group).",
     MANY(kw_config_class, gids, gid_count)},
    {.path = "classes[].on-hsm-loss",
     .kind = KW_SETTING_CHOICE,
     .choices = "fail-closed|serve-cached",
     .standard = "fail-closed",
     .help = "What is answered while the token is lost: nothing, or what is in the cache "
             "for at most max-outage.",
     CLASS(on_loss)},
    {.path = "classes[].max-outage",
     .kind = KW_SETTING_DURATION,
     .lo = KW_S_NS,
     .hi = 24 * HOUR_NS,
     .standard = "",
     .help =
         "Budget of serve-cached, which must say it; one minute comes back per hour of "
         "health.",
     CLASS(max_outage_ns)},
    MAP("classes[].cache", "Lately unwrapped seeds, in locked memory."),
    {.path = "classes[].cache.entries",
     .kind = KW_SETTING_NUMBER,
     .lo = 0,
     .hi = 1000000,
     .standard = "1024",
     .help = "At most so many seeds, 256 bytes of locked memory each. 0 turns the cache "
             "off.",
     CLASS(cache_entries)},
    {.path = "classes[].cache.ttl",
     .kind = KW_SETTING_DURATION,
     .lo = 0,
     .hi = 24 * HOUR_NS,
     .standard = "10m",
     .help =
         "Age at which a seed is forgotten, counted from its unwrap: the latency of a "
         "revocation. 0s turns the cache off.",
     CLASS(cache_ttl_ns)},
};
_Static_assert(KW_SETTINGS <= 64, "kw_config.written has 64 bits");
