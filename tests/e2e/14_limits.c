/* SPDX-License-Identifier: Apache-2.0 */
/* 14: more calls than the HSM can take, through the fault module: what is refused, what
 * is shared, what is dropped, and what goes on nevertheless. */
#include "acts.h"
#include "kmsraw.h"
#include "load.h"

#include <stdio.h>

#include <keyward/limits.h>

/* Nothing but the case's own calls reaches the token: no probe falls into a case, and a
 * worker that hangs is neither replaced nor missed. */
static const char calm[] = "  deadline: 2900ms\n"
                           "  patience: 1m\n"
                           "  suspect: 1m\n"
                           "  probe: {every: 1m, stale-after: 5m}\n";

static struct kw_client_reply sealed;
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define SEED kw_span_of(seed, sizeof seed)

static void begin(struct instance *h)
{
    kw_test_arena(1 << 20);
    instance_build(h, calm);
    instance_fault_between(h);
    instance_up(h);
    instance_await_workers(h, 2);
    struct kw_client *c = instance_client(h, h->secrets);
    instance_encrypt(c, SEED, &sealed);
    kw_client_close(c);
}

static void end(struct instance *h)
{
    struct kw_client *secrets = instance_client(h, h->secrets),
                     *bulk = instance_client(h, h->bulk);
    instance_round_trip(secrets);
    instance_round_trip(bulk);
    kw_client_close(secrets);
    kw_client_close(bulk);
    assert_int_equal(instance_count(h, 0, "event=worker-killed"), 0);
    assert_int_equal(instance_stop(h), 0);
    instance_destroy(h);
}

/* Asks until the daemon's document holds the text. */
static void await_status(struct instance *h, const char *text)
{
    static char document[65536];
    do
        instance_status(h, document, sizeof document);
    while (strstr(document, text) == NULL);
}

static void expect(struct h2raw *h, uint32_t stream, int status)
{
    int got = kmsraw_outcome(h, stream);
    if (got != status)
        fail_msg("gRPC status %d \"%s\", expected %d", got,
                 h2raw_peek(h, stream)->grpc_message, status);
}

/* The n-th of many ciphertexts that parse, and of which none is genuine. */
static uint32_t decrypt_forged(struct h2raw *h, unsigned n, const char *timeout)
{
    uint8_t ct[KW_CIPHERTEXT_MAX];
    size_t len = sealed.ciphertext_len;
    kw_copy(ct, sizeof ct, kw_span_of(sealed.ciphertext, len));
    ct[len - 1] ^= (uint8_t)(n + 1);
    ct[len - 2] ^= (uint8_t)((n + 1) >> 8);
    return kmsraw_decrypt(h, kw_span_of(ct, len), sealed.key_id, timeout);
}

static unsigned operations(struct instance *h)
{
    return instance_fault_count(h, "C_Encrypt") + instance_fault_count(h, "C_Decrypt");
}

/* ---- full ---- */

TEST(queue__full__refused_at_once_while_status_and_the_other_class_go_on)
{
    enum { MANY = 1000, FEW = 200 };
    static struct instance h;
    static uint32_t many[MANY], few[FEW];
    struct kw_client_reply cached;
    begin(&h);
    struct h2raw *secrets = kmsraw_open(h.secrets), *bulk = kmsraw_open(h.bulk);
    struct kw_client *c = instance_client(&h, h.bulk);
    instance_encrypt(c, SEED, &cached);
    kw_span ct = kw_span_of(cached.ciphertext, cached.ciphertext_len);
    expect(bulk, kmsraw_decrypt(bulk, ct, cached.key_id, NULL), GRPC_OK);
    instance_fault_set(&h, "C_Encrypt hang\nC_Decrypt hang\n");
    for (int i = 0; i < MANY; i++)
        many[i] = kmsraw_encrypt(secrets, kw_span_of(seed, 8), NULL);
    expect(secrets, many[MANY - 1], GRPC_RESOURCE_EXHAUSTED);
    CHECK(!h2raw_peek(secrets, many[0])->ended);
    expect(secrets, kmsraw_status(secrets), GRPC_OK);
    /* The other class has its share of the queue, its cache and its Status. */
    for (int i = 0; i < FEW; i++)
        few[i] = kmsraw_encrypt(bulk, kw_span_of(seed, 8), NULL);
    expect(bulk, kmsraw_status(bulk), GRPC_OK);
    expect(bulk, kmsraw_decrypt(bulk, ct, cached.key_id, NULL), GRPC_OK);
    CHECK(!h2raw_peek(bulk, few[FEW - 1])->ended);
    instance_fault_set(&h, "");
    for (int i = 0; i < FEW; i++)
        CHECK(kmsraw_outcome(bulk, few[i]) != GRPC_RESOURCE_EXHAUSTED);
    for (int i = 0; i < MANY; i++)
        (void)kmsraw_outcome(secrets, many[i]);
    kw_client_close(c);
    h2raw_free(secrets);
    h2raw_free(bulk);
    end(&h);
}

