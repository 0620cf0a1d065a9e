/* SPDX-License-Identifier: Apache-2.0 */
/* log - structured events on one descriptor, logfmt or JSON lines
 *
 *   kw_log(KW_LOG_WARN, "worker-stuck", KW_INT("pid", pid), KW_STR("token", name));
 *   2026-01-31T12:00:00.000000Z level=warn event=worker-stuck pid=412 token=keyward
 *
 * One event is one line and one write(2).  Text is escaped where it may not be shown
 * (bytes.h, kw_is_printable_char).  Text that a peer supplied goes through KW_PEER: cut
 * to 64 bytes, everything but printable ASCII escaped.  There is no field
 * type for bytes, so a secret cannot be logged by accident.  A line ends at 4095 bytes:
 * what does not fit is left out and `cut` says so.  More than 20 events of one name (its
 * first 47 bytes) within a second are dropped and counted; dropped_before tells it with
 * the next one.
 *
 * Threads:   any.  Never call it while holding the big lock.
 * Blocking:  never for long: a line that the log's reader leaves no room for is lost and
 *            counted; lost_before tells it with the next one.
 */
#ifndef KEYWARD_LOG_H
#define KEYWARD_LOG_H

#include <keyward/bytes.h>
#include <keyward/clock.h>
#include <keyward/mutex.h>

enum kw_log_level { KW_LOG_DEBUG, KW_LOG_INFO, KW_LOG_WARN, KW_LOG_ERROR };
enum kw_log_format { KW_LOG_LOGFMT, KW_LOG_JSON };

enum kw_field_kind {
    KW_FIELD_END,
    KW_FIELD_STR,
    KW_FIELD_INT,
    KW_FIELD_PEER,
    KW_FIELD_ERR
};
struct kw_field {
    enum kw_field_kind kind;
    const char *name; /* [a-z_]+ */
    const char *str;  /* STR: our own or the operator's text; NULL prints as empty */
    int64_t num;
    kw_span peer;
    kw_err err; /* prints <name>=<code>, native=0x…, at=<where> */
};
#define KW_STR(n, v) ((struct kw_field){.kind = KW_FIELD_STR, .name = (n), .str = (v)})
#define KW_INT(n, v)                                                                     \
    ((struct kw_field){.kind = KW_FIELD_INT, .name = (n), .num = (int64_t)(v)})
#define KW_PEER(n, v) ((struct kw_field){.kind = KW_FIELD_PEER, .name = (n), .peer = (v)})
#define KW_ERR(n, v) ((struct kw_field){.kind = KW_FIELD_ERR, .name = (n), .err = (v)})

/* Where the log goes; before the first event, from one thread.  The defaults: fd 2,
 * info, logfmt, the system's clock. */
void kw_log_setup(int fd, enum kw_log_level least, enum kw_log_format format,
                  const struct kw_clock *clock);

/* Sees each event, whatever its level and however many there are: for what has to be
 * counted as well as shown.  Set before there is a second thread; NULL ends it.  It may log
 * nothing itself. */
typedef void kw_log_tapped(void *ctx, const char *event, const struct kw_field *fields);
void kw_log_tap(kw_log_tapped *tapped, void *ctx);

/* Is an event of this level written at all?  For fields that cost something to find. */
bool kw_log_wants(enum kw_log_level level);
/* Would an event of this name be written now, by the limits above?  For what is told once
 * and can be told later; asking counts nothing. */
bool kw_log_may(const char *event) KW_FREE;

#define kw_log(level, event, ...)                                                        \
    kw_log_fields((level), (event),                                                      \
                  (const struct kw_field[]){__VA_ARGS__, {.kind = KW_FIELD_END}})
/* An event without fields. */
#define kw_log_bare(level, event)                                                        \
    kw_log_fields((level), (event), (const struct kw_field[]){{.kind = KW_FIELD_END}})
void kw_log_fields(enum kw_log_level level, const char *event,
                   const struct kw_field *fields) KW_FREE;

#endif
