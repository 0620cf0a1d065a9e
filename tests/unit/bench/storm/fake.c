/* SPDX-License-Identifier: Apache-2.0 */
#include "fake.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "message.h"

enum { PREFACE = 24, HEAD = 9 };

static void put(int fd, kw_span s)
{
    /* Somebody who hung up is no failure of ours. */
    if (send(fd, s.ptr, s.len, MSG_NOSIGNAL) < 0)
        return;
}

static void frame(int fd, uint8_t type, uint8_t flags, uint32_t id, kw_span payload)
{
    uint8_t bytes[512] = {0, (uint8_t)(payload.len >> 8), (uint8_t)payload.len, type,
                          flags};
    kw_dst dst = {bytes, sizeof bytes, 5};
    CHECK(kw_dst_put_u32(&dst, id) && kw_dst_put(&dst, payload));
    put(fd, kw_dst_span(&dst));
}

static void reply(int fd, uint32_t id, unsigned code, kw_span body)
{
    char trailer[32];
    snprintf(trailer, sizeof trailer, "%c%c%s%c%u", 0, 11, "grpc-status",
             code < 10 ? 1 : 2, code);
    frame(fd, 1, 4, id, kw_span_of("\x88", 1));
    frame(fd, 0, 0, id, body);
    frame(fd, 1, 5, id, kw_span_of(trailer, 15 + (code >= 10)));
}

static bool put_field(kw_dst *dst, uint8_t number, kw_span s)
{
    return kw_dst_put_u8(dst, (uint8_t)(number << 3 | 2)) &&
           kw_dst_put_u8(dst, (uint8_t)s.len) && kw_dst_put(dst, s);
}

/* Prefix and fields; empty ones are left out. */
static kw_span body_of(uint8_t buffer[256], kw_span one, kw_span two, kw_span three)
{
    kw_dst dst = {buffer, 256, KW_MESSAGE_PREFIX};
    CHECK(one.len == 0 || put_field(&dst, 1, one));
    CHECK(two.len == 0 || put_field(&dst, 2, two));
    CHECK(three.len == 0 || put_field(&dst, 3, three));
    kw_dst length = kw_dst_of(buffer + 1, 4);
    buffer[0] = 0;
    CHECK(kw_dst_put_u32(&length, (uint32_t)(dst.len - KW_MESSAGE_PREFIX)));
    return kw_dst_span(&dst);
}

static void die(struct fake *f)
{
    f->dead = true;
    for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
        if (f->side[i].fd >= 0) {
            close(f->side[i].fd);
            f->side[i].fd = -1;
        }
}

static void on_decrypt(struct fake *f, int fd, uint32_t id, kw_span text)
{
    uint8_t buffer[256], plain[KW_SEED];
    f->decrypt++;
    if (f->decrypt == f->die_at) {
        die(f);
        return;
    }
    if (f->decrypt == f->interrupt_at)
        CHECK(kill(getpid(), SIGINT) == 0);
    if (f->mute_from > 0 && f->decrypt >= f->mute_from)
        return;
    CHECK(text.len == KW_SEED);
    kw_copy(plain, sizeof plain, text);
    plain[0] ^= f->decrypt == f->wrong_at;
    reply(fd, id, f->decrypt == f->fail_at ? 13 : f->code,
          body_of(buffer, kw_span_of(plain, sizeof plain), (kw_span){0}, (kw_span){0}));
}

/* Which call it is, the message alone says: Status is empty, Decrypt has a third
 * field. */
