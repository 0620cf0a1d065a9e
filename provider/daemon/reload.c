/* SPDX-License-Identifier: Apache-2.0 */
/* The keyring file: read once, judged, handed to the front, and kept as the last good one
 * when the front has it in use: its workers have proven it then.  The high-water marks
 * rise only at that point too, so an activation that never worked can be taken back. A
 * file that is refused changes nothing; why stays visible until it is cured. */
#include "daemon_internal.h"

#include <string.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/log.h>
#include <keyward/pin_latch.h>

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

/* What this process knows goes before what lies there: that was not written, or is gone.
 * A `state create` said meanwhile has made marks again, and they count. */
static bool knows_better(const struct kw_daemon *d, const struct kw_marks *there)
{
    return d->known.serial != 0 && (d->unwritten || there->serial == 0);
}

static kw_err known_marks(struct kw_daemon *d, struct kw_marks *ret, struct kw_note *note)
{
    kw_err e = kw_state_marks(d->state, ret, note);
    if (kw_failed(e) || !knows_better(d, ret))
        return e;
    const struct kw_trust trust = ret->trust; /* an operator's word, said since */
    *ret = d->known;
    ret->trust = trust;
    return KW_OK;
}

/* May this node use it, and which version does it wrap with?  `damage`: why there is none
 * in what lies there; then it may not. */
static kw_err reload_judge(struct kw_daemon *d, struct reading *r, const char *damage,
                           struct kw_note *note)
{
    struct kw_marks marks;
    struct kw_activation act;
    struct kw_judgement judgement;
    struct kw_keyring *last = NULL;
    struct kw_note ignored;
    kw_err e = known_marks(d, &marks, note);
    if (!kw_failed(e))
        e = kw_state_activation(d->state, &act, note);
    if (kw_failed(e))
        return e;
    if (kw_failed(kw_state_last_keyring(d->state, &last, NULL, &ignored)))
        last = NULL; /* then the marks alone tell what was taken */
    const struct kw_memory memory = {&marks, &act, last};
    const struct kw_places places = {d->config->keyring, d->config->state};
    if (damage != NULL)
        kw_keyring_judge_damaged(damage, d->config->domain, &memory, &places, &judgement);
    else
        kw_keyring_judge(r->ring, d->config->domain, &memory, &places, &judgement);
    kw_keyring_give(last);
    r->active = judgement.active;
    *note = judgement.why; /* and nothing of a file that may be missing */
    if (judgement.refusal == KW_ADMITTED)
        return KW_OK;
    return kw_err_at(KW_CODE_BAD_INPUT, "keyring");
}

/* What helps is named as far as it is there. */
static void say_missing(struct kw_daemon *d, struct kw_note *note)
{
    struct kw_keyring *last = NULL;
    struct kw_note ignored;
    const bool kept = !kw_failed(kw_state_last_keyring(d->state, &last, NULL, &ignored));
    kw_keyring_give(last);
    kw_note_set(note, "%s: is not there; copy it here from another node%s",
                d->config->keyring,
                kept ? ", or put back this node's last good one (keyring.json in its "
                       "state directory)"
                     : "; keyward key create says what else can be done");
}

/* Only what nobody but root and this process's user can have put there. */
static kw_err read_file(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    struct kw_note why = {{0}};
    const char *path = d->config->keyring;
    kw_err e = kw_file_read_trusted(path, geteuid(), KW_KEYRING_MAX, &r->bytes, note);
    if (e.code == KW_CODE_MISSING)
        say_missing(d, note);
    if (kw_failed(e))
        return e;
    e = kw_keyring_parse(kw_blob_peek(&r->bytes), &r->ring, &why);
    if (!kw_failed(e))
        return reload_judge(d, r, NULL, note);
    kw_note_set(note, "%s: %s", path, why.text);
    const struct kw_note damage = *note;
    return e.code == KW_CODE_BAD_INPUT ? reload_judge(d, r, damage.text, note) : e;
}

/* At the start only: the file is bad, what served last is still there. */
static kw_err read_last_good(struct kw_daemon *d, struct reading *r, struct kw_note *note)
{
    kw_err e = kw_state_last_keyring(d->state, &r->ring, &r->bytes, note);
    return kw_failed(e) ? e : reload_judge(d, r, NULL, note);
}

/* As soon as it is in use. */
static void reload_remember_anew(struct kw_daemon *d)
{
    d->remembered = false;
    d->remember_again_ns = 0;
}

