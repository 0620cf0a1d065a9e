/* SPDX-License-Identifier: Apache-2.0 */
/* probe_connect - why a socket gives no answers: looks at it without gRPC
 *
 * Threads:   one.
 * Blocking:  until the server spoke, at most `timeout_ns`.
 */
#ifndef KEYWARD_CLI_PROBE_CONNECT_H
#define KEYWARD_CLI_PROBE_CONNECT_H

#include <keyward/err.h>

/* Connects, says HTTP/2's client preface, and waits for a first byte.  The note names the
 * socket and the next step.
 * MISSING    there is no such file
 * BAD_INPUT  the file is no stream socket, or the path is empty or too long for one
 * IO         native = errno of connect(2): nobody listens (ECONNREFUSED), no right
 *            (EACCES), nobody accepts and the queue is full (EAGAIN) …
 * DENIED     the server closes the connection before it says anything
 * DEADLINE   it says nothing
 * OK         it speaks.
 * Source: unix(7), connect(2); RFC 9113 3.4: both sides send SETTINGS first. */
KW_MUST_USE kw_err kw_probe_connect(const char *path, int64_t timeout_ns,
                                    struct kw_note *note);

#endif
