/* SPDX-License-Identifier: Apache-2.0 */
/* Of the newest keyring: rotations, copies, and who did what. */
#include <keyward/evidence.h>

#include <string.h>

#include <keyward/clock.h>
#include <keyward/keyring.h>

#define DAY_US (INT64_C(86400) * 1000000)

static json_t *keyring_text(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

/* ---- rotations ---- */

struct keyring_use {
    bool was_used;
    int64_t from_us, to_us; /* it was, or is, the baseline */
};

/* A version is the baseline from its activation until the next one's, which retires it; one
 * whose end nobody wrote down is taken to be in use. */
static struct keyring_use keyring_use(const struct kw_evidence *e,
                                      const struct kw_version *v)
{
    struct keyring_use use = {.was_used = v->activated[0] != '\0'};
    if (!use.was_used)
        return use;
    use.from_us = kw_time_us(kw_span_str(v->activated));
    use.to_us = v->state != KW_KEY_ACTIVE && v->retired[0] != '\0'
                    ? kw_time_us(kw_span_str(v->retired))
                    : kw_evidence_head(e)->at_us;
    return use;
}

static int64_t keyring_floor_days(int64_t us)
{
    return us >= 0 ? us / DAY_US : -((-us + DAY_US - 1) / DAY_US);
}

static void keyring_add_rotation(struct kw_evidence *e, const struct kw_version *v)
{
    const struct kw_evidence_head *head = kw_evidence_head(e);
    const struct keyring_use use = keyring_use(e, v);
    const int64_t ends = use.from_us + head->cryptoperiod_days * DAY_US;
    const bool is_baseline = v->state == KW_KEY_ACTIVE && use.was_used;
    char text[KW_TIME_TEXT] = "";
    if (use.was_used)
        kw_time_text(text, ends * 1000);
    kw_evidence_add(
        e, KW_EVIDENCE_ROTATIONS,
        json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "n",
                  (int)v->n, "key_id", v->key_id, "state", kw_key_state_name(v->state),
                  "origin", v->origin, "created", keyring_text(v->created), "activated",
                  keyring_text(v->activated), "retired", keyring_text(v->retired),
                  "disabled", keyring_text(v->disabled), "destroyed",
                  keyring_text(v->destroyed), "days_used",
                  use.was_used
                      ? json_integer(-keyring_floor_days(use.from_us - use.to_us))
                      : json_null(),
                  "ends", keyring_text(text), "days_left",
                  is_baseline ? json_integer(keyring_floor_days(ends - head->at_us))
                              : json_null()));
}

/* ---- copies ---- */

static void keyring_add_copy(struct kw_evidence *e, const struct kw_version *v,
                             const struct kw_object_token *t)
{
    static const struct kw_object_token none;
    t = t != NULL ? t : &none;
    kw_evidence_add(e, KW_EVIDENCE_COPIES,
                    json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "n", (int)v->n,
                              "key_id", v->key_id, "state", kw_key_state_name(v->state),
                              "token_label", keyring_text(t->label), "serial",
                              keyring_text(t->serial), "proven", keyring_text(t->proven),
                              "gone", keyring_text(t->gone), "second_copy",
                              keyring_text(v->second_copy)));
}

static void keyring_add_copies(struct kw_evidence *e, const struct kw_version *v)
{
    const struct kw_object *kek = v->object_count > 0 ? kw_version_kek(v) : NULL;
    for (size_t i = 0; kek != NULL && i < kek->token_count; i++)
        keyring_add_copy(e, v, &kek->tokens[i]);
    if (kek == NULL || kek->token_count == 0)
        keyring_add_copy(e, v, NULL);
}

/* ---- acts ---- */

/* Of a pruned version the history has the name alone, as the first word of what it says. */
static json_t *keyring_act_key_id(const struct kw_keyring *ring,
                                  const struct kw_history *h)
{
    const struct kw_version *v = kw_keyring_by_n(ring, h->n);
    const kw_span first = kw_span_of(h->proof, strcspn(h->proof, " "));
    uint32_t n = 0;
    if (v != NULL)
        return json_string(v->key_id);
    return kw_key_id_parse(first, &n) && n == h->n
               ? json_stringn((const char *)first.ptr, first.len)
               : json_null();
}

static void keyring_add_act(struct kw_evidence *e, const struct kw_keyring *ring,
                            const struct kw_history *h)
{
    const struct kw_evidence_head *head = kw_evidence_head(e);
    const int64_t us = kw_time_us(kw_span_str(h->at));
    kw_evidence_add(e, KW_EVIDENCE_ACTS,
                    json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:n, s:s, s:o}", "from",
                              "keyring", "time", h->at, "in_period",
                              us >= head->from_us && us < head->to_us, "act", h->act,
                              "key_id", keyring_act_key_id(ring, h), "by",
                              keyring_text(h->by), "ticket", "outcome", "done", "proof",
                              keyring_text(h->proof)));
}

void kw_evidence_fill_keyring(struct kw_evidence *e, const struct kw_keyring *ring)
{
    for (size_t i = 0; i < ring->count; i++) {
        keyring_add_rotation(e, &ring->versions[i]);
        keyring_add_copies(e, &ring->versions[i]);
    }
    for (size_t i = 0; i < ring->history_count; i++)
        keyring_add_act(e, ring, &ring->history[i]);
}
