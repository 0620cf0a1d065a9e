/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "listening.h"

TEST(parse__what_is_no_address_and_port__refused_with_the_text)
{
    static const char *const rows[] = {"",
                                       ":9464",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       "localhost:9464",
                                       "127.0.0.1:65536",
                                       "127.0.0.1:+1",
                                       "127.0.0.1:094640",
                                       "::1:9464",
                                       "[::1]",
                                       "[::1:9464",
                                       "[127.0.0.1]:9464",
                                       "256.0.0.1:1",
                                       "[::1%lo]:1"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kw_listening_at at;
        struct kw_note note = {{0}};
        if (kw_listening_parse(rows[i], &at, &note).code != KW_CODE_BAD_INPUT)
            fail_msg("taken: %s", rows[i]);
        CHECK_HAS(note.text, rows[i]);
    }
}

TEST(parse__each_address__of_this_machine_or_not)
{
    static const struct {
        const char *text;
        bool is_local;
    } rows[] = {{"127.0.0.1:9464", true},
                {"127.9.9.9:1", true},
                {"[::1]:9464", true},
                {"0.0.0.0:9464", false},
                {"[::]:1", false},
                {"10.0.0.1:65535", false},
                {"128.0.0.1:1", false},
                {"[fe80::1]:1", false},
                {"[::ffff:127.0.0.1]:1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct kw_listening_at at;
        CHECK_OK(kw_listening_parse(rows[i].text, &at, NULL));
        CHECK(at.is_local == rows[i].is_local);
    }
}

TEST(open__a_port_that_is_taken__refused_with_the_reason)
{
    struct kw_listening_at at;
    struct kw_note note = {{0}};
    int first, second;
    char text[32];
    CHECK_OK(kw_listening_parse("127.0.0.1:0", &at, &note));
    CHECK_OK(kw_listening_open(&at, "127.0.0.1:0", &first, &note));
    snprintf(text, sizeof text, "127.0.0.1:%u", kw_listening_port(first));
    CHECK_OK(kw_listening_parse(text, &at, &note));
    CHECK_CODE(kw_listening_open(&at, text, &second, &note), KW_CODE_IO);
    CHECK_HAS(note.text, "Address already in use");
    close(first);
}

TEST(tls__files_that_are_none__refused_by_their_option)
{
    struct kw_note note = {{0}};
    SSL_CTX *tls = NULL;
    const struct kw_tls_files files = {"/nonexistent/c", "/nonexistent/k",
                                       "/nonexistent/a"};
    CHECK_CODE(kw_tls_new(&files, &tls, &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "--tls-cert /nonexistent/c");
}

KW_SUITE("provider/exporter/listening")
