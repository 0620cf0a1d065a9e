/* SPDX-License-Identifier: Apache-2.0 */
#include <keyward/client.h>

#include <stdio.h>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <keyward/alloc.h>

#include "block.h"
#include "exchange.h"
#include "handover.h"
#include "kms_v2.pb-c.h"
#include "reply.h"
#include "slices.h"

/* A reply may carry 32 KiB of annotations.  It unpacks into twice its size and a little,
 * or is refused. */
enum { REPLY_MAX = 40960, BLOCK_LEAST = 2048 };

struct kw_client {
    struct kw_exchange_line line;
};

/* gRPC's target is a URI: "unix:" and the path, everything unusual percent-encoded. */
static char *target_of(const char *path)
{
    char text[5 + 3 * KW_SOCKET_PATH_MAX + 1];
    size_t n = (size_t)snprintf(text, sizeof text, "unix:");
    for (; *path != '\0'; path++) {
        unsigned char c = (unsigned char)*path;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '/' || c == '.' || c == '-' ||
                     c == '_';
        n += (size_t)snprintf(text + n, sizeof text - n, plain ? "%c" : "%%%02X", c);
    }
    return kw_format("%s", text);
}

static grpc_arg client_integer(const char *key, int value)
{
    grpc_arg a = {.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key};
    a.value.integer = value;
    return a;
}

static grpc_arg string(const char *key, const char *value)
{
    grpc_arg a = {.type = GRPC_ARG_STRING, .key = (char *)(uintptr_t)key};
    a.value.string = (char *)(uintptr_t)value;
    return a;
}

