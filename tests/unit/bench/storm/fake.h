/* SPDX-License-Identifier: Apache-2.0 */
/* fake - a KMS v2 plugin in a thread, that misbehaves as told
 *
 * Encrypt and Decrypt answer their input.  It looks at messages only, never at headers.
 */
#ifndef KEYWARD_TESTS_STORM_FAKE_H
#define KEYWARD_TESTS_STORM_FAKE_H

#include <pthread.h>
#include <stdbool.h>

enum { FAKE_CONNECTIONS = 8 };

struct fake {
    /* how it behaves; numbers count from 1, 0 is never */
    bool http1;              /* says something else than HTTP/2            */
    unsigned code;           /* of gRPC, for every call                    */
    unsigned wrong_at;       /* this Decrypt gives another plaintext       */
    unsigned fail_at;        /* this Decrypt fails with INTERNAL           */
    unsigned die_at;         /* at this Decrypt every connection is closed */
    unsigned mute_from;      /* from this Decrypt on none is answered      */
    unsigned odd_encrypt_at; /* this Encrypt names another key          */
    unsigned interrupt_at;   /* at this Decrypt it sends SIGINT to us   */
    bool interrupt_at_reset; /* at the first RST_STREAM it does, too    */
    /* what it saw */
    _Atomic unsigned status, encrypt, decrypt;
    /* its own */
    char folder[40], path[64];
    int listener, stop[2];
    bool dead;
    pthread_t thread;
    struct fake_side {
        int fd;
        bool greeted;
        size_t len;
        unsigned char in[65536];
    } side[FAKE_CONNECTIONS];
};

/* Call with the behaviour set; fake_end ends the thread and removes the socket. */
void fake_begin(struct fake *f);
void fake_end(struct fake *f);

#endif