static void on_message(struct fake *f, int fd, uint32_t id, kw_span body)
{
    uint8_t buffer[256];
    const char *key = "k1";
    struct kw_src src = kw_src_of(body);
    (void)kw_src_take(&src, KW_MESSAGE_PREFIX + 1);
    kw_span text = kw_src_take(&src, kw_src_u8(&src));
    (void)kw_src_u8(&src);
    (void)kw_src_take(&src, kw_src_u8(&src));
    if (body.len == KW_MESSAGE_PREFIX) {
        f->status++;
        reply(fd, id, f->code,
              body_of(buffer, kw_span_str("v2"), kw_span_str("ok"), kw_span_str(key)));
    } else if (kw_src_done(&src)) {
        if (++f->encrypt == f->odd_encrypt_at)
            key = "k2";
        reply(fd, id, f->code, body_of(buffer, text, kw_span_str(key), (kw_span){0}));
    } else {
        on_decrypt(f, fd, id, text);
    }
}

static size_t digest(struct fake *f, struct fake_side *s)
{
    size_t at = 0;
    if (!s->greeted && s->len >= PREFACE) {
        s->greeted = true;
        at = PREFACE;
        frame(s->fd, 4, 0, 0, (kw_span){0});
    }
    while (s->greeted && s->fd >= 0 && s->len - at >= HEAD) {
        const uint8_t *p = s->in + at;
        size_t len = (size_t)p[1] << 8 | p[2];
        if (s->len - at < HEAD + len)
            break;
        uint32_t id = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 |
                      (uint32_t)p[8];
        if (p[3] == 0)
            on_message(f, s->fd, id, kw_span_of(p + HEAD, len));
        if (p[3] == 3 && f->interrupt_at_reset)
            CHECK(kill(getpid(), SIGINT) == 0);
        at += HEAD + len;
    }
    return at;
}

static void on_bytes(struct fake *f, struct fake_side *s)
{
    ssize_t n = recv(s->fd, s->in + s->len, sizeof s->in - s->len, 0);
    if (n <= 0 || f->http1) {
        static const char other[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        if (n > 0)
            put(s->fd, kw_span_str(other));
        close(s->fd);
        s->fd = -1;
        return;
    }
    s->len += (size_t)n;
    size_t used = digest(f, s);
    memmove(s->in, s->in + used, s->len - used);
    s->len -= used;
}

static void on_connection(struct fake *f)
{
    int fd = accept(f->listener, NULL, NULL);
    for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
        if (f->side[i].fd < 0 && !f->dead) {
            f->side[i] = (struct fake_side){.fd = fd};
            return;
        }
    close(fd);
}

static void *serve(void *ctx)
{
    struct fake *f = ctx;
    for (;;) {
        struct pollfd polled[2 + FAKE_CONNECTIONS] = {{f->stop[0], POLLIN, 0},
                                                      {f->listener, POLLIN, 0}};
        for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
            polled[2 + i] = (struct pollfd){f->side[i].fd, POLLIN, 0};
        if (poll(polled, 2 + FAKE_CONNECTIONS, -1) < 0)
            continue;
        if (polled[0].revents != 0)
            return NULL;
        if (polled[1].revents != 0)
            on_connection(f);
        for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
            if (polled[2 + i].revents != 0 && f->side[i].fd == polled[2 + i].fd)
                on_bytes(f, &f->side[i]);
    }
}

void fake_begin(struct fake *f)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    for (unsigned i = 0; i < FAKE_CONNECTIONS; i++)
        f->side[i].fd = -1;
    CHECK(kw_copy_str(f->folder, sizeof f->folder, kw_span_str("/tmp/kw-storm-XXXXXX")));
    CHECK(mkdtemp(f->folder) != NULL);
    snprintf(f->path, sizeof f->path, "%s/kms.sock", f->folder);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(f->path)));
    f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(f->listener, (const struct sockaddr *)&at, sizeof at) == 0);
    CHECK(listen(f->listener, FAKE_CONNECTIONS) == 0 && pipe(f->stop) == 0);
    CHECK(pthread_create(&f->thread, NULL, serve, f) == 0);
}

void fake_end(struct fake *f)
{
    CHECK(write(f->stop[1], "x", 1) == 1);
    CHECK(pthread_join(f->thread, NULL) == 0);
    die(f);
    close(f->listener);
    close(f->stop[0]);
    close(f->stop[1]);
    unlink(f->path);
    rmdir(f->folder);
}
