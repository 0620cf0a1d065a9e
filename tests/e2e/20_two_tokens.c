/* SPDX-License-Identifier: Apache-2.0 */
/* 20: two tokens with the same keys.  Whatever happens to one of them under 64 calls in
 * flight, no call fails and no reply is wrong; the HSM is lost when both are. */
#include "load.h"
#include "twin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A token may be slow for a while on a busy machine: an attempt is a third of this. */
static const char times[] = "  deadline: 2999ms\n"
                            "  patience: 2s\n"
                            "  suspect: 1s\n"
                            "  recover: 1s\n"
                            "  probe: {every: 1s, stale-after: 10s}\n";

enum { WORKERS = 2, CALLERS = 32, ROUNDS = 200 };

/* ---- the load ---------------------------------------------------------------------- */

struct calls {
    struct load *secrets, *bulk;
};

static struct calls calls_start(struct instance *h)
{
    struct calls c = {load_start(h->secrets, CALLERS), load_start(h->bulk, CALLERS)};
    load_await(c.secrets, ROUNDS);
    load_await(c.bulk, ROUNDS);
    return c;
}

static void calls_go_on(const struct calls *c)
{
    load_await(c->secrets, ROUNDS);
    load_await(c->bulk, ROUNDS);
}

/* Statuses that may be among them: none when one token was left all the time. */
static void calls_end(const struct calls *c, unsigned allowed)
{
    struct load_counts secrets, bulk;
    load_stop(c->secrets, &secrets);
    load_stop(c->bulk, &bulk);
    load_judge(&secrets, allowed);
    load_judge(&bulk, allowed);
}

/* ---- what happens to a token -------------------------------------------------------- */

static void lose(struct instance *h, unsigned token)
{
    twin_away(h, token);
    twin_signal_workers(h, token, SIGKILL);
}

static void hang(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Decrypt hang\nC_Encrypt hang\n");
}

/* Longer than the whole deadline. */
static void slow_down(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Decrypt delay=4000\nC_Encrypt delay=4000\n");
}

/* Longer than an attempt, and within the deadline; its canaries are good. */
static void limp(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Decrypt delay=1200\n");
}

static void throttle(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Decrypt rv=0x31\nC_Encrypt rv=0x31\n"); /* MEMORY */
}

static void deny(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Decrypt rv=0x40\n"); /* CKR_ENCRYPTED_DATA_INVALID */
}

/* ---- one accident, from beginning to end -------------------------------------------- */

struct accident {
    const char *order;
    unsigned token;
    void (*begin)(struct instance *h, unsigned token);
    void (*end)(struct instance *h, unsigned token);
    const char *event, *what; /* the log has this of the token, and then it is over */
    const char *said;         /* by keyward status; NULL: that it is not up */
    bool another_key;         /* version 2 is made before, but not accepted */
    bool one_serial;          /* so they share what is remembered of the PIN   */
};

static void await_event(struct instance *h, size_t mark, unsigned token,
                        const char *event, const char *what)
{
    char of[64];
    snprintf(of, sizeof of, "token=%s", twin_name(token));
    instance_await(h, mark, NULL, event, of, what, NULL);
}

/* What is not lost is still well, and keyward status has nothing to say. */
static void all_is_well(struct instance *h)
{
    twin_await_workers(h, FIRST, WORKERS);
    twin_await_workers(h, SECOND, WORKERS);
    twin_await_status(h, 0, NULL);
}

static void suffers(const struct accident *a)
{
    char said[96];
    INSTANCE_AND_ARENA(h, times);
    if (a->another_key)
        instance_do(&h, "key", "create", NULL);
    twin_make(&h, a->order);
    if (a->one_serial)
        twin_share_serial(&h);
    instance_up(&h);
    all_is_well(&h);
    const struct calls calls = calls_start(&h);
    size_t mark = instance_mark(&h);
    a->begin(&h, a->token);
    await_event(&h, mark, a->token, a->event, a->what);
    calls_go_on(&calls);
    snprintf(said, sizeof said, "token %s %s", twin_name(a->token), a->said);
    CHECK_HAS(instance_read_status(&h, 1), said);
    a->end(&h, a->token);
    all_is_well(&h);
    calls_go_on(&calls);
    calls_end(&calls, 0);
    assert_int_equal(instance_count(&h, mark, "event=hsm-state"), 0);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

#define STATE "event=token-state"
#define OUT "event=token-out"

TEST(first_lost__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, lose, twin_back, STATE, "to=lost",
                               "is lost"});
}

TEST(second_lost__no_call_fails)
{
    suffers(&(struct accident){"priority", SECOND, lose, twin_back, STATE, "to=lost",
                               "is lost"});
}

