/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-bench-echo - rpc with nothing behind it: the ceiling of the transport
 *
 * It stands where kms does, and not behind the door of <keyward/hsm.h> as the other works
 * of `serve`: a call through kms has an envelope, two digests and a change of threads, and
 * an Encrypt has that twice.  That is not the transport, and would be most of what is
 * measured.  rpc calls kms by its name, so this is a program of its own.
 */
#include <stdio.h>

#include <keyward/kms.h>
#include <keyward/rpc.h>

#include "bench_server.h"
#include "tool.h"

static const char key_id[] = "kw1-0-echo-protects-nothing---";

/* What a real ciphertext under AES-256-GCM is longer than its seed: header and iv (18 and
 * the scope), inner digest, tag (docs/FORMATS.md).  Messages are as long as those that they
 * are compared with; so is the key_id, which has 30 bytes as keywardd's first ones do. */
enum { SCOPE = 5, FRAME = 18 + SCOPE + KW_INNER_DIGEST + KW_GCM_TAG };

/* length 2 | seed | zeros */
static kw_err echo_frame(struct kw_request *request)
{
    static const uint8_t zeros[FRAME - 2];
    kw_dst out = kw_dst_of(request->out_ciphertext, sizeof request->out_ciphertext);
    if (!kw_dst_put_sized(&out, kw_secret_peek(&request->seed)) ||
        !kw_dst_put(&out, kw_span_of(zeros, sizeof zeros)))
        return kw_err_at(KW_CODE_BAD_INPUT, "echo");
    request->out_ciphertext_len = out.len;
    return KW_OK;
}

static kw_err echo_unframe(struct kw_request *request)
{
    struct kw_src src = kw_src_of(request->ciphertext);
    kw_span seed = kw_src_sized(&src);
    (void)kw_src_take(&src, FRAME - 2);
    if (!kw_src_done(&src) || seed.len == 0 || seed.len > KW_SEED_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "echo");
    return kw_secret_copy(&request->seed, seed);
}

/* kms is not looked at: there is none. */
void kw_kms_begin(struct kw_kms *kms, struct kw_request *request)
{
    kw_copy_str(request->out_key_id, sizeof request->out_key_id, kw_span_str(key_id));
    request->err = KW_OK;
    if (request->method == KW_METHOD_ENCRYPT)
        request->err = echo_frame(request);
    if (request->method == KW_METHOD_DECRYPT)
        request->err = echo_unframe(request);
    if (kw_failed(request->err) || request->method != KW_METHOD_DECRYPT)
        kw_secret_wipe(&request->seed);
    request->done(request);
}

/* Nothing is ever parked. */
void kw_kms_cancel(struct kw_kms *kms, struct kw_request *request)
{
}

void kw_kms_refused(struct kw_kms *kms, struct kw_request *request)
{
}

static int echo_serve(const char *name, const char *socket)
{
    struct kw_note note = {{0}};
    struct kw_bench_server *server = NULL;
    int code = KW_BENCH_GOOD;
    kw_rpc_process_init();
    kw_err e = kw_arena_open(kw_rpc_bytes() + 65536, KW_ARENA_AUTO, &note);
    if (!kw_failed(e))
        e = kw_server_new(name, &server);
    if (!kw_failed(e)) /* rpc wants some kms, and hands it to the functions above */
        e = kw_server_listen(server, socket, (struct kw_kms *)(void *)server, &note);
    if (kw_failed(e))
        code = kw_bench_failed("echo", e, &note);
    else
        kw_server_run(server);
    kw_server_free(server);
    return code;
}

int main(int argc, char **argv)
{
    const char *cpu_text = NULL, *socket = NULL, *work = NULL;
    uint64_t cpu = 0;
    const struct kw_option options[] = {
        {"cpu", "N", "run on CPU N only", .text = &cpu_text, .number = &cpu,
         .most = 1023},
        {"work", "echo", .text = &work}, /* of `serve`, which has looked at it */
    };
    struct kw_args args = KW_BENCH_ARGS(
        "echo", options, "SOCKET", &socket,
        "Serves KMS v2 without any work until SIGTERM: the ceiling of the transport.",
        "Only this user may connect.  What Encrypt answers is its input, readable:\n"
        "never point an API server at it.");
    int code = kw_bench_read(&args, argc, argv);
    if (code < 0)
        code = kw_bench_pin("echo", cpu_text, cpu);
    return code >= 0 ? code : echo_serve(argv[0], socket);
}
