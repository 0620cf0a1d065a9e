/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals of which there are many, and those that never came to kms. */
#include "writers.h"

#include <errno.h>

#include "check.h"

TEST(refusals__ten_a_second_of_a_peer_and_reason_then_a_number)
{
    writers_begin(false);
    for (unsigned i = 0; i < 30; i++)
        CHECK(writers_put(i, KW_CODE_BAD_INPUT) == (i < KW_AUDIT_REFUSED_EACH));
    CHECK(writers_put(30, KW_CODE_HSM_DOWN)); /* another reason */
    CHECK(writers_put(31, KW_CODE_OK));
    writers_await_told(12);
    CHECK(strstr(writers_log(), "\"kind\":\"refused\"") == NULL);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_collect(the_writer);
    CHECK(writers_put(32, KW_CODE_BAD_INPUT)); /* a new second */
    writers_await_told(13);
    CHECK_HAS(writers_log(),
              "\"kind\":\"refused\",\"method\":\"decrypt\",\"class\":\"secrets\","
              "\"peer_uid\":0,\"peer_gid\":0,\"peer_pid\":4711,\"peer_start\":99,"
              "\"code\":3,\"reason\":\"bad-input\",\"count\":20");
    writers_end();
}

TEST(refusals_of_more_peers_than_there_are_rows__in_one_number)
{
    bool waits;
    writers_begin(false);
    for (unsigned i = 0; i < 100; i++) {
        writers_calls[i].request =
            (struct kw_request){.method = KW_METHOD_DECRYPT,
                                .err = kw_err_at(KW_CODE_DENIED, "here"),
                                .peer = {0, 0, 1 + (int32_t)i, 1},
                                .token = ""};
        CHECK_OK(the_door.ops->put(the_door.audit, &writers_calls[i].request, &waits));
        CHECK(waits == (i < 64));
    }
    writers_await_told(64);
    kw_audit_writer_abandon(the_writer);
    CHECK(
        kw_audit_writer_stop(the_writer, 10 * KW_S_NS)); /* tells them without the wait */
    CHECK_HAS(writers_log(),
              "\"kind\":\"refused\",\"method\":null,\"class\":null,"
              "\"peer_uid\":null,\"peer_gid\":null,\"peer_pid\":null,"
              "\"peer_start\":null,\"code\":null,\"reason\":null,\"count\":36");
    writers_remove();
}

static void refuse(enum kw_code code, struct kw_peer peer)
{
    const struct kw_request facts = {.method = KW_METHOD_ENCRYPT,
                                     .class_index = 1,
                                     .peer = peer,
                                     .arrived_ns = atomic_load(&writers_now_ns),
                                     .err = kw_err_at(code, "here"),
                                     .token = ""};
    the_door.ops->refuse(the_door.audit, &facts);
}

/* As rpc does, with what it knows. */
TEST(refused_before_kms__records_and_then_a_number_and_nobody_is_told)
{
    static const struct kw_peer peer = {7, 8, 4711, 99},
                                unknown = {KW_PEER_UNKNOWN, KW_PEER_UNKNOWN, -1, 0};
    writers_begin(false);
    for (unsigned i = 0; i < 12; i++)
        refuse(KW_CODE_BUSY, peer);
    refuse(KW_CODE_DENIED, unknown);
    CHECK(writers_put(0, KW_CODE_OK));
    writers_await_told(1);
    assert_int_equal(writers_calls[0].seq, KW_AUDIT_REFUSED_EACH + 2);
    CHECK_HAS(writers_log(),
              "\"kind\":\"call\",\"method\":\"encrypt\",\"class\":\"bulk\"");
    CHECK_HAS(writers_text,
              "\"peer_uid\":7,\"peer_gid\":8,\"peer_pid\":4711,\"peer_start\":99,"
              "\"token\":null,\"source\":\"none\",\"code\":14,\"reason\":\"busy\","
              "\"ckr\":null,\"took_us\":0,\"ciphertext\":null");
    CHECK_HAS(writers_text, "\"peer_uid\":null,\"peer_gid\":null,\"peer_pid\":null,"
                            "\"peer_start\":null,\"token\":null");
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    writers_end();
    assert_int_equal(writers_told, 1);
}

TEST(refused_before_kms_while_the_disk_fails__counted)
{
    static const struct kw_peer peer = {7, 8, 4711, 99};
    writers_begin(false);
    writers_disk_is(false, EIO);
    refuse(KW_CODE_BUSY, peer); /* with the commit */
    writers_await_round();
    refuse(KW_CODE_BUSY, peer); /* and without one */
    writers_disk_is(false, 0);
    atomic_fetch_add(&writers_now_ns, KW_S_NS);
    kw_audit_writer_rotate(the_writer); /* wakes it */
    do
        writers_await_round();
    while (writers_ill());
    CHECK_HAS(writers_log(), "\"kind\":\"unrecorded\",\"method\":\"encrypt\",\"class\":"
                             "\"bulk\",\"code\":14,\"reason\":\"busy\",\"count\":2");
    writers_end();
}

/* Numbers that stand for many are not dropped where there is no room. */
TEST(queue__full_of_calls__what_was_refused_is_counted_as_such)
{
    unsigned i = 0;
    writers_begin(false);
    for (; i < 12; i++)
        (void)writers_put(i, KW_CODE_BAD_INPUT);
    writers_await_told(KW_AUDIT_REFUSED_EACH);
    writers_disk_is(true, 0);
    CHECK(writers_put(i++, KW_CODE_OK));
    writers_await_hang();
    for (unsigned n = 0; n < KW_AUDIT_WAITING_MAX; n++)
        CHECK(writers_put(i++, KW_CODE_OK));
    atomic_fetch_add(&writers_now_ns, 2 * KW_S_NS);
    kw_audit_writer_collect(the_writer);
    writers_disk_is(false, 0);
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 30 * KW_S_NS));
    CHECK_HAS(writers_log(), "\"code\":3,\"reason\":\"bad-input\",\"count\":2");
    CHECK(strstr(writers_text, "\"kind\":\"unrecorded\"") == NULL);
    writers_remove();
}

KW_SUITE("provider/audit/writer-refused")
