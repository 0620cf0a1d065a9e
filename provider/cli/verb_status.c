/* SPDX-License-Identifier: Apache-2.0 */
/* keyward status - one document from the daemon's status socket */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <keyward/config.h>

#include "document.h"

enum { DOCUMENT_MAX = 256 * 1024, PATIENCE_S = 5 };

static kw_err connect_to(const char *path, int *ret_fd, struct kw_note *note)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (!kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path))) {
        kw_note_set(note, "%s: too long for a socket", path);
        return kw_err_at(KW_CODE_BAD_INPUT, "--socket");
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) {
        *ret_fd = fd;
        return KW_OK;
    }
    int saved = errno;
    kw_note_set(note, "%s: %s; is keywardd running? (systemctl status keywardd)", path,
                strerror(saved));
    if (fd >= 0)
        close(fd);
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "status");
}

static kw_err receive(const char *path, char *dst, size_t cap, size_t *ret_len,
                      struct kw_note *note)
{
    int fd = -1;
    size_t len = 0;
    ssize_t n = 1;
    kw_err e = connect_to(path, &fd, note);
    if (kw_failed(e))
        return e;
    while (n != 0 && len < cap) {
        n = read(fd, dst + len, cap - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        len += (size_t)n;
    }
    int saved = errno;
    close(fd);
    if (n == 0 && len > 0) {
        *ret_len = len;
        return KW_OK;
    }
    kw_note_set(
        note, "%s: %s", path,
        n < 0      ? saved == EAGAIN ? "connected, but no answer came: the daemon hangs"
                                     : strerror(saved)
             : len == 0 ? "connected, and closed without an answer: this uid may not ask, or "
                          "the daemon is stopping"
                   : "the answer is too long");
    return kw_err_at(KW_CODE_IO, "status");
}

static int show(const struct kw_cli *cli, const char *path, const char *text, size_t len)
{
    json_error_t at;
    struct kw_note why = {{0}};
    json_t *d = json_loadb(text, len, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(d)) {
        json_decref(d);
        kw_note_set(&why, "%s: the answer is no JSON object", path);
        return kw_fail(cli, kw_err_at(KW_CODE_IO, "status"), &why);
    }
    enum kw_exit code = kw_document_judge(d, &why);
    if (cli->json)
        return kw_json_out(d, code);
    kw_document_print(cli, d);
    json_decref(d);
    if (code != KW_EXIT_GOOD)
        printf("%sFAIL%s  %s\n", kw_tint(cli, KW_TINT_BAD), kw_tint(cli, KW_TINT_OFF),
               why.text);
    return fflush(stdout) == 0 ? (int)code : KW_EXIT_BLIND;
}

static int ask(const struct kw_cli *cli, const char *path)
{
    static char text[DOCUMENT_MAX];
    size_t len = 0;
    struct kw_note note = {{0}};
    kw_err e = receive(path, text, sizeof text, &len, &note);
    return kw_failed(e) ? kw_fail(cli, e, &note) : show(cli, path, text, len);
}

int kw_verb_status(int argc, char **argv)
{
    struct kw_cli cli;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    const char *socket_path = NULL;
    const struct kw_option options[] = {
        {"socket", "PATH", "the status socket (default: the configuration's)", NULL,
         &socket_path},
    };
    const struct kw_usage usage = {
        .verb = "status",
        .operands = "",
        .summary =
            "Asks the running daemon how it is.  Exit status 1 when the HSM is not up, "
            "the\nactive version or one that decrypts is not good, something was found "
            "about "
            "a key\nin use, a reload was rejected or a PIN is latched; 3 when nobody "
            "answers.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    if (socket_path != NULL)
        return ask(&cli, socket_path);
    kw_err e = kw_config_load(cli.config, SIZE_MAX, &config, &note);
    if (kw_failed(e))
        return kw_fail(&cli, e, &note);
    code = ask(&cli, config->status);
    kw_config_free(config);
    return code;
}
