/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/audit_node.h>

#include <unistd.h>

#include <keyward/file.h>
#include <keyward/limits.h>

static kw_err node_digest(const char *path, size_t most, char dst[2 * KW_SHA256 + 1],
                          struct kw_note *note)
{
    struct kw_blob bytes = {0};
    uint8_t digest[KW_SHA256];
    dst[0] = '\0';
    kw_err e = kw_file_read(path, most, &bytes, note);
    if (!kw_failed(e))
        e = kw_sha256(kw_blob_peek(&bytes), digest);
    kw_blob_wipe(&bytes);
    if (!kw_failed(e))
        kw_hex(dst, 2 * KW_SHA256 + 1, kw_span_of(digest, sizeof digest));
    return e;
}

/* 32 digits of hex and a line feed. */
static void node_machine(char dst[33])
{
    struct kw_blob bytes = {0};
    uint8_t id[16];
    dst[0] = '\0';
    if (kw_failed(kw_file_read("/etc/machine-id", 64, &bytes, NULL)))
        return;
    const kw_span text = kw_blob_peek(&bytes);
    if (text.len >= 32 && kw_unhex(id, sizeof id, kw_span_of(text.ptr, 32)))
        kw_hex(dst, 33, kw_span_of(id, sizeof id));
    kw_blob_wipe(&bytes);
}

static void node_name(char dst[65])
{
    if (gethostname(dst, 65) != 0)
        dst[0] = '\0';
    dst[64] = '\0';
    kw_audit_make_text(dst);
}

kw_err kw_audit_node_read(const char *configuration, const char *keyring,
                          struct kw_audit_node *ret_node, struct kw_note *note)
{
    node_name(ret_node->name);
    kw_boot_id(ret_node->boot);
    node_machine(ret_node->machine);
    (void)node_digest(keyring, KW_KEYRING_MAX, ret_node->keyring, NULL);
    return node_digest(configuration, KW_CONFIG_MAX, ret_node->configuration, note);
}

struct kw_audit_value kw_audit_text_or_null(const char *text)
{
    return text[0] == '\0' ? KW_AUDIT_NULL : kw_audit_text(text);
}

void kw_audit_node_genesis(const struct kw_audit_node *node,
                           struct kw_audit_value dst[KW_AUDIT_GENESIS_VALUES])
{
    dst[KW_AUDIT_GENESIS_NODE] = kw_audit_text(node->name);
    dst[KW_AUDIT_GENESIS_BOOT] = kw_audit_text(node->boot);
    dst[KW_AUDIT_GENESIS_MACHINE] = kw_audit_text_or_null(node->machine);
    dst[KW_AUDIT_GENESIS_VERSION] = kw_audit_text(KW_VERSION);
    dst[KW_AUDIT_GENESIS_CONFIGURATION] = kw_audit_text(node->configuration);
    dst[KW_AUDIT_GENESIS_KEYRING] = kw_audit_text_or_null(node->keyring);
}
