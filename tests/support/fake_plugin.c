/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"

enum { TAIL = 900, FIRST = 2, ALL = FIRST + FAKE_CONNECTIONS };
/* RFC 9113, 6 */
enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, END_STREAM = 1, END_HEADERS = 4 };

static void put_frame(kw_dst *dst, uint8_t type, uint8_t flags, uint32_t id, kw_span load)
{
    KW_MUST(kw_dst_put_u8(dst, 0) && kw_dst_put_u16(dst, (uint16_t)load.len) &&
            kw_dst_put_u8(dst, type) && kw_dst_put_u8(dst, flags) &&
            kw_dst_put_u32(dst, id) && kw_dst_put(dst, load));
}

/* An EncryptRequest has the fields of an EncryptResponse: text, then a name; and its first
 * field is that of every request, and of a DecryptResponse. */
static void put_reply(const struct fake_plugin *f, enum kw_bench_method method,
                      kw_span asked, bool bad, kw_dst *dst)
{
    static const char ok[] = "\0\0\0\0\x0f\x0a\2v2\x12\2ok\x1a\5kw1-1",
                      ill[] = "\0\0\0\0\x0f\x0a\2v2\x12\2no\x1a\5kw1-1";
    uint8_t text[KW_SEED + TAIL] = {0};
    struct kw_message m = {.text = kw_span_of(text, sizeof text)};
    kw_span key = kw_span_str(bad && f->script == FAKE_ODD_ENCRYPT ? "another" : "kw1-1");
    kw_copy(text, sizeof text, asked);
    if (method == KW_DECRYPT) {
        text[KW_SEED - 1] ^= bad && f->script == FAKE_WRONG;
        m.text.len = KW_SEED;
        key.len = 0;
    }
    KW_MUST(
        method == KW_STATUS
            ? kw_dst_put(dst, kw_span_of(f->script == FAKE_ILL ? ill : ok, sizeof ok - 1))
            : kw_message_write(dst, KW_ENCRYPT, &m, key));
}

/* Ctrl-C, as the process at the other end of the connection meets it. */
static void interrupt_client(int fd)
{
    struct ucred client;
    socklen_t len = sizeof client;
    KW_INVARIANT(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client, &len) == 0 &&
                 client.pid > 1 && kill(client.pid, SIGINT) == 0);
}

/* Is call number n of this method one of the script's? */
static bool is_bad(const struct fake_plugin *f, enum kw_bench_method method, unsigned n)
{
    return method == f->at && n >= f->from && (f->times == 0 || n < f->from + f->times) &&
           (f->every == 0 || (n - f->from) % f->every == 0);
}

/* RFC 7541: ":status: 200" is number 8 of the static table; a trailer is new, not indexed. */
static void reply(int fd, uint32_t id, kw_span body, const char *status, unsigned code)
{
    uint8_t all[4096];
    char text[8], trailer[32];
    kw_dst dst = kw_dst_of(all, sizeof all);
    snprintf(text, sizeof text, "%u", code);
    const int len = snprintf(trailer, sizeof trailer, "%c%c%s%c%s", 0,
                             (char)strlen(status), status, (char)strlen(text), text);
    put_frame(&dst, HEADERS, END_HEADERS, id, kw_span_str("\x88"));
    put_frame(&dst, DATA, 0, id, body);
    put_frame(&dst, HEADERS, END_HEADERS | END_STREAM, id,
              kw_span_of(trailer, (size_t)len));
    (void)send(fd, all, dst.len, MSG_NOSIGNAL); /* the client may have gone */
}

static void answer(struct fake_plugin *f, int fd, uint32_t id, kw_span body)
{
    uint8_t bytes[2048];
    kw_dst message = kw_dst_of(bytes, sizeof bytes);
    struct kw_message request;
    KW_MUST(kw_message_read(KW_DECRYPT, body, &request));
    const size_t len = request.text.len;
    const enum kw_bench_method method = len == 0         ? KW_STATUS
                                        : len == KW_SEED ? KW_ENCRYPT
                                                         : KW_DECRYPT;
    const bool bad = is_bad(f, method, ++f->seen[method]);
    if (bad && f->script == FAKE_DIES) {
        for (unsigned i = FIRST; i < ALL; i++)
            (void)shutdown(f->polled[i].fd, SHUT_RDWR);
        return;
    }
    if (bad && f->script == FAKE_INTERRUPTS)
        interrupt_client(fd);
    if (bad && f->script == FAKE_SILENT)
        return;
    put_reply(f, method, request.text, bad, &message);
    reply(fd, id, kw_dst_span(&message),
          bad && f->script == FAKE_NO_STATUS ? "x" : "grpc-status", bad ? f->code : 0);
}

