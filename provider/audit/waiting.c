/* SPDX-License-Identifier: Apache-2.0 */
/* Records that wait, in the order in which they came. */
#include "writer_state.h"

#include <keyward/alloc.h>

void kw_audit_list_push(struct kw_audit_list *list, struct kw_audit_entry *e)
{
    e->next = NULL;
    if (list->first == NULL)
        list->first = e;
    else
        *list->last = e;
    list->last = &e->next;
    list->count++;
}

struct kw_audit_entry *kw_audit_list_pop(struct kw_audit_list *list)
{
    struct kw_audit_entry *e = list->first;
    if (e == NULL)
        return NULL;
    list->first = e->next;
    list->count--;
    e->next = NULL;
    return e;
}

void kw_audit_list_prepend(struct kw_audit_list *list, struct kw_audit_list *front)
{
    if (front->first == NULL)
        return;
    *front->last = list->first;
    if (list->first == NULL)
        list->last = front->last;
    list->first = front->first;
    list->count += front->count;
    *front = (struct kw_audit_list){0};
}

/* The text moves into the entry. */
static bool waiting_keep(struct kw_audit_entry *e, kw_span *text)
{
    char *room = e->text + e->used;
    if (text->len > sizeof e->text - e->used)
        return false;
    kw_copy(room, sizeof e->text - e->used, *text);
    *text = kw_span_of(room, text->len);
    e->used += text->len;
    return true;
}

struct kw_audit_entry *kw_audit_entry_new(const struct kw_audit_record *record)
{
    const size_t count = kw_audit_shape(record->kind)->count;
    struct kw_audit_entry *e = kw_new(1, sizeof *e);
    bool fits = e != NULL;
    if (fits)
        e->record = *record;
    for (size_t i = 0; fits && i < count; i++)
        fits = e->record.value[i].is_null || waiting_keep(e, &e->record.value[i].text);
    if (fits)
        return e;
    kw_free(e);
    return NULL;
}
