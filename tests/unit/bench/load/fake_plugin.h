/* SPDX-License-Identifier: Apache-2.0 */
/* fake_plugin - a KMS v2 plugin of the test's own, good or bad as its script says
 *
 * It serves a socket in a folder of its own from one thread.  Encrypt answers its input,
 * longer by a tail; Decrypt takes the tail off again.
 */
#ifndef KEYWARD_TESTS_FAKE_PLUGIN_H
#define KEYWARD_TESTS_FAKE_PLUGIN_H

#include <pthread.h>

#include <keyward/bytes.h>

#include "message.h"

enum { FAKE_CONNECTIONS = 8 };

enum fake_script {
    FAKE_GOOD,
    FAKE_CLOSES,          /* at once, without a word              */
    FAKE_HTTP1,           /* answers as a web server of old does  */
    FAKE_ILL,             /* its Status is not ok                 */
    FAKE_CODE,            /* this gRPC status                     */
    FAKE_NO_STATUS,       /* trailers without one                 */
    FAKE_WRONG,           /* another seed in Decrypt              */
    FAKE_DIES,            /* all connections are closed           */
    FAKE_DIES_EACH_THIRD, /* the same, at each third call          */
    FAKE_INTERRUPTS,      /* SIGINT to its client, and an answer  */
    FAKE_SILENT,          /* no answer                            */
    FAKE_SLOW,            /* reads a few bytes at a time          */
    FAKE_ODD_ENCRYPT,     /* Encrypt names another key            */
};

struct fake_plugin {
    enum fake_script script;
    /* When it does so: from call number `from` on (1 is the first), `times` times or, 0,
     * always; only calls of this method count, KW_METHODS: all. */
    unsigned from, times;
    enum kw_bench_method counts;
    unsigned code;
    bool is_keyward;         /* its key_id looks like one of keyward's     */
    bool interrupt_at_reset; /* SIGINT to its client at a RST_STREAM, too  */
    /* what it saw */
    _Atomic unsigned calls, seen[KW_METHODS];
    /* its own */
    char folder[40], path[64];
    int listener, stop[2];
    pthread_t thread;
    struct fake_connection *connection[FAKE_CONNECTIONS];
};

/* The behaviour is set; it listens when this returns. */
void fake_start(struct fake_plugin *f);
void fake_stop(struct fake_plugin *f);

#endif
