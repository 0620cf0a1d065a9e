/* SPDX-License-Identifier: Apache-2.0 */
#include "collected.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/keyring.h>
#include <keyward/sha256.h>

#include "check.h"
#include "run.h"

#define TOKEN                                                                            \
    "{\"collected\": \"keyward-token\", \"format\": 1, \"name\": \"t\","                 \
    " \"asked\": false, \"error\": {\"why\": \"away\"}, \"library\": null,"              \
    " \"token\": null, \"mechanism\": null, \"audit_key\": null}"

const char *collected_said;
static struct kw_run run;
static char root[64];

static const char *const names[] = {"keyward.yaml", "keyring.json", "token-t@0.json",
                                    "token-u.json", "audit.pem",    "audit/audit.jsonl"};

const char *collected_at(const char *name)
{
    static char paths[8][256];
    static size_t next;
    char *path = paths[next++ % 8];
    CHECK((size_t)snprintf(path, sizeof paths[0], "%s/%s", root, name) < sizeof paths[0]);
    return path;
}

void collected_begin(void)
{
    snprintf(root, sizeof root, "/tmp/keyward-collected-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
}

void collected_end(void)
{
    kw_run(&run, (const char *const[]){"/bin/rm", "-rf", root, NULL});
    CHECK(run.status == 0);
}

static void collected_bytes(const char *name, kw_span bytes)
{
    CHECK_OK(kw_file_replace(collected_at(name), bytes, 0600, NULL));
}

void collected_put(const char *name, const char *text)
{
    collected_bytes(name, kw_span_str(text));
}

static void collected_vector(const char *node, const char *name, const char *vector)
{
    struct kw_blob all = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", KW_VECTORS, vector);
    CHECK_OK(kw_file_read(path, 1 << 20, &all, NULL));
    snprintf(path, sizeof path, "%s/%s", node, name);
    collected_bytes(path, kw_blob_peek(&all));
    kw_blob_wipe(&all);
}

static json_t *collected_file(const char *node, const char *name)
{
    char path[256], hex[2 * KW_SHA256 + 1];
    uint8_t sha256[KW_SHA256];
    struct kw_blob all = {0};
    snprintf(path, sizeof path, "%s/%s", node, name);
    if (kw_failed(kw_file_read(collected_at(path), 1 << 24, &all, NULL)))
        return NULL;
    CHECK_OK(kw_sha256(kw_blob_peek(&all), sha256));
    kw_hex(hex, sizeof hex, kw_span_of(sha256, sizeof sha256));
    json_t *row =
        json_pack("{ss sI ss}", "name", name, "size", (json_int_t)all.len, "sha256", hex);
    kw_blob_wipe(&all);
    return row;
}

void collected_seal(const char *name, json_t *changes)
{
    char path[256];
    json_t *files = json_array(), *keyring = collected_file(name, "keyring.json");
    const char *ring = json_string_value(json_object_get(keyring, "sha256"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_t *row = collected_file(name, names[i]);
        if (row != NULL)
            CHECK(json_array_append_new(files, row) == 0);
    }
    json_t *node = json_pack(
        "{ss si ss ss ss sb s[] s{ss s[] ss ss s[{ss ss}] s[] sn} s{ss? so si si sn "
        "sn sn} s{sb si si} so}",
        "collected", "keyward-node", "format", 1, "node", name, "time",
        "2026-11-29T00:00:00Z", "version", "0.1.0", "complete", 1, "not_looked_at",
        "configuration", "sha256", "c0", "redacted", "domain", "demo", "environment",
        "test", "tokens", "name", "t", "file", "token-t@0.json", "classes", "audit",
        "keyring", "sha256", ring, "serial",
        keyring != NULL ? json_integer(70) : json_null(), "baseline", 4, "active_here", 4,
        "refused_here", "doubt", "state_unknown", "audit", "copied", 1, "audit_files", 1,
        "operator_files", 0, "files", files);
    CHECK(node != NULL);
    json_decref(keyring);
    if (changes != NULL)
        CHECK(json_object_update_new(node, changes) == 0);
    char *text = json_dumps(node, JSON_INDENT(2));
    snprintf(path, sizeof path, "%s/node.json", name);
    collected_put(path, text);
    free(text);
    json_decref(node);
}

/* What a token that was not asked says of the golden keyring. */
static void collected_token(const char *path)
{
    struct kw_keyring *ring = NULL;
    json_t *token = json_loads(TOKEN, 0, NULL), *versions = json_array();
    CHECK_OK(kw_keyring_load(KW_VECTORS "/keyring.json", &ring, NULL, NULL));
    for (size_t i = 0; i < ring->count; i++) {
        const struct kw_version *v = &ring->versions[i];
        json_t *one = json_pack(
            "{si ss ss sb sb ss sn sn s[] sn sn sn sn sn sn}", "n", (int)v->n, "key_id",
            v->key_id, "state", kw_key_state_name(v->state), "baseline",
            v->n == ring->active, "active_here", v->n == ring->active, "asked", "nothing",
            "found", "check_blob_opens", "findings", "error", "attributes", "properties",
            "rules", "verdict", "at_ceremony");
        CHECK(json_array_append_new(versions, one) == 0);
    }
    CHECK(json_object_set_new(token, "versions", versions) == 0);
    char *text = json_dumps(token, 0);
    collected_put(path, text);
    free(text);
    json_decref(token);
    kw_keyring_give(ring);
}

void collected_node(const char *name)
{
    char path[256];
    CHECK(mkdir(collected_at(name), 0700) == 0);
    snprintf(path, sizeof path, "%s/audit", name);
    CHECK(mkdir(collected_at(path), 0700) == 0);
    snprintf(path, sizeof path, "%s/keyward.yaml", name);
    collected_put(path, "domain: demo\n");
    snprintf(path, sizeof path, "%s/token-t@0.json", name);
    collected_token(path);
    collected_vector(name, "keyring.json", "keyring.json");
    collected_vector(name, "audit.pem", "audit.pem");
    collected_vector(name, "audit/audit.jsonl", "audit-signed.jsonl");
    collected_seal(name, NULL);
}

int collected_line(const char *fmt, ...)
{
    static char all[4096], said[2 * sizeof run.out];
    char line[2048];
    va_list args;
    va_start(args, fmt);
    CHECK((size_t)vsnprintf(line, sizeof line, fmt, args) < sizeof line);
    va_end(args);
    const char *slash = strrchr(KEYWARD, '/');
    CHECK((size_t)snprintf(all, sizeof all, "cd %s; PATH=%.*s:$PATH; %s", root,
                           (int)(slash - KEYWARD), KEYWARD, line) < sizeof all);
    kw_run(&run, (const char *const[]){"/bin/sh", "-c", all, NULL});
    snprintf(said, sizeof said, "%s%s", run.out, run.err);
    collected_said = said;
    return run.status;
}
