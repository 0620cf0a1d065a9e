/* SPDX-License-Identifier: Apache-2.0 */
/* Does a backup open?  A snapshot of objects that were sealed as keyward and
 * kube-apiserver seal them, against a real token. */
#include "seal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <keyward/file.h>

#include "bolt.h"
#include "scan.h"

#define PLAINTEXT "k8s\0the password of the database"
#define FOREIGN "/run/keyward-test-foreign.sock"
enum { OBJECTS_MAX = 48, VALUE_MAX = 2048 };

/* One site for all cases: versions 1 (the baseline) and 2 (accepted). */
static struct {
    struct site s;
    char key_id[3][KW_KEY_ID_MAX + 1];
    char empty[160]; /* SOFTHSM2_CONF=… of the token as it was before the ceremony */
    char encryption[128], snapshot[96];
    struct bolt b;
    struct bolt_item items[OBJECTS_MAX];
    uint16_t count;
    uint8_t seed[32]; /* of all of them */
} r;

static void names(void)
{
    struct kw_keyring *ring = site_ring(&r.s);
    for (size_t i = 0; i < ring->count; i++)
        kw_copy_str(r.key_id[ring->versions[i].n], sizeof r.key_id[0],
                    kw_span_str(ring->versions[i].key_id));
    kw_keyring_give(ring);
}

static void before(void)
{
    r.count = 0;
    site_make(&r.s);
    site_clone_token(&r.s, r.empty, sizeof r.empty);
    KEYWARD_MUST(&r.s, 0, "key", "create");
    KEYWARD_MUST(&r.s, 0, "key", "create");
    KEYWARD_MUST(&r.s, 0, "key", "accept", "1");
    KEYWARD_MUST(&r.s, 0, "key", "activate", "1", "--only-copy");
    KEYWARD_MUST(&r.s, 0, "key", "accept", "2");
    names();
    snprintf(r.encryption, sizeof r.encryption, "%s/encryption-configuration.yaml",
             r.s.base);
    snprintf(r.snapshot, sizeof r.snapshot, "%s/backup.db", r.s.dir);
    kw_random(r.seed, sizeof r.seed);
    bolt_begin(&r.b, 65536, 4);
}

static void after(void)
{
    bolt_end(&r.b);
    site_remove(&r.s);
}

/* ---- what kube-apiserver does ---- */

static void put_field(kw_dst *d, unsigned number, kw_span bytes)
{
    CHECK(bytes.len < 16384 && kw_dst_put_u8(d, (uint8_t)(number << 3 | 2)));
    if (bytes.len >= 128)
        CHECK(kw_dst_put_u8(d, (uint8_t)(bytes.len | 0x80)) &&
              kw_dst_put_u8(d, (uint8_t)(bytes.len >> 7)));
    else
        CHECK(kw_dst_put_u8(d, (uint8_t)bytes.len));
    CHECK(kw_dst_put(d, bytes));
}

/* info | nonce | ciphertext | tag: HKDF-Expand of one block is one HMAC. */
static void put_data(kw_dst *d, const char *key)
{
    uint8_t info[33], nonce[12], dek[EVP_MAX_MD_SIZE], out[128], tag[16];
    int len = 0;
    unsigned dek_len = 0;
    kw_random(info, 32);
    kw_random(nonce, sizeof nonce);
    info[32] = 1;
    CHECK(HMAC(EVP_sha256(), r.seed, sizeof r.seed, info, sizeof info, dek, &dek_len));
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    CHECK(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, dek, nonce) == 1);
    CHECK(EVP_EncryptUpdate(c, NULL, &len, (const uint8_t *)key, (int)strlen(key)) == 1);
    CHECK(EVP_EncryptUpdate(c, out, &len, (const uint8_t *)PLAINTEXT,
                            sizeof PLAINTEXT - 1) == 1);
    CHECK(EVP_EncryptFinal_ex(c, tag, &len) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag) == 1);
    EVP_CIPHER_CTX_free(c);
    CHECK(kw_dst_put(d, kw_span_of(info, 32)) &&
          kw_dst_put(d, kw_span_of(nonce, sizeof nonce)) &&
          kw_dst_put(d, kw_span_of(out, sizeof PLAINTEXT - 1)) &&
          kw_dst_put(d, kw_span_of(tag, sizeof tag)));
}

