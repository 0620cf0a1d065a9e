/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that an operator can run. */
#include "commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

enum { WORD_MAX = 4 * (KW_PATH_MAX + 8) + 3 };

KW_PRINTF(3, 0)
static void add_line(struct kw_commands *w, const char *start, const char *fmt,
                     va_list args)
{
    size_t from = w->len, room = sizeof w->text - from;
    int head = snprintf(w->text + from, room, "%s", start);
    int n = vsnprintf(w->text + from + head, room - (size_t)head, fmt, args);
    if (n < 0 || (size_t)(head + n) + 1 >= room) {
        w->text[from] = '\0';
        return;
    }
    w->len += (size_t)(head + n);
    w->text[w->len++] = '\n';
    w->text[w->len] = '\0';
}

void kw_commands_add(struct kw_commands *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_line(w, "", fmt, args);
    va_end(args);
}

void kw_commands_when(struct kw_commands *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add_line(w, "# ", fmt, args);
    va_end(args);
}

void kw_commands_command(struct kw_commands *w, const char *const words[])
{
    char line[KW_CURE_MAX];
    size_t len = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (len + 2 > sizeof line)
            return;
        if (i > 0)
            line[len++] = ' ';
        if (!kw_shell_word(line + len, sizeof line - len, words[i]))
            return;
        len += strlen(line + len);
    }
    kw_commands_add(w, "%.*s", (int)len, line);
}

void kw_commands_install(struct kw_commands *w, const char *file, const char *keyring)
{
    char fresh[KW_PATH_MAX + 8], from[WORD_MAX], beside[WORD_MAX], to[WORD_MAX];
    snprintf(fresh, sizeof fresh, "%s.new", keyring);
    if (kw_shell_word(from, sizeof from, file) &&
        kw_shell_word(beside, sizeof beside, fresh) &&
        kw_shell_word(to, sizeof to, keyring))
        kw_commands_add(w, "install -m 0644 %s %s && mv %s %s", from, beside, beside, to);
}
