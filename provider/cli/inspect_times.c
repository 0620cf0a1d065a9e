/* SPDX-License-Identifier: Apache-2.0 */
/* The times in the keyring, beside each other and beside now. */
#include "inspect_times.h"

#include <stdio.h>
#include <string.h>

#include "inspect.h"

enum { CLOCKS_APART_MIN = 5 }; /* of two nodes that nobody would call wrong */

/* 2026-01-02T03:04:05.000006Z */
static bool inspect_times_is_time(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00.000000Z";
    if (strlen(text) != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < sizeof shape - 1; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

struct moment {
    const char *name, *at;
};

static bool is_good(const struct moment *m, const char *latest, struct kw_note *note)
{
    if (m->at[0] == '\0')
        return true;
    if (!inspect_times_is_time(m->at)) {
        kw_note_set(note, "%s: no time", m->name);
        return false;
    }
    if (strcmp(m->at, latest) <= 0)
        return true;
    kw_note_set(note, "%s %s is in the future", m->name, m->at);
    return false;
}

/* What has not happened is in order with everything. */
static bool is_after(const struct moment *m, const struct moment *earlier,
                     struct kw_note *note)
{
    if (m->at[0] == '\0' || earlier->at[0] == '\0' || strcmp(m->at, earlier->at) >= 0)
        return true;
    kw_note_set(note, "%s %s is before %s %s", m->name, m->at, earlier->name,
                earlier->at);
    return false;
}

bool kw_times_fit(const struct kw_version_times *t, const char *latest,
                  struct kw_note *note)
{
    const struct moment line[] = {{"the version before it", t->previous},
                                  {"created", t->created},
                                  {"accepted", t->accepted},
                                  {"activated", t->activated},
                                  {"retired", t->retired},
                                  {"destroyed", t->destroyed}};
    const struct moment disabled = {"disabled", t->disabled};
    enum { LINE = sizeof line / sizeof line[0] };
    if (!is_good(&disabled, latest, note) || !is_after(&disabled, &line[1], note))
        return false;
    for (size_t i = 0; i < LINE; i++)
        if (!is_good(&line[i], latest, note))
            return false;
    for (size_t i = 1; i < LINE; i++)
        for (size_t j = 0; j < i; j++)
            if (!is_after(&line[i], &line[j], note))
                return false;
    return true;
}

static bool report_times(struct kw_report *r, const struct kw_version *v,
                         const char *previous, const char *latest)
{
    struct kw_note note = {{0}};
    const struct kw_version_times t = {v->created, v->accepted, v->activated,
                                       v->retired, v->disabled, v->destroyed,
                                       previous};
    if (kw_times_fit(&t, latest, &note))
        return true;
    kw_report_add(
        r, KW_FOUND_WARN, "times",
        "a clock was wrong at one of these acts, or is here and now: set it "
        "(NTP), and note down what is right; the keyring keeps what was written",
        "version %u: %s", (unsigned)v->n, note.text);
    return false;
}

void kw_inspect_times(struct kw_report *r, const struct kw_keyring *ring)
{
    char latest[KW_TIME_TEXT];
    const char *previous = "";
    bool fit = true;
    kw_time_text(latest, kw_wall_ns(&kw_clock_system) + CLOCKS_APART_MIN * 60 * KW_S_NS);
    for (size_t i = 0; i < ring->count; i++) {
        fit = report_times(r, &ring->versions[i], previous, latest) && fit;
        previous = ring->versions[i].created;
    }
    if (fit && ring->count > 0)
        kw_report_add(r, KW_FOUND_OK, "times", NULL,
                      "of all versions in order, none in the future");
}
