/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/client.h>

TEST(open__path_no_socket_can_have__bad_input)
{
    char path[KW_SOCKET_PATH_MAX + 2];
    struct kw_client *client = NULL;
    CHECK_CODE(kw_client_open("", &client), KW_CODE_BAD_INPUT);
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[KW_SOCKET_PATH_MAX + 1] = '\0';
    CHECK_CODE(kw_client_open(path, &client), KW_CODE_BAD_INPUT);
    CHECK(client == NULL);
    path[KW_SOCKET_PATH_MAX] = '\0';
    CHECK_OK(kw_client_open(path, &client));
    kw_client_close(client);
    kw_client_close(NULL);
}

TEST(open__no_memory__said_so)
{
    struct kw_client *client = NULL;
    for (long n = 0; n < 2; n++) {
        kw_alloc_fail_from(n);
        CHECK_CODE(kw_client_open("/tmp/s", &client), KW_CODE_NO_MEMORY);
        kw_alloc_fail_from(-1);
    }
    CHECK(client == NULL);
}

TEST(call__nobody_listens__deadline_and_a_reason)
{
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    kw_test_arena(65536);
    CHECK_OK(kw_client_open("/nonexistent/kw.sock", &client));
    CHECK_OK(kw_client_status(client, 20 * KW_MS_NS, &reply));
    CHECK(reply.grpc_status == 4 || reply.grpc_status == 14);
    CHECK(reply.ns >= 0 && reply.message[0] != '\0');
    CHECK_OK(kw_client_encrypt(client, kw_span_str("seed"), "u", 5 * KW_MS_NS, &reply));
    CHECK(reply.grpc_status != 0);
    kw_client_close(client);
}

/* Long enough for ctest to end a case that waits for it. */
#define FOR_EVER (3600 * KW_S_NS)

TEST(call__nobody_listens_and_it_fails_fast__unavailable_at_once)
{
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    kw_test_arena(65536);
    CHECK_OK(kw_client_open("/nonexistent/kw.sock", &client));
    kw_client_fail_fast(client);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(kw_client_status(client, FOR_EVER, &reply));
        CHECK(reply.grpc_status == 14 && reply.message[0] != '\0');
    }
    kw_client_close(client);
}

static int listen_at(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && kw_copy_str(name.sun_path, sizeof name.sun_path, kw_span_str(path)));
    CHECK(bind(fd, (const struct sockaddr *)&name, sizeof name) == 0);
    CHECK(listen(fd, 64) == 0);
    return fd;
}

/* A server that is slow to answer is waited for, not connected to again and again: its
 * limit of connections is everybody's. */
TEST(call__server_says_nothing__one_connection)
{
    char dir[] = "/tmp/kw-client-XXXXXX", path[64];
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    unsigned connections = 0;
    kw_test_arena(65536);
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/s", dir);
    int server = listen_at(path);
    CHECK_OK(kw_client_open(path, &client));
    CHECK_OK(kw_client_status(client, KW_S_NS, &reply));
    CHECK(reply.grpc_status == 4);
    for (int fd; (fd = accept4(server, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd))
        connections++;
    CHECK(connections == 1);
    kw_client_close(client);
    close(server);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

/* It ends the call, so that nothing but the tick can have been first. */
static void close_at_tick(void *ctx)
{
    if (*(int *)ctx >= 0)
        CHECK(close(*(int *)ctx) == 0);
    *(int *)ctx = -1;
}

TEST(call__waits__ticks)
{
    char dir[] = "/tmp/kw-client-XXXXXX", path[64];
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    kw_test_arena(65536);
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/s", dir);
    int server = listen_at(path);
    CHECK_OK(kw_client_open(path, &client));
    kw_client_fail_fast(client);
    kw_client_tick(client, close_at_tick, &server);
    CHECK_OK(kw_client_status(client, FOR_EVER, &reply));
    CHECK(reply.grpc_status == 14 && server == -1);
    kw_client_close(client);
    CHECK(unlink(path) == 0 && rmdir(dir) == 0);
}

TEST(call__arena_is_full__no_memory_and_nothing_sent)
{
    static uint8_t big[65536];
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    kw_test_arena(4096);
    CHECK_OK(kw_client_open("/nonexistent/kw.sock", &client));
    CHECK_CODE(
        kw_client_encrypt(client, kw_span_of(big, sizeof big), "u", KW_S_NS, &reply),
        KW_CODE_NO_MEMORY);
    kw_client_close(client);
}

TEST(decrypt__nul_in_key_id__bad_input)
{
    struct kw_client *client = NULL;
    struct kw_client_reply reply;
    CHECK_OK(kw_client_open("/nonexistent/kw.sock", &client));
    CHECK_CODE(kw_client_decrypt(client, kw_span_str("c"), kw_span_of("a\0b", 3), "u",
                                 KW_S_NS, &reply),
               KW_CODE_BAD_INPUT);
    kw_client_close(client);
}

KW_CASES("provider/client/client", CASE(open__path_no_socket_can_have__bad_input),
         CASE(open__no_memory__said_so),
         CASE(call__nobody_listens__deadline_and_a_reason),
         CASE(call__nobody_listens_and_it_fails_fast__unavailable_at_once),
         CASE(call__waits__ticks), CASE(call__server_says_nothing__one_connection),
         CASE(call__arena_is_full__no_memory_and_nothing_sent),
         CASE(decrypt__nul_in_key_id__bad_input))
