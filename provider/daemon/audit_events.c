/* SPDX-License-Identifier: Apache-2.0 */
/* Which events of the daemon's log are changes that go on record, and how.
 *
 * Text that a peer supplied never does.  More than ten of one name within a second become
 * one more record with their number. */
#include "daemon_internal.h"

#include <stdio.h>
#include <string.h>

#include <keyward/log.h>
#include <keyward/mutex.h>

enum { EACH_SECOND = 10 };

static const char *const recorded[] = {
    "alarm",
    "audit-copies-dropped",
    "cache-wiped",
    "configuration-changed",
    "configuration-rejected",
    "connection-limit",
    "connection-refused",
    "hsm-state",
    "key-finding",
    "key-verdict",
    "keyring-differs",
    "keyring-in-use",
    "keyring-loaded",
    "keyring-proven",
    "keyring-rejected",
    "last-good-refused",
    "memory-flood",
    "peer-refused",
    "pin-latched",
    "pin-unlatched",
    "quarantine-cleared",
    "state-lost",
    "state-not-written",
    "stopping",
    "token-in",
    "token-out",
    "token-state",
    "worker-broke-protocol",
    "worker-ended",
    "worker-failed",
    "worker-killed",
    "worker-misses-key",
    "worker-not-started",
    "worker-ready",
    "worker-recycled",
    "worker-started",
    "wrong-answer",
};
enum { RECORDED = sizeof recorded / sizeof recorded[0] };

/* Any thread may say something at any time, also at the end: the tap stays, and what it
 * finds is under the mutex. */
static struct {
    struct kw_mutex mutex;
    struct kw_audit_writer *writer; /* NULL: not begun, or ended */
    const struct kw_clock *clock;
    bool stops;
    struct {
        int64_t since_ns;
        uint64_t seen, more;
    } rate[RECORDED];
} events = {.mutex = KW_MUTEX_INIT};

/* ---- the record -------------------------------------------------------------------- */

static const struct {
    const char *field;
    size_t value;
} places[] = {
    {"class", KW_AUDIT_EVENT_CLASS},   {"token", KW_AUDIT_EVENT_TOKEN},
    {"key_id", KW_AUDIT_EVENT_KEY_ID}, {"pid", KW_AUDIT_EVENT_PID},
    {"from", KW_AUDIT_EVENT_FROM},     {"to", KW_AUDIT_EVENT_TO},
    {"seeds", KW_AUDIT_EVENT_COUNT},   {"inputs", KW_AUDIT_EVENT_COUNT},
    {"count", KW_AUDIT_EVENT_COUNT},
};

static bool event_place(const struct kw_field *f, size_t *ret_value)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].field, f->name) == 0) {
            *ret_value = places[i].value;
            return true;
        }
    return false;
}

/* A value of its own; false: it has none, or is empty. */
static bool event_value(struct kw_audit_record *r, const struct kw_field *f)
{
    size_t at;
    if (!event_place(f, &at))
        return false;
    if (f->kind == KW_FIELD_INT && f->num >= 0)
        r->value[at] = kw_audit_number((uint64_t)f->num);
    else if (f->kind == KW_FIELD_STR && f->str != NULL && f->str[0] != '\0')
        r->value[at] = kw_audit_text(f->str);
    return true;
}

/* "name=value" of what has no place of its own, as far as there is room. */
static void event_why(char *why, size_t cap, const struct kw_field *f)
{
    const size_t len = strlen(why);
    const char *gap = len > 0 ? " " : "";
    if (f->kind == KW_FIELD_INT)
        snprintf(why + len, cap - len, "%s%s=%lld", gap, f->name, (long long)f->num);
    else if (f->kind == KW_FIELD_ERR)
        snprintf(why + len, cap - len, "%s%s=%s", gap, f->name,
                 kw_code_name(f->err.code));
    else if (f->kind == KW_FIELD_STR && f->str != NULL && f->str[0] != '\0')
        snprintf(why + len, cap - len, "%s%s=%s", gap, f->name, f->str);
}

