/* SPDX-License-Identifier: Apache-2.0 */
#include "test_softhsm.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>

#include "check.h"
#include "object.h"

extern char **environ;

const char kw_softhsm_fault[] = KW_FAULT_PATH;

enum { MADE_MAX = 16 };

/* The folder of the first token of this process and its PIN; copies come from here. */
static struct kw_softhsm pristine;
static pid_t pristine_owner;

/* Every folder made, for the way out of a test that failed. */
static char made[MADE_MAX][sizeof((struct kw_softhsm *)0)->dir];
static unsigned made_count;

static void run(const char *const argv[])
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    int status = 0;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    int rc = posix_spawnp(&pid, argv[0], &files, NULL, (char *const *)(uintptr_t)argv,
                          environ);
    posix_spawn_file_actions_destroy(&files);
    if (rc != 0)
        fail_msg("cannot start %s: %s", argv[0], strerror(rc));
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s failed (status 0x%x)", argv[0], (unsigned)status);
}

static void write_file(const char *path, const char *text)
{
    struct kw_note note = {{0}};
    if (kw_failed(kw_file_replace(path, kw_span_str(text), 0600, &note)))
        fail_msg("%s", note.text);
}

void kw_softhsm_use(const struct kw_softhsm *hsm)
{
    CHECK(kw_env_give("SOFTHSM2_CONF", hsm->conf));
}

void kw_softhsm_write_pin(const struct kw_softhsm *hsm, const char *pin)
{
    char line[64];
    snprintf(line, sizeof line, "%s\n", pin);
    write_file(hsm->pin_path, line);
}

/* Folder, configuration and PIN file; no token yet. */
static void lay_out(struct kw_softhsm *hsm, const char *pin)
{
    char conf[256];
    snprintf(hsm->dir, sizeof hsm->dir, "/tmp/keyward-softhsm-XXXXXX");
    CHECK(mkdtemp(hsm->dir) != NULL);
    CHECK(made_count < MADE_MAX);
    snprintf(made[made_count++], sizeof made[0], "%s", hsm->dir);
    snprintf(hsm->tokens, sizeof hsm->tokens, "%s/tokens", hsm->dir);
    snprintf(hsm->conf, sizeof hsm->conf, "%s/softhsm2.conf", hsm->dir);
    snprintf(hsm->pin_path, sizeof hsm->pin_path, "%s/pin", hsm->dir);
    snprintf(hsm->pin_source, sizeof hsm->pin_source, "file:%s", hsm->pin_path);
    snprintf(hsm->uri, sizeof hsm->uri, "pkcs11:token=%s", KW_SOFTHSM_LABEL);
    snprintf(hsm->pin, sizeof hsm->pin, "%s", pin);
    hsm->module = KW_SOFTHSM_MODULE;
    CHECK(mkdir(hsm->tokens, 0700) == 0);
    snprintf(conf, sizeof conf,
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n"
             "slots.removable = false\n",
             hsm->tokens);
    write_file(hsm->conf, conf);
    kw_softhsm_write_pin(hsm, pin);
}

void kw_softhsm_add_token(const struct kw_softhsm *hsm, const char *label)
{
    kw_softhsm_use(hsm);
    const char *const argv[] = {
        "softhsm2-util", "--init-token", "--free",   "--label",        label,
        "--pin",         hsm->pin,       "--so-pin", "so-pin-of-test", NULL};
    run(argv);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Tests take rights away from folders; they are given back on the way down. */
static int open_up(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)ftw;
    return type == FTW_D || type == FTW_DNR ? chmod(path, st->st_mode | 0700) : 0;
}