/* An object under a wrapped seed that is there already. */
static void add(const char *key, const char *provider, const char *key_id,
                kw_span wrapped)
{
    uint8_t value[VALUE_MAX], data[256];
    kw_dst v = kw_dst_of(value, sizeof value), d = kw_dst_of(data, sizeof data);
    put_data(&d, key);
    CHECK(kw_dst_put(&v, kw_span_str("k8s:enc:kms:v2:")) &&
          kw_dst_put(&v, kw_span_str(provider)) && kw_dst_put_u8(&v, ':'));
    put_field(&v, 1, kw_dst_span(&d));
    put_field(&v, 2, kw_span_str(key_id));
    put_field(&v, 3, wrapped);
    CHECK(kw_dst_put(&v, kw_span_of("\x28\x01", 2)) && r.count < OBJECTS_MAX);
    r.items[r.count] = bolt_put(&r.b, (uint64_t)r.count + 2, key, kw_dst_span(&v));
    r.count++;
}

/* One under a seed that is sealed under version n; gives the wrapped seed. */
static kw_span add_sealed(const char *key, const char *provider, unsigned n,
                          const char *scope)
{
    static uint8_t wrapped[KW_CIPHERTEXT_MAX];
    kw_dst w = kw_dst_of(wrapped, sizeof wrapped);
    const struct seal_words words = {r.key_id[n], r.key_id[n], "demo", scope};
    seal_seed(&r.s, &words, kw_span_of(r.seed, sizeof r.seed), &w);
    add(key, provider, r.key_id[n], kw_dst_span(&w));
    return kw_dst_span(&w);
}

/* ---- the audit ---- */

static void write_snapshot(void)
{
    struct kw_blob bytes = {0};
    const struct bolt_item root[] = {bolt_bucket(&r.b, "key", 3)};
    bolt_metas(&r.b, 2);
    bolt_leaf(&r.b, 2, root, 1);
    bolt_leaf(&r.b, 3, r.items, r.count);
    CHECK_OK(kw_file_read(bolt_snapshot(&r.b), 1u << 24, &bytes, NULL));
    CHECK_OK(kw_file_replace(r.snapshot, kw_blob_peek(&bytes), 0600, NULL));
    kw_blob_wipe(&bytes);
}

static void nothing_secret_is_said(void)
{
    CHECK(strstr(r.s.run.out, "password") == NULL);
    CHECK(strstr(r.s.run.err, "password") == NULL);
}

#define AUDIT(want, ...)                                                                 \
    do {                                                                                 \
        write_snapshot();                                                                \
        KEYWARD_MUST(&r.s, want, "etcd", "audit", r.snapshot, "--encryption-config",     \
                     r.encryption, "--restorable", __VA_ARGS__);                         \
        nothing_secret_is_said();                                                        \
    } while (0)

static void encryption_is(const char *secrets_name, const char *endpoint)
{
    char text[512];
    snprintf(text, sizeof text,
             "kind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n"
             "  providers:\n  - kms: {apiVersion: v2, name: %s, endpoint: 'unix://%s'}\n",
             secrets_name, endpoint);
    CHECK_OK(kw_file_replace(r.encryption, kw_span_str(text), 0644, NULL));
}

TEST(seed__any_bit_of_it_changed__does_not_open_and_1)
{
    uint8_t bytes[KW_CIPHERTEXT_MAX];
    const kw_span good =
        add_sealed("/registry/secrets/a/good", "keyward-secrets", 1, "secrets");
    kw_copy(bytes, sizeof bytes, good);
    bytes[good.len - 1] ^= 1;
    add("/registry/secrets/a/bad", "keyward-secrets", r.key_id[1],
        kw_span_of(bytes, good.len));
    AUDIT(1, "--sample", "5");
    CHECK_HAS(r.s.run.out, "; does not open: the key does not open it\n");
    CHECK_HAS(r.s.run.out,
              "object secrets a/bad; does not open: the key does not open its "
              "seed\n");
    CHECK_HAS(r.s.run.out,
              "current objects need, 1 open, 1 does not open; 1 of 2 objects "
              "opened to the end: not restorable\n");
}