/* Calls that share one unwrap are no jobs of their own, but calls all the same. */
TEST(calls__all_joined_to_one_unwrap__the_other_class_goes_on)
{
    enum { CONNECTIONS = 4, EACH = 300 };
    static struct instance h;
    struct h2raw *raw[CONNECTIONS];
    uint32_t last = 0;
    begin(&h);
    struct h2raw *bulk = kmsraw_open(h.bulk);
    instance_fault_set(&h, "C_Decrypt hang\n");
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    for (int i = 0; i < CONNECTIONS; i++) {
        raw[i] = kmsraw_open(h.secrets);
        for (int n = 0; n < EACH; n++)
            last = kmsraw_decrypt(raw[i], ct, sealed.key_id, NULL);
    }
    expect(raw[CONNECTIONS - 1], last, GRPC_RESOURCE_EXHAUSTED);
    uint32_t waits = kmsraw_encrypt(bulk, kw_span_of(seed, 8), NULL);
    expect(bulk, kmsraw_status(bulk), GRPC_OK);
    CHECK(!h2raw_peek(bulk, waits)->ended);
    instance_fault_set(&h, "");
    CHECK(kmsraw_outcome(bulk, waits) != GRPC_RESOURCE_EXHAUSTED);
    for (int i = 0; i < CONNECTIONS; i++)
        h2raw_free(raw[i]);
    h2raw_free(bulk);
    await_status(&h, "\"rpc\":{\"open\":0,"); /* gRPC has seen that they went away */
    end(&h);
}

/* One worker with one session: what the token does is all the time there is, so of each
 * three operations one must be the lone client's. */
TEST(lone_class__beside_a_greedy_one_on_a_slow_token__at_least_a_third)
{
    enum { GREEDY = 60, LONE = 6, OPERATIONS = 2 * LONE }; /* wrap, verify */
    static struct instance h;
    kw_test_arena(1 << 20);
    instance_build(&h, calm);
    instance_edit(&h, "module: ", "workers: 1\n      module: ");
    instance_fault_between(&h);
    instance_up(&h);
    instance_await_workers(&h, 1);
    struct h2raw *bulk = kmsraw_open(h.bulk);
    struct kw_client *secrets = instance_client(&h, h.secrets);
    instance_fault_set(&h, "C_Encrypt delay=50\nC_Decrypt delay=50\n");
    instance_encrypt(secrets, SEED, &sealed); /* the front has seen how slow it is */
    for (int i = 0; i < GREEDY; i++)
        kmsraw_encrypt(bulk, kw_span_of(seed, 8), NULL);
    expect(bulk, kmsraw_status(bulk), GRPC_OK);
    unsigned before = operations(&h);
    for (int i = 0; i < LONE; i++)
        instance_encrypt(secrets, SEED, &sealed);
    unsigned all = operations(&h) - before;
    print_message("  of %u operations %u were the lone client's\n", all, OPERATIONS);
    CHECK(all > OPERATIONS && all <= 3 * OPERATIONS);
    instance_fault_set(&h, "");
    kw_client_close(secrets);
    h2raw_free(bulk);
    end(&h);
}

/* ---- dropped ---- */

/* Of so many calls, no more than the workers' sockets hold may reach the token. */
enum { CALLS = 400, IN_SOCKETS = 2 * 32 };

static void check_dropped(struct instance *h, unsigned decrypts_before)
{
    await_status(h, "\"queued\":0,");
    instance_fault_set(h, "");
    await_status(h, "\"sent\":0,");
    unsigned decrypts = instance_fault_count(h, "C_Decrypt") - decrypts_before;
    print_message("  of %d calls %u reached the token\n", CALLS, decrypts);
    CHECK(decrypts > 0 && decrypts < CALLS / 2);
}

