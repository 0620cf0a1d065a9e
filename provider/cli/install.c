/* SPDX-License-Identifier: Apache-2.0 */
/* Looking, making, taking back. */
#include "install.h"

#include <grp.h>
#include <stdio.h>
#include <unistd.h>

#include "interrupt.h"
#include "look.h"
#include "pins.h"
#include "vendor.h"

/* ---- looking: nothing is made here ------------------------------------------------- */

static kw_err find_places(struct kw_install *p, struct kw_note *note)
{
    char real[KW_PATH_MAX];
    kw_err e = kw_place_owner(p->user, p->dir == NULL, &p->owner, note);
    if (!kw_failed(e))
        e = kw_place_base(p->dir != NULL ? p->dir : "/etc/keyward", real, note);
    if (!kw_failed(e))
        e = kw_layout_make(p->dir != NULL ? real : NULL, &p->layout, note);
    if (!kw_failed(e))
        e = kw_place_vacant(&p->layout, p->first.softhsm, note);
    return e;
}

/* A SoftHSM that somebody else made is a SoftHSM all the same. */
static void note_softhsm(struct kw_install *p, const struct kw_token_facts *facts)
{
    if (!facts->softhsm)
        return;
    p->first.production = false;
    fputs("keyward: the token is a SoftHSM, whose keys are files: the configuration says "
          "`environment: test`, as production refuses it\n",
          stderr);
}

/* The folders that are there; with --dir all lies below one. */
static void name_paths(const struct kw_install *p, const char *ret_paths[KW_LOOK_PATHS])
{
    const struct kw_layout *l = &p->layout;
    ret_paths[0] = access(l->base, F_OK) == 0 ? l->config : l->base;
    ret_paths[1] = p->dir == NULL ? l->state : NULL;
    ret_paths[2] = p->dir == NULL ? l->run : NULL;
}

kw_err kw_install_look(struct kw_install *p, struct kw_note *note)
{
    struct kw_token_facts facts = {0};
    struct kw_look what = {
        .module = p->first.module,
        .uri = p->first.softhsm ? NULL : p->uri,
        .env = p->env,
        .env_count = p->first.env_count,
    };
    kw_err e = find_places(p, note);
    if (kw_failed(e))
        return e;
    what.owner = p->owner;
    name_paths(p, what.paths);
    if (!p->first.softhsm)
        (void)kw_vendor_warn(p->env, p->first.env_count, stderr);
    if (p->pin_file != NULL)
        e = kw_pin_source_look(p->pin_file, note);
    if (!kw_failed(e))
        e = kw_look(&what, &facts, note);
    if (!kw_failed(e))
        note_softhsm(p, &facts);
    return e;
}

/* ---- making ------------------------------------------------------------------------ */

/* Who is in the group keyward-audit, where there is one, may read the audit log, and can
 * open no socket for that: the folder gives its files to it (mkdir(2), S_ISGID). */
static kw_err make_audit_folder(struct kw_install *p, struct kw_note *note)
{
    const struct group *readers = geteuid() == 0 ? getgrnam("keyward-audit") : NULL;
    struct kw_owner owner = p->owner;
    if (readers != NULL)
        owner.gid = readers->gr_gid;
    return kw_place_folder(&p->made, p->layout.audit, readers != NULL ? 02750 : 0750,
                           &owner, note);
}

static kw_err make_folders(struct kw_install *p, struct kw_note *note)
{
    const struct kw_layout *l = &p->layout;
    kw_err e = kw_place_folder(&p->made, l->base, 0755, NULL, note);
    if (!kw_failed(e))
        e = kw_place_folder(&p->made, l->state, 0700, &p->owner, note);
    if (!kw_failed(e))
        e = make_audit_folder(p, note);
    if (!kw_failed(e))
        e = kw_place_folder(&p->made, l->run, 0755, &p->owner, note);
    if (!kw_failed(e) && p->first.softhsm)
        e = kw_place_folder(&p->made, l->tokens, 0700, &p->owner, note);
    return e;
}

static void softhsm_text(const void *what, FILE *out)
{
    kw_layout_write_softhsm_conf(&((const struct kw_install *)what)->layout, out);
}

static void config_text(const void *what, FILE *out)
{
    const struct kw_install *p = what;
    kw_layout_write_config(&p->layout, &p->first, out);
}

static void encryption_text(const void *what, FILE *out)
{
    kw_layout_write_encryption(&((const struct kw_install *)what)->layout, out);
}

static kw_err install_make_token(struct kw_install *p, int pin_fd, struct kw_note *note)
{
    int so_fd = -1;
    kw_err e = kw_place_secret(&p->made, p->layout.so_pin, NULL, &so_fd, note);
    if (!kw_failed(e))
        e = kw_place_text(&p->made, p->layout.softhsm_conf, softhsm_text, p, note);
    const struct kw_softhsm_plan token = {
        &p->layout, p->first.module, p->label, pin_fd, so_fd, p->env, p->first.env_count};
    if (!kw_failed(e))
        e = kw_pin_softhsm(&token, &p->owner, note);
    if (so_fd >= 0)
        close(so_fd);
    return e;
}

static kw_err install_make_pin(struct kw_install *p, struct kw_note *note)
{
    int fd = -1;
    kw_err e = kw_place_secret(&p->made, p->layout.pin, &p->owner, &fd, note);
    if (kw_failed(e))
        return e;
    e = p->first.softhsm ? install_make_token(p, fd, note)
                         : kw_pin_copy(p->pin_file, fd, note);
    close(fd);
    return e;
}

static kw_err make_keyring(struct kw_install *p, struct kw_note *note)
{
    kw_span ring = kw_blob_peek(&p->ring);
    return ring.len == 0 ? KW_OK
                         : kw_place_bytes(&p->made, p->layout.keyring, ring, note);
}

static kw_err make_encryption(struct kw_install *p, struct kw_note *note)
{
    return kw_place_text(&p->made, p->layout.encryption, encryption_text, p, note);
}

static kw_err make_config(struct kw_install *p, struct kw_note *note)
{
    return kw_place_text(&p->made, p->layout.config, config_text, p, note);
}

/* The configuration comes last: where it is, everything is. */
static kw_err (*const steps[])(struct kw_install *, struct kw_note *) = {
    make_folders, install_make_pin, make_keyring, make_encryption, make_config};

/* All or nothing, also when Ctrl-C comes in between. */
kw_err kw_install_make(struct kw_install *p, struct kw_note *note)
{
    kw_err e = KW_OK;
    kw_interrupt_hold();
    for (size_t i = 0; !kw_failed(e) && i < sizeof steps / sizeof steps[0]; i++) {
        e = steps[i](p, note);
        if (!kw_failed(e) && kw_interrupt_seen() != 0) {
            kw_note_set(note, "interrupted");
            e = kw_err_at(KW_CODE_CANCELLED, "init");
        }
    }
    if (kw_failed(e)) {
        kw_place_undo(&p->made);
        fputs("keyward: init made nothing: what it had begun is taken back\n", stderr);
    }
    kw_interrupt_release();
    return e;
}