static grpc_channel *new_channel(const char *target)
{
    grpc_arg list[] = {
        string(GRPC_ARG_DEFAULT_AUTHORITY, "localhost"),
        /* Two clients of one socket are two connections. */
        client_integer(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        client_integer(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100),
        client_integer(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000),
        client_integer(GRPC_ARG_ENABLE_RETRIES, 0),
        client_integer(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        client_integer(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        client_integer(GRPC_ARG_HTTP2_BDP_PROBE, 0),
        client_integer(GRPC_ARG_ENABLE_CHANNELZ, 0),
        client_integer(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, REPLY_MAX),
    };
    grpc_channel_args args = {sizeof list / sizeof list[0], list};
    grpc_channel_credentials *cred = grpc_insecure_credentials_create();
    grpc_channel *channel = grpc_channel_create(target, cred, &args);
    grpc_channel_credentials_release(cred);
    return channel;
}

kw_err kw_client_open(const char *socket_path, struct kw_client **ret_client)
{
    size_t len = kw_span_str(socket_path).len;
    if (len == 0 || len > KW_SOCKET_PATH_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "socket path");
    struct kw_client *c = kw_new(1, sizeof *c);
    char *target = target_of(socket_path);
    if (c == NULL || target == NULL) {
        kw_free(c);
        kw_free(target);
        return kw_err_at(KW_CODE_NO_MEMORY, "client");
    }
    grpc_init();
    c->line.channel = new_channel(target);
    kw_free(target);
    *ret_client = c;
    return KW_OK;
}

void kw_client_close(struct kw_client *client)
{
    if (client == NULL)
        return;
    grpc_channel_destroy(client->line.channel);
    kw_free(client);
    grpc_shutdown();
}

void kw_client_fail_fast(struct kw_client *client)
{
    client->line.is_failing_fast = true;
}

void kw_client_tick(struct kw_client *client, void (*tick)(void *ctx), void *ctx)
{
    client->line.tick = tick;
    client->line.ctx = ctx;
}

void kw_client_reply_wipe(struct kw_client_reply *reply)
{
    kw_secret_wipe(&reply->plaintext);
    kw_wipe(reply, sizeof *reply);
}

/* A request in the arena that wipes itself when gRPC drops the last slice of it. */
static void drop_secret(void *p)
{
    struct kw_secret *s = p;
    KW_HANDOVER_TAKE(s); /* a thread of gRPC's may be the one that drops it */
    kw_secret_wipe(s);
    kw_free(s);
}

static kw_err client_pack(const ProtobufCMessage *m, grpc_slice *ret_request)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    if (len == 0) {
        *ret_request = grpc_empty_slice();
        return KW_OK;
    }
    struct kw_secret *s = kw_new(1, sizeof *s);
    if (s == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "request");
    kw_err e = kw_secret_init(s, len);
    if (kw_failed(e)) {
        kw_free(s);
        return e;
    }
    (void)protobuf_c_message_pack(m, s->ptr);
    KW_HANDOVER_GIVE(s);
    *ret_request = grpc_slice_new_with_user_data(s->ptr, len, drop_secret, s);
    return KW_OK;
}

static kw_err read_reply(grpc_byte_buffer *message, kw_reply_read *read,
                         struct kw_client_reply *reply)
{
    struct kw_pb_block block;
    KW_AUTO_SECRET(flat);
    kw_span bytes = {0};
    size_t len = grpc_byte_buffer_length(message);
    kw_err e = kw_pb_block_init(&block, BLOCK_LEAST + 2 * len);
    if (!kw_failed(e) && len > 0)
        e = kw_secret_init(&flat, len);
    if (!kw_failed(e) && !kw_message_peek(message, kw_dst_of(flat.ptr, flat.len), &bytes))
        e = kw_err_at(KW_CODE_BAD_INPUT, "reply");
    if (!kw_failed(e))
        e = read(bytes, &block, reply);
    kw_pb_block_wipe(&block);
    return e;
}

static kw_err client_call(struct kw_client *client, const char *method,
                          const ProtobufCMessage *m, int64_t timeout_ns,
                          kw_reply_read *read, struct kw_client_reply *reply)
{
    grpc_byte_buffer *message = NULL;
    grpc_slice request;
    *reply = (struct kw_client_reply){0};
    kw_err e = client_pack(m, &request);
    if (kw_failed(e))
        return e;
    kw_exchange(&client->line, method, request, timeout_ns, reply, &message);
    if (reply->grpc_status == GRPC_STATUS_OK)
        e = message != NULL ? read_reply(message, read, reply)
                            : kw_err_at(KW_CODE_BAD_INPUT, "reply: none");
    kw_message_wipe(message);
    return e;
}

kw_err kw_client_status(struct kw_client *client, int64_t timeout_ns,
                        struct kw_client_reply *reply)
{
    V2__StatusRequest m;
    v2__status_request__init(&m);
    return client_call(client, "/v2.KeyManagementService/Status", &m.base, timeout_ns,
                       kw_reply_status, reply);
}

/* protobuf-c's structs have no const; packing reads only. */
static uint8_t *client_lend(const void *p)
{
    return (uint8_t *)(uintptr_t)p;
}

kw_err kw_client_encrypt(struct kw_client *client, kw_span plaintext, const char *uid,
                         int64_t timeout_ns, struct kw_client_reply *reply)
{
    V2__EncryptRequest m;
    v2__encrypt_request__init(&m);
    m.plaintext = (ProtobufCBinaryData){plaintext.len, client_lend(plaintext.ptr)};
    m.uid = (char *)client_lend(uid);
    return client_call(client, "/v2.KeyManagementService/Encrypt", &m.base, timeout_ns,
                       kw_reply_encrypt, reply);
}

kw_err kw_client_decrypt(struct kw_client *client, kw_span ciphertext, kw_span key_id,
                         const char *uid, int64_t timeout_ns,
                         struct kw_client_reply *reply)
{
    V2__DecryptRequest m;
    v2__decrypt_request__init(&m);
    *reply = (struct kw_client_reply){0};
    char *name = kw_strdup(key_id);
    if (name == NULL)
        return kw_err_at(KW_CODE_BAD_INPUT, "key_id");
    m.ciphertext = (ProtobufCBinaryData){ciphertext.len, client_lend(ciphertext.ptr)};
    m.key_id = name;
    m.uid = (char *)client_lend(uid);
    kw_err e = client_call(client, "/v2.KeyManagementService/Decrypt", &m.base,
                           timeout_ns, kw_reply_decrypt, reply);
    kw_free(name);
    return e;
}

kw_err kw_client_raw(struct kw_client *client, const char *method_path, kw_span message,
                     int64_t timeout_ns, kw_dst *reply_bytes,
                     struct kw_client_reply *reply)
{
    grpc_byte_buffer *answer = NULL;
    kw_err e = KW_OK;
    *reply = (struct kw_client_reply){0};
    grpc_slice request =
        grpc_slice_from_copied_buffer((const char *)message.ptr, message.len);
    kw_exchange(&client->line, method_path, request, timeout_ns, reply, &answer);
    if (answer != NULL && reply_bytes != NULL && !kw_message_copy(answer, reply_bytes))
        e = kw_err_at(KW_CODE_BAD_INPUT, "reply");
    kw_message_wipe(answer);
    return e;
}