/* The front gets it; what is to be remembered waits until it is in use. */
static kw_err reload_hand_over(struct kw_daemon *d, struct reading *r)
{
    kw_err e = kw_front_use(d->front, r->ring, kw_blob_peek(&r->bytes), r->active);
    if (kw_failed(e))
        return e;
    kw_reload_forget(d);
    d->ring = kw_keyring_take(r->ring);
    d->ring_active = r->active;
    d->ring_bytes = r->bytes;
    r->bytes = (struct kw_blob){0};
    reload_remember_anew(d);
    return KW_OK;
}

void kw_reload_forget(struct kw_daemon *d)
{
    kw_keyring_give(d->ring);
    kw_blob_wipe(&d->ring_bytes);
    d->ring = NULL;
}

static bool reload_is_same(const struct kw_keyring *a, const struct kw_keyring *b)
{
    return kw_span_equal(kw_span_of(a->sha256, sizeof a->sha256),
                         kw_span_of(b->sha256, sizeof b->sha256));
}

/* An active version of a newer keyward: nothing here will ever prove it. */
static bool reload_is_understood(const struct kw_daemon *d)
{
    const struct kw_version *v = kw_keyring_by_n(d->ring, d->ring_active);
    return v != NULL && v->state != KW_KEY_UNKNOWN;
}

static bool in_use(struct kw_daemon *d)
{
    struct kw_front_status s;
    char sha256[65];
    kw_front_status(d->front, &s);
    kw_hex(sha256, sizeof sha256, kw_span_of(d->ring->sha256, sizeof d->ring->sha256));
    return kw_span_equal_str(kw_span_str(sha256), s.keyring_sha256) &&
           (d->ring_active == 0 || !reload_is_understood(d) ||
            (s.health.active_n == d->ring_active && !kw_failed(s.health.active_err)));
}

/* The copy first: marks above the last good copy would refuse it at a start without the
 * file, and nothing could serve.  A copy above the marks is taken as any newer ring is.
 */
static kw_err reload_remember(struct kw_daemon *d)
{
    struct kw_marks there;
    kw_err e = kw_state_marks(d->state, &there, &d->unremembered);
    if (!kw_failed(e))
        e = kw_state_save_keyring(d->state, kw_blob_peek(&d->ring_bytes),
                                  &d->unremembered);
    if (kw_failed(e))
        return e;
    return kw_state_raise_known(d->state, knows_better(d, &there) ? &d->known : NULL,
                                d->ring, d->ring_active, kw_moment_now(d->clock),
                                &d->unremembered);
}

/* It is in use from now on, written or not. */
static void keep_known(struct kw_daemon *d)
{
    struct kw_marks marks;
    struct kw_note ignored;
    if (kw_failed(known_marks(d, &marks, &ignored)))
        return;
    (void)kw_marks_raise(&marks, d->ring, d->ring_active, kw_moment_now(d->clock));
    d->known = marks;
}

/* What was written may be deleted or spoilt later: then this process alone still knows, and nothing
 * will after its end.  Not written anew by itself: somebody may be at it. */
static void look_at_memory(struct kw_daemon *d)
{
    struct kw_marks there;
    struct kw_activation act;
    struct kw_pin_record pin;
    struct kw_note why = {{0}};
    const struct kw_pin_book book = {.state = d->state, .runtime = "", .clock = d->clock};
    kw_err e = kw_state_marks(d->state, &there, &why);
    if (!kw_failed(e))
        e = kw_state_activation(d->state, &act, &why);
    if (!kw_failed(e))
        e = kw_pin_look(&book, "", "", &pin, &why);
    if (!kw_failed(e) && there.serial == 0)
        kw_note_set(&why, "marks.json is gone from the state directory: systemctl reload "
                          "keywardd writes it again");
    if (strcmp(why.text, d->unremembered.text) == 0)
        return;
    d->unremembered = why;
    if (why.text[0] != '\0')
        kw_log(KW_LOG_ERROR, "state-lost", KW_STR("reason", why.text));
}

static void remember_now(struct kw_daemon *d)
{
    kw_err e = reload_remember(d);
    d->remembered = !kw_failed(e);
    d->unwritten = kw_failed(e);
    keep_known(d);
    if (kw_failed(e)) {
        kw_log(KW_LOG_ERROR, "state-not-written", KW_ERR("err", e),
               KW_STR("reason", d->unremembered.text));
        return;
    }
    d->unremembered.text[0] = '\0';
    kw_log(KW_LOG_INFO, "keyring-proven", KW_INT("serial", d->ring->serial),
           KW_INT("active", d->ring_active));
}

/* A mark that is not written would let an older keyring in later: it is tried again until
 * it is, and `keyward status` says so meanwhile. */
void kw_reload_settle(struct kw_daemon *d)
{
    int64_t now = kw_mono_ns(d->clock);
    if (d->ring == NULL || now < d->remember_again_ns || (!d->remembered && !in_use(d)))
        return;
    d->remember_again_ns = now + REMEMBER_AGAIN_NS;
    if (d->remembered)
        look_at_memory(d);
    else
        remember_now(d);
}

