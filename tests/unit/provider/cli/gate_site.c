/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_site.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "../etcd/bolt.h"

struct gate_site gate;

static const char *gate_path(const char *name)
{
    static char path[160];
    CHECK((size_t)snprintf(path, sizeof path, "%s/%s", gate.dir, name) < sizeof path);
    return path;
}

void gate_write(const char *name, const char *text)
{
    CHECK_OK(kw_file_replace(gate_path(name), kw_span_str(text), 0644, NULL));
}

char *gate_read(const char *name)
{
    struct kw_blob bytes = {0};
    CHECK_OK(kw_file_read(gate_path(name), 1u << 20, &bytes, NULL));
    char *text = strndup((const char *)bytes.ptr, bytes.len);
    CHECK(text != NULL && strlen(text) == bytes.len);
    kw_blob_wipe(&bytes);
    return text;
}

void gate_change(const char *name, const char *from, const char *to, const char *as)
{
    char *text = gate_read(name), *at = strstr(text, from);
    const size_t room = strlen(text) + strlen(to) + 1;
    char *changed = calloc(1, room);
    if (at == NULL)
        fail_msg("%s has no \"%s\":\n%s", name, from, text);
    CHECK(changed != NULL);
    snprintf(changed, room, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    gate_write(as, changed);
    free(changed);
    free(text);
}

/* ---- etcd's files ---- */

/* As kube-apiserver stores it: an EncryptedObject whose data and seed say nothing. */
static kw_span gate_sealed(struct bolt *b, const char *key_id)
{
    static const char begins[] = "k8s:enc:kms:v2:keyward:\x0a\x04"
                                 "data\x12";
    static const char ends[] = "\x1a\x07wrapped\x28\x01";
    char value[256];
    const int len = snprintf(value, sizeof value, "%s%c%s%s", begins, (int)strlen(key_id),
                             key_id, ends);
    return bolt_copy(b, kw_span_of(value, (size_t)len));
}

void gate_db(const char *name, const struct gate_put *puts, uint16_t count)
{
    struct bolt b;
    struct bolt_item items[8];
    struct kw_blob bytes = {0};
    bolt_begin(&b, 4096, 4);
    bolt_metas(&b, 2);
    const struct bolt_item meta[] = {
        bolt_pair("consistent_index", kw_span_of("\0\0\0\0\0\0\1\1", 8))};
    const struct bolt_item root[] = {bolt_bucket(&b, "key", 3),
                                     bolt_inline(&b, "meta", meta, 1)};
    bolt_leaf(&b, 2, root, 2);
    CHECK(count <= sizeof items / sizeof items[0]);
    for (uint16_t i = 0; i < count; i++)
        items[i] = bolt_put(&b, puts[i].revision, puts[i].key,
                            puts[i].key_id != NULL ? gate_sealed(&b, puts[i].key_id)
                                                   : kw_span_str(puts[i].value));
    bolt_leaf(&b, 3, items, count);
    CHECK_OK(kw_file_read(bolt_snapshot(&b), 1u << 20, &bytes, NULL));
    CHECK_OK(kw_file_replace(gate_path(name), kw_blob_peek(&bytes), 0600, NULL));
    kw_blob_wipe(&bytes);
    bolt_end(&b);
}

void gate_audit(const char *db, const char *report)
{
    if (gate_line("keyward etcd audit %s --json --out %s", db, report) == 3)
        fail_msg("%s%s", gate.run.out, gate.run.err);
}

/* ---- the node ---- */

static int gate_run(const char *line)
{
    static char all[4096];
    const char *slash = strrchr(KEYWARD, '/');
    CHECK((size_t)snprintf(all, sizeof all, "cd %s; PATH=%s:%.*s:$PATH; %s", gate.dir,
                           gate.dir, (int)(slash - KEYWARD), KEYWARD, line) < sizeof all);
    kw_run(&gate.run, (const char *const[]){"/bin/sh", "-c", all, NULL});
    return gate.run.status;
}

int gate_line(const char *fmt, ...)
{
    char line[2048];
    va_list args;
    va_start(args, fmt);
    CHECK((size_t)vsnprintf(line, sizeof line, fmt, args) < sizeof line);
    va_end(args);
    return gate_run(line);
}

int gate_key(const char *fmt, ...)
{
    char line[2048], whole[2300];
    va_list args;
    va_start(args, fmt);
    CHECK((size_t)vsnprintf(line, sizeof line, fmt, args) < sizeof line);
    va_end(args);
    snprintf(whole, sizeof whole, "keyward key %s --config %s/keyward.yaml", line,
             gate.dir);
    return gate_run(whole);
}

static void gate_configure(void)
{
    char text[1024];
    struct kw_blob ring = {0};
    snprintf(text, sizeof text,
             "domain: demo\nenvironment: test\nkeyring: %s\nstate: %s/state\n"
             "hsm:\n  tokens:\n    - uri: \"pkcs11:token=t\"\n      module: /m.so\n"
             "      pin: file:%s/pin\nclasses:\n  - name: secrets\n    scope: secrets\n"
             "    socket: %s/k\n",
             gate.keyring, gate.dir, gate.dir, gate.dir);
    gate_write("keyward.yaml", text);
    CHECK_OK(kw_file_read(KW_VECTORS "/keyring.json", KW_KEYRING_MAX, &ring, NULL));
    CHECK_OK(kw_file_replace(gate.keyring, kw_blob_peek(&ring), 0644, NULL));
    kw_blob_wipe(&ring);
}

void gate_begin(void)
{
    static const struct gate_put member[] = {
        {2, "/registry/secrets/ns/a", KEY_1, NULL},
        {3, "/registry/secrets/ns/a", KEY_4, NULL},
        {4, "/registry/secrets/ns/b", KEY_4, NULL},
    };
    gate = (struct gate_site){.dir = "/tmp/keyward-gate-XXXXXX"};
    CHECK(mkdtemp(gate.dir) != NULL && chmod(gate.dir, 0755) == 0);
    snprintf(gate.keyring, sizeof gate.keyring, "%s/keyring.json", gate.dir);
    CHECK(mkdir(gate_path("state"), 0700) == 0);
    if (geteuid() == 0)
        CHECK(chown(gate_path("state"), 65534, 65534) == 0);
    gate_configure();
    gate_db("member.db", member, 3);
    gate_db("backup.db", member + 1, 1);
    gate_audit("member.db", "member.report");
    gate_audit("backup.db", "backup.report");
}

void gate_end(void)
{
    struct kw_run rm;
    kw_run(&rm, (const char *const[]){"/bin/rm", "-r", gate.dir, NULL});
    CHECK(rm.status == 0);
}

/* ---- what became of the keyring ---- */

static struct kw_keyring *gate_ring(void)
{
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(gate.keyring, &ring, NULL, NULL));
    return ring;
}

struct kw_history gate_history(void)
{
    struct kw_keyring *ring = gate_ring();
    const struct kw_history last = ring->history[ring->history_count - 1];
    kw_keyring_give(ring);
    return last;
}

enum kw_key_state gate_state(uint32_t n)
{
    struct kw_keyring *ring = gate_ring();
    const enum kw_key_state state = kw_keyring_by_n(ring, n)->state;
    kw_keyring_give(ring);
    return state;
}