TEST(object__moved_to_another_key__its_seed_opens_and_it_does_not)
{
    const kw_span good =
        add_sealed("/registry/secrets/a/good", "keyward-secrets", 1, "secrets");
    (void)good;
    /* The value of the one under the name of the other. */
    r.items[1] = r.items[0];
    r.items[1].key = bolt_put(&r.b, 3, "/x", kw_span_str("")).key;
    uint8_t *moved = (uint8_t *)(uintptr_t)memmem(r.items[1].value.ptr,
                                                  r.items[1].value.len, "good", 4);
    CHECK(moved != NULL);
    r.items[1].value = bolt_copy(&r.b, r.items[1].value);
    kw_copy((uint8_t *)(uintptr_t)r.items[1].value.ptr + (moved - r.items[0].value.ptr),
            4, kw_span_str("evil"));
    r.count = 2;
    AUDIT(1, "--sample", "5");
    CHECK_HAS(r.s.run.out,
              "object secrets a/evil; does not open: its seed opens, and the object does "
              "not\n");
    CHECK_HAS(r.s.run.out, "1 of 2 objects opened to the end: not restorable\n");
}

TEST(version__disabled_or_unknown_or_not_accepted_scope__refused_and_1)
{
    const kw_span under_1 =
        add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    AUDIT(0, NULL);
    add("/registry/secrets/a/lost", "keyward-secrets", "kw1-9-0123456789abcdef01234567",
        under_1);
    AUDIT(1, NULL);
    CHECK_HAS(r.s.run.out, "; refused: the keyring does not have its key_id\n");
    r.count = 1;
    add_sealed("/registry/secrets/a/bulk", "keyward-secrets", 1, "bulk");
    AUDIT(1, NULL);
    CHECK_HAS(r.s.run.out,
              "; refused: it was sealed for a scope that its class does not accept\n");
    r.count = 1;
    add("/registry/secrets/a/junk", "keyward-secrets", r.key_id[1], kw_span_str("junk"));
    AUDIT(1, NULL);
    CHECK_HAS(r.s.run.out, "; refused: it is no wrapped seed of keyward's\n");
    r.count = 1;
    add_sealed("/registry/secrets/a/two", "keyward-secrets", 2, "secrets");
    AUDIT(0, NULL);
    struct kw_keyring *ring = site_ring(&r.s);
    kw_keyring_give(ring);
    KEYWARD_MUST(&r.s, 0, "key", "retire", "2");
    AUDIT(0, NULL);
}

TEST(provider__of_somebody_else__not_judged_and_never_restorable)
{
    add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    encryption_is("keyward-secrets", FOREIGN);
    AUDIT(3, "--json");
    CHECK_HAS(r.s.run.out, "\"opens\": \"not judged\", \"opens_why\": \"its provider's "
                           "endpoint is no socket of this configuration\"");
    CHECK_HAS(r.s.run.out,
              "\"verdict\": \"not shown to be restorable\", \"token\": null");
}

TEST(token__that_does_not_have_the_key__says_so_and_the_other_one_opens)
{
    char copy[320];
    add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    AUDIT(1, "--token", "pkcs11:token=keyward", "--env", r.empty);
    CHECK_HAS(r.s.run.out, "; does not open: its key is not in this token\n");
    kw_run(&r.s.run, (const char *const[]){"/bin/rm", "-rf", "--", r.empty, NULL});
    snprintf(copy, sizeof copy, "chmod -R u+w %s/clone && rm -rf %s/clone", r.s.dir,
             r.s.dir); /* a token is sealed */
    kw_run(&r.s.run, (const char *const[]){"/bin/sh", "-c", copy, NULL});
    site_clone_token(&r.s, copy, sizeof copy);
    AUDIT(0, "--token", "pkcs11:token=keyward", "--env", copy, "--sample", "1");
    CHECK_HAS(r.s.run.out, "1 of 1 objects opened to the end: restorable\n");
}

TEST(token__cannot_be_asked__said_and_3)
{
    add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    AUDIT(3, "--token", "pkcs11:token=nowhere");
    CHECK_HAS(r.s.run.out, "token      could not be asked: ");
    CHECK_HAS(r.s.run.out, "1 not tried: not shown to be restorable\n");
}