TEST(spread__one_lost__no_call_fails)
{
    suffers(&(struct accident){"spread", FIRST, lose, twin_back, STATE, "to=lost",
                               "is lost"});
}

TEST(first_removed__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, twin_pull_out, twin_be_honest, STATE,
                               "to=lost", "is lost"});
}

TEST(spread__one_removed__no_call_fails)
{
    suffers(&(struct accident){"spread", SECOND, twin_pull_out, twin_be_honest, STATE,
                               "to=lost", "is lost"});
}

TEST(first_hangs__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, hang, twin_be_honest, STATE, "to=lost",
                               "is lost"});
}

TEST(second_hangs__no_call_fails)
{
    suffers(&(struct accident){"priority", SECOND, hang, twin_be_honest, STATE, "to=lost",
                               "is lost"});
}

TEST(spread__one_hangs__no_call_fails)
{
    suffers(&(struct accident){"spread", SECOND, hang, twin_be_honest, STATE, "to=lost",
                               "is lost"});
}

TEST(first_slower_than_the_deadline__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, slow_down, twin_be_honest, STATE,
                               "to=lost", "is lost"});
}

/* Its canaries let it in again and again, and its calls are given to the other one. */
TEST(first_slower_than_an_attempt__in_and_out__no_call_fails)
{
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, "priority");
    instance_up(&h);
    all_is_well(&h);
    const struct calls calls = calls_start(&h);
    size_t mark = instance_mark(&h);
    limp(&h, FIRST);
    for (int i = 0; i < 3; i++) {
        mark = instance_await(&h, mark, NULL, OUT, NULL);
        mark = instance_await(&h, mark, NULL, "event=token-in", NULL);
    }
    twin_be_honest(&h, FIRST);
    all_is_well(&h);
    calls_go_on(&calls);
    calls_end(&calls, 0);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(first_throttled__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, throttle, twin_be_honest, OUT,
                               "token-out", ""});
}

TEST(spread__one_throttled__no_call_fails)
{
    suffers(&(struct accident){"spread", SECOND, throttle, twin_be_honest, OUT,
                               "token-out", ""});
}

TEST(first_denies_all__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, deny, twin_be_honest, STATE, "to=lost",
                               "is lost"});
}

/* ---- keys of one of them ------------------------------------------------------------- */

static void key_id_of(const struct instance *h, unsigned n, char dst[KW_KEY_ID_MAX + 1])
{
    char head[32];
    snprintf(head, sizeof head, "\"key-id\": \"kw1-%u-", n);
    char *text = instance_read(h->keyring), *at = strstr(text, head);
    CHECK(at != NULL);
    at = strchr(at, ':') + 3;
    snprintf(dst, KW_KEY_ID_MAX + 1, "%.*s", (int)strcspn(at, "\""), at);
    free(text);
}

/* A search for version n's label finds the objects of another one, or none; live workers
 * hold their handles, so they end. */
static void swap_key(struct instance *h, unsigned token, unsigned n, const char *other)
{
    char key_id[KW_KEY_ID_MAX + 1], control[160];
    key_id_of(h, n, key_id);
    snprintf(control, sizeof control, "swap=%s:%s\n", key_id, other);
    twin_fault_set(h, token, control);
    twin_signal_workers(h, token, SIGKILL);
}

static void rekey(struct instance *h, unsigned token)
{
    char other[KW_KEY_ID_MAX + 1];
    key_id_of(h, 2, other);
    swap_key(h, token, 1, other);
}

static void miss_key(struct instance *h, unsigned token)
{
    swap_key(h, token, 1, "none");
}

static void have_key_again(struct instance *h, unsigned token)
{
    twin_await_workers(h, token, WORKERS);
    twin_be_honest(h, token);
    twin_signal_workers(h, token, SIGKILL);
}

TEST(first_rekeyed__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, rekey, have_key_again, STATE, "to=lost",
                               "is lost: the check blob of version 1 does not open",
                               true});
}

TEST(second_rekeyed__no_call_fails)
{
    suffers(
        &(struct accident){"priority", SECOND, rekey, have_key_again, STATE, "to=lost",
                           "is lost: the check blob of version 1 does not open", true});
}

TEST(spread__one_rekeyed__no_call_fails)
{
    suffers(&(struct accident){"spread", FIRST, rekey, have_key_again, STATE, "to=lost",
                               "is lost: the check blob of version 1 does not open",
                               true});
}

TEST(first_without_the_active_version__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, miss_key, have_key_again, STATE,
                               "to=lost", "is lost"});
}

/* ---- an older version ---------------------------------------------------------------- */

static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, 32)
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"
static struct kw_client_reply sealed, reply;

