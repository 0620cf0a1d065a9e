/* SPDX-License-Identifier: Apache-2.0 */
/* numbered - records with a number each, so that one that is missing is missed */
#ifndef KEYWARD_TESTS_AUDIT_NUMBERED_H
#define KEYWARD_TESTS_AUDIT_NUMBERED_H

#include <keyward/audit_log.h>

enum { NUMBERED_MOST = 16 * 1024, NUMBERED_BATCH = 24 };

extern struct numbered {
    bool committed[NUMBERED_MOST];
    bool is_lazy;        /* what was not remembered may be missing */
    unsigned remembered; /* the numbers below this one             */
    unsigned records;    /* tried */
    char wrong[512];     /* what does not hold; "" */
} numbered;

void numbered_begin(void);
/* `count` is at most NUMBERED_BATCH. */
kw_err numbered_commit(struct kw_audit_log *log, unsigned count);
kw_err numbered_remember(struct kw_audit_log *log);
/* The power went: what was not remembered may be missing for good. */
void numbered_cut(void);
/* The files of the folder are one chain, from its beginning, in which all that was committed
 * is, and nothing says that a log was lost, and each file of what was torn has its record;
 * else false, and numbered.wrong. */
bool numbered_hold(const char *dir);
/* false */
bool numbered_is_not(const char *what, const char *detail);

#endif
