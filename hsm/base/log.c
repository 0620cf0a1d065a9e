/* SPDX-License-Identifier: Apache-2.0 */
/* Writes events: one line, one write(2), text escaped, floods counted instead of
 * shown. */
#include <keyward/log.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <keyward/mutex.h>

enum { LINE_MAX_BYTES = 4096, PEER_MAX = 64, RATE_SLOTS = 64, RATE_PER_SECOND = 20 };
/* Room that text leaves for what must come after it: its closing quote, dropped_before,
 * lost_before, cut, the brace, the newline.  A field is begun only when FIELD_MIN bytes
 * are free. */
enum { TAIL = 96, FIELD_MIN = 320, EVENT_MAX = 48 };

static struct {
    struct kw_mutex mutex;
    int fd;
    enum kw_log_level least;
    enum kw_log_format format;
    const struct kw_clock *clock;
    struct rate {
        char event[EVENT_MAX]; /* the name itself: equal names need not be one literal */
        int64_t window_ns;
        unsigned shown, dropped;
    } rates[RATE_SLOTS];
    unsigned lost; /* lines that the log's reader left no room for */
} out = {KW_MUTEX_INIT, STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, NULL, {{{0}}}, 0};

static struct {
    kw_log_tapped *tapped;
    void *ctx;
} tap;

void kw_log_tap(kw_log_tapped *tapped, void *ctx)
{
    tap.tapped = tapped;
    tap.ctx = ctx;
}

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void kw_log_setup(int fd, enum kw_log_level least, enum kw_log_format format,
                  const struct kw_clock *clock)
{
    out.fd = fd;
    out.least = least;
    out.format = format;
    out.clock = clock;
}

/* A line under construction.  Text that does not fit is cut and later fields are left
 * out, so that the line always ends well; `cut=1` says so. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t len;
    bool json, cut;
};

static size_t log_room_of(const struct line *l)
{
    return sizeof l->text - 2 - l->len;
}

static void log_add(struct line *l, const char *fmt, ...) KW_PRINTF(2, 3);
static void log_add(struct line *l, const char *fmt, ...)
{
    size_t room = log_room_of(l);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(l->text + l->len, room + 1, fmt, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n < room ? (size_t)n : room;
}

/* A byte that is no character, or a character that is not shown. */
static void add_escaped(struct line *l, kw_span bytes, uint32_t point)
{
    if (!l->json)
        for (size_t i = 0; i < bytes.len; i++)
            log_add(l, "\\x%02x", bytes.ptr[i]);
    else if (point == KW_NO_CHARACTER)
        log_add(l, "\\u%04x", bytes.ptr[0]);
    else if (point > 0xffff) /* RFC 8259, section 7 */
        log_add(l, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10), 0xdc00 + (point & 0x3ff));
    else
        log_add(l, "\\u%04x", point);
}

/* One character so that the line stays one line and reads back. */
static void add_char(struct line *l, kw_span bytes, uint32_t point, bool ascii_only)
{
    if (point == '"' || point == '\\')
        log_add(l, "\\%c", (int)point);
    else if (point == '\n' && l->json)
        log_add(l, "\\n");
    else if (!kw_is_printable_char(point) || (ascii_only && point > 0x7e))
        add_escaped(l, bytes, point);
    else
        log_add(l, "%.*s", (int)bytes.len, (const char *)bytes.ptr);
}

static bool log_is_plain(kw_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] == '"' || s.ptr[i] == '\\' || s.ptr[i] == '=' ||
            s.ptr[i] >= 0x7f)
            return false;
    return s.len > 0;
}

static void add_text(struct line *l, kw_span s, bool ascii_only)
{
    bool quoted = l->json || !log_is_plain(s);
    if (quoted)
        log_add(l, "\"");
    while (s.len > 0 && log_room_of(l) > TAIL) {
        uint32_t point;
        size_t n = kw_text_first(s, &point);
        add_char(l, kw_span_of(s.ptr, n), point, ascii_only);
        s = kw_span_of(s.ptr + n, s.len - n);
    }
    l->cut = l->cut || s.len > 0;
    if (quoted)
        log_add(l, "\"");
}

static void log_add_name(struct line *l, const char *name)
{
    log_add(l, l->json ? ",\"%s\":" : " %s=", name);
}

static void add_err(struct line *l, const struct kw_field *f)
{
    log_add_name(l, f->name);
    add_text(l, kw_span_str(kw_code_name(f->err.code)), true);
    if (f->err.native != 0) {
        log_add_name(l, "native");
        log_add(l, l->json ? "\"0x%" PRIx32 "\"" : "0x%" PRIx32, f->err.native);
    }
    if (f->err.where != NULL) {
        log_add_name(l, "at");
        add_text(l, kw_span_str(f->err.where), true);
    }
}

