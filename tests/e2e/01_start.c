/* SPDX-License-Identifier: Apache-2.0 */
/* 01: what keywardd refuses to start with, and what it does first when it starts. */
#include "instance.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Starts it, expects exit status 1 and a log line that holds `remedy`. */
static void refuses(struct instance *h, const char *remedy)
{
    size_t mark = instance_mark(h);
    instance_start(h, NULL);
    instance_await(h, mark, NULL, remedy, NULL);
    assert_int_equal(instance_wait_end(h), 1);
}

TEST(start__as_root_or_not__root_alone_is_refused_with_the_remedy)
{
    INSTANCE(h, NULL);
    if (geteuid() == 0) { /* only root can try it */
        h.uid = 0;
        refuses(&h, "setpriv --reuid");
        h.uid = 65534;
    }
    instance_up(&h);
    assert_int_equal(instance_stop(&h), 0);
    instance_destroy(&h);
}

TEST(start__socket_folder_writable_by_others__refused)
{
    char run[128];
    INSTANCE(h, NULL);
    snprintf(run, sizeof run, "%s/run", h.dir);
    CHECK(chmod(run, 0777) == 0);
    refuses(&h, "chmod");
    instance_destroy(&h);
}

TEST(start__bad_configuration__file_line_and_column)
{
    INSTANCE(h, NULL);
    instance_edit(&h, "  patience: 2s\n", "  patiense: 2s\n");
    refuses(&h, "keyward.yaml:");
    instance_destroy(&h);
}

TEST(start__no_state_directory__the_way_out_is_named_and_works)
{
    char lost[160], command[256];
    INSTANCE(h, NULL);
    snprintf(lost, sizeof lost, "%s.lost", h.state);
    CHECK(rename(h.state, lost) == 0);
    snprintf(command, sizeof command, "keyward state create --config %s", h.config);
    refuses(&h, command);
    assert_int_equal(instance_tool(&h, NULL, 0, "state", "create", NULL), 0);
    instance_up(&h);
    instance_destroy(&h);
}

/* Owner, mode and folders: whoever could change the file could name another library. */
TEST(start__configuration_that_others_can_change__refused)
{
    INSTANCE(h, NULL);
    CHECK(chmod(h.config, 0664) == 0);
    refuses(&h, "keyward.yaml: mode 0664 lets others change it; chmod go-w it");
    CHECK(chmod(h.config, 0644) == 0 && chmod(h.dir, 0777) == 0);
    refuses(&h, "mode 0777 lets others exchange");
    CHECK(chmod(h.dir, 0755) == 0);
    if (geteuid() == 0) { /* only root can give files away */
        CHECK(chown(h.config, 12345, (gid_t)-1) == 0);
        refuses(&h, "chown it to root or to uid 65534");
        CHECK(chown(h.config, 0, (gid_t)-1) == 0);
    }
    instance_up(&h);
    instance_destroy(&h);
}

TEST(start__good__ready_answers_and_ends_with_0)
{
    static struct kw_client_reply reply;
    INSTANCE_AND_ARENA(h, NULL);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    mark = instance_await(&h, mark, NULL, "event=listening", "class=secrets", NULL);
    mark = instance_await(&h, mark, NULL, "event=keyring-loaded", "active=1", NULL);
    instance_await(&h, mark, NULL, "event=hsm-state", "to=up", NULL);
    struct kw_client *c = instance_client(&h, h.secrets);
    CHECK_OK(kw_client_status(c, 5 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, 0);
    CHECK_STR(reply.version, "v2");
    CHECK_STR(reply.healthz, "ok");
    CHECK(strncmp(reply.key_id, "kw1-1-", 6) == 0);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(access(h.secrets, F_OK) != 0); /* its own socket file is gone */
    instance_destroy(&h);
}

TEST(start__sockets_answer_before_the_login__status_waits_for_it)
{
    static struct kw_client_reply reply;
    INSTANCE_AND_ARENA(h, NULL);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    size_t listens =
        instance_await(&h, mark, NULL, "event=listening", "class=bulk", NULL);
    CHECK(instance_await(&h, mark, NULL, "event=worker-started", NULL) > listens);
    struct kw_client *c = instance_client(&h, h.secrets);
    /* The client waits for the socket; the Status it sends then is held until the first
     * worker is ready, and is good. */
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, 0);
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(status__one_client__its_connection_and_call_counted)
{
    static char out[65536];
    static struct kw_client_reply reply;
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    instance_status(&h, out, sizeof out);
    CHECK_HAS(out, "\"connections\":{\"open\":1,\"waiting\":0,\"accepted\":1,");
    CHECK_HAS(out, "\"connections\":{\"open\":0,\"waiting\":0,\"accepted\":0,");
    CHECK_HAS(out, "\"open_max\":1,\"calls\":1,");
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", NULL), 0);
    CHECK_HAS(out, "well: the HSM is up, version 1 is active (kw1-1-");
    CHECK_HAS(out, "\nrpc  ");
    assert_int_equal(instance_tool(&h, out, sizeof out, "status", "--json", NULL), 0);
    CHECK_HAS(out, "\"open\": 1");
    kw_client_close(c);
    instance_destroy(&h);
}

TEST(signal__usr1__caches_wiped)
{
    INSTANCE_AND_ARENA(h, NULL);
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.bulk);
    instance_round_trip(c);
    size_t mark = instance_mark(&h);
    instance_signal(&h, SIGUSR1);
    instance_await(&h, mark, NULL, "event=cache-wiped", "seeds=1", NULL);
    instance_round_trip(c);
    kw_client_close(c);
    instance_destroy(&h);
}

KW_CASES("01-start", CASE(start__as_root_or_not__root_alone_is_refused_with_the_remedy),
         CASE(start__socket_folder_writable_by_others__refused),
         CASE(start__bad_configuration__file_line_and_column),
         CASE(start__no_state_directory__the_way_out_is_named_and_works),
         CASE(start__configuration_that_others_can_change__refused),
         CASE(start__good__ready_answers_and_ends_with_0),
         CASE(start__sockets_answer_before_the_login__status_waits_for_it),
         CASE(status__one_client__its_connection_and_call_counted),
         CASE(signal__usr1__caches_wiped))