static bool take(int fd, void *dst, size_t len)
{
    return len == 0 || recv(fd, dst, len, MSG_WAITALL) == (ssize_t)len;
}

/* One frame; false: it is over. */
static bool hear(struct fake_plugin *f, int fd)
{
    static const char hello[] =
        "\0\0\0\4\0\0\0\0\0"              /* SETTINGS, all as they are anyway */
        "\0\0\0\4\1\0\0\0\0"              /* the client's are seen            */
        "\0\0\4\x08\0\0\0\0\0\x7f\0\0\0"; /* WINDOW_UPDATE                   */
    uint8_t head[9], payload[1 << 14];
    if (!take(fd, head, sizeof head))
        return false;
    struct kw_src src = kw_src_of(kw_span_of(head, sizeof head));
    const uint32_t len = kw_src_u32(&src) >> 8;
    const uint8_t type = head[3], flags = kw_src_u8(&src);
    KW_INVARIANT(len <= sizeof payload);
    if (!take(fd, payload, len))
        return false;
    if (type == SETTINGS && flags == 0)
        (void)send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL);
    if (type == DATA && flags == END_STREAM)
        answer(f, fd, kw_src_u32(&src), kw_span_of(payload, len));
    if (type == RST_STREAM && f->interrupt_at_reset)
        interrupt_client(fd);
    return true;
}

/* A connection, which begins with 24 bytes in every HTTP/2. */
static void take_connection(struct fake_plugin *f)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    char preface[4096];
    unsigned i = FIRST;
    const int fd = accept(f->polled[1].fd, NULL, NULL);
    if (f->script == FAKE_HTTP1 && recv(fd, preface, sizeof preface, 0) > 0)
        (void)send(fd, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
    if (f->script == FAKE_HTTP1 || f->script == FAKE_CLOSES || !take(fd, preface, 24)) {
        close(fd);
        return;
    }
    while (f->polled[i].fd >= 0)
        i++;
    KW_INVARIANT(i < ALL);
    f->polled[i].fd = fd;
}

static void *fake_main(void *ctx)
{
    struct fake_plugin *f = ctx;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all,
                    NULL); /* SIGINT is the client's, also in one process */
    while (poll(f->polled, ALL, -1) > 0 && f->polled[0].revents == 0) {
        for (unsigned i = FIRST; i < ALL; i++)
            if (f->polled[i].revents != 0 && !hear(f, f->polled[i].fd)) {
                close(f->polled[i].fd);
                f->polled[i].fd = -1;
            }
        if (f->polled[1].revents != 0)
            take_connection(f);
    }
    return NULL;
}

void fake_start(struct fake_plugin *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(f->folder, sizeof f->folder, "/tmp/kw-plugin-XXXXXX");
    CHECK(mkdtemp(f->folder) != NULL && pipe(f->stop) == 0);
    snprintf(f->path, sizeof f->path, "%s/kms.sock", f->folder);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(f->path)));
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(listener, FAKE_CONNECTIONS) == 0);
    for (unsigned i = 0; i < ALL; i++)
        f->polled[i] = (struct pollfd){i == 0   ? f->stop[0]
                                       : i == 1 ? listener
                                                : -1,
                                       POLLIN, 0};
    CHECK(pthread_create(&f->thread, NULL, fake_main, f) == 0);
}

void fake_stop(struct fake_plugin *f)
{
    CHECK(write(f->stop[1], "x", 1) == 1 && pthread_join(f->thread, NULL) == 0);
    close(f->stop[1]);
    for (unsigned i = 0; i < ALL; i++)
        if (f->polled[i].fd >= 0)
            close(f->polled[i].fd);
    CHECK(unlink(f->path) == 0 && rmdir(f->folder) == 0);
}
