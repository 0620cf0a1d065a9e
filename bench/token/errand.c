/* SPDX-License-Identifier: Apache-2.0 */
/* What keeper, workers and the broom have in common. */
#include "board.h"

#include <errno.h>
#include <sys/socket.h>

enum { ARENA = 256 * 1024, ARENA_PER_THREAD = 8 * 1024 };

kw_err kw_errand_open(const struct kw_errand *errand, bool read_write,
                      struct kw_token **ret_token, struct kw_note *note)
{
    const struct kw_token_plan *p = errand->plan;
    const struct kw_token_options options = {
        .module = p->module, .uri = p->uri, .pin = p->pin, .read_write = read_write};
    kw_err e = kw_arena_open(ARENA + p->threads * ARENA_PER_THREAD, KW_ARENA_AUTO, note);
    return kw_failed(e) ? e : kw_token_open(&options, ret_token, note);
}

kw_err kw_errand_check(const struct kw_token_plan *plan,
                       const struct kw_token_facts *facts, struct kw_note *note)
{
    if (facts->softhsm || plan->any_token)
        return KW_OK;
    kw_note_set(note,
                "token %s (%s %s) is no SoftHSM: this loads it as fast as it goes, or "
                "as --max-rate allows; say --yes when nobody else needs it",
                facts->label, facts->manufacturer, facts->model);
    return kw_err_at(KW_CODE_DENIED, "token");
}

kw_err kw_errand_label(const struct kw_guard *guard, char ret_label[KW_KEY_ID_MAX + 1],
                       struct kw_note *note)
{
    const kw_span no_locator = {0};
    char label[KW_KEY_ID_MAX + 1];
    kw_token_throwaway_label(label);
    kw_err e = kw_guard_allows(guard, label, no_locator, note);
    if (!kw_failed(e))
        (void)kw_copy_str(ret_label, KW_KEY_ID_MAX + 1, kw_span_str(label));
    return e;
}

void kw_errand_say(const struct kw_errand *errand, char what)
{
    /* A parent that is gone is seen at the next read. */
    (void)send(errand->fd, &what, 1, MSG_NOSIGNAL);
}

bool kw_errand_told(const struct kw_errand *errand)
{
    char what = 0;
    ssize_t n;
    do
        n = recv(errand->fd, &what, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1 && what == KW_TELL_GO;
}
