/* SPDX-License-Identifier: Apache-2.0 */
#include "kmsraw.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <keyward/limits.h>

#include "check.h"

int kmsraw_connect(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    kw_copy(at.sun_path, sizeof at.sun_path - 1, kw_span_str(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    return fd;
}

struct h2raw *kmsraw_open(const char *socket)
{
    enum { WINDOW_UPDATE = 8 };
    struct h2raw *h = h2raw_new(kmsraw_connect(socket));
    h2raw_frame(h, WINDOW_UPDATE, 0, 0, kw_span_of("\x40\0\0\0", 4));
    return h;
}

/* A length-delimited field (protobuf's wire type 2); two bytes of length at most. */
static void put_field(kw_dst *d, unsigned number, kw_span value)
{
    bool ok = kw_dst_put_u8(d, (uint8_t)(number << 3 | 2));
    if (value.len >= 128)
        ok = ok && kw_dst_put_u8(d, (uint8_t)(value.len | 128));
    ok = ok && kw_dst_put_u8(d, (uint8_t)(value.len >= 128 ? value.len >> 7 : value.len));
    CHECK(ok && kw_dst_put(d, value));
}

static uint32_t call(struct h2raw *h, const char *path, const char *timeout, kw_dst *d)
{
    uint32_t stream = h2raw_open(h, path, timeout);
    h2raw_message(h, stream, 0, kw_dst_span(d));
    return stream;
}

uint32_t kmsraw_status(struct h2raw *h)
{
    return h2raw_call(h, KMSRAW_STATUS, (kw_span){0});
}

uint32_t kmsraw_encrypt(struct h2raw *h, kw_span seed, const char *timeout)
{
    uint8_t raw[KW_SEED_MAX + 64];
    kw_dst d = kw_dst_of(raw, sizeof raw);
    put_field(&d, 1, seed);
    return call(h, KMSRAW_ENCRYPT, timeout, &d);
}

uint32_t kmsraw_decrypt(struct h2raw *h, kw_span ciphertext, const char *key_id,
                        const char *timeout)
{
    uint8_t raw[2 * KW_CIPHERTEXT_MAX + 128];
    kw_dst d = kw_dst_of(raw, sizeof raw);
    put_field(&d, 1, ciphertext);
    put_field(&d, 3, kw_span_str(key_id));
    return call(h, KMSRAW_DECRYPT, timeout, &d);
}

int kmsraw_outcome(struct h2raw *h, uint32_t stream)
{
    const struct h2raw_result *r = h2raw_await(h, stream);
    if (r == NULL) {
        fail_msg("the connection ended before call %u", stream);
        return -1;
    }
    return r->grpc_status;
}
