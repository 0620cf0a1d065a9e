/* SPDX-License-Identifier: Apache-2.0 */
/* 28: the probe is a caller like any other.  What it says that it sent is what the daemon
 * counts, logs and records, as of a client that does what kube-apiserver does. */
#include "audited.h"
#include "document.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct instance h;
static struct kw_client_reply reply, again;
static char dir[160], said[1 << 14], document[1 << 17];
static const uint8_t seed[32] = "thirty-two bytes of a test seed";
#define UID "d1dd4ffe-9db5-424a-84b8-96e50c45abd1"
enum { CALLS = 6 }; /* of each kind: one, and five rounds */

static void up(void)
{
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    snprintf(dir, sizeof dir, "%s/audit", h.dir);
    instance_up(&h);
}

/* What the probe does, by hand. */
static void call_as_kube_apiserver(const char *socket)
{
    struct kw_client *c = instance_client(&h, socket);
    for (unsigned i = 0; i < CALLS; i++) {
        CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
        assert_int_equal(reply.grpc_status, 0);
        CHECK_OK(kw_client_encrypt(c, kw_span_of(seed, 32), UID, 10 * KW_S_NS, &reply));
        assert_int_equal(reply.grpc_status, 0);
        CHECK_OK(kw_client_decrypt(c, kw_span_of(reply.ciphertext, reply.ciphertext_len),
                                   kw_span_str(reply.key_id), UID, 10 * KW_S_NS, &again));
        assert_int_equal(again.grpc_status, 0);
        kw_client_reply_wipe(&again);
    }
    kw_client_close(c);
}

static void status_says(const char *claims)
{
    instance_status(&h, document, sizeof document);
    kw_says(document, claims);
}

static void is_on_record(const char *class_name, const char *method, unsigned count)
{
    char what[120];
    snprintf(what, sizeof what, "\"method\":\"%s\",\"class\":\"%s\"", method, class_name);
    assert_int_equal(audited_lines(dir, what), count);
}

/* secrets is the probe's, bulk the other's. */
TEST(probe__counted_logged_and_recorded_as_a_kube_apiserver_is)
{
    up();
    size_t mark = instance_mark(&h);
    call_as_kube_apiserver(h.bulk);
    assert_int_equal(
        instance_tool(&h, said, sizeof said, "probe", h.secrets, "--rounds", "5", NULL),
        0);
    CHECK_HAS(said, "-     tampered           not tried");
    status_says("classes/0/name = secrets, classes/0/status_calls = 6, "
                "classes/0/encrypt_calls = 6, classes/0/decrypt_calls = 6, "
                "classes/0/failed_calls = 0, classes/0/connections/accepted = 1, "
                "classes/0/connections/refused_preface = 0");
    status_says("classes/1/name = bulk, classes/1/status_calls = 6, "
                "classes/1/encrypt_calls = 6, classes/1/decrypt_calls = 6, "
                "classes/1/failed_calls = 0, classes/1/connections/accepted = 1, "
                "classes/1/connections/refused_preface = 0");
    assert_int_equal(instance_stop(&h), 0);
    static const char *const classes[] = {"secrets", "bulk"};
    for (size_t i = 0; i < 2; i++) {
        is_on_record(classes[i], "encrypt", CALLS);
        is_on_record(classes[i], "decrypt", CALLS);
    }
    assert_int_equal(audited_lines(dir, "\"request\":\"" UID "\""), 2 * CALLS);
    assert_int_equal(audited_lines(dir, "\"request\":\"other:"), 0);
    assert_int_equal(audited_lines(dir, "\"kind\":\"call\""), 4 * CALLS);
    assert_int_equal(instance_count(&h, mark, "level=warn"), 0);
    assert_int_equal(instance_count(&h, mark, "level=error"), 0);
    instance_destroy(&h);
}

/* The probe names its requests: what it says and what is on record is one. */
TEST(request_that_the_probe_names__is_the_one_on_record)
{
    char what[80];
    up();
    assert_int_equal(
        instance_tool(&h, said, sizeof said, "probe", "secrets", "--rounds", "0", NULL),
        0);
    assert_int_equal(instance_stop(&h), 0);
    unsigned requests = 0;
    for (const char *at = said; (at = strstr(at, "request ")) != NULL; requests++) {
        at += strlen("request ");
        snprintf(what, sizeof what, "\"request\":\"%.36s\"", at);
        assert_int_equal(audited_lines(dir, what), 1);
    }
    assert_int_equal(requests, 2);
    instance_destroy(&h);
}

TEST(probe_negative__one_refused_call_counted_logged_and_on_record)
{
    up();
    size_t mark = instance_mark(&h);
    assert_int_equal(instance_tool(&h, said, sizeof said, "probe", "secrets", "--rounds",
                                   "0", "--negative", NULL),
                     0);
    CHECK_HAS(said, "ok    tampered           refused: INVALID_ARGUMENT");
    status_says("classes/0/encrypt_calls = 1, classes/0/decrypt_calls = 2, "
                "classes/0/failed_calls = 1");
    assert_int_equal(instance_stop(&h), 0);
    assert_int_equal(instance_count(&h, mark, "event=call-failed"), 1);
    assert_int_equal(audited_lines(dir, "\"code\":3,\"reason\":\"forged\""), 1);
    instance_destroy(&h);
}

TEST(daemon_gone__said_at_once_with_the_socket)
{
    up();
    assert_int_equal(instance_stop(&h), 0);
    assert_int_equal(instance_tool(&h, said, sizeof said, "probe", "secrets", NULL), 3);
    CHECK_HAS(said, h.secrets);
    CHECK_HAS(said, "systemctl status keywardd");
    instance_destroy(&h);
}

/* It refuses whoever is none of the class's peers: by the kernel's word, not the file's
 * mode. */
TEST(no_peer_of_the_class__said_at_once_with_the_way_out)
{
    char peers[64];
    kw_test_arena(1 << 20);
    instance_build(&h, NULL);
    instance_value(&h, "peers: ", peers, sizeof peers);
    instance_edit(&h, peers, "{uids: [4242]}");
    instance_up(&h);
    size_t mark = instance_mark(&h);
    assert_int_equal(
        instance_tool(&h, said, sizeof said, "probe", "secrets", "--timeout", "1h", NULL),
        1);
    CHECK_HAS(said, h.secrets);
    CHECK_HAS(said, "classes[].peers");
    instance_await(&h, mark, NULL, "event=peer-refused", "class=secrets", NULL);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

/* A daemon that is stopped in the middle has its socket still. */
TEST(daemon_hangs__fails_after_the_timeout)
{
    up();
    instance_signal(&h, SIGSTOP);
    assert_int_equal(
        instance_tool(&h, said, sizeof said, "probe", "secrets", "--timeout", "1s", NULL),
        3);
    instance_signal(&h, SIGCONT);
    CHECK_HAS(said, h.secrets);
    CHECK_HAS(said, "says nothing");
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

KW_CASES("28-probe", CASE(probe__counted_logged_and_recorded_as_a_kube_apiserver_is),
         CASE(request_that_the_probe_names__is_the_one_on_record),
         CASE(probe_negative__one_refused_call_counted_logged_and_on_record),
         CASE(daemon_gone__said_at_once_with_the_socket),
         CASE(no_peer_of_the_class__said_at_once_with_the_way_out),
         CASE(daemon_hangs__fails_after_the_timeout))
