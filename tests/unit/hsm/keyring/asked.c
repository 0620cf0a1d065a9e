/* SPDX-License-Identifier: Apache-2.0 */
#include "asked.h"

const struct kw_pin_owner the_asker = {"this-boot", MINE, 7};

struct kw_moment moment(int64_t boot_ns)
{
    return (struct kw_moment){"this-boot", boot_ns, 1000 * HOUR + boot_ns};
}

struct kw_pin_mark pin_mark_of(const char *key_and_pin)
{
    struct kw_pin_mark m = {.key_len = 0};
    if (key_and_pin[0] == '\0')
        return m;
    memset(m.key, key_and_pin[0], sizeof m.key);
    memset(m.digest, key_and_pin[1], sizeof m.digest);
    m.key_len = sizeof m.key;
    m.digest_len = sizeof m.digest;
    return m;
}

struct kw_pin_facts facts_of(const char *mark)
{
    return (struct kw_pin_facts){
        .serial = "00cafe", .label = "tok", .mark = pin_mark_of(mark)};
}

enum kw_pin_word asked(struct kw_pin_record *r, const char *mark, int64_t boot_ns,
                       struct kw_note *ret_why)
{
    struct kw_pin_verdict v;
    struct kw_pin_facts f = facts_of(mark);
    struct kw_moment now = moment(boot_ns);
    kw_pin_judge(r, &f, false, &the_asker, &now, &v);
    *r = v.record;
    if (ret_why != NULL)
        *ret_why = v.why;
    return v.word;
}

void ended(struct kw_pin_record *r, enum kw_pin_end end, int64_t boot_ns)
{
    struct kw_moment now = moment(boot_ns);
    kw_pin_settle(r, end, "CKR_SO_AND_SO", &now);
}

unsigned logins_of(struct kw_pin_record *r, const char *const marks[])
{
    unsigned n = 0;
    for (size_t i = 0; marks[i] != NULL; i++)
        if (asked(r, marks[i], 1, NULL) == KW_PIN_GO) {
            ended(r, KW_PIN_REFUSED, 1);
            n++;
        }
    return n;
}
