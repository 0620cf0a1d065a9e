/* SPDX-License-Identifier: Apache-2.0 */
/* 04: a new version comes into use while calls go on; a bad keyring never does. */
#include "acts.h"
#include "document.h"
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/keyring.h>

static struct kw_client_reply sealed, reply;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"

static int decrypt_sealed(struct kw_client *c)
{
    kw_client_reply_wipe(&reply);
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), UID, 10 * KW_S_NS, &reply));
    if (reply.grpc_status == GRPC_OK)
        CHECK(kw_span_equal(kw_secret_peek(&reply.plaintext), SEED));
    int status = reply.grpc_status;
    if (status != GRPC_OK)
        print_message("  Decrypt: gRPC status %d: %s\n", status, reply.message);
    kw_client_reply_wipe(&reply);
    return status;
}

static void status_names(struct kw_client *c, const char *key_id)
{
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_OK);
    if (strncmp(reply.key_id, key_id, strlen(key_id)) != 0)
        fail_msg("Status names %s, not %s", reply.key_id, key_id);
}

TEST(rotation__under_load__no_call_fails_no_reply_is_wrong)
{
    struct load_counts secrets, bulk;
    INSTANCE_AND_ARENA(h, NULL);
    instance_edit(&h, "{level: debug}", "{level: info}");
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    status_names(c, sealed.key_id);
    struct load *on_secrets = load_start(h.secrets, 3);
    struct load *on_bulk = load_start(h.bulk, 2);
    load_await(on_secrets, 100);
    instance_rotate(&h, "2");
    load_await(on_secrets, 100);
    load_await(on_bulk, 100);
    load_stop(on_secrets, &secrets);
    load_stop(on_bulk, &bulk);
    load_judge(&secrets, 0);
    load_judge(&bulk, 0);
    status_names(c, "kw1-2-");
    assert_int_equal(decrypt_sealed(c), GRPC_OK); /* of before */
    instance_read_status(&h, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

/* Back to an old key: the same object serves under two key_ids. */
TEST(same_key__wraps_under_its_new_key_id_and_the_old_one_decrypts)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    instance_do(&h, "key", "create", "--same-key-as", "1", NULL);
    instance_do(&h, "key", "accept", "2", NULL);
    instance_reload(&h, "serial=");
    instance_do(&h, "key", "activate", "2", "--only-copy", "--now", "--baseline", NULL);
    instance_reload(&h, "active=2");
    status_names(c, "kw1-2-");
    assert_int_equal(decrypt_sealed(c), GRPC_OK); /* under kw1-1- */
    instance_round_trip(c);
    instance_read_status(&h, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

/* Another node, which knows nothing of what this one has activated by itself. */
static void retire_elsewhere(struct instance *h, const char *n)
{
    char elsewhere[160];
    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", h->state);
    instance_edit(h, h->state, elsewhere);
    instance_do(h, "state", "create", NULL);
    instance_do(h, "key", "retire", n, NULL);
    instance_edit(h, elsewhere, h->state);
}

/* The three commands are those that keyward key list prints then (token/cli/way_out). */
TEST(retired_elsewhere_what_it_wraps_with__serves_on_and_a_later_one_cures)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    instance_rotate(&h, "2");
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    CHECK(strncmp(sealed.key_id, "kw1-2-", 6) == 0);
    retire_elsewhere(&h, "2");
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGHUP);
    instance_await(&h, mark, NULL, "event=keyring-rejected",
                   "make, accept and activate a later one", NULL);
    instance_round_trip(c);
    CHECK_HAS(instance_read_status(&h, 1), "make, accept and activate a later one");
    instance_do(&h, "key", "create", NULL);
    instance_do(&h, "key", "accept", "3", NULL);
    instance_do(&h, "key", "activate", "3", "--baseline", "--now", "--only-copy", NULL);
    instance_reload(&h, "active=3");
    status_names(c, "kw1-3-");
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    instance_round_trip(c);
    instance_read_status(&h, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

/* A file that shall be refused, and one text that the reason must hold. */
static void refused(struct instance *h, const char *event, const char *text,
                    const char *why)
{
    size_t mark = instance_mark(h);
    instance_write(h->keyring, text);
    instance_signal(h, SIGHUP);
    instance_await(h, mark, NULL, event, why, NULL);
    struct kw_client *c = instance_client(h, h->secrets);
    status_names(c, sealed.key_id); /* the one before goes on serving */
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    instance_round_trip(c);
    kw_client_close(c);
    CHECK_HAS(instance_read_status(h, 1), why);
}

static void cured(struct instance *h, const char *good)
{
    instance_write(h->keyring, good);
    instance_reload_same(h);
    instance_read_status(h, 0);
}

/* Two versions: 1 active, 2 created; the daemon has seen that.  Returns the older
 * keyring, *ret_good the one that is in use. */
static char *two_versions(struct instance *h, char **ret_good)
{
    instance_build(h, NULL);
    instance_up(h);
    struct kw_client *c = instance_client(h, h->secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_client_close(c);
    char *older = instance_read(h->keyring);
    instance_do(h, "key", "create", NULL);
    instance_reload(h, "serial=");
    *ret_good = instance_read(h->keyring);
    return older;
}

TEST(keyring__refused_by_its_words__old_one_serves_until_cured)
{
    struct instance h;
    char *good, *bad;
    kw_test_arena(1 << 20);
    char *older = two_versions(&h, &good);
    refused(&h, "event=keyring-rejected", older, "an older file was put back");
    cured(&h, good);
    bad = instance_swap(good, NULL, "\"domain\": \"demo\"", "\"domain\": \"other\"");
    refused(&h, "event=keyring-rejected", bad, "its domain is");
    free(bad);
    bad = instance_swap(good, NULL, "\"state\": \"created\"", "\"state\": \"active\"");
    refused(&h, "event=keyring-rejected", bad, "state: active");
    cured(&h, good);
    free(bad);
    refused(&h, "event=keyring-rejected", "{\"keyring\": 1", "line 1");
    CHECK_HAS(instance_read_status(&h, 1),
              "its last good copy lies in the state directory: put it back");
    cured(&h, good);
    free(good);
    free(older);
    instance_destroy(&h);
}

/* What others can change is not believed, however good its words are. */
static void lose(const char *state, const char *name)
{
    char path[192];
    snprintf(path, sizeof path, "%s/%s", state, name);
    CHECK(unlink(path) == 0);
}

/* Nobody but the running daemon still knows what it took and wraps with. */
TEST(state_lost_while_it_runs__an_older_file_is_refused_all_the_same)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    char *older = instance_read(h.keyring);
    instance_rotate(&h, "2");
    char *good = instance_read(h.keyring);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    CHECK(strncmp(sealed.key_id, "kw1-2-", 6) == 0);
    size_t mark = instance_mark(&h);
    lose(h.state, "marks.json");
    lose(h.state, "keyring.json");
    lose(h.state, "activation.json");
    instance_await(&h, mark, NULL, "event=state-lost", "marks.json is gone", NULL);
    CHECK_HAS(instance_read_status(&h, 1), "marks.json is gone from the state directory");
    refused(&h, "event=keyring-rejected", older, "an older file was put back");
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    instance_write(h.keyring, good);
    instance_reload_same(&h);
    instance_read_status(&h, 0);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    mark = instance_mark(&h);
    instance_write(h.keyring, older); /* written down again: known after a restart, too */
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=keyring-rejected", "an older file", NULL);
    free(older);
    free(good);
    instance_destroy(&h);
}

TEST(keyring__that_others_can_change__old_one_serves_until_cured)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    const mode_t loose[] = {0666, 0664};
    for (size_t i = 0; i < 2; i++) {
        CHECK(chmod(h.keyring, loose[i]) == 0);
        size_t mark = instance_mark(&h);
        instance_signal(&h, SIGHUP);
        instance_await(&h, mark, NULL, "event=keyring-rejected", "lets others change it",
                       NULL);
        instance_round_trip(c);
        CHECK_HAS(instance_read_status(&h, 1), "chmod go-w");
    }
    CHECK(chmod(h.keyring, 0644) == 0 && chmod(h.dir, 0777) == 0);
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGHUP);
    instance_await(&h, mark, NULL, "event=keyring-rejected", "lets others exchange",
                   NULL);
    CHECK(chmod(h.dir, 0755) == 0);
    instance_reload_same(&h);
    instance_read_status(&h, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(keyring__two_versions_of_one_id__old_one_serves_until_cured)
{
    struct instance h;
    char *good;
    kw_test_arena(1 << 20);
    char *older = two_versions(&h, &good);
    char second[64];
    snprintf(second, sizeof second, "%.*s", KW_KEY_ID_MAX, strstr(good, "\"kw1-2-") + 1);
    second[strcspn(second, "\"")] = '\0';
    char *number = instance_swap(good, NULL, "\"n\": 2", "\"n\": 1");
    char *both = instance_swap(number, NULL, second, sealed.key_id);
    refused(&h, "event=keyring-rejected", both, "is there twice");
    cured(&h, good);
    free(number);
    free(both);
    free(good);
    free(older);
    instance_destroy(&h);
}

/* The file after the one that is there, in which the check blob of version 1 has another
 * last byte: it follows, and reads well. */
static char *next_with_bad_blob(const struct instance *h)
{
    struct kw_keyring *ring = NULL;
    struct kw_keyring *next = NULL;
    CHECK_OK(kw_keyring_load(h->keyring, &ring, NULL, NULL));
    CHECK_OK(kw_keyring_dup(ring, &next));
    struct kw_version *v = kw_keyring_edit(next, 1);
    v->check_blob[v->check_blob_len - 1] ^= 1;
    CHECK_OK(kw_keyring_save(h->keyring, next, ring->sha256, NULL));
    kw_keyring_give(ring);
    kw_keyring_give(next);
    return instance_read(h->keyring);
}

/* Only the token can say that it is not what the ceremony wrote. */
TEST(keyring__check_blob_edited__not_proven_and_old_one_serves)
{
    struct instance h;
    char *good;
    kw_test_arena(1 << 20);
    char *older = two_versions(&h, &good);
    char *bad = next_with_bad_blob(&h);
    char *same_serial =
        instance_swap(good, NULL, "\"check-blob\": \"01", "\"check-blob\": \"02");
    refused(&h, "event=keyring-rejected", same_serial, "made from another file");
    cured(&h, good);
    free(same_serial);
    refused(&h, "event=keyring-not-proven", bad, "check blob");
    instance_write(h.keyring, good); /* the other one was on its way into use */
    instance_reload(&h, "active=1");
    instance_read_status(&h, 0);
    free(bad);
    free(good);
    free(older);
    instance_destroy(&h);
}

/* What another node sealed under version 2 arrives before anybody said SIGHUP here. */
TEST(decrypt__key_id_of_a_newer_version__file_read_again_by_itself)
{
    INSTANCE_AND_ARENA(h, NULL);
    char *old_ring = instance_read(h.keyring);
    instance_up(&h);
    instance_rotate(&h, "2");
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    char *new_ring = instance_read(h.keyring);
    instance_write(h.keyring, old_ring);
    instance_forget(&h);
    instance_up(&h);
    c = instance_client(&h, h.secrets);
    status_names(c, "kw1-1-");
    instance_write(h.keyring, new_ring); /* here version 2 is accepted, not active */
    size_t mark = instance_mark(&h);
    assert_int_equal(decrypt_sealed(c), GRPC_NOT_FOUND);
    instance_await(&h, mark, NULL, "event=keyring-in-use", "active=1", NULL);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    status_names(c, "kw1-1-");
    kw_client_close(c);
    free(old_ring);
    free(new_ring);
    instance_destroy(&h);
}

/* ---- a version that is still needed --------------------------------------------------- */

/* What both of the instance's classes were asked for under version 1: claims of `versions`
 * and of the class secrets, which alone was. */
static void first_is(struct instance *h, const char *claims)
{
    static char doc[65536];
    instance_status(h, doc, sizeof doc);
    kw_says(doc,
            "versions/0/n = 1, classes/0/name = secrets, classes/0/versions/0/n = 1");
    kw_says(doc, claims);
}

static void change_the_first(struct instance *h, const char *verb, const char *word,
                             const char *why)
{
    instance_do(h, "key", verb, "1", word, why, NULL);
    instance_reload(h, "active=2");
}

/* `needed`: keyward status exits 1 and has this, and keyward check warns of it; NULL: neither
 * says anything of the kind. */
static void needed(struct instance *h, const char *text)
{
    static char out[16384];
    const char *status = instance_read_status(h, text != NULL);
    (void)instance_tool(h, out, sizeof out, "check", "--offline", NULL);
    if (text == NULL) {
        CHECK(strstr(status, "needed it") == NULL && strstr(out, "needed it") == NULL);
        CHECK_HAS(out, "nothing needed a version that may not be read");
        return;
    }
    CHECK_HAS(status, text);
    CHECK_HAS(status, "-> keyward key enable 1 and systemctl reload keywardd");
    CHECK_HAS(out, "warn  refused reads");
    CHECK_HAS(out, text);
    CHECK_HAS(out, "-> keyward key enable 1 and systemctl reload keywardd");
}

static void rotate_for_good(struct instance *h)
{
    instance_do(h, "key", "create", NULL);
    instance_do(h, "key", "accept", "2", NULL);
    instance_reload(h, "serial=");
    instance_do(h, "key", "activate", "2", "--baseline", "--only-copy", "--now", NULL);
    instance_reload(h, "active=2");
}

TEST(disabled_and_still_needed__counted_and_said_until_it_is_enabled)
{
    enum { MISSED = 7 };
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    first_is(&h,
             "versions/0/encrypts = 1, versions/0/decrypts = 1, versions/0/refused = 0, "
             "versions/0/last_refused = null, classes/0/versions/0/encrypts = 1, "
             "classes/0/versions/0/decrypts_hsm = 1, classes/1/versions/# = 0");
    rotate_for_good(&h);
    change_the_first(&h, "disable", "--without-proof", "a trial");
    needed(&h, NULL);
    for (unsigned i = 0; i < MISSED; i++)
        assert_int_equal(decrypt_sealed(c), GRPC_FAILED_PRECONDITION);
    first_is(&h, "versions/0/refused = 7, versions/0/last_refused ~ Z, "
                 "classes/0/versions/0/refused_disabled = 7, "
                 "classes/0/versions/0/refused_ago_s < 3600, "
                 "classes/0/refused_unknown_key = 0");
    needed(&h, "is disabled, and 7 reads needed it, the last one at ");
    change_the_first(&h, "enable", NULL, NULL);
    needed(&h, NULL);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    first_is(&h,
             "versions/0/encrypts = 1, versions/0/decrypts = 3, versions/0/refused = 7, "
             "classes/0/versions/0/decrypts_hsm = 2, "
             "classes/0/versions/0/decrypts_cache = 1");
    change_the_first(&h, "disable", "--without-proof", "a trial"); /* not an hour ago */
    needed(&h, "is disabled, and 7 reads needed it, the last one at ");
    kw_client_close(c);
    instance_destroy(&h);
}

/* ---- the configuration ------------------------------------------------------------ */

/* SIGHUP with this file, or with what is there; what the log says of it and, asked by its
 * socket, keyward status. */
static void configured(struct instance *h, const char *yaml, const char *event,
                       const char *what, int status, const char *shown)
{
    static char out[65536];
    size_t mark = instance_mark(h);
    if (yaml != NULL)
        instance_write(h->config, yaml);
    instance_signal(h, SIGHUP);
    mark = instance_await(h, mark, NULL, event, what, NULL);
    instance_await(h, mark, NULL, "event=keyring-unchanged", NULL);
    int code = instance_tool(h, out, sizeof out, "status", "--socket", h->status, NULL);
    if (code != status)
        fail_msg("keyward status: exit status %d, expected %d:\n%s", code, status, out);
    CHECK_HAS(out, shown);
    CHECK(strstr(out, "/elsewhere") == NULL);
}

TEST(configuration__broken_changed_gone_restored__said_and_what_runs_stays)
{
    char away[160];
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    char *good = instance_read(h.config);
    char *broken = instance_swap(good, NULL, "  patience: 2s\n", "  patiense: 2s\n");
    char *changed = instance_swap(good, NULL, "  patience: 2s\n", "  patience: 3s\n");
    char *moved = instance_swap(changed, NULL, "pin: file:/", "pin: file:/elsewhere/");
    configured(&h, broken, "event=configuration-rejected", "keyward.yaml:", 1,
               "did you mean patience?");
    instance_round_trip(c);
    configured(&h, changed, "event=configuration-changed", "settings=hsm.patience", 0,
               "rejected -, changed hsm.patience\n");
    size_t mark = instance_mark(&h);
    configured(&h, moved, "event=configuration-changed", "count=2", 0,
               "changed hsm.patience hsm.tokens[0].pin\n");
    assert_int_equal(instance_count(&h, mark, "/elsewhere"), 0);
    snprintf(away, sizeof away, "%s.away", h.config);
    CHECK(rename(h.config, away) == 0);
    configured(&h, NULL, "event=configuration-rejected", "err=missing", 1,
               "the next start would fail");
    CHECK(rename(away, h.config) == 0);
    instance_round_trip(c);
    configured(&h, good, "event=configuration-unchanged", "keyward.yaml", 0,
               "rejected -, changed none\n");
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    free(good);
    free(broken);
    free(changed);
    free(moved);
    instance_destroy(&h);
}

KW_CASES("04-rotation",
         CASE(disabled_and_still_needed__counted_and_said_until_it_is_enabled),
         CASE(configuration__broken_changed_gone_restored__said_and_what_runs_stays),
         CASE(same_key__wraps_under_its_new_key_id_and_the_old_one_decrypts),
         CASE(rotation__under_load__no_call_fails_no_reply_is_wrong),
         CASE(retired_elsewhere_what_it_wraps_with__serves_on_and_a_later_one_cures),
         CASE(keyring__refused_by_its_words__old_one_serves_until_cured),
         CASE(state_lost_while_it_runs__an_older_file_is_refused_all_the_same),
         CASE(keyring__that_others_can_change__old_one_serves_until_cured),
         CASE(keyring__two_versions_of_one_id__old_one_serves_until_cured),
         CASE(keyring__check_blob_edited__not_proven_and_old_one_serves),
         CASE(decrypt__key_id_of_a_newer_version__file_read_again_by_itself))
