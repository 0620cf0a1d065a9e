/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file: read once, judged, handed to the front, kept as the last good one.
 * A file that is refused changes nothing; why stays visible until it is cured. */
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

static kw_err hand_over(struct kw_daemon *d, const struct reading *r)
{
    kw_err e = kw_front_use(d->front, r->ring, kw_blob_peek(&r->bytes), r->active);
    d->started |= !kw_failed(e);
    return e;
}

static kw_err take(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    int64_t now = kw_wall_ns(d->clock);
    kw_err e = kw_state_raise(d->state, r->ring, r->active, now, note);
    if (!kw_failed(e))
        e = kw_state_save_keyring(d->state, kw_blob_peek(&r->bytes), note);
    return kw_failed(e) ? e : hand_over(d, r);
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
        e = take(d, &r, &note);
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
