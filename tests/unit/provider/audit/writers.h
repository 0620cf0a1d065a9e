/* SPDX-License-Identifier: Apache-2.0 */
/* writers - a committing thread, on a disk that hangs and fails when it is told to, and the
 * calls that wait for it
 *
 * One at a time; the test's thread is the main thread. */
#ifndef KEYWARD_TESTS_AUDIT_WRITERS_H
#define KEYWARD_TESTS_AUDIT_WRITERS_H

#include <stdatomic.h>

#include <keyward/audit_writer.h>
#include <keyward/kms.h>

#define WRITERS_UUID "6b770000-0000-4000-8000-000000000001"
#define WRITERS_KEY "kw1-1-00112233445566778899aabb"
#define WRITERS_DEADLINE_NS (250 * KW_MS_NS)
enum { WRITERS_CALLS = KW_AUDIT_WAITING_MAX + 32 };

struct writers_call {
    struct kw_request request;
    unsigned told; /* how often, and what the last time */
    kw_err err;
    uint64_t seq;
};
extern struct writers_call writers_calls[WRITERS_CALLS];
extern unsigned writers_told;                  /* of all of them */
extern struct kw_audit_copies *writers_copies; /* of the next one; NULL: none */
extern bool writers_are_lazy;                  /* the next one */
extern struct kw_audit_writer *the_writer;
extern struct kw_audit_door the_door;
extern atomic_int_fast64_t writers_now_ns; /* the time; any thread */
/* Once, while the next call is on its way in; NULL: nothing happens. */
extern void (*writers_meanwhile)(void);
/* The same while one is told that it is late; and what is answered to those whose record says
 * OK then. */
extern void (*writers_while_late)(void);
extern enum kw_code writers_late_as;

void writers_begin(bool allow);
/* Gives up, stops, removes; the last alone. */
void writers_end(void);
void writers_remove(void);

/* From now on the log's fdatasync does not return, and then gives this error (0: none). */
void writers_disk_is(bool hangs, int error);
/* Or it has no room, but for what is kept for last words. */
void writers_disk_is_full(int error);
/* Until one of them hangs. */
void writers_await_hang(void);

/* Until one of them has failed since writers_begin. */
void writers_await_failure(void);

/* Decrypt i, with this outcome; true: it is told of its record. */
bool writers_put(unsigned i, enum kw_code code);
void writers_await_told(unsigned want);
/* Until a commit has ended, good or not; the first: nobody is told of it yet. */
void writers_await_end(void);
void writers_await_round(void);
bool writers_ill(void);
/* All files of the log, one after the other, into writers_text. */
const char *writers_log(void);
extern char writers_text[8 << 20];

#endif
