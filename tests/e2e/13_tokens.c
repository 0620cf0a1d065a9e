/* SPDX-License-Identifier: Apache-2.0 */
/* 13: a token, a module, a PIN or a keyring that will not do.  keywardd goes on
 * answering, says why, and serves by itself as soon as the cause is gone. */
#include "acts.h"
#include "load.h"

#include <dirent.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>
#include <keyward/token.h>

static struct kw_client_reply reply;

static void is_refused(struct instance *h, const char *socket)
{
    struct kw_client *c = instance_client(h, socket);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_UNAVAILABLE);
    CHECK_HAS(reply.message, "the data is intact");
    CHECK(strstr(reply.message, h->dir) == NULL && strstr(reply.message, "CKR") == NULL);
    CHECK_OK(kw_client_encrypt(c, kw_span_str("a seed"), "uid", 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_UNAVAILABLE);
    assert_int_equal(reply.ciphertext_len, 0);
    kw_client_close(c);
}

/* It starts, and when this was told it serves nothing for this reason. */
static void start_and(struct instance *h, const char *event, const char *what,
                      const char *reason)
{
    size_t mark = instance_mark(h);
    kw_test_arena(1 << 20);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, event, what, NULL);
    is_refused(h, h->secrets);
    is_refused(h, h->bulk);
    CHECK_HAS(instance_read_status(h, 1), reason);
    CHECK(instance_count(h, mark, reason) > 0);
}

static void start_ill(struct instance *h, const char *reason)
{
    start_and(h, "event=hsm-state", "to=lost", reason);
}

/* Good again, and through every worker. */
static void serves(struct instance *h)
{
    struct load_counts secrets, bulk;
    struct load *on_secrets = load_start(h->secrets, 3),
                *on_bulk = load_start(h->bulk, 3);
    load_await(on_secrets, 20);
    load_await(on_bulk, 20);
    load_stop(on_secrets, &secrets);
    load_stop(on_bulk, &bulk);
    load_judge(&secrets, 0);
    load_judge(&bulk, 0);
    instance_read_status(h, 0);
}

static void await_up(struct instance *h, size_t mark)
{
    instance_await(h, mark, NULL, "event=hsm-state", "to=up", NULL);
    serves(h);
}

static void leave(struct instance *h)
{
    assert_int_equal(instance_stop(h), 0);
    instance_destroy(h);
}

/* ---- the module ---- */

/* What follows "name: " or "name": " in a file, up to the end of the word. */
static void value_in(const char *path, const char *name, char dst[256])
{
    char *text = instance_read(path), *at = strstr(text, name);
    CHECK(at != NULL);
    at += strlen(name);
    snprintf(dst, 256, "%.*s", (int)strcspn(at, "\"\n"), at);
    free(text);
}

/* Puts a name of the scenario's own in the place of the module; returns the real one. */
static void rename_module(struct instance *h, char ret_real[256], char ret_link[256])
{
    char from[300], to[300];
    value_in(h->config, "module: ", ret_real);
    snprintf(ret_link, 256, "%s/hsm.so", h->dir);
    snprintf(from, sizeof from, "module: %s", ret_real);
    snprintf(to, sizeof to, "module: %s", ret_link);
    instance_edit(h, from, to);
}

TEST(module__path_wrong__said_and_served_when_it_is_there)
{
    char real[256], path[256];
    INSTANCE(h, NULL);
    rename_module(&h, real, path);
    start_ill(&h, "cannot find the PKCS#11 module");
    size_t mark = instance_mark(&h);
    CHECK(symlink(real, path) == 0);
    await_up(&h, mark);
    leave(&h);
}

static void libc_path(char dst[256])
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "re");
    CHECK(f != NULL);
    dst[0] = '\0';
    while (dst[0] == '\0' && fgets(line, sizeof line, f) != NULL)
        if (strstr(line, "/libc.so.6") != NULL)
            snprintf(dst, 256, "%.*s", (int)strcspn(strchr(line, '/'), "\n"),
                     strchr(line, '/'));
    fclose(f);
    CHECK(dst[0] != '\0');
}

TEST(module__not_pkcs11__said_and_served_when_it_is_replaced)
{
    char real[256], path[256], libc[256];
    INSTANCE(h, NULL);
    rename_module(&h, real, path);
    libc_path(libc);
    CHECK(symlink(libc, path) == 0);
    start_ill(&h, "is not a PKCS#11 module");
    size_t mark = instance_mark(&h);
    CHECK(unlink(path) == 0 && symlink(real, path) == 0);
    await_up(&h, mark);
    leave(&h);
}

