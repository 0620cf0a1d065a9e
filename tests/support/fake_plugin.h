/* SPDX-License-Identifier: Apache-2.0 */
/* fake_plugin - a KMS v2 plugin of the test's own, good or bad as its script says
 *
 * It serves a socket in a folder of its own from one thread, which reads one frame after
 * the other.  Encrypt answers its input, longer by a tail; Decrypt takes the tail off
 * again; its key_id is one of keyward's.  Of HTTP/2 it knows what keyward-bench says: a
 * method is told by the length of its text, and a request's body is one DATA frame.
 */
#ifndef KEYWARD_TESTS_FAKE_PLUGIN_H
#define KEYWARD_TESTS_FAKE_PLUGIN_H

#include <poll.h>
#include <pthread.h>

#include <keyward/bytes.h>

#include "corpus.h"

enum { FAKE_CONNECTIONS = 8 };

enum fake_script {
    FAKE_GOOD,
    FAKE_CLOSES,      /* at once, without a word              */
    FAKE_HTTP1,       /* answers as a web server of old does  */
    FAKE_ILL,         /* its Status is not ok                 */
    FAKE_CODE,        /* this gRPC status                     */
    FAKE_NO_STATUS,   /* trailers without one                 */
    FAKE_WRONG,       /* another seed in Decrypt              */
    FAKE_DIES,        /* all connections are closed           */
    FAKE_INTERRUPTS,  /* SIGINT to its client, and an answer  */
    FAKE_SILENT,      /* no answer                            */
    FAKE_ODD_ENCRYPT, /* Encrypt names another key            */
};

struct fake_plugin {
    enum fake_script script;
    /* When it does so: at call number `from` (1 is the first) of this method and at the
     * `times` - 1 behind it, 0: at all of them; of those at each `every`-th, 0: at each. */
    enum kw_bench_method at;
    unsigned from, times, every;
    unsigned code;
    bool interrupt_at_reset; /* SIGINT to its client at a RST_STREAM, too */
    /* what it saw */
    _Atomic unsigned seen[KW_METHODS];
    /* its own */
    char folder[40], path[64];
    int stop[2];
    pthread_t thread;
    struct pollfd
        polled[2 + FAKE_CONNECTIONS]; /* the end, the listener; -1: there is none */
};

/* The behaviour is set; it listens when this returns. */
void fake_start(struct fake_plugin *f);
void fake_stop(struct fake_plugin *f);

#endif
