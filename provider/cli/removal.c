/* SPDX-License-Identifier: Apache-2.0 */
/* The words and commands for one object in one token. */
#include "removal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "login.h"
#include "softhsm.h"

/* Another version that needs this token: then only the one object may go. */
static const struct kw_version *neighbour(const struct kw_removal *r)
{
    for (size_t i = 0; i < r->ring->count; i++) {
        const struct kw_version *v = &r->ring->versions[i];
        if (v->state == KW_KEY_UNKNOWN)
            return v; /* wherever it lies */
        if (v->n == r->v->n || v->state == KW_KEY_DESTROYED)
            continue;
        for (size_t k = 0; k < kw_version_kek(v)->token_count; k++)
            if (strcmp(kw_version_kek(v)->tokens[k].serial, r->row->serial) == 0)
                return v;
    }
    return NULL;
}

/* "setpriv … " when root must act as the owner of a soft token's files. */
static void as_owner(const struct kw_removal *r, char *dst, size_t cap)
{
    struct kw_owner owner = {0};
    struct kw_note ignored;
    dst[0] = '\0';
    if (geteuid() != 0 || kw_failed(kw_owner_of(r->config, &owner, &ignored)) ||
        owner.uid == 0)
        return;
    snprintf(dst, cap, "setpriv --reuid %u --regid %u --clear-groups ",
             (unsigned)owner.uid, (unsigned)owner.gid);
}

static bool removal_is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr(" ._-", c) != NULL);
}

/* A name that a token or a file gave, for a line that somebody gives to a shell. */
static const char *removal_plain(const char *name)
{
    return kw_span_all(kw_span_str(name), removal_is_plain) ? name : "LABEL";
}

static void locator_hex(const struct kw_removal *r, char dst[2 * KW_LOCATOR_MAX + 1])
{
    kw_hex(dst, 2 * KW_LOCATOR_MAX + 1,
           kw_object_locator(kw_version_kek(r->v), r->row->serial));
}

/* Two objects may have one label, and a command takes the first: the only one that can be
 * named so is one with a CKA_ID. */
static void in_words(const struct kw_removal *r, struct kw_commands *next)
{
    kw_commands_add(next,
                    "# the keyring does not know its CKA_ID, so no command is safe: with "
                    "the vendor's tools, delete the secret key with CKA_LABEL %s when it "
                    "is the only one of that label, or when you know which one it is",
                    kw_version_kek(r->v)->label);
}

/* By PKCS#11; a soft token's files are opened for it and sealed again.  Two tokens may
 * have one label, hence the slot. */
static void by_pkcs11(const struct kw_removal *r, const char *tokendir,
                      struct kw_commands *next)
{
    char who[96] = "", id[2 * KW_LOCATOR_MAX + 1];
    const char *conf = tokendir[0] != '\0' ? kw_softhsm_conf(r->found->token) : NULL;
    locator_hex(r, id);
    if (id[0] == '\0') {
        in_words(r, next);
        return;
    }
    if (conf != NULL) {
        as_owner(r, who, sizeof who);
        kw_commands_command(next,
                            (const char *const[]){"chmod", "-R", "u+w", tokendir, NULL});
    }
    kw_commands_add(next,
                    "%s%s%s%spkcs11-tool --module %s --slot %" PRIu64 " --login "
                    "--delete-object --type secrkey --label '%s' --id %s",
                    who, conf != NULL ? "env SOFTHSM2_CONF=" : "",
                    conf != NULL ? conf : "", conf != NULL ? " " : "",
                    r->found->token->module, r->found->slot,
                    removal_plain(kw_version_kek(r->v)->label), id);
    if (conf != NULL)
        kw_commands_command(next,
                            (const char *const[]){"chmod", "-R", "u-w", tokendir, NULL});
}

/* A soft token has no administrator who could take out one object: its files do not tell
 * which key they hold, and the wrong one may be in use. */
static void whole_softhsm(const struct kw_removal *r, const char *tokendir,
                          struct kw_commands *next)
{
    char who[96];
    const char *conf = kw_softhsm_conf(r->found->token);
    as_owner(r, who, sizeof who);
    kw_commands_add(
        next, "# of a SoftHSM only the whole token can go; when it has no other key, "
              "also none that this keyring does not know:");
    kw_commands_command(next,
                        (const char *const[]){"chmod", "-R", "u+w", tokendir, NULL});
    kw_commands_add(next,
                    "%senv SOFTHSM2_CONF=%s softhsm2-util --delete-token --serial '%s'",
                    who, conf, removal_plain(r->row->serial));
}

/* What PKCS#11 never deletes. */
static void by_administration(const struct kw_removal *r, const char *tokendir,
                              struct kw_commands *next)
{
    char id[2 * KW_LOCATOR_MAX + 1];
    const struct kw_version *other = neighbour(r);
    locator_hex(r, id);
    if (tokendir[0] == '\0')
        kw_commands_add(
            next,
            "# with the vendor's tools, as the HSM's administrator: remove the "
            "object with CKA_LABEL %s, CKA_ID %s",
            kw_version_kek(r->v)->label,
            id[0] != '\0' ? id : "not known to the keyring: is it the only one?");
    if (other != NULL)
        kw_commands_add(
            next,
            "# never the whole token, and nothing else of it: version %u (%s, %s) "
            "lies in it too%s",
            other->n, other->key_id, kw_key_state_name(other->state),
            tokendir[0] != '\0' ? "; in a SoftHSM the object stays until then" : "");
    else if (tokendir[0] != '\0')
        whole_softhsm(r, tokendir, next);
}

void kw_removal_commands(const struct kw_removal *r, struct kw_commands *next)
{
    char tokendir[KW_PATH_MAX] = "";
    struct kw_note ignored;
    const char *conf = kw_softhsm_conf(r->found->token);
    if (conf != NULL && kw_failed(kw_softhsm_tokendir(conf, tokendir, &ignored)))
        tokendir[0] = '\0';
    if (r->found->destroyable != KW_ANSWER_FALSE) {
        kw_commands_add(
            next,
            "# token %s, serial %s, still has the object, and CKA_DESTROYABLE "
            "is %s: PKCS#11 deletes it",
            r->row->label, r->row->serial,
            r->found->destroyable == KW_ANSWER_TRUE ? "true" : "not answered");
        by_pkcs11(r, tokendir, next);
        return;
    }
    kw_commands_add(
        next,
        "# token %s, serial %s, still has the object, and CKA_DESTROYABLE is "
        "false: PKCS#11 never deletes it (CKR_ACTION_PROHIBITED), only the HSM's "
        "own administration can",
        r->row->label, r->row->serial);
    by_administration(r, tokendir, next);
}