/* Its code would run as the daemon's user, who can read the PIN. */
TEST(module__that_others_can_change__said_and_served_when_it_is_mended)
{
    struct kw_blob module = {0};
    char real[256], path[256];
    INSTANCE(h, NULL);
    rename_module(&h, real, path);
    CHECK_OK(kw_file_read(real, (size_t)64 << 20, &module, NULL));
    CHECK_OK(kw_file_replace(path, kw_blob_peek(&module), 0666, NULL));
    kw_blob_wipe(&module);
    start_ill(&h, "hsm.so: mode 0666 lets others change it; chmod go-w it");
    size_t mark = instance_mark(&h);
    CHECK(chmod(path, 0644) == 0);
    await_up(&h, mark);
    leave(&h);
}

/* ---- the token ---- */

TEST(token__missing__said_and_served_when_it_is_back)
{
    INSTANCE(h, NULL);
    instance_token_away(&h);
    CHECK(mkdir(h.tokens, 0755) == 0);
    start_ill(&h, "no token matches");
    size_t mark = instance_mark(&h);
    CHECK(rmdir(h.tokens) == 0);
    instance_token_back(&h);
    await_up(&h, mark);
    leave(&h);
}

/* The sealed folders of the tokens, opened for their owner or sealed again. */
static void seal(struct instance *h, bool sealed)
{
    char path[512];
    mode_t mode = sealed ? 0500 : 0700;
    CHECK(chmod(h->tokens, mode) == 0);
    DIR *d = opendir(h->tokens);
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", h->tokens, e->d_name);
        CHECK(chmod(path, mode) == 0);
    }
    closedir(d);
}

struct plan {
    char module[256], key_id[256], locator[256]; /* key_id "": a token, not a key */
};

static int make_token(const struct plan *p)
{
    struct kw_note note = {{0}};
    struct kw_secret pin = {0};
    if (kw_failed(kw_secret_copy(&pin, kw_span_str("1234567890"))))
        return 1;
    kw_err e = kw_token_init_softhsm(p->module, "keyward", &pin, &pin, &note);
    kw_secret_wipe(&pin);
    if (kw_failed(e))
        fprintf(stderr, "%s\n", note.text);
    return kw_failed(e);
}

static int make_key(const struct instance *h, const struct plan *p)
{
    struct kw_note note = {{0}};
    struct kw_token *token = NULL;
    struct kw_token_key *key = NULL;
    char pin[160], dropped[128];
    uint8_t locator[64];
    size_t len = strlen(p->locator) / 2;
    snprintf(pin, sizeof pin, "file:%s", h->pin);
    const struct kw_token_options options = {.module = p->module,
                                             .uri = "pkcs11:token=keyward",
                                             .pin = pin,
                                             .read_write = true};
    const struct kw_create_options create = {.key_id = p->key_id,
                                             .locator = kw_span_of(locator, len)};
    if (!kw_unhex(locator, len, kw_span_str(p->locator)) ||
        kw_failed(kw_token_open(&options, &token, &note)) ||
        kw_failed(kw_token_login(token, &note)) ||
        kw_failed(kw_token_create_key(token, &create, &key, dropped, &note))) {
        fprintf(stderr, "%s\n", note.text);
        return 1;
    }
    kw_token_close(token);
    return 0;
}

/* As the uid that owns the token, in a process of its own. */
static void make(struct instance *h, const struct plan *p)
{
    char conf[160];
    int status = 0;
    seal(h, false);
    pid_t pid = fork();
    if (pid == 0) {
        struct kw_note note = {{0}};
        snprintf(conf, sizeof conf, "%s/softhsm2.conf", h->dir);
        if ((geteuid() == 0 &&
             (setgroups(0, NULL) != 0 || setgid(h->uid) != 0 || setuid(h->uid) != 0)) ||
            !kw_env_give("SOFTHSM2_CONF", conf) ||
            kw_failed(kw_arena_open(65536, KW_ARENA_AUTO, &note)))
            _exit(126);
        _exit(p->key_id[0] != '\0' ? make_key(h, p) : make_token(p));
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
    seal(h, true);
}

TEST(token__two_of_one_label__said_and_served_when_one_is_gone)
{
    char away[128];
    struct plan plan = {{0}};
    INSTANCE(h, NULL);
    value_in(h.config, "module: ", plan.module);
    /* A copy of the good one alone, to be put back. */
    snprintf(away, sizeof away, "%s/good", h.dir);
    char *object = instance_key_object(&h), folder[512], moved[512];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(object, '/') - object), object);
    make(&h, &plan);
    start_ill(&h, "2 tokens match");
    size_t mark = instance_mark(&h);
    CHECK(mkdir(away, 0755) == 0 && chown(away, h.uid, (gid_t)-1) == 0);
    seal(&h, false);
    snprintf(moved, sizeof moved, "%s%s", away, strrchr(folder, '/'));
    CHECK(rename(folder, moved) == 0);
    instance_token_away(&h);
    CHECK(rename(away, h.tokens) == 0);
    seal(&h, true);
    await_up(&h, mark);
    free(object);
    leave(&h);
}