/* Keeps why; true when that is news. */
static bool note_reason(struct kw_note *kept, kw_err e, const struct kw_note *note)
{
    struct kw_note before = *kept;
    *kept = *note;
    if (kept->text[0] == '\0')
        kw_note_set(kept, "%s", kw_code_name(e.code));
    return strcmp(before.text, kept->text) != 0;
}

static void reject(struct kw_daemon *d, kw_err e, const struct kw_note *note, bool again)
{
    if (note_reason(&d->rejected, e, note) || !again)
        kw_log(KW_LOG_ERROR, "keyring-rejected", KW_STR("file", d->config->keyring),
               KW_ERR("err", e), KW_STR("reason", d->rejected.text));
}

static void refuse_last_good(struct kw_daemon *d, kw_err e, const struct kw_note *note,
                             bool again)
{
    if (note_reason(&d->last_good_refused, e, note) || !again)
        kw_log(KW_LOG_ERROR, "last-good-refused", KW_ERR("err", e),
               KW_STR("reason", d->last_good_refused.text));
}

static void loaded(const struct reading *r, const char *why)
{
    kw_log(KW_LOG_INFO, "keyring-loaded", KW_STR("why", why),
           KW_INT("serial", r->ring->serial), KW_INT("versions", r->ring->count),
           KW_INT("active", r->active));
}

/* The file's ring is the one in use, or on its way there. */
static void file_taken(struct kw_daemon *d, const struct reading *r, const char *why)
{
    d->rejected.text[0] = '\0';
    d->last_good_refused.text[0] = '\0';
    kw_seek_end(d);
    loaded(r, why);
}

static bool is_in_hand(const struct kw_daemon *d, const struct reading *r)
{
    return d->ring != NULL && reload_is_same(d->ring, r->ring) &&
           d->ring_active == r->active;
}

/* What is in use already gets no new workers, and with them no login.  `again`: nobody
 * asked, so that nor does what is on its way there, and an old reason is not told a second
 * time. */
static bool reload_take_file(struct kw_daemon *d, const char *why, bool again)
{
    struct reading r = {0};
    struct kw_note note = {{0}};
    bool unchanged = false;
    kw_err e = read_file(d, &r, &note);
    if (!kw_failed(e) && is_in_hand(d, &r) && (again || in_use(d))) {
        unchanged = !again;
        if (!again) /* its marks and last good copy may be gone */
            reload_remember_anew(d);
    } else if (!kw_failed(e)) {
        e = reload_hand_over(d, &r);
    }
    if (kw_failed(e))
        reject(d, e, &note, again);
    else
        file_taken(d, &r, why);
    if (unchanged) {
        kw_reload_settle(d);
        kw_log(KW_LOG_INFO, "keyring-unchanged", KW_INT("serial", r.ring->serial),
               KW_INT("active", r.active));
    }
    reading_wipe(&r);
    return !kw_failed(e);
}

/* Without the file, what served last is still there; a node that never served has
 * none. */
static void fall_back(struct kw_daemon *d, bool again)
{
    struct reading r = {0};
    struct kw_note note = {{0}};
    if (d->ring != NULL)
        return;
    kw_err e = read_last_good(d, &r, &note);
    if (!kw_failed(e))
        e = reload_hand_over(d, &r);
    if (!kw_failed(e)) {
        d->last_good_refused.text[0] = '\0';
        loaded(&r, "last good one, from the state directory");
    } else if (e.code != KW_CODE_MISSING) {
        refuse_last_good(d, e, &note, again);
    }
    reading_wipe(&r);
}

static bool reload(struct kw_daemon *d, const char *why, bool again)
{
    bool taken = reload_take_file(d, why, again);
    if (!taken)
        fall_back(d, again);
    return taken;
}

void kw_reload(struct kw_daemon *d, const char *why)
{
    (void)reload(d, why, false);
}

void kw_reload_start(struct kw_daemon *d)
{
    if (!reload(d, "start", false))
        kw_seek_begin(d);
}

void kw_reload_again(struct kw_daemon *d)
{
    (void)reload(d, "looked for again", true);
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
        reload_is_same(r.ring, d->ring)) {
        reading_wipe(&r);
        return;
    }
    if (!only_adds(d, &r))
        kw_log(KW_LOG_WARN, "keyring-differs", KW_STR("file", d->config->keyring),
               KW_STR("reason", "it changes more than it adds: reload when it is meant"));
    else if (!kw_failed(reload_hand_over(d, &r)))
        file_taken(d, &r, "a key_id of a newer version was asked for");
    reading_wipe(&r);
}
