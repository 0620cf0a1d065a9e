/* SPDX-License-Identifier: Apache-2.0 */
/* The probe against a server that breaks the rules: it must say which. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "rpc_rig.h"
#include "run.h"

static struct kw_run r;

static int probe(struct rig *rig, const char *rounds)
{
    kw_run(&r,
           (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", rounds, NULL});
    return r.status;
}

/* The fake opens everything to one and the same seed. */
TEST(decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both)
{
    struct rig *rig = rig_new();
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "ok    same key_id");
    CHECK_HAS(r.out, "FAIL  round trip");
    CHECK_HAS(r.out, "FAIL  tampered");
    rig_free(rig);
}

/* As EncryptionConfiguration spells it, and as gRPC does, too. */
TEST(endpoint_of_kube_apiserver__is_the_socket)
{
    static const char *const schemes[] = {"unix://", "unix:"};
    struct rig *rig = rig_new();
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        char endpoint[256];
        CHECK(snprintf(endpoint, sizeof endpoint, "%s%s", schemes[i], rig->path) > 0);
        kw_run(&r,
               (const char *const[]){KEYWARD, "probe", endpoint, "--rounds", "0", NULL});
        CHECK_HAS(r.out, "ok    Status");
    }
    rig_free(rig);
}

TEST(word_that_is_neither_file_nor_class__said)
{
    kw_run(&r, (const char *const[]){KEYWARD, "probe", "secrets", "--config",
                                     "/nonexistent/keyward.yaml", NULL});
    CHECK(r.status != 0);
    CHECK_HAS(r.err, "secrets: no socket, and whether it is a class is not known");
}

TEST(encrypt_is_refused__fails_with_the_servers_word)
{
    struct rig *rig = rig_new();
    rig->kms.answer = kw_err_at(KW_CODE_HSM_DOWN, "test");
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "ok    Status");
    CHECK_HAS(r.out, "FAIL  Encrypt");
    CHECK_HAS(r.out, "UNAVAILABLE");
    CHECK(strstr(r.out, "Decrypt") == NULL);
    rig_free(rig);
}

TEST(ciphertext_is_the_plaintext__fails)
{
    struct rig *rig = rig_new_echo();
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "FAIL  ciphertext");
    rig_free(rig);
}

TEST(key_id_that_steers_the_terminal__shown_without_it)
{
    struct rig *rig = rig_new_echo();
    CHECK(pthread_mutex_lock(&rig->kms.mutex) == 0);
    rig->kms.key_id = "kw1\xc2\x9b"
                      "2J\x1b[1A\xe2\x80\x8f";
    CHECK(pthread_mutex_unlock(&rig->kms.mutex) == 0);
    CHECK(probe(rig, "0") == 1);
    CHECK_HAS(r.out, "same key_id        kw1?2J?[1A?\n");
    for (char *end = r.out; (end = strchr(end, '\n')) != NULL;)
        *end = ' ';
    CHECK(kw_is_printable_text(kw_span_str(r.out)));
    rig_free(rig);
}

TEST(rounds__as_many_calls_of_each_kind)
{
    struct rig *rig = rig_new();
    CHECK(probe(rig, "5") == 1);
    CHECK_HAS(r.out, "Status x 5");
    CHECK_HAS(r.out, "Encrypt x 5");
    CHECK_HAS(r.out, "Decrypt x 5");
    CHECK_HAS(r.out, "0 failed");
    kms_await_begun(rig, 4 + 3 * 5); /* Status, Encrypt, Decrypt, tampered; the rounds */
    rig_free(rig);
}

/* A configuration whose class has the rig's socket. */
static void configure(const struct rig *rig, const char *dir, char path[96])
{
    char text[1024];
    snprintf(path, 96, "%s/keyward.yaml", dir);
    snprintf(text, sizeof text,
             "domain: demo\nenvironment: test\nkeyring: %s/keyring.json\nstate: "
             "%s\nhsm:\n  tokens:\n"
             "    - uri: \"pkcs11:token=t\"\n      module: /m.so\n"
             "      pin: file:%s/pin\nclasses:\n  - name: secrets\n    scope: secrets\n"
             "    socket: %s\n",
             dir, dir, dir, rig->path);
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0600, NULL));
}

/* The fake's ciphertexts are none of keyward's, and open to other bytes: no sample. */
TEST(sample__of_a_socket_that_fails_or_of_no_class__none_is_kept)
{
    char dir[] = "/tmp/keyward-probe-XXXXXX", config[96], file[96];
    struct rig *rig = rig_new();
    CHECK(mkdtemp(dir) != NULL);
    snprintf(file, sizeof file, "%s/sample", dir);
    configure(rig, dir, config);
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--rounds", "0",
                                     "--sample", file, "--config", config, NULL});
    CHECK(r.status == 1 && access(file, F_OK) != 0);
    CHECK_HAS(r.out, "FAIL  round trip");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", dir, "--sample", file, "--config",
                                     config, NULL});
    CHECK(r.status == 1 && access(file, F_OK) != 0);
    CHECK_HAS(r.err, "the socket of no class");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--sample", config,
                                     "--config", config, NULL});
    CHECK(r.status == 1);
    CHECK_HAS(r.err, "written over nothing");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", rig->path, "--sample", file,
                                     "--config", "/nonexistent/keyward.yaml", NULL});
    CHECK(r.status == 3 && access(file, F_OK) != 0);
    CHECK_HAS(r.err, "--sample wants the daemon's configuration (--config)");
    CHECK_HAS(r.err, "/nonexistent/keyward.yaml");
    kw_run(&r, (const char *const[]){KEYWARD, "probe", "--help", NULL});
    CHECK_HAS(r.out, "--sample also wants the configuration of the daemon behind SOCKET");
    CHECK(unlink(config) == 0 && rmdir(dir) == 0);
    rig_free(rig);
}

KW_CASES("provider/cli/probe", CASE(endpoint_of_kube_apiserver__is_the_socket),
         CASE(word_that_is_neither_file_nor_class__said),
         CASE(sample__of_a_socket_that_fails_or_of_no_class__none_is_kept),
         CASE(decrypt_gives_other_bytes_and_opens_forgeries__fails_on_both),
         CASE(encrypt_is_refused__fails_with_the_servers_word),
         CASE(ciphertext_is_the_plaintext__fails),
         CASE(key_id_that_steers_the_terminal__shown_without_it),
         CASE(rounds__as_many_calls_of_each_kind))
