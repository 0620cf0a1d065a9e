/* SPDX-License-Identifier: Apache-2.0 */
/* evidence_token - what one token says of itself and of the keyring's keys, by one login
 *
 * Nothing is judged here that hsm/keyring and hsm/token do not judge for everybody else.
 * What could not be asked is told as that, never as good.
 *
 * Threads:   before the first thread: the login is a child's (login.h).
 * Blocking:  as long as the vendor library does.
 * Secrets:   none come out of the child.
 */
#ifndef KEYWARD_CLI_EVIDENCE_TOKEN_H
#define KEYWARD_CLI_EVIDENCE_TOKEN_H

#include <keyward/checkpoint.h>

#include "context.h"

/* How far a version was asked for: nothing of one that is not understood, no use of a key
 * that nobody may use. */
enum kw_evidence_asked { KW_ASKED_NOTHING, KW_ASKED_PRESENCE, KW_ASKED_PROOF };
enum kw_evidence_asked kw_evidence_asked_of(enum kw_key_state state);

struct kw_evidence_version {
    enum kw_evidence_asked asked;
    kw_err err; /* of the proof, or of the search */
    struct kw_note note;
    unsigned findings;    /* enum kw_finding */
    enum kw_answer found; /* NONE: not known */
    enum kw_answer opens; /* its check blob; NONE: not asked, or not known */
    bool has_attributes;  /* of the one object, or of the one that was proven */
    struct kw_key_attributes attributes;
    struct kw_key_property properties[KW_KEY_PROPERTIES];
};

struct kw_evidence_token {
    kw_err err; /* of the login */
    struct kw_note note;
    bool is_asked; /* what follows was filled in */
    struct kw_token_facts facts;
    kw_err self_test;
    struct kw_note self_test_note;
    struct kw_evidence_version versions[KW_VERSIONS_MAX]; /* as in the keyring */
    kw_err audit_key; /* OK: found, and good; its SHA-256 may be another's */
    struct kw_note audit_key_note;
    bool is_pinned; /* it is the one that the configuration means */
    uint8_t audit_spki[KW_SPKI];
    const struct kw_context *context; /* for the child */
};

/* Asks it, once.  *ret is shared memory (kw_shared_new), zeroed before. */
void kw_evidence_token_ask(const struct kw_context *context,
                           const struct kw_config_token *token,
                           struct kw_evidence_token *ret);

/* Was everything looked at?  false: *ret_why says the first thing that was not. */
bool kw_evidence_token_is_whole(const struct kw_context *context,
                                const struct kw_evidence_token *t,
                                struct kw_note *ret_why);

/* Pure: the file's name, one for each token of a configuration ("token-NAME.json"), and its
 * document (docs/FORMATS.md); NULL is out of memory. */
#define KW_EVIDENCE_TOKEN_NAME 64u
void kw_evidence_token_name(const struct kw_config *config, size_t index,
                            char dst[KW_EVIDENCE_TOKEN_NAME]);
json_t *kw_evidence_token_json(const struct kw_context *context,
                               const struct kw_config_token *token,
                               const struct kw_evidence_token *t);
/* "file", "credential": what kind of place the PIN has, and nothing else of it. */
void kw_evidence_pin_kind(const struct kw_config_token *token, char dst[16]);

#endif