TEST(nothing_of_keywards__no_login)
{
    encryption_is("keyward-secrets", FOREIGN);
    add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    CHECK(unlink(r.s.pin) == 0); /* whoever logs in misses it */
    AUDIT(3, NULL);
    CHECK(strstr(r.s.run.out, "could not be asked") == NULL);
}

/* The digits want locked memory of the parent's, and the child wants its own. */
TEST(redacted__the_token_is_asked_all_the_same)
{
    add_sealed("/registry/secrets/a/one", "keyward-secrets", 1, "secrets");
    AUDIT(0, "--redact", "--sample", "1");
    CHECK_HAS(r.s.run.out, "1 of 1 objects opened to the end: restorable\n");
    AUDIT(3, "--redact", "--token", "pkcs11:token=nowhere");
    CHECK_HAS(r.s.run.out, "token      could not be asked: ");
    CHECK(strstr(r.s.run.out, r.s.dir) == NULL);
    CHECK(unlink(r.s.pin) == 0);
    AUDIT(3, "--redact");
    CHECK(strstr(r.s.run.out, r.s.dir) == NULL);
    AUDIT(3, "--redact", "--json");
    CHECK(strstr(r.s.run.out, r.s.dir) == NULL);
}

/* ---- what is left in memory ---- */

static pid_t start_into(int out, const char *const argv[])
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    CHECK(posix_spawn(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv,
                      environ) == 0);
    posix_spawn_file_actions_destroy(&files);
    return pid;
}

static const char *proc_limits(pid_t pid)
{
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
    return path;
}

/* The report is longer than the pipe takes, so that the tool stands in write(2) when all
 * is done. */
TEST(seeds_and_plaintext__nowhere_in_the_tools_memory_when_it_reports)
{
    static const char no_core[] = "Max core file size        0                    0 ";
    int ends[2], status = 0;
    char config[160];
    struct kw_blob limits = {0};
    const kw_span wrapped =
        add_sealed("/registry/secrets/a/0", "keyward-secrets", 1, "secrets");
    for (unsigned i = 1; i < OBJECTS_MAX; i++) {
        char key[64];
        uint8_t other[KW_CIPHERTEXT_MAX]; /* a seed of its own, which does not open */
        snprintf(key, sizeof key, "/registry/secrets/a/%u", i);
        kw_copy(other, sizeof other, wrapped);
        other[wrapped.len - 1] ^= (uint8_t)i;
        add(key, "keyward-secrets", r.key_id[1], kw_span_of(other, wrapped.len));
    }
    write_snapshot();
    snprintf(config, sizeof config, "--config=%s", r.s.config);
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETPIPE_SZ, 4096) == 4096);
    const pid_t pid = start_into(
        ends[1], (const char *const[]){KEYWARD, "etcd", "audit", r.snapshot,
                                       "--restorable", "--encryption-config",
                                       r.encryption, "--sample", "9", config, NULL});
    CHECK(close(ends[1]) == 0);
    struct pollfd there = {.fd = ends[0], .events = POLLIN};
    CHECK(poll(&there, 1, -1) == 1 && (there.revents & POLLIN) != 0);
    struct scan *scan = scan_new();
    scan_add(scan, kw_span_of(r.seed, sizeof r.seed));
    scan_add(scan, kw_span_of(PLAINTEXT, sizeof PLAINTEXT - 1));
    CHECK_OK(kw_file_read(proc_limits(pid), 1u << 14, &limits, NULL));
    CHECK(memmem(limits.ptr, limits.len, no_core, sizeof no_core - 1) != NULL);
    kw_blob_wipe(&limits);
    if (scan_may(pid))
        CHECK(scan_process(scan, pid, "keyward") == 0);
    scan_free(scan);
    char text[4096];
    ssize_t got = 0;
    while ((got = read(ends[0], text, sizeof text)) > 0)
        CHECK(memmem(text, (size_t)got, "password", 8) == NULL);
    CHECK(close(ends[0]) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

KW_SUITE_AROUND("token/cli/restorable", before, after)
