/* SPDX-License-Identifier: Apache-2.0 */
/* What a node remembers, what it is given, what it must say. */
#include "scene.h"

#include <stdio.h>

void scene_begin(struct scene *s)
{
    *s = (struct scene){.last = good_file()};
    (void)kw_marks_raise(&s->marks, s->last, s->last->active, when(1000));
    s->copy = s->last;
}

void scene_end(struct scene *s)
{
    kw_keyring_give(s->last);
    kw_keyring_give(s->now);
}

void scene_judged(struct scene *s, enum kw_refusal want)
{
    const struct kw_memory memory = {&s->marks, &no_act, s->copy};
    kw_keyring_judge(s->now, "demo", &memory, &some_places, &s->j);
    if (s->j.refusal != want)
        fail_msg("refusal %d, wanted %d: %s", s->j.refusal, want, s->j.why.text);
}

void scene_names(const struct scene *s, const struct kw_keyring *file)
{
    char hex[13];
    char name[64];
    kw_hex(hex, sizeof hex, kw_span_of(file->sha256, 6));
    snprintf(name, sizeof name, "serial %llu (sha256 %s...)",
             (unsigned long long)file->serial, hex);
    CHECK_HAS(s->j.why.text, name);
}

char *trust_line(const struct kw_keyring *file)
{
    static char line[256];
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(file->sha256, 32));
    snprintf(line, sizeof line, "keyward keyring trust " RING " --sha256 %s\n", hex);
    return line;
}

const char *scene_fetched(const struct scene *s)
{
    static char want[2048];
    char hex[13];
    const struct kw_marks *m = &s->marks;
    kw_hex(hex, sizeof hex, kw_span_of(m->sha256, 6));
    snprintf(want, sizeof want,
             "# when another node or a backup has what this node took last, serial %u "
             "(sha256 %s...), or one of the 64 made from it (FILE):\n" INSTALL(
                 "FILE") "# when there are only older backups of it (FILE; --sample FILE "
                         "for a "
                         "key that none of them has):\n%s",
             (unsigned)m->serial, hex,
             s->now != NULL ? "mv " RING " " RING ".refused\n" : "");
    for (size_t i = 0; i < m->count; i++) {
        size_t len = strlen(want);
        if (strcmp(m->versions[i].state, "destroyed") != 0)
            snprintf(want + len, sizeof want - len,
                     "keyward key create --adopt %s --keyring-backup FILE\n",
                     m->versions[i].id.key_id);
    }
    size_t len = strlen(want);
    snprintf(want + len, sizeof want - len, RELOAD);
    return want;
}

void scene_cured(const struct scene *s, const char *first, const char *then,
                 const char *last)
{
    char want[4096];
    snprintf(want, sizeof want, "%s%s%s", first, then, last);
    CHECK_STR(s->j.cure, want);
}
