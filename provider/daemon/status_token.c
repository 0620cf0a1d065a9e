/* SPDX-License-Identifier: Apache-2.0 */
/* What a token was asked for and said, and how its workers ended. */
#include "status_document.h"

#include <string.h>

#include <keyward/ckr.h>

static json_t *op_part(size_t op, const struct kw_front_op *of)
{
    json_t *part = kw_status_latency(&of->latency);
    if (json_object_set_new(part, "op", json_string(kw_front_op_name(op))) == 0 &&
        json_object_set_new(part, "failed", json_integer((json_int_t)of->failed)) == 0)
        return part;
    json_decref(part);
    return NULL;
}

static json_t *ops_part(const struct kw_front_numbers_of_token *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < KW_FRONT_OPS && list != NULL; i++)
        list = kw_status_append(list, op_part(i, &n->ops[i]));
    return list;
}

static json_t *error_part(const char *name, uint64_t count)
{
    return json_pack("{s:s, s:I}", "ckr", name, "count", (json_int_t)count);
}

static json_t *errors_part(const struct kw_front_numbers_of_token *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n->error_count && list != NULL; i++) {
        char name[48];
        kw_ckr_name(n->errors[i].rv, name);
        list = kw_status_append(list, error_part(name, n->errors[i].count));
    }
    if (n->errors_other > 0 && list != NULL)
        list = kw_status_append(list, error_part("other", n->errors_other));
    return list;
}

static json_t *ended_part(const struct kw_front_numbers_of_token *n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < KW_FRONT_ENDS && list != NULL; i++)
        list = kw_status_append(list, json_pack("{s:s, s:I}", "why",
                                                kw_front_end_name((enum kw_front_end)i),
                                                "count", (json_int_t)n->ended[i]));
    return list;
}

json_t *kw_status_token_numbers(const struct kw_front_numbers_of_token *numbers)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:o}", "ops", ops_part(numbers), "errors",
                     errors_part(numbers), "logins", (json_int_t)numbers->logins,
                     "workers_started", (json_int_t)numbers->started, "workers_ended",
                     ended_part(numbers));
}

json_t *kw_status_token_workers(const struct kw_front_status *front, const char *token)
{
    static const char *const states[] = {"starting", "ready", "stuck", "draining",
                                         "killed"};
    enum { STATES = sizeof states / sizeof states[0] };
    uint64_t count[STATES] = {0}, sessions = 0, hanging = 0;
    for (size_t i = 0; i < front->worker_count; i++) {
        const struct kw_front_worker_status *w = &front->workers[i];
        if (strcmp(w->token, token) != 0)
            continue;
        for (size_t k = 0; k < STATES; k++)
            count[k] += strcmp(w->state, states[k]) == 0;
        sessions += w->sessions;
        hanging += w->hanging;
    }
    json_t *list = json_array();
    for (size_t k = 0; k < STATES && list != NULL; k++)
        list = kw_status_append(list, json_pack("{s:s, s:I}", "state", states[k], "count",
                                                (json_int_t)count[k]));
    return json_pack("{s:o, s:I, s:I}", "by_state", list, "sessions",
                     (json_int_t)sessions, "hanging", (json_int_t)hanging);
}