TEST(token__softhsm_in_production__said)
{
    INSTANCE(h, NULL);
    instance_edit(&h, "environment: test", "environment: production");
    start_ill(&h, "environment: production");
    leave(&h);
}

/* ---- the key ---- */

TEST(key__missing__said_and_served_when_it_is_back)
{
    INSTANCE(h, NULL);
    char *object = instance_key_object(&h);
    instance_object_away(&h, object);
    start_ill(&h, "was it deleted, or is this another token?");
    instance_await_workers(&h, 2); /* both have seen it */
    size_t mark = instance_mark(&h);
    instance_object_back(&h, object);
    await_up(&h, mark);
    free(object);
    leave(&h);
}

TEST(key__another_under_the_same_label__said_and_never_used)
{
    struct plan plan = {{0}};
    INSTANCE(h, NULL);
    value_in(h.config, "module: ", plan.module);
    value_in(h.keyring, "\"key-id\": \"", plan.key_id);
    value_in(h.keyring, "\"locator\": \"", plan.locator);
    char *object = instance_key_object(&h);
    instance_object_away(&h, object);
    make(&h, &plan);
    start_ill(&h, "the token holds another key under its label");
    free(object);
    leave(&h);
}

TEST(key__extractable__said_and_never_used)
{
    INSTANCE(h, NULL);
    instance_fault_between(&h);
    instance_fault_set(&h, "fake=0x162:1\n"); /* CKA_EXTRACTABLE */
    start_and(&h, "event=key-verdict", "verdict=key-bad", "CKA_EXTRACTABLE is true");
    CHECK_HAS(instance_read_status(&h, 1), "found at the token: exposed");
    instance_await_workers(&h, 2); /* both have seen it */
    size_t mark = instance_mark(&h);
    instance_fault_set(&h, "");
    instance_await(&h, mark, NULL, "event=key-verdict", "verdict=ok", NULL);
    serves(&h);
    leave(&h);
}

/* ---- the PIN file ---- */

TEST(pin_file__readable_by_others__refused_with_the_remedy)
{
    INSTANCE(h, NULL);
    CHECK(chmod(h.pin, 0444) == 0);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=cannot-start", "chmod 0600", NULL);
    assert_int_equal(instance_wait_end(&h), 1);
    instance_destroy(&h);
}

TEST(pin_file__missing__said_and_served_when_it_is_there)
{
    char away[128];
    INSTANCE(h, NULL);
    snprintf(away, sizeof away, "%s/pin-away", h.dir);
    CHECK(rename(h.pin, away) == 0);
    start_ill(&h, h.pin);
    size_t mark = instance_mark(&h);
    CHECK(rename(away, h.pin) == 0);
    await_up(&h, mark);
    leave(&h);
}

/* ---- the keyring, the limits ---- */

TEST(keyring__missing__said_and_served_after_sighup)
{
    char away[140];
    INSTANCE_AND_ARENA(h, NULL);
    snprintf(away, sizeof away, "%s.away", h.keyring);
    CHECK(rename(h.keyring, away) == 0);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=keyring-rejected", h.keyring, NULL);
    is_refused(&h, h.secrets);
    is_refused(&h, h.bulk);
    CHECK_HAS(instance_read_status(&h, 1), h.keyring);
    mark = instance_mark(&h);
    CHECK(rename(away, h.keyring) == 0);
    instance_signal(&h, SIGHUP);
    await_up(&h, mark);
    leave(&h);
}

static void lock_nothing(void *ctx)
{
    const struct rlimit none = {0, 0};
    (void)ctx;
    if (setrlimit(RLIMIT_MEMLOCK, &none) != 0)
        _exit(125);
}

TEST(memory__none_may_be_locked__refuses_to_start_with_the_remedy)
{
    INSTANCE(h, NULL);
    h.in_child = lock_nothing;
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "LimitMEMLOCK", NULL);
    assert_int_equal(instance_wait_end(&h), 1);
    CHECK(access(h.secrets, F_OK) != 0);
    instance_destroy(&h);
}

KW_CASES("13-tokens", CASE(module__path_wrong__said_and_served_when_it_is_there),
         CASE(module__not_pkcs11__said_and_served_when_it_is_replaced),
         CASE(module__that_others_can_change__said_and_served_when_it_is_mended),
         CASE(token__missing__said_and_served_when_it_is_back),
         CASE(token__two_of_one_label__said_and_served_when_one_is_gone),
         CASE(token__softhsm_in_production__said),
         CASE(key__missing__said_and_served_when_it_is_back),
         CASE(key__another_under_the_same_label__said_and_never_used),
         CASE(key__extractable__said_and_never_used),
         CASE(pin_file__readable_by_others__refused_with_the_remedy),
         CASE(pin_file__missing__said_and_served_when_it_is_there),
         CASE(keyring__missing__said_and_served_after_sighup),
         CASE(memory__none_may_be_locked__refuses_to_start_with_the_remedy))