static void event_record(const char *event, const struct kw_field *fields)
    KW_REQUIRES(events.mutex)
{
    char why[241] = "";
    struct kw_audit_record r = {.kind = KW_AUDIT_EVENT};
    for (size_t i = 0; i < KW_AUDIT_EVENT_VALUES; i++)
        r.value[i] = KW_AUDIT_NULL;
    r.value[KW_AUDIT_EVENT_NAME] = kw_audit_text(event);
    for (const struct kw_field *f = fields; f->kind != KW_FIELD_END; f++)
        if (!event_value(&r, f))
            event_why(why, sizeof why, f);
    kw_audit_make_text(why);
    if (why[0] != '\0')
        r.value[KW_AUDIT_EVENT_WHY] = kw_audit_text(why);
    kw_audit_writer_event(events.writer, &r);
}

/* ---- which, and how many ----------------------------------------------------------- */

static size_t event_index(const char *event)
{
    size_t i = 0;
    while (i < RECORDED && strcmp(recorded[i], event) != 0)
        i++;
    return i;
}

/* Counts it.  true: it has a record of its own. */
static bool event_has_room(size_t i) KW_REQUIRES(events.mutex)
{
    const int64_t now = kw_mono_ns(events.clock);
    if (events.rate[i].more == 0 && now - events.rate[i].since_ns >= KW_S_NS) {
        events.rate[i].since_ns = now;
        events.rate[i].seen = 0;
    }
    const bool room = events.rate[i].seen++ < EACH_SECOND;
    events.rate[i].more += !room;
    return room;
}

static void event_seen(void *ctx, const char *event, const struct kw_field *fields)
{
    const size_t i = event_index(event);
    (void)ctx;
    if (i >= RECORDED)
        return;
    kw_mutex_lock(&events.mutex);
    const bool is_late = events.stops && strcmp(event, "worker-ended") == 0;
    if (events.writer != NULL && !is_late && event_has_room(i))
        event_record(event, fields);
    kw_mutex_unlock(&events.mutex);
}

static uint64_t event_take_more(size_t i, bool at_once) KW_REQUIRES(events.mutex)
{
    const int64_t now = kw_mono_ns(events.clock);
    uint64_t more = 0;
    if (at_once || now - events.rate[i].since_ns >= KW_S_NS) {
        more = events.rate[i].more;
        events.rate[i].more = 0;
    }
    return more;
}

static void events_flush(bool at_once) KW_REQUIRES(events.mutex)
{
    for (size_t i = 0; i < RECORDED && events.writer != NULL; i++) {
        const uint64_t more = event_take_more(i, at_once);
        if (more > 0)
            event_record(recorded[i],
                         (const struct kw_field[]){KW_INT("count", more),
                                                   KW_STR("reason", "as many more"),
                                                   {.kind = KW_FIELD_END}});
    }
}

void kw_audit_events_tap(void)
{
    kw_log_tap(event_seen, NULL);
}

void kw_audit_events_stop(void)
{
    kw_mutex_lock(&events.mutex);
    events_flush(true);
    events.stops = true;
    kw_mutex_unlock(&events.mutex);
}

void kw_audit_events_begin(struct kw_audit_writer *writer, const struct kw_clock *clock)
{
    kw_mutex_lock(&events.mutex);
    events.writer = writer;
    events.clock = clock;
    kw_mutex_unlock(&events.mutex);
}

void kw_audit_events_flush(void)
{
    kw_mutex_lock(&events.mutex);
    events_flush(false);
    kw_mutex_unlock(&events.mutex);
}

void kw_audit_events_end(void)
{
    kw_mutex_lock(&events.mutex);
    events_flush(true);
    events.writer = NULL;
    kw_mutex_unlock(&events.mutex);
}
