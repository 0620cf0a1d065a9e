/* SPDX-License-Identifier: Apache-2.0 */
/* Names of error codes, notes for the operator, the end after a broken invariant. */
#include <keyward/err.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>

static const char *const names[KW_CODE_COUNT] = {
    [KW_CODE_OK] = "ok",
    [KW_CODE_BAD_INPUT] = "bad-input",
    [KW_CODE_DENIED] = "denied",
    [KW_CODE_UNKNOWN_KEY] = "unknown-key",
    [KW_CODE_KEY_DISABLED] = "key-disabled",
    [KW_CODE_KEY_BAD] = "key-bad",
    [KW_CODE_FORGED] = "forged",
    [KW_CODE_UNSURE] = "unsure",
    [KW_CODE_WRONG_ANSWER] = "wrong-answer",
    [KW_CODE_QUARANTINED] = "quarantined",
    [KW_CODE_BUSY] = "busy",
    [KW_CODE_DEADLINE] = "deadline",
    [KW_CODE_CANCELLED] = "cancelled",
    [KW_CODE_STARTING] = "starting",
    [KW_CODE_SESSION] = "session",
    [KW_CODE_HSM_BUSY] = "hsm-busy",
    [KW_CODE_HSM_DOWN] = "hsm-down",
    [KW_CODE_HSM_CONFIG] = "hsm-config",
    [KW_CODE_PIN_STOP] = "pin-stop",
    [KW_CODE_NO_MEMORY] = "no-memory",
    [KW_CODE_IO] = "io",
    [KW_CODE_MISSING] = "missing",
    [KW_CODE_AUDIT] = "audit",
    [KW_CODE_BUG] = "bug",
};

const char *kw_code_name(enum kw_code code)
{
    if ((unsigned)code >= KW_CODE_COUNT)
        return "?";
    return names[code];
}

bool kw_code_from_name(const char *name, enum kw_code *ret_code)
{
    for (unsigned i = 0; i < KW_CODE_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *ret_code = (enum kw_code)i;
            return true;
        }
    return false;
}

const char *kw_errno_cure(uint32_t native)
{
    switch (native) {
    case EAGAIN: /* of fork and pthread_create */
        return "its user has as many processes and threads as it may: raise LimitNPROC= "
               "or "
               "TasksMax= in the systemd unit, or RLIMIT_NPROC (ulimit -u)";
    case EMFILE:
        return "raise LimitNOFILE= in the systemd unit, or RLIMIT_NOFILE (ulimit -n)";
    case ENFILE: return "the machine has no more of them: raise fs.file-max (sysctl)";
    default: return "";
    }
}

void kw_note_set(struct kw_note *note, const char *fmt, ...)
{
    if (note == NULL)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(note->text, sizeof note->text, fmt, args);
    va_end(args);
    kw_copy_printable(note->text, sizeof note->text, kw_span_str(note->text));
}

void kw_note_failed(struct kw_note *note, const char *what, kw_err e)
{
    const char *cure = kw_errno_cure(e.native);
    kw_note_set(note, "cannot %s: %s: %s%s%s", what, e.where,
                e.native != 0 ? strerror((int)e.native) : kw_code_name(e.code),
                cure[0] != '\0' ? "; " : "", cure);
}

_Noreturn void kw_invariant_broken(const char *what, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof text, "keyward: invariant broken: %s (%s:%d)\n", what,
                     file, line);
    if (n > 0 && write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(134); /* nobody to tell */
    abort();
}
