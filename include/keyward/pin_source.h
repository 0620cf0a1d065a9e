/* SPDX-License-Identifier: Apache-2.0 */
/* pin_source - where a PIN lies, whether that changed, and what a PIN must look like
 *
 * A file, or a systemd credential (systemd.exec(5), LoadCredential=); never a command, an
 * argument, a variable or the PIN itself.  Notes never repeat the setting: whoever wrote
 * the PIN there by mistake shall not find it in a log.
 *
 * Threads:   any.
 * Secrets:   nothing here opens the source; kw_pin_check looks at a PIN and keeps
 * nothing.
 */
#ifndef KEYWARD_PIN_SOURCE_H
#define KEYWARD_PIN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <keyward/bytes.h>
#include <keyward/err.h>
#include <keyward/limits.h>

/* "file:/path" or "credential:NAME" to a path; a credential lies in the folder that
 * CREDENTIALS_DIRECTORY names.  BAD_INPUT for anything else ("|command", an inline PIN, a
 * relative path); pin may be NULL. */
KW_MUST_USE kw_err kw_pin_source_path(const char *pin, char dst[KW_PATH_MAX],
                                      struct kw_note *note);
/* The NAME of "credential:NAME", which may be a file's name.  BAD_INPUT for anything
 * else. Borrowed from `pin`. */
KW_MUST_USE kw_err kw_pin_source_credential(const char *pin, const char **ret_name,
                                            struct kw_note *note);

/* "descriptor:N:/path": a file that is open already, for a process that may read it and
 * not open it.  Made by a program for its own child; kw_pin_source_path, and so every
 * configuration, refuses it.  /path is for the messages. */
void kw_pin_source_of_descriptor(int fd, const char *path, char dst[KW_PATH_MAX + 32]);
bool kw_pin_source_descriptor(const char *pin, int *ret_fd, const char **ret_path);

/* A credential: systemd lays it anew into each start of the service, so that it looks
 * changed although the PIN is the same. */
bool kw_pin_source_is_credential(const char *pin);

/* The source as stat(2) shows it: a file that was written, or another one, differs. */
struct kw_pin_source {
    uint64_t dev, ino;
    int64_t ctime_ns;
    int64_t size;
};
struct kw_pin_source kw_pin_source_of(const struct stat *st);
bool kw_pin_source_same(const struct kw_pin_source *a, const struct kw_pin_source *b);

/* What stands for a PIN outside the process that read it: a digest under a key that lies
 * in no file of a disk (pin_latch.h), so that nobody can try guesses against it.  All
 * zero: there was no key. */
#define KW_PIN_KEY 32u
struct kw_pin_mark {
    uint8_t key[8]; /* which key it was made with: not the key, nor a part of it */
    size_t key_len; /* 8, or 0: there was none                                   */
    uint8_t digest[16];
    size_t digest_len; /* 16, or 0 */
};

/* What is known of a PIN, and of the token it is for, before it is tried. */
struct kw_pin_facts {
    char serial[17], label[33];        /* of the token; may be ""      */
    bool count_low, final_try, locked; /* the token's flags            */
    struct kw_pin_source source;       /* of the descriptor that was read */
    struct kw_pin_mark mark;
};

/* A sink for a PIN that was read from `path`.
 * BAD_INPUT  it has a control byte: a line end of another system, a second line, a NUL;
 *            or it begins with a byte order mark.  A token would count that as a wrong
 *            PIN */
KW_MUST_USE kw_err kw_pin_check(kw_span pin, const char *path, struct kw_note *note);

#endif
