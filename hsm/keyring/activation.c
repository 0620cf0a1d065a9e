/* SPDX-License-Identifier: Apache-2.0 */
/* activation - this node's own act, recorded */
#include "dir.h"

#define FILE_NAME "activation.json"
#define AT(field) offsetof(struct kw_activation, field)

static const struct kw_member activation_table[] = {
    {.name = "activation", .kind = &kw_kind_format, .max = 1},
    {.name = "n", .kind = &kw_kind_u32, .offset = AT(n), .max = KW_VERSION_N_MAX},
    {.name = "key-id",
     .kind = &kw_kind_text,
     .offset = AT(key_id),
     .max = KW_KEY_ID_MAX + 1},
    {.name = "at",
     .kind = &kw_kind_time,
     .offset = AT(at),
     .max = KW_TIME_TEXT,
     .nullable = true},
    {.name = "by", .kind = &kw_kind_text, .offset = AT(by), .max = 64, .nullable = true},
    {.name = "proof",
     .kind = &kw_kind_text,
     .offset = AT(proof),
     .max = 128,
     .nullable = true},
    {.name = NULL},
};

static bool is_of_its_key(const struct kw_activation *act)
{
    uint32_t n = 0;
    return kw_key_id_parse(kw_span_str(act->key_id), &n) && n == act->n;
}

kw_err kw_state_activation(struct kw_state_dir *dir, struct kw_activation *ret_act,
                           struct kw_note *note)
{
    struct kw_activation act = {0};
    struct kw_note why = {{0}};
    kw_err e = kw_state_read(dir, FILE_NAME, activation_table, &act, note);
    if (!kw_failed(e) && act.n != 0 && !is_of_its_key(&act)) {
        kw_note_set(&why, "key-id: is not one of version %u", act.n);
        kw_state_say_damaged(dir, FILE_NAME, why.text, note);
        e.code = KW_CODE_BAD_INPUT;
    }
    if (kw_failed(e))
        e.where = "activation.json";
    else
        *ret_act = act;
    return e;
}

kw_err kw_state_activate(struct kw_state_dir *dir, const struct kw_activation *act,
                         struct kw_note *note)
{
    if (!is_of_its_key(act)) {
        kw_note_set(note, "activation: key_id \"%s\" is not one of version %u",
                    act->key_id, act->n);
        return kw_err_at(KW_CODE_BAD_INPUT, "activation");
    }
    return kw_state_write(dir, FILE_NAME, activation_table, act, note);
}
