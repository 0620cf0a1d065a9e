/* SPDX-License-Identifier: Apache-2.0 */
/* load - threads that keep calling one socket, every reply checked
 *
 * A round is what an API server does, and more often: Status, Encrypt of a fresh seed,
 * Status, Decrypt of it, Decrypt of one of the caller's older ones.  Wrong is a seed that
 * is not the one that was sealed, an Encrypt under another key_id than the Status before
 * and after it named, annotations, a Status that is OK and not "ok".
 *
 * Threads only count; the case judges what they counted. */
#ifndef KEYWARD_TESTS_LOAD_H
#define KEYWARD_TESTS_LOAD_H

#include "check.h"

#include <keyward/client.h>

enum { LOAD_THREADS_MAX = 32, LOAD_STATUSES = 17 };

/* gRPC's numbers of the outcomes that scenarios speak of. */
enum {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
};
#define LOAD_MAY(status) (1u << (status))

struct load_counts {
    uint64_t rounds;                   /* in which every call succeeded    */
    uint64_t by_status[LOAD_STATUSES]; /* calls, by the gRPC status they got */
    uint64_t encrypts, decrypts;       /* of those with status OK          */
    uint64_t unsent;                   /* calls that no server ever saw: the client's
                                          library had begun them on a connection that it
                                          was told to leave; not in by_status */
    uint64_t wrong;                    /* the same                         */
    char first_wrong[256];
    char last_failure[LOAD_STATUSES][192]; /* method and message */
};

struct load;
struct load *load_start(const char *socket, unsigned threads);
/* Waits for so many more good rounds. */
void load_await(struct load *load, uint64_t rounds);
/* Lets every thread end its call, joins them, frees the load. */
void load_stop(struct load *load, struct load_counts *ret_counts);

/* Fails the case unless nothing was wrong, some rounds were good, and every call that
 * failed did so with one of `allowed` (LOAD_MAY(…) | …). */
void load_judge(const struct load_counts *counts, unsigned allowed);
uint64_t load_failed(const struct load_counts *counts);

#endif
