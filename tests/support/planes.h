/* SPDX-License-Identifier: Apache-2.0 */
/* planes - three control planes of one cluster, cp-1 to cp-3: three keywardd
 *
 * Each is an instance of its own whose token holds the same keys, as if they had one HSM,
 * and the pair that signs each one's audit log.  Every change is made by the first one's
 * tool, with PLANES_TICKET, and handed out, as docs/CEREMONY.md has it.  What clients got is
 * counted; a run lasts from planes_build to planes_stop.
 *
 * Any failure here fails the case with a message. */
#ifndef KEYWARD_TESTS_PLANES_H
#define KEYWARD_TESTS_PLANES_H

#include "acts.h"
#include "load.h"

enum { PLANES = 3, PLANES_CLASSES = 2 };
#define PLANES_TICKET "CHG-4711"
/* What each one's first call seals; it is on no disk. */
#define PLANES_SEED "thirty-two bytes that are secret"

struct planes {
    struct instance node[PLANES];
    char dir[64];          /* what is carried away: evidence-cp-1 …, anchors-cp-1 … */
    char from[32], to[32]; /* the run, as --period has it */
    char at[32];           /* when all of it was collected */
    struct {
        const char *name;  /* of the class */
        struct load *load; /* NULL: nobody calls */
        uint64_t encrypts, decrypts;
    } class[PLANES][PLANES_CLASSES];
};

/* Built, joined and up. */
void planes_build(struct planes *p);
void planes_destroy(struct planes *p);
/* "cp-1" …; a path below p->dir, good for the next fifteen calls, too. */
const char *planes_name(unsigned plane);
const char *planes_path(const struct planes *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Calls on each socket; `end` has every one answered, and none may have failed. */
void planes_load(struct planes *p);
void planes_load_await(struct planes *p, uint64_t rounds);
void planes_load_end(struct planes *p);
/* A first KEK's successor, on all of them, until each wraps with it. */
void planes_rotate(struct planes *p);
void planes_restart(struct planes *p, unsigned plane);
/* Each ends by SIGTERM: the run is over. */
void planes_stop(struct planes *p);
/* Of each, which has ended: its folder, and what its log said that is to be kept. */
void planes_collect(struct planes *p);

#endif