TEST(cancel__by_the_client__what_has_not_started_is_dropped)
{
    static struct instance h;
    static uint32_t calls[CALLS];
    begin(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    unsigned before = instance_fault_count(&h, "C_Decrypt");
    size_t mark = instance_mark(&h);
    instance_fault_set(&h, "C_Decrypt hang\n");
    for (unsigned i = 0; i < CALLS; i++)
        calls[i] = decrypt_forged(raw, i, NULL);
    expect(raw, kmsraw_status(raw), GRPC_OK);
    for (unsigned i = 0; i < CALLS; i++)
        h2raw_reset(raw, calls[i]);
    instance_await(&h, mark, NULL, "event=call-failed", "outcome=cancelled", NULL);
    check_dropped(&h, before);
    h2raw_free(raw);
    end(&h);
}

TEST(hang_up__of_the_client__what_has_not_started_is_dropped)
{
    static struct instance h;
    begin(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    unsigned before = instance_fault_count(&h, "C_Decrypt");
    size_t mark = instance_mark(&h);
    instance_fault_set(&h, "C_Decrypt hang\n");
    for (unsigned i = 0; i < CALLS; i++)
        decrypt_forged(raw, i, NULL);
    expect(raw, kmsraw_status(raw), GRPC_OK);
    h2raw_hang_up(raw);
    instance_await(&h, mark, NULL, "event=call-failed", "outcome=cancelled", NULL);
    check_dropped(&h, before);
    h2raw_free(raw);
    end(&h);
}

TEST(deadline__of_the_client__what_has_not_started_is_dropped)
{
    static struct instance h;
    static uint32_t calls[CALLS];
    begin(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    unsigned before = instance_fault_count(&h, "C_Decrypt");
    instance_fault_set(&h, "C_Decrypt hang\n");
    for (unsigned i = 0; i < CALLS; i++)
        calls[i] = decrypt_forged(raw, i, "300m");
    for (unsigned i = 0; i < CALLS; i++) {
        int status = kmsraw_outcome(raw, calls[i]);
        CHECK(status == GRPC_DEADLINE_EXCEEDED || status == GRPC_CANCELLED ||
              status == -1);
    }
    check_dropped(&h, before);
    h2raw_free(raw);
    end(&h);
}

/* ---- shared ---- */

TEST(equal_decrypts__10_at_once__one_unwrap_and_10_right_answers)
{
    enum { EQUAL = 10 };
    static struct instance h;
    uint32_t calls[EQUAL];
    uint8_t want[7 + sizeof seed] = {0, 0, 0, 0, 2 + sizeof seed, 0x0a, sizeof seed};
    begin(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    kw_copy(want + 7, sizeof seed, SEED);
    unsigned before = instance_fault_count(&h, "C_Decrypt");
    kw_span ct = kw_span_of(sealed.ciphertext, sealed.ciphertext_len);
    instance_fault_set(&h, "C_Decrypt hang\n");
    for (int i = 0; i < EQUAL; i++)
        calls[i] = kmsraw_decrypt(raw, ct, sealed.key_id, NULL);
    await_status(&h, "\"joined\":9,");
    instance_fault_set(&h, "");
    for (int i = 0; i < EQUAL; i++) {
        expect(raw, calls[i], GRPC_OK);
        const struct h2raw_result *r = h2raw_peek(raw, calls[i]);
        CHECK(kw_span_equal(kw_span_of(r->body, r->body_len),
                            kw_span_of(want, sizeof want)));
    }
    assert_int_equal(instance_fault_count(&h, "C_Decrypt") - before, 1);
    expect(raw, kmsraw_decrypt(raw, ct, sealed.key_id, NULL), GRPC_OK); /* the cache */
    assert_int_equal(instance_fault_count(&h, "C_Decrypt") - before, 1);
    h2raw_free(raw);
    end(&h);
}

/* A canary wraps, and nothing else does here. */
TEST(forged__a_flood__few_canaries_a_second)
{
    enum { CANARIES = 6, AT_ONCE = 50 };
    static struct instance h;
    uint32_t calls[AT_ONCE];
    unsigned forged = 0, canaries = 0;
    begin(&h);
    struct h2raw *raw = kmsraw_open(h.secrets);
    unsigned before = instance_fault_count(&h, "C_Encrypt");
    int64_t began = kw_mono_ns(&kw_clock_system);
    while (canaries < CANARIES) {
        if (forged % 1000 == 0) { /* a connection has so many streams in h2raw */
            h2raw_free(raw);
            raw = kmsraw_open(h.secrets);
        }
        for (unsigned i = 0; i < AT_ONCE; i++)
            calls[i] = decrypt_forged(raw, forged++, NULL);
        for (unsigned i = 0; i < AT_ONCE; i++)
            expect(raw, calls[i], GRPC_INVALID_ARGUMENT);
        canaries = instance_fault_count(&h, "C_Encrypt") - before;
    }
    int64_t seconds = (kw_mono_ns(&kw_clock_system) - began) / KW_S_NS;
    print_message("  %u forged ciphertexts, %lld s: %u canaries\n", forged,
                  (long long)seconds, canaries);
    CHECK(forged > CANARIES && canaries <= 4 * seconds + 4);
    h2raw_free(raw);
    end(&h);
}

KW_CASES("14-limits",
         CASE(queue__full__refused_at_once_while_status_and_the_other_class_go_on),
         CASE(calls__all_joined_to_one_unwrap__the_other_class_goes_on),
         CASE(lone_class__beside_a_greedy_one_on_a_slow_token__at_least_a_third),
         CASE(cancel__by_the_client__what_has_not_started_is_dropped),
         CASE(hang_up__of_the_client__what_has_not_started_is_dropped),
         CASE(deadline__of_the_client__what_has_not_started_is_dropped),
         CASE(equal_decrypts__10_at_once__one_unwrap_and_10_right_answers),
         CASE(forged__a_flood__few_canaries_a_second))
