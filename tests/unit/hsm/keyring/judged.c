/* SPDX-License-Identifier: Apache-2.0 */
#include "judged.h"

#include <stdio.h>

const struct kw_places some_places = {"/etc/keyward/keyring.json", "/var/lib/keyward"};
const struct kw_activation no_act;

struct kw_judgement judge_with(const struct kw_keyring *ring,
                               const struct kw_marks *marks,
                               const struct kw_activation *act)
{
    static struct kw_judgement j;
    const struct kw_memory memory = {marks, act, NULL};
    kw_keyring_judge(ring, "demo", &memory, &some_places, &j);
    CHECK((j.refusal == KW_ADMITTED) == (j.why.text[0] == '\0'));
    CHECK((j.refusal == KW_ADMITTED) == (j.cure[0] == '\0'));
    return j;
}

void is_judged(const struct kw_keyring *ring, const struct kw_marks *marks,
               enum kw_refusal want, uint32_t n)
{
    struct kw_judgement j = judge_with(ring, marks, &no_act);
    if (j.refusal != want || j.n != n)
        fail_msg("refusal %d about %u, wanted %d about %u: %s", j.refusal, j.n, want, n,
                 j.why.text);
}

struct kw_marks seen(const struct kw_keyring *file)
{
    struct kw_marks marks = {0};
    (void)kw_marks_raise(&marks, file, file->active, when(1000));
    return marks;
}

void taken(struct kw_marks *marks, const struct kw_keyring *file)
{
    is_judged(file, marks, KW_ADMITTED, 0);
    (void)kw_marks_raise(marks, file, file->active, when(2000));
}

void trust_in(struct kw_marks *marks, const struct kw_keyring *file)
{
    marks->trust.sha256_len = 32;
    kw_copy(marks->trust.sha256, 32, kw_span_of(file->sha256, 32));
}

struct kw_keyring *with_version(const struct kw_keyring *file, uint32_t n,
                                const char *key_id)
{
    struct kw_keyring *next = change(file);
    struct kw_version v = good_version(n, KW_KEY_ACCEPTED);
    if (kw_keyring_by_n(next, n) != NULL)
        kw_keyring_remove(next, n);
    snprintf(v.key_id, sizeof v.key_id, "%s", key_id);
    snprintf(v.objects[0].label, sizeof v.objects[0].label, "%s", key_id);
    CHECK_OK(kw_keyring_add(next, &v));
    return reread(next);
}

void destroy_and_prune(struct kw_keyring **file, uint32_t n)
{
    becomes(file, acted(*file, KW_ACT_DISABLE, n));
    becomes(file, acted(*file, KW_ACT_DESTROY, n));
    becomes(file, acted(*file, KW_ACT_PRUNE, n));
}
