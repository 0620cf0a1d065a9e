/* SPDX-License-Identifier: Apache-2.0 */
/* keyward-hsm: the other side of the process wall.
 *
 * Started by keywardd with descriptors 3 (socket), 4 (brief), 5 (page), the token's
 * variables as environment and nothing else.  Loads one module, logs in once, serves jobs
 * until the socket ends.  No option, no configuration, no listening socket. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker_internal.h"

/* Buffers of the loop, one job's input and output, hsm/token's scratch, the PIN: of one
 * session; further ones want what kw_worker_session_bytes says. */
enum { ARENA_BYTES = 128 * 1024 };

/* Who runs it by hand is told what it is. */
static bool was_started_by_a_front(void)
{
    struct stat s;
    return fstat(KW_WIRE_SOCKET_FD, &s) == 0 && S_ISSOCK(s.st_mode);
}

/* Helpers that a vendor's library starts inherit no way to the front: what goes over the
 * socket is plaintext.  The two others are closed as soon as they are mapped. */
static bool keep_descriptors(void)
{
    const int fds[] = {KW_WIRE_SOCKET_FD, KW_WIRE_BRIEF_FD, KW_WIRE_PAGE_FD};
    bool ok = true;
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        ok = fcntl(fds[i], F_SETFD, FD_CLOEXEC) == 0 && ok;
    return ok;
}

/* A terminal's or a service manager's signals are the front's to answer: it closes the
 * socket.  A worker that left by itself when SIGTERM came to all would be replaced, with a
 * login, by a front that has not read its own yet.  SIGTERM is blocked until here
 * (hsm/front/spawn.c), and stays so: a library may change what it does. */
static void ignore_signals(void)
{
    const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
}

static kw_err worker_main_furnish(struct kw_hsm_worker *w, struct kw_note *note)
{
    kw_err e = keep_descriptors()
                   ? kw_page_map(KW_WIRE_PAGE_FD, &w->page)
                   : kw_err_native(KW_CODE_IO, (uint32_t)errno, "FD_CLOEXEC");
    if (!kw_failed(e))
        e = kw_brief_map(KW_WIRE_BRIEF_FD, &w->brief);
    if (!kw_failed(e)) {
        e = kw_guard_start(w->socket);
        if (kw_failed(e))
            kw_note_failed(note, "start the guard's thread", e);
    }
    if (!kw_failed(e))
        e = kw_arena_open(ARENA_BYTES + kw_worker_session_bytes(&w->brief),
                          w->brief.mlock ? KW_ARENA_MLOCK : KW_ARENA_AUTO, note);
    close(KW_WIRE_PAGE_FD);
    close(KW_WIRE_BRIEF_FD);
    return e;
}

/* The front sees the end of the socket at once, however long the library takes to end. */
static int worker_main_leave(struct kw_hsm_worker *w, kw_err e)
{
    kw_guard_hold(); /* it would take our own end of the socket for the front's */
    shutdown(w->socket, SHUT_RDWR);
    if (w->page != NULL)
        kw_page_enter(w->page, KW_PAGE_EXIT);
    if (!w->at_end) {
        kw_worker_close_sessions(w);
        kw_token_close(w->base.token);
    }
    kw_keyring_give(w->ring);
    _exit(kw_failed(e) ? 1 : 0);
}

int main(void)
{
    static struct kw_hsm_worker worker = {.socket = KW_WIRE_SOCKET_FD,
                                          .clock = &kw_clock_system,
                                          .base = {.worker = &worker},
                                          .proofs = KW_MUTEX_INIT,
                                          .signs = {.mutex = KW_MUTEX_INIT}};
    struct kw_note note = {{0}};
    if (!was_started_by_a_front()) {
        fputs("keyward-hsm: keywardd starts it, one process a worker, and it has no "
              "options; "
              "see keywardd --help\n",
              stderr);
        return 2;
    }
    kw_err e = kw_worker_confine(&note);
    ignore_signals();
    if (!kw_failed(e))
        e = worker_main_furnish(&worker, &note);
    if (!kw_failed(e))
        e = kw_worker_start(&worker, &note);
    if (!kw_failed(e))
        kw_worker_loop(&worker);
    else
        kw_worker_send_failed(worker.socket, e, &note);
    return worker_main_leave(&worker, e);
}