static int decrypt_sealed(struct kw_client *c)
{
    CHECK_OK(kw_client_decrypt(c, kw_span_of(sealed.ciphertext, sealed.ciphertext_len),
                               kw_span_str(sealed.key_id), UID, 10 * KW_S_NS, &reply));
    int status = reply.grpc_status;
    bool right = kw_span_equal(kw_secret_peek(&reply.plaintext), SEED);
    if (status != GRPC_OK)
        print_message("  Decrypt: gRPC status %d: %s\n", status, reply.message);
    kw_client_reply_wipe(&reply);
    CHECK(right == (status == GRPC_OK));
    return status;
}

/* Made in the first one, cloned, proven in the second one; no word of an only copy. */
static void rotate_both(struct instance *h, const char *n)
{
    char active[32];
    snprintf(active, sizeof active, "active=%s", n);
    instance_do(h, "key", "create", NULL);
    twin_clone_again(h);
    instance_do(h, "key", "prove", n, "--token", TWIN_SECOND, NULL);
    instance_do(h, "key", "accept", n, NULL);
    instance_reload(h, "serial=");
    instance_do(h, "key", "activate", n, "--now", NULL);
    instance_reload(h, active);
}

/* A token is not asked for a version in between, so a Decrypt that comes to it is the first to
 * find out; it is done by the other one. */
static void decrypt_until(struct instance *h, size_t mark, struct kw_client *c,
                          const char *verdict)
{
    do
        assert_int_equal(decrypt_sealed(c), GRPC_OK);
    while (instance_count(h, mark, verdict) == 0);
}

static void has_version_1_only_on_the_other(const char *order, unsigned token)
{
    char said[96];
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, order);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    rotate_both(&h, "2");
    all_is_well(&h);
    const struct calls calls = calls_start(&h);
    size_t mark = instance_mark(&h);
    miss_key(&h, token);
    decrypt_until(&h, mark, c, "verdict=key-bad");
    await_event(&h, mark, token, "event=key-verdict", "verdict=key-bad");
    snprintf(said, sizeof said, "token %s has not proven 1 of the keyring's versions",
             twin_name(token));
    twin_await_status(&h, 1, said);
    for (int i = 0; i < 50; i++)
        assert_int_equal(decrypt_sealed(c), GRPC_OK);
    calls_go_on(&calls);
    assert_int_equal(instance_count(&h, mark, "event=token-state"), 0);
    have_key_again(&h, token);
    decrypt_until(&h, mark, c, "verdict=ok");
    all_is_well(&h);
    calls_end(&calls, 0);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(first_without_an_older_version__the_second_one_unwraps_it)
{
    has_version_1_only_on_the_other("priority", FIRST);
}

TEST(second_without_an_older_version__the_first_one_unwraps_it)
{
    has_version_1_only_on_the_other("spread", SECOND);
}

/* ---- rotation -------------------------------------------------------------------------- */

