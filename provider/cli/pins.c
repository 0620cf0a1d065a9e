/* SPDX-License-Identifier: Apache-2.0 */
/* PINs, made or copied in a child. */
#include "pins.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/secret.h>
#include <keyward/token.h>

#include "softhsm.h"

enum { PIN_LEN = 24 };

static kw_err write_pin(int fd, const struct kw_secret *pin, struct kw_note *note)
{
    if (write(fd, pin->ptr, pin->len) == (ssize_t)pin->len && fsync(fd) == 0)
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "the PIN file cannot be written: %s", strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "pin");
}

struct copy_job {
    const char *source;
    int fd;
};

static kw_err pins_copy(void *shared, struct kw_note *note)
{
    const struct copy_job *job = shared;
    KW_AUTO_SECRET(pin);
    kw_err e = kw_file_read_secret(job->source, KW_PIN_MAX, &pin, note);
    if (!kw_failed(e))
        e = kw_pin_check(kw_secret_peek(&pin), job->source, note);
    return kw_failed(e) ? e : write_pin(job->fd, &pin, note);
}

static kw_err pins_look(void *shared, struct kw_note *note)
{
    const struct copy_job *job = shared;
    KW_AUTO_SECRET(pin);
    return kw_file_read_secret(job->source, KW_PIN_MAX, &pin, note);
}

/* The file stays as it is: somebody else uses it.  What is wanted is a copy. */
static void say_copy(const char *source, struct kw_note *note)
{
    char word[KW_PATH_MAX];
    if (!kw_shell_word(word, sizeof word, source) || strlen(word) > 140)
        kw_copy_str(word, sizeof word, kw_span_str("FILE")); /* half a command is none */
    kw_note_set(note,
                "%.140s: is not for uid %u; leave it as it is, and make a copy that is: "
                "install -o %u -m 0400 %s /run/keyward-pin (as root), then "
                "--pin-file /run/keyward-pin; keyward makes its own from that",
                source, (unsigned)geteuid(), (unsigned)geteuid(), word);
}

kw_err kw_pin_source_look(const char *source, struct kw_note *note)
{
    struct copy_job job = {source, -1};
    const struct kw_child child = {geteuid(), getegid(), NULL, 0, KW_LOGIN_ARENA};
    kw_err e = kw_child_run(&child, pins_look, &job, note);
    if (e.code == KW_CODE_DENIED && e.where != NULL && strcmp(e.where, "file owner") == 0)
        say_copy(source, note);
    return e;
}

kw_err kw_pin_copy(const char *source, int pin_fd, struct kw_note *note)
{
    struct copy_job job = {source, pin_fd};
    const struct kw_child child = {geteuid(), getegid(), NULL, 0, KW_LOGIN_ARENA};
    return kw_child_run(&child, pins_copy, &job, note);
}

/* Letters and digits, each equally likely: bytes that would favour some are thrown
 * away. */
static kw_err pins_make_pin(struct kw_secret *ret_pin)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned letters = sizeof alphabet - 1, fair = 256 - 256 % letters;
    KW_AUTO_SECRET(pin);
    kw_err e = kw_secret_init(&pin, PIN_LEN);
    for (size_t i = 0; !kw_failed(e) && i < PIN_LEN; i++) {
        do
            kw_random(pin.ptr + i, 1);
        while (pin.ptr[i] >= fair);
        pin.ptr[i] = (uint8_t)alphabet[pin.ptr[i] % letters];
    }
    if (!kw_failed(e))
        kw_secret_move(ret_pin, &pin);
    return e;
}

static kw_err pins_make_token(void *shared, struct kw_note *note)
{
    const struct kw_softhsm_plan *p = shared;
    KW_AUTO_SECRET(so_pin);
    KW_AUTO_SECRET(pin);
    struct stat st;
    if (stat(p->layout->softhsm_conf, &st) != 0 || access(p->layout->tokens, W_OK) != 0) {
        int saved = errno;
        kw_note_set(note,
                    "uid %u cannot reach %s: %s; the folders above it must let that "
                    "user pass (chmod a+x)",
                    (unsigned)geteuid(), p->layout->tokens, strerror(saved));
        return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "init");
    }
    kw_child_hold(true);
    kw_err e = pins_make_pin(&so_pin);
    if (!kw_failed(e))
        e = pins_make_pin(&pin);
    if (!kw_failed(e))
        e = write_pin(p->so_pin_fd, &so_pin, note);
    if (!kw_failed(e))
        e = write_pin(p->pin_fd, &pin, note);
    if (!kw_failed(e))
        e = kw_token_init_softhsm(p->module, p->label, &so_pin, &pin, note);
    return e;
}

static kw_err pins_seal(void *shared, struct kw_note *note)
{
    const struct kw_softhsm_plan *p = shared;
    return kw_softhsm_seal(p->layout->tokens, true, note);
}

kw_err kw_pin_softhsm(const struct kw_softhsm_plan *plan, const struct kw_owner *owner,
                      struct kw_note *note)
{
    struct kw_softhsm_plan p = *plan;
    struct kw_note late = {{0}};
    char name[] = "SOFTHSM2_CONF", value[KW_PATH_MAX];
    kw_copy_str(value, sizeof value, kw_span_str(plan->layout->softhsm_conf));
    struct kw_config_var env[KW_ENV_VARS_MAX + 1] = {{name, value}};
    for (size_t i = 0; i < plan->env_count; i++)
        env[i + 1] = plan->env[i];
    const struct kw_child maker = {owner->uid, owner->gid, env, plan->env_count + 1,
                                   KW_LOGIN_ARENA};
    const struct kw_child files = {owner->uid, owner->gid, NULL, 0, 0};
    kw_err e = kw_child_run(&maker, pins_make_token, &p, note);
    kw_err sealed = kw_child_run(&files, pins_seal, &p, &late);
    if (!kw_failed(e) && kw_failed(sealed)) {
        kw_note_set(note, "%s", late.text);
        e = sealed;
    }
    return e;
}