static void add_field(struct line *l, const struct kw_field *f)
{
    kw_span peer = f->peer;
    if (log_room_of(l) < FIELD_MIN) {
        l->cut = true;
        return;
    }
    switch (f->kind) {
    case KW_FIELD_STR:
        log_add_name(l, f->name);
        add_text(l, kw_span_str(f->str), false);
        break;
    case KW_FIELD_INT:
        log_add_name(l, f->name);
        log_add(l, "%" PRId64, f->num);
        break;
    case KW_FIELD_PEER:
        if (peer.len > PEER_MAX)
            peer.len = PEER_MAX;
        log_add_name(l, f->name);
        add_text(l, peer, true);
        break;
    case KW_FIELD_ERR: add_err(l, f); break;
    case KW_FIELD_END: break;
    }
}

static bool log_is_slot_of(const struct rate *r, const char *event)
{
    return strncmp(r->event, event, EVENT_MAX - 1) == 0;
}

/* The slot of this name: its own, else the one that was idle longest. */
static struct rate *log_slot_of(const char *event)
{
    struct rate *oldest = &out.rates[0];
    for (struct rate *r = out.rates; r < out.rates + RATE_SLOTS; r++) {
        if (log_is_slot_of(r, event))
            return r;
        bool empty = r->event[0] == '\0';
        if (oldest->event[0] != '\0' && (empty || r->window_ns < oldest->window_ns))
            oldest = r;
    }
    *oldest = (struct rate){.shown = 0};
    return oldest;
}

static bool log_is_full(const struct rate *r, int64_t now_ns)
{
    return r->shown >= RATE_PER_SECOND && now_ns - r->window_ns < KW_S_NS;
}

/* May this event be shown now?  *ret_dropped: how many of its name were not, before. */
static bool log_admit(const char *event, int64_t now_ns, unsigned *ret_dropped)
{
    struct rate *r = log_slot_of(event);
    *ret_dropped = 0;
    if (r->event[0] == '\0' || now_ns - r->window_ns >= KW_S_NS) {
        *ret_dropped = r->dropped;
        *r = (struct rate){.window_ns = now_ns};
        kw_copy_str(r->event, sizeof r->event, kw_span_str(event));
    }
    if (log_is_full(r, now_ns)) {
        r->dropped++;
        return false;
    }
    r->shown++;
    return true;
}

/* A reader that does not read must not stop the service: is there room for a line?  A
 * pipe says so only when it takes PIPE_BUF bytes at once (pipe(7)), and no line of ours
 * is longer. */
static bool has_room(void)
{
    struct pollfd p = {.fd = out.fd, .events = POLLOUT};
    return poll(&p, 1, 0) != 0;
}

static void write_line(struct line *l)
{
    l->text[l->len++] = '\n';
    size_t done = 0;
    while (done < l->len) {
        ssize_t n = write(out.fd, l->text + done, l->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody to tell */
        done += (size_t)n;
    }
}

static void log_begin(struct line *l, enum kw_log_level level, const char *event)
{
    const struct kw_clock *clock = out.clock ? out.clock : &kw_clock_system;
    char when[KW_TIME_TEXT];
    kw_time_text(when, kw_wall_ns(clock));
    l->json = out.format == KW_LOG_JSON;
    log_add(l,
            l->json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\""
                    : "%s level=%s event=%s",
            when, level_names[level], event);
}

/* What TAIL keeps room for. */
static void log_end(struct line *l, unsigned dropped)
{
    if (dropped > 0) {
        log_add_name(l, "dropped_before");
        log_add(l, "%u", dropped);
    }
    if (out.lost > 0) {
        log_add_name(l, "lost_before");
        log_add(l, "%u", out.lost);
        out.lost = 0;
    }
    if (l->cut) {
        log_add_name(l, "cut");
        log_add(l, "1");
    }
    if (l->json)
        log_add(l, "}");
}

bool kw_log_wants(enum kw_log_level level)
{
    return level >= out.least;
}

static int64_t log_now(void)
{
    return kw_mono_ns(out.clock ? out.clock : &kw_clock_system);
}

bool kw_log_may(const char *event)
{
    kw_mutex_lock(&out.mutex);
    bool may = has_room();
    for (const struct rate *r = out.rates; r < out.rates + RATE_SLOTS; r++)
        may = may && !(log_is_slot_of(r, event) && log_is_full(r, log_now()));
    kw_mutex_unlock(&out.mutex);
    return may;
}

void kw_log_fields(enum kw_log_level level, const char *event,
                   const struct kw_field *fields)
{
    if (tap.tapped != NULL)
        tap.tapped(tap.ctx, event, fields);
    if (!kw_log_wants(level))
        return;
    struct line l = {.len = 0};
    unsigned dropped;
    kw_mutex_lock(&out.mutex);
    if (!has_room()) {
        out.lost++;
    } else if (log_admit(event, log_now(), &dropped)) {
        log_begin(&l, level, event);
        for (const struct kw_field *f = fields; f->kind != KW_FIELD_END; f++)
            add_field(&l, f);
        log_end(&l, dropped);
        write_line(&l);
    }
    kw_mutex_unlock(&out.mutex);
}