static void rotates(const char *order)
{
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, order);
    instance_up(&h);
    all_is_well(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    const struct calls calls = calls_start(&h);
    rotate_both(&h, "2");
    calls_go_on(&calls);
    all_is_well(&h);
    calls_go_on(&calls);
    calls_end(&calls, 0);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    CHECK(strncmp(reply.key_id, "kw1-2-", 6) == 0);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(rotation__no_call_fails)
{
    rotates("priority");
}

TEST(rotation__spread__no_call_fails)
{
    rotates("spread");
}

/* ---- logins ------------------------------------------------------------------------------ */

static void refuse_pin(struct instance *h, unsigned token)
{
    twin_fault_set(h, token, "C_Login rv=0xA0\n"); /* CKR_PIN_INCORRECT */
    twin_signal_workers(h, token, SIGKILL);
}

static void take_pin(struct instance *h, unsigned token)
{
    twin_be_honest(h, token);
    instance_do(h, "pin", "retry", NULL);
}

TEST(first_latched__no_call_fails)
{
    suffers(&(struct accident){"priority", FIRST, refuse_pin, take_pin,
                               "event=pin-latched", "why=", "is lost: "});
}

TEST(second_latched__no_call_fails)
{
    suffers(&(struct accident){"priority", SECOND, refuse_pin, take_pin,
                               "event=pin-latched", "why=", "is lost: "});
}

TEST(one_serial__first_latched__the_second_serves_on_and_a_retry_heals_it)
{
    suffers(&(struct accident){.order = "priority",
                               .token = FIRST,
                               .begin = refuse_pin,
                               .end = take_pin,
                               .event = "event=pin-latched",
                               .what = "why=",
                               .said = "is lost: ",
                               .one_serial = true});
}

/* ---- from the start ------------------------------------------------------------------------ */

/* Its entry's module is a file that is not there yet. */
static void starts_without_module_of(unsigned token)
{
    char module[160], late[160], said[96];
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, "priority");
    snprintf(module, sizeof module, "%s/twin/fault.so", h.dir);
    snprintf(late, sizeof late, "%s/twin/later.so", h.dir);
    char *config = instance_read(h.config),
         *other = instance_swap(config, token == FIRST ? "tokens:" : "softhsm2-0.conf",
                                "fault.so", "later.so");
    instance_write(h.config, other);
    size_t mark = instance_mark(&h);
    instance_up(&h);
    await_event(&h, mark, token, "event=worker-failed", "cannot find the PKCS#11 module");
    const struct calls calls = calls_start(&h);
    await_event(&h, mark, token, STATE, "to=lost");
    snprintf(said, sizeof said, "token %s is lost: cannot find the PKCS#11 module",
             twin_name(token));
    CHECK_HAS(instance_read_status(&h, 1), said);
    CHECK(link(module, late) == 0);
    all_is_well(&h);
    calls_go_on(&calls);
    calls_end(&calls, 0);
    free(other);
    free(config);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(first_one_s_module_missing_at_start__served_by_the_second)
{
    starts_without_module_of(FIRST);
}

TEST(second_one_s_module_missing_at_start__served_by_the_first)
{
    starts_without_module_of(SECOND);
}

/* ---- both -------------------------------------------------------------------------------------- */

static void is_refused(struct kw_client *c)
{
    assert_int_equal(decrypt_sealed(c), GRPC_UNAVAILABLE);
    CHECK_OK(kw_client_encrypt(c, SEED, UID, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_UNAVAILABLE);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, GRPC_UNAVAILABLE);
}

/* The one that went second comes back first. */
static void both_lost(unsigned first_to_go)
{
    const unsigned second_to_go = 1 - first_to_go;
    INSTANCE_AND_ARENA(h, times);
    twin_make(&h, "priority");
    instance_up(&h);
    all_is_well(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, SEED, &sealed);
    struct calls calls = calls_start(&h);
    size_t mark = instance_mark(&h);
    lose(&h, first_to_go);
    await_event(&h, mark, first_to_go, STATE, "to=lost");
    calls_go_on(&calls);
    assert_int_equal(instance_count(&h, mark, "event=hsm-state"), 0);
    calls_end(&calls, 0);
    lose(&h, second_to_go);
    mark = instance_await(&h, mark, NULL, "event=hsm-state", "to=lost", NULL);
    is_refused(c);
    CHECK_HAS(instance_read_status(&h, 1), "the HSM is lost");
    twin_back(&h, second_to_go);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    assert_int_equal(decrypt_sealed(c), GRPC_OK);
    instance_round_trip(c);
    calls = calls_start(&h);
    twin_back(&h, first_to_go);
    all_is_well(&h);
    calls_go_on(&calls);
    calls_end(&calls, 0);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(first_lost_and_then_the_second__refused_and_served_by_the_one_that_is_back)
{
    both_lost(FIRST);
}

TEST(second_lost_and_then_the_first__refused_and_served_by_the_one_that_is_back)
{
    both_lost(SECOND);
}

KW_CASES("20-two-tokens", CASE(first_lost__no_call_fails),
         CASE(second_lost__no_call_fails), CASE(spread__one_lost__no_call_fails),
         CASE(first_removed__no_call_fails), CASE(spread__one_removed__no_call_fails),
         CASE(first_hangs__no_call_fails), CASE(second_hangs__no_call_fails),
         CASE(spread__one_hangs__no_call_fails),
         CASE(first_slower_than_the_deadline__no_call_fails),
         CASE(first_slower_than_an_attempt__in_and_out__no_call_fails),
         CASE(first_throttled__no_call_fails), CASE(spread__one_throttled__no_call_fails),
         CASE(first_denies_all__no_call_fails), CASE(first_rekeyed__no_call_fails),
         CASE(second_rekeyed__no_call_fails), CASE(spread__one_rekeyed__no_call_fails),
         CASE(first_without_the_active_version__no_call_fails),
         CASE(first_without_an_older_version__the_second_one_unwraps_it),
         CASE(second_without_an_older_version__the_first_one_unwraps_it),
         CASE(rotation__no_call_fails), CASE(rotation__spread__no_call_fails),
         CASE(first_latched__no_call_fails), CASE(second_latched__no_call_fails),
         CASE(one_serial__first_latched__the_second_serves_on_and_a_retry_heals_it),
         CASE(first_one_s_module_missing_at_start__served_by_the_second),
         CASE(second_one_s_module_missing_at_start__served_by_the_first),
         CASE(first_lost_and_then_the_second__refused_and_served_by_the_one_that_is_back),
         CASE(second_lost_and_then_the_first__refused_and_served_by_the_one_that_is_back))
