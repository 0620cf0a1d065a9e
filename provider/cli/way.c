/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that an operator can run. */
#include "way.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <keyward/bytes.h>

static void put(struct kw_way *w, const char *text, size_t len)
{
    if (w->len < sizeof w->text && len < sizeof w->text - w->len) {
        kw_copy(w->text + w->len, sizeof w->text - w->len, kw_span_of(text, len));
        w->text[w->len + len] = '\0';
    }
    w->len += len; /* the line is taken back when it did not fit */
}

/* Ends the line that began at `from`. */
static void end_line(struct kw_way *w, size_t from)
{
    put(w, "\n", 1);
    if (w->len >= sizeof w->text) {
        w->len = from;
        w->text[from] = '\0';
    }
}

void kw_way_when(struct kw_way *w, const char *fmt, ...)
{
    char line[KW_PATH_MAX + 512];
    size_t from = w->len;
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    put(w, "# ", 2);
    put(w, line, strlen(line));
    end_line(w, from);
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("_-./:=@%+,", c) != NULL;
}

/* As sh(1) reads it back: 'it'\''s'. */
static void put_word(struct kw_way *w, const char *word)
{
    if (word[0] != '\0' && kw_span_all(kw_span_str(word), is_plain)) {
        put(w, word, strlen(word));
        return;
    }
    put(w, "'", 1);
    for (; *word != '\0'; word++)
        put(w, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    put(w, "'", 1);
}

void kw_way_command(struct kw_way *w, const char *const words[])
{
    size_t from = w->len;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (i > 0)
            put(w, " ", 1);
        put_word(w, words[i]);
    }
    end_line(w, from);
}

void kw_way_install(struct kw_way *w, const char *file, const char *keyring)
{
    char fresh[KW_PATH_MAX + 8];
    size_t from = w->len;
    snprintf(fresh, sizeof fresh, "%s.new", keyring);
    const char *const parts[] = {"install -m 0644 ", file,  " ", fresh,
                                 " && mv ",          fresh, " ", keyring};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (i % 2 == 0)
            put(w, parts[i], strlen(parts[i]));
        else
            put_word(w, parts[i]);
    end_line(w, from);
}
