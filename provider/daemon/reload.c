/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file: read once, judged, handed to the front, and kept as the last good one
 * when the front has it in use: its workers have proven it then.  The high-water marks
 * rise only at that point too, so an activation that never worked can be taken back. A
 * file that is refused changes nothing; why stays visible until it is cured. */
#include "daemon.h"

#include <keyward/log.h>

struct reading {
    struct kw_keyring *ring;
    struct kw_blob bytes;
    uint32_t active;
};

static void reading_wipe(struct reading *r)
{
    kw_keyring_give(r->ring);
    kw_blob_wipe(&r->bytes);
}

/* May this node use it, and which version does it wrap with? */
static kw_err judge(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    struct kw_marks marks;
    struct kw_activation act;
    kw_err e = kw_state_marks(d->state, &marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(d->state, &act, note);
    if (!kw_failed(e))
        e = kw_keyring_admit(r->ring, d->config->domain, &marks, note);
    if (!kw_failed(e))
        e = kw_keyring_effective(r->ring, &act, &marks, &r->active, note);
    return e;
}

static kw_err read_file(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    kw_err e = kw_keyring_load(d->config->keyring, &r->ring, &r->bytes, note);
    return kw_failed(e) ? e : judge(d, r, note);
}

/* At the start only: the file is bad, what served last is still there. */
static kw_err read_last_good(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    kw_err e = kw_state_last_keyring(d->state, &r->ring, &r->bytes, note);
    return kw_failed(e) ? e : judge(d, r, note);
}

/* The front gets it; what is to be remembered waits until it is in use. */
static kw_err hand_over(struct kw_daemon *d, struct reading *r)
{
    kw_err e = kw_front_use(d->front, r->ring, kw_blob_peek(&r->bytes), r->active);
    if (kw_failed(e))
        return e;
    d->started = true;
    kw_reload_forget(d);
    d->unproven = kw_keyring_take(r->ring);
    d->unproven_active = r->active;
    d->unproven_bytes = r->bytes;
    r->bytes = (struct kw_blob){0};
    return KW_OK;
}

void kw_reload_forget(struct kw_daemon *d)
{
    kw_keyring_give(d->unproven);
    kw_blob_wipe(&d->unproven_bytes);
    d->unproven = NULL;
}

static bool in_use(struct kw_daemon *d)
{
    struct kw_front_status s;
    char sha256[65];
    kw_front_status(d->front, &s);
    kw_hex(sha256, sizeof sha256,
           kw_span_of(d->unproven->sha256, sizeof d->unproven->sha256));
    return kw_span_equal_str(kw_span_str(sha256), s.keyring_sha256) &&
           (d->unproven_active == 0 ||
            (s.health.active_n == d->unproven_active && !kw_failed(s.health.active_err)));
}

void kw_reload_settle(struct kw_daemon *d)
{
    struct kw_note note = {{0}};
    if (d->unproven == NULL || !in_use(d))
        return;
    int64_t now = kw_wall_ns(d->clock);
    kw_err e = kw_state_raise(d->state, d->unproven, d->unproven_active, now, &note);
    if (!kw_failed(e))
        e = kw_state_save_keyring(d->state, kw_blob_peek(&d->unproven_bytes), &note);
    if (kw_failed(e))
        kw_log(KW_LOG_ERROR, "state-not-written", KW_ERR("err", e),
               KW_STR("reason", note.text));
    else
        kw_log(KW_LOG_INFO, "keyring-proven", KW_INT("serial", d->unproven->serial),
               KW_INT("active", d->unproven_active));
    kw_reload_forget(d);
}

static void reject(struct kw_daemon *d, kw_err e, const struct kw_note *note)
{
    d->rejected = *note;
    if (d->rejected.text[0] == '\0')
        kw_note_set(&d->rejected, "%s", kw_code_name(e.code));
    kw_log(KW_LOG_ERROR, "keyring-rejected", KW_STR("file", d->config->keyring),
           KW_ERR("err", e), KW_STR("reason", d->rejected.text));
}

static void loaded(const struct reading *r, const char *why)
{
    kw_log(KW_LOG_INFO, "keyring-loaded", KW_STR("why", why),
           KW_INT("serial", r->ring->serial), KW_INT("versions", r->ring->count),
           KW_INT("active", r->active));
}

void kw_reload(struct kw_daemon *d, const char *why)
{
    struct reading r = {0};
    struct kw_note note = {{0}};
    kw_err e = read_file(d, &r, &note);
    if (!kw_failed(e))
        e = hand_over(d, &r);
    if (kw_failed(e)) {
        reject(d, e, &note);
        reading_wipe(&r);
        r = (struct reading){0};
        if (!d->started && !kw_failed(read_last_good(d, &r, &note)) &&
            !kw_failed(hand_over(d, &r)))
            loaded(&r, "last good one, from the state directory");
    } else {
        d->rejected.text[0] = '\0';
        loaded(&r, why);
    }
    reading_wipe(&r);
}
