/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file: read once, judged, handed to the front, and kept as the last good one
 * when the front has it in use: its workers have proven it then.  The high-water marks
 * rise only at that point too, so an activation that never worked can be taken back. A
 * file that is refused changes nothing; why stays visible until it is cured. */
#include "daemon.h"

#include <unistd.h>

#include <keyward/file.h>
#include <keyward/log.h>

#define REMEMBER_AGAIN_NS (10 * KW_S_NS)

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
    struct kw_judgement judgement;
    struct kw_keyring *last = NULL;
    struct kw_note ignored;
    kw_err e = kw_state_marks(d->state, &marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(d->state, &act, note);
    if (kw_failed(e))
        return e;
    if (kw_failed(kw_state_last_keyring(d->state, &last, NULL, &ignored)))
        last = NULL; /* it only lends its words to a refusal */
    const struct kw_memory memory = {&marks, &act, last};
    const struct kw_places places = {d->config->keyring, d->config->state};
    kw_keyring_judge(r->ring, d->config->domain, &memory, &places, &judgement);
    kw_keyring_give(last);
    r->active = judgement.active;
    if (judgement.refusal == KW_ADMITTED)
        return KW_OK;
    *note = judgement.why;
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

/* Only what nobody but root and this process's user can have put there. */
static kw_err read_file(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    struct kw_note why = {{0}};
    const char *path = d->config->keyring;
    kw_err e = kw_file_read_trusted(path, geteuid(), KW_KEYRING_MAX, &r->bytes, note);
    if (kw_failed(e))
        return e;
    e = kw_keyring_parse(kw_blob_peek(&r->bytes), &r->ring, &why);
    if (kw_failed(e))
        kw_note_set(note, "%s: %s", path, why.text);
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
    kw_reload_forget(d);
    d->ring = kw_keyring_take(r->ring);
    d->ring_active = r->active;
    d->ring_bytes = r->bytes;
    r->bytes = (struct kw_blob){0};
    d->remembered = false;
    d->remember_again_ns = 0;
    return KW_OK;
}

void kw_reload_forget(struct kw_daemon *d)
{
    kw_keyring_give(d->ring);
    kw_blob_wipe(&d->ring_bytes);
    d->ring = NULL;
}

static bool is_same(const struct kw_keyring *a, const struct kw_keyring *b)
{
    return kw_span_equal(kw_span_of(a->sha256, sizeof a->sha256),
                         kw_span_of(b->sha256, sizeof b->sha256));
}

static bool in_use(struct kw_daemon *d)
{
    struct kw_front_status s;
    char sha256[65];
    kw_front_status(d->front, &s);
    kw_hex(sha256, sizeof sha256, kw_span_of(d->ring->sha256, sizeof d->ring->sha256));
    return kw_span_equal_str(kw_span_str(sha256), s.keyring_sha256) &&
           (d->ring_active == 0 ||
            (s.health.active_n == d->ring_active && !kw_failed(s.health.active_err)));
}

static kw_err remember(struct kw_daemon *d)
{
    int64_t now = kw_wall_ns(d->clock);
    kw_err e = kw_state_raise(d->state, d->ring, d->ring_active, now, &d->unremembered);
    return kw_failed(e) ? e
                        : kw_state_save_keyring(d->state, kw_blob_peek(&d->ring_bytes),
                                                &d->unremembered);
}

/* A mark that is not written would let an older keyring in later: it is tried again until
 * it is, and `keyward status` says so meanwhile. */
void kw_reload_settle(struct kw_daemon *d)
{
    int64_t now = kw_mono_ns(d->clock);
    if (d->ring == NULL || d->remembered || now < d->remember_again_ns || !in_use(d))
        return;
    kw_err e = remember(d);
    d->remembered = !kw_failed(e);
    d->remember_again_ns = now + REMEMBER_AGAIN_NS;
    if (kw_failed(e)) {
        kw_log(KW_LOG_ERROR, "state-not-written", KW_ERR("err", e),
               KW_STR("reason", d->unremembered.text));
        return;
    }
    d->unremembered.text[0] = '\0';
    kw_log(KW_LOG_INFO, "keyring-proven", KW_INT("serial", d->ring->serial),
           KW_INT("active", d->ring_active));
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
        if (d->ring == NULL && !kw_failed(read_last_good(d, &r, &note)) &&
            !kw_failed(hand_over(d, &r)))
            loaded(&r, "last good one, from the state directory");
    } else {
        d->rejected.text[0] = '\0';
        loaded(&r, why);
    }
    reading_wipe(&r);
}

/* The same versions in the same states, the same one to wrap with, and more besides. */
static bool only_adds(const struct kw_daemon *d, const struct reading *r)
{
    for (size_t i = 0; i < d->ring->count; i++) {
        const struct kw_version *old = &d->ring->versions[i];
        const struct kw_version *now = kw_keyring_by_n(r->ring, old->n);
        if (now == NULL || now->state != old->state ||
            !kw_span_equal_str(kw_span_str(now->key_id), old->key_id))
            return false;
    }
    return r->active == d->ring_active && r->ring->count > d->ring->count;
}

void kw_reload_look(struct kw_daemon *d)
{
    struct reading r = {0};
    struct kw_note note = {{0}};
    if (d->ring == NULL || kw_failed(read_file(d, &r, &note)) ||
        is_same(r.ring, d->ring)) {
        reading_wipe(&r);
        return;
    }
    if (!only_adds(d, &r))
        kw_log(KW_LOG_WARN, "keyring-differs", KW_STR("file", d->config->keyring),
               KW_STR("reason", "it changes more than it adds: reload when it is meant"));
    else if (!kw_failed(hand_over(d, &r)))
        loaded(&r, "a key_id of a newer version was asked for");
    reading_wipe(&r);
}
