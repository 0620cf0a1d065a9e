/* SPDX-License-Identifier: Apache-2.0 */
/* plugin - a KMS v2 plugin of the test's own, good or bad as its script says
 *
 * It serves a socket in a folder of its own from one thread, one connection at a time.
 * Encrypt answers its input, longer by a tail; Decrypt takes the tail off again.
 *
 * Blocking:  stop waits for the thread, which ends when its client has gone.
 */
#ifndef KEYWARD_TESTS_BENCH_PLUGIN_H
#define KEYWARD_TESTS_BENCH_PLUGIN_H

#include <pthread.h>

#include <keyward/bytes.h>

#include "headers.h"

enum plugin_script {
    PLUGIN_GOOD,
    PLUGIN_CLOSES,           /* at once, without a word                              */
    PLUGIN_HTTP1,            /* answers as a web server of old does                  */
    PLUGIN_ILL,              /* its Status is not ok                                 */
    PLUGIN_STATUS_CODE,      /* from call number `after` on: this gRPC status        */
    PLUGIN_NO_STATUS,        /* from call number `after` on: trailers without one    */
    PLUGIN_WRONG,            /* from call number `after` on: another seed in Decrypt */
    PLUGIN_DIES,             /* at call number `after`: the connection is closed     */
    PLUGIN_DIES_EVERY_THIRD, /* the same at each third call from there on           */
    PLUGIN_INTERRUPTS,       /* at call number `after`: SIGINT to its client         */
    PLUGIN_SILENT,           /* from call number `after` on: no answer               */
    PLUGIN_SLOW,             /* reads a few bytes at a time                          */
};

struct plugin {
    enum plugin_script script;
    unsigned after;  /* calls before the script begins; they are answered well */
    int status;      /* of PLUGIN_STATUS_CODE                                  */
    bool is_keyward; /* its key_id looks like one of keyward's */
    char folder[64], path[96];
    /* once plugin_stop has come back */
    unsigned calls, seen[KW_METHODS];
    /* its own */
    unsigned bad; /* calls since the script began */
    int listener;
    pthread_t thread;
};

/* script, after and status are set; it listens when this returns. */
void plugin_start(struct plugin *p);
void plugin_stop(struct plugin *p);

#endif