static void remove_tree(const char *dir)
{
    (void)nftw(dir, open_up, 8, FTW_PHYS);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Only the process that made them removes them: a forked child exits through here too. */
static void remove_made(void)
{
    if (getpid() == pristine_owner)
        for (unsigned i = 0; i < made_count; i++)
            remove_tree(made[i]);
}

static void make_pristine(void)
{
    char pin[KW_SOFTHSM_PIN_LEN + 1];
    uint8_t bytes[KW_SOFTHSM_PIN_LEN / 2];
    kw_random(bytes, sizeof bytes);
    kw_hex(pin, sizeof pin, kw_span_of(bytes, sizeof bytes));
    pristine_owner = getpid();
    CHECK(atexit(remove_made) == 0);
    lay_out(&pristine, pin);
    kw_softhsm_add_token(&pristine, KW_SOFTHSM_LABEL);
}

void kw_softhsm_make(struct kw_softhsm *ret_hsm)
{
    char from[160];
    if (pristine_owner != getpid())
        make_pristine();
    *ret_hsm = (struct kw_softhsm){0};
    lay_out(ret_hsm, pristine.pin);
    snprintf(from, sizeof from, "%s/.", pristine.tokens);
    const char *const argv[] = {"cp", "-a", from, ret_hsm->tokens, NULL};
    run(argv);
    kw_softhsm_use(ret_hsm);
}

void kw_softhsm_remove(struct kw_softhsm *hsm)
{
    if (hsm->dir[0] != '\0')
        remove_tree(hsm->dir);
    *hsm = (struct kw_softhsm){0};
}

struct kw_token_options kw_softhsm_options(const struct kw_softhsm *hsm,
                                           enum kw_softhsm_mode mode)
{
    return (struct kw_token_options){
        .module = hsm->module,
        .uri = hsm->uri,
        .pin = hsm->pin_source,
        .read_write = mode == KW_SOFTHSM_READ_WRITE,
    };
}

struct kw_token *kw_softhsm_open(const struct kw_softhsm *hsm, enum kw_softhsm_mode mode)
{
    struct kw_note note = {{0}};
    struct kw_token *token = NULL;
    struct kw_token_options options = kw_softhsm_options(hsm, mode);
    if (kw_failed(kw_token_open(&options, &token, &note)) ||
        kw_failed(kw_token_login(token, &note)))
        fail_msg("%s", note.text);
    return token;
}

struct kw_token_key *kw_softhsm_key(struct kw_token *token, const char *key_id,
                                    kw_span locator)
{
    struct kw_note note = {{0}};
    struct kw_token_key *key = NULL;
    char dropped[128];
    const struct kw_create_options options = {
        .key_id = key_id, .locator = locator, .destroyable = true};
    if (kw_failed(kw_token_create_key(token, &options, &key, dropped, &note)))
        fail_msg("%s", note.text);
    return key;
}

void kw_softhsm_check_blob(struct kw_token *token, struct kw_token_key *key,
                           const char *domain, struct kw_version *v)
{
    uint8_t bytes[KW_SEALED_MAX];
    kw_dst sealed = kw_dst_of(bytes, sizeof bytes);
    struct kw_check_making making = {0};
    CHECK_OK(kw_check_making_begin(v, domain, &making));
    CHECK_OK(kw_token_wrap(token, key, v->mechanism, making.env.iv,
                           kw_span_of(making.aad, making.aad_len),
                           kw_secret_peek(&making.inner), &sealed));
    CHECK_OK(kw_check_making_end(&making, kw_dst_span(&sealed), v));
    kw_check_making_wipe(&making);
}

static void record_facts(const struct kw_token *token, struct kw_version *v)
{
    const struct kw_token_facts *facts = kw_token_facts(token);
    snprintf(v->tool, sizeof v->tool, "keyward test");
    snprintf(v->operator_, sizeof v->operator_, "test");
    snprintf(v->token.label, sizeof v->token.label, "%s", facts->label);
    snprintf(v->token.serial, sizeof v->token.serial, "%s", facts->serial);
    snprintf(v->token.manufacturer, sizeof v->token.manufacturer, "%s",
             facts->manufacturer);
    snprintf(v->token.model, sizeof v->token.model, "%s", facts->model);
    snprintf(v->token.firmware, sizeof v->token.firmware, "%s", facts->firmware);
    kw_time_text(v->created, kw_wall_ns(&kw_clock_system));
}

void kw_softhsm_version(struct kw_token *token, const char *domain, uint32_t n,
                        enum kw_key_state state, struct kw_version *ret_version)
{
    struct kw_version v = {.n = n,
                           .mechanism = KW_MECH_AES_256_GCM,
                           .format = KW_FORMAT_1,
                           .state = state,
                           .want_destroyable = true};
    kw_key_id_make(n, v.key_id);
    struct kw_object *o = kw_test_object(&v);
    o->locator_len = KW_NEW_LOCATOR;
    kw_locator_make(domain, v.key_id, o->locator);
    if (state == KW_KEY_DISABLED)
        snprintf(v.disabled_from, sizeof v.disabled_from, "accepted");
    struct kw_token_key *key =
        kw_softhsm_key(token, v.key_id, kw_span_of(o->locator, o->locator_len));
    CHECK_OK(kw_token_attributes(token, key, &o->attributes));
    record_facts(token, &v);
    kw_softhsm_check_blob(token, key, domain, &v);
    *ret_version = v;
}

void kw_softhsm_keyring(const char *path, const char *domain,
                        const struct kw_version *versions, size_t count)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    CHECK_OK(kw_keyring_new(domain, &ring));
    for (size_t i = 0; i < count; i++) {
        CHECK_OK(kw_keyring_add(ring, &versions[i]));
        if (versions[i].state == KW_KEY_ACTIVE)
            ring->active = versions[i].n;
    }
    if (kw_failed(kw_keyring_save(path, ring, NULL, &note)))
        fail_msg("%s", note.text);
    kw_keyring_give(ring);
}
