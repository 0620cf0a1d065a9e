/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the PIN's source, and what to say when a shell cannot have it. */
#include "pin_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>
#include <keyward/pin_source.h>

#include "unit.h"

#define CREDENTIALS "/run/credentials"

static const char *const usual_units[] = {"keywardd.service", "keyward.service"};
enum { USUAL_UNITS = sizeof usual_units / sizeof usual_units[0], UNIT_MAX = 256 };

static struct kw_invocation called;

bool kw_pin_place_called(const struct kw_invocation *call)
{
    static char unit[UNIT_MAX];
    called = *call;
    if (call->unit == NULL)
        return true;
    bool suffixed = strchr(call->unit, '.') != NULL;
    int n = snprintf(unit, sizeof unit, "%s%s", call->unit, suffixed ? "" : ".service");
    called.unit = unit;
    return n > 0 && (size_t)n < sizeof unit && kw_is_unit(unit);
}

/* ---- finding ----------------------------------------------------------------------- */

/* OK, MISSING, or why this process may not look. */
static kw_err look_in(const char *folder, const char *name, char dst[KW_PATH_MAX],
                      struct kw_note *note)
{
    struct stat st;
    char path[KW_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return kw_err_at(KW_CODE_MISSING, "pin");
    if (lstat(path, &st) == 0) {
        kw_copy_str(dst, KW_PATH_MAX, kw_span_str(path));
        return KW_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return kw_err_at(KW_CODE_MISSING, "pin");
    int saved = errno;
    kw_note_set(note, "%s: the PIN's credential: %s; run keyward as root", path,
                strerror(saved));
    return kw_err_native(KW_CODE_DENIED, (uint32_t)saved, "pin");
}

static kw_err look_in_unit(const char *folder, const char *unit, const char *name,
                           char dst[KW_PATH_MAX], struct kw_note *note)
{
    char of_unit[KW_PATH_MAX];
    int n = snprintf(of_unit, sizeof of_unit, "%s/%s", folder, unit);
    if (n < 0 || (size_t)n >= sizeof of_unit)
        return kw_err_at(KW_CODE_MISSING, "pin");
    return look_in(of_unit, name, dst, note);
}

kw_err kw_pin_place_find(const char *folder, const char *unit, const char *name,
                         char ret_path[KW_PATH_MAX], struct kw_note *note)
{
    const char *own = kw_env_get(KW_ENV_CREDENTIALS);
    kw_err e = kw_err_at(KW_CODE_MISSING, "pin");
    if (unit != NULL)
        return look_in_unit(folder, unit, name, ret_path, note);
    if (own != NULL && own[0] == '/')
        e = look_in(own, name, ret_path, note);
    for (size_t i = 0; i < USUAL_UNITS && e.code == KW_CODE_MISSING; i++)
        e = look_in_unit(folder, usual_units[i], name, ret_path, note);
    return e;
}

/* ---- the way for a shell ----------------------------------------------------------- */

static void pin_place_put_word(const char *word, FILE *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_@%+=:,./-";
    bool quoted = word[0] == '\0' || strspn(word, plain) != strlen(word);
    fputs(quoted ? " '" : " ", out);
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", out);
        else
            fputc(*word, out);
    if (quoted)
        fputc('\'', out);
}

void kw_pin_place_line(const struct kw_invocation *call, const char *program,
                       const char *property, FILE *out)
{
    fputs("systemd-run --pipe --wait --same-dir -p", out);
    pin_place_put_word(property, out);
    pin_place_put_word(program, out);
    fprintf(out, " %s", call->verb);
    for (int i = 1; i < call->argc; i++) {
        if (strcmp(call->argv[i], "--unit") == 0)
            i++;
        else if (strncmp(call->argv[i], "--unit=", strlen("--unit=")) != 0)
            pin_place_put_word(call->argv[i], out);
    }
    fputc('\n', out);
}

static void property_of(const char *name, char dst[KW_UNIT_PROPERTY_MAX])
{
    bool found = called.unit != NULL && kw_unit_credential("", called.unit, name, dst);
    for (size_t i = 0; i < USUAL_UNITS && !found && called.unit == NULL; i++)
        found = kw_unit_credential("", usual_units[i], name, dst);
    if (!found)
        snprintf(dst, KW_UNIT_PROPERTY_MAX, "LoadCredential=%s:/PATH/OF/THE/PIN", name);
}

/* Once: a verb may want the same PIN several times. */
static void say_line(const char *name)
{
    static bool said;
    char program[KW_PATH_MAX] = "keyward", property[KW_UNIT_PROPERTY_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (said || called.verb == NULL)
        return;
    said = true;
    if (n > 0)
        program[n] = '\0';
    property_of(name, property);
    fputs("keyward: the PIN is a systemd credential; this command with it:\n  ", stderr);
    kw_pin_place_line(&called, program, property, stderr);
}

static kw_err no_service_has_it(const char *name, struct kw_note *note)
{
    say_line(name);
    if (called.unit != NULL)
        kw_note_set(note,
                    "the PIN is the credential %s, and " CREDENTIALS "/%s does not have "
                    "it: start that unit, or use systemd-run as said above",
                    name, called.unit);
    else
        kw_note_set(note,
                    "the PIN is the credential %s, and neither %s nor %s is running with "
                    "it: start the service, name another one with --unit, or use "
                    "systemd-run as said above",
                    name, usual_units[0], usual_units[1]);
    return kw_err_at(KW_CODE_MISSING, "pin");
}

/* ---- opening and judging ----------------------------------------------------------- */

static kw_err open_credential(const struct kw_config_token *token, struct kw_pin_place *p,
                              struct kw_note *note)
{
    const char *name = NULL;
    kw_err e = kw_pin_source_credential(token->pin, &name, note);
    if (kw_failed(e))
        return e;
    e = kw_pin_place_find(CREDENTIALS, called.unit, name, p->path, note);
    if (e.code == KW_CODE_MISSING)
        return no_service_has_it(name, note);
    if (!kw_failed(e))
        e = kw_file_open_secret(p->path, &p->fd, note);
    if (!kw_failed(e))
        kw_pin_source_of_descriptor(p->fd, p->path, p->source);
    return e;
}

static kw_err place_file(const struct kw_config_token *token, struct kw_pin_place *p,
                         struct kw_note *note)
{
    struct stat st;
    kw_err e = kw_pin_source_path(token->pin, p->path, note);
    if (kw_failed(e))
        return e;
    snprintf(p->source, sizeof p->source, "file:%s", p->path);
    if (lstat(p->path, &st) == 0 || errno == EACCES)
        return KW_OK;
    int saved = errno;
    kw_note_set(note, "%s: the PIN of token %s: %s", p->path, token->name,
                strerror(saved));
    return kw_err_native(saved == ENOENT ? KW_CODE_MISSING : KW_CODE_IO, (uint32_t)saved,
                         "pin");
}

/* In the child, as the daemon's user. */
static kw_err pin_place_judge(void *shared, struct kw_note *note)
{
    const struct kw_pin_place *p = shared;
    int fd = p->fd;
    kw_err e = fd >= 0 ? KW_OK : kw_file_open_secret(p->path, &fd, note);
    return kw_failed(e) ? e : kw_file_judge_secret(fd, p->path, note);
}

kw_err kw_pin_place_open(const struct kw_config_token *token,
                         const struct kw_owner *owner, struct kw_pin_place *ret_place,
                         struct kw_note *note)
{
    struct kw_pin_place p = KW_PIN_PLACE_NONE;
    const struct kw_child child = {.uid = owner->uid, .gid = owner->gid};
    kw_err e = kw_pin_source_is_credential(token->pin) ? open_credential(token, &p, note)
                                                       : place_file(token, &p, note);
    if (!kw_failed(e))
        e = kw_child_run(&child, pin_place_judge, &p, note);
    if (kw_failed(e))
        kw_pin_place_close(&p);
    else
        *ret_place = p;
    return e;
}

void kw_pin_place_close(struct kw_pin_place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}
