/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, sealing, and the lock that says which of the two is meant. */
#include "window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "interrupt.h"
#include "softhsm.h"

enum { SEAL_TRIES = 2 }; /* a child may be killed from outside */

/* -1 and errno; EWOULDBLOCK: a ceremony has it. */
static int window_lock(const char *tokendir)
{
    int fd = open(tokendir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void unlock(int *fd)
{
    flock(*fd, LOCK_UN); /* for a descriptor that a vendor's daemon took along, too */
    close(*fd);
    *fd = -1;
}

static kw_err unseal_files(void *shared, struct kw_note *note)
{
    return kw_softhsm_seal(((struct kw_window *)shared)->tokendir, false, note);
}

static kw_err seal_files(void *shared, struct kw_note *note)
{
    return kw_softhsm_seal(((struct kw_window *)shared)->tokendir, true, note);
}

static struct kw_child tidying_child(const struct kw_window *w)
{
    return (struct kw_child){.uid = w->owner.uid, .gid = w->owner.gid, .stays = true};
}

static kw_err window_seal(struct kw_window *w, struct kw_note *note)
{
    const struct kw_child child = tidying_child(w);
    kw_err e = kw_err_at(KW_CODE_HSM_DOWN, "seal");
    for (int i = 0; i < SEAL_TRIES && e.code == KW_CODE_HSM_DOWN; i++)
        e = kw_child_run(&child, seal_files, w, note);
    return e;
}

static kw_err not_locked(const char *tokendir, struct kw_note *note)
{
    int saved = errno;
    if (saved == EWOULDBLOCK) {
        kw_note_set(note,
                    "%s: another ceremony is running on this token; wait for its end",
                    tokendir);
        return kw_err_at(KW_CODE_BUSY, "flock");
    }
    kw_note_set(note, "%s: the token directory cannot be locked: %s", tokendir,
                strerror(saved));
    return kw_err_native(KW_CODE_IO, (uint32_t)saved, "flock");
}

kw_err kw_window_open(struct kw_window *w, const char *tokendir,
                      const struct kw_owner *owner, struct kw_note *note)
{
    *w = (struct kw_window){.fd = -1, .owner = *owner};
    kw_copy_str(w->tokendir, sizeof w->tokendir, kw_span_str(tokendir));
    kw_interrupt_hold();
    w->fd = window_lock(w->tokendir);
    if (w->fd < 0) {
        kw_err e = not_locked(w->tokendir, note);
        kw_interrupt_release();
        return e;
    }
    const struct kw_child child = tidying_child(w);
    return kw_child_run(&child, unseal_files, w, note);
}

static void say_not_sealed(const struct kw_window *w, const struct kw_note *why)
{
    fprintf(stderr,
            "keyward: THE TOKEN IS NOT SEALED: %s\n"
            "  until it is, a login that is interrupted may destroy it\n"
            "  next: keyward check seals it; or, as uid %u, make the files below %s 0400 "
            "and its folders 0500\n",
            why->text, (unsigned)w->owner.uid, w->tokendir);
}

static void say_finished_first(int sig)
{
    const char *name = sigabbrev_np(sig);
    fprintf(stderr, "keyward: SIG%s came in the ceremony, which was finished first\n",
            name != NULL ? name : "?");
}

/* The rest of a ceremony that was good is to write down what it made. */
static void let_signals_through(kw_err work)
{
    int sig = kw_interrupt_seen();
    if (kw_failed(work)) {
        kw_interrupt_release();
        return;
    }
    kw_interrupt_finish();
    if (sig != 0)
        say_finished_first(sig);
}

kw_err kw_window_close(struct kw_window *w, kw_err work, struct kw_note *note)
{
    struct kw_note late = {{0}};
    if (w->fd < 0)
        return work;
    kw_err sealed = window_seal(w, &late);
    unlock(&w->fd);
    let_signals_through(work);
    if (work.code == KW_CODE_CANCELLED && !kw_failed(sealed)) {
        late = *note; /* no signal ends a child once it logs in */
        kw_note_set(note, "%.400s; nothing was made, and the token is sealed", late.text);
    }
    if (!kw_failed(sealed))
        return work;
    say_not_sealed(w, &late);
    if (kw_failed(work))
        return work;
    kw_note_set(note, "the work is done, but the token is not sealed again: %.400s",
                late.text);
    return sealed;
}

/* Open and owned by one user: what is to be done about it? */
static enum kw_seal mend(struct kw_window *w, struct kw_note *note)
{
    struct kw_softhsm_look look;
    w->fd = window_lock(w->tokendir);
    if (w->fd < 0 && errno == EWOULDBLOCK)
        return KW_SEAL_CEREMONY;
    if (w->fd < 0) {
        (void)!kw_failed(not_locked(w->tokendir, note));
        return KW_SEAL_OPEN;
    }
    /* A ceremony may have ended between the look and the lock. */
    bool sealed = !kw_failed(kw_softhsm_look(w->tokendir, &look, note)) && look.sealed;
    kw_err e = sealed ? KW_OK : window_seal(w, note);
    unlock(&w->fd);
    return sealed ? KW_SEAL_GOOD : kw_failed(e) ? KW_SEAL_OPEN : KW_SEAL_MENDED;
}

enum kw_seal kw_window_mend(const struct kw_config *config,
                            const struct kw_config_token *token, struct kw_note *note)
{
    struct kw_window w = KW_WINDOW_SHUT;
    struct kw_softhsm_look look;
    const char *conf = kw_softhsm_conf(token);
    if (conf == NULL)
        return KW_SEAL_NONE;
    kw_err e = kw_softhsm_tokendir(conf, w.tokendir, note);
    if (!kw_failed(e))
        e = kw_softhsm_look(w.tokendir, &look, note);
    if (kw_failed(e))
        return KW_SEAL_UNKNOWN;
    if (look.sealed)
        return KW_SEAL_GOOD;
    if (kw_failed(kw_owner_agrees(config, token, &w.owner, note)))
        return KW_SEAL_OPEN;
    enum kw_seal seal_now = mend(&w, note);
    if (seal_now == KW_SEAL_MENDED)
        fprintf(stderr,
                "keyward: token %s was open, and no ceremony is running: its files are "
                "sealed again (%s)\n",
                token->name, w.tokendir);
    return seal_now;
}
