/* SPDX-License-Identifier: Apache-2.0 */
/* test_softhsm - a private SoftHSM token in a folder of its own, for one test
 *
 *   struct kw_softhsm hsm;
 *   kw_softhsm_make(&hsm);
 *   struct kw_token *token = kw_softhsm_open(&hsm, KW_SOFTHSM_READ_WRITE);
 *   struct kw_token_key *key = kw_softhsm_key(token, "kw1-1-0123…", locator);
 *   …
 *   kw_token_close(token);
 *   kw_softhsm_remove(&hsm);
 *
 * Everything lies in hsm.dir (mkdtemp under $TMPDIR or /tmp): tokens/, softhsm2.conf,
 * pin, each for this uid only.  make also sets SOFTHSM2_CONF for this process and what it
 * starts.  A failure in here fails the test.
 *
 * Link: kw_test_softhsm (brings kw_token and kw_token_create).
 */
#ifndef KEYWARD_TESTS_SOFTHSM_H
#define KEYWARD_TESTS_SOFTHSM_H

#include <keyward/token.h>

#define KW_SOFTHSM_LABEL "keyward-test"
#define KW_SOFTHSM_PIN_LEN 24

struct kw_softhsm {
    char dir[96];
    char tokens[128]; /* dir/tokens */
    char conf[128];   /* dir/softhsm2.conf: the value of SOFTHSM2_CONF   */
    char pin_path[128];
    char pin_source[160];             /* "file:" and pin_path, for kw_token_options    */
    char pin[KW_SOFTHSM_PIN_LEN + 1]; /* at random */
    char uri[64];                     /* pkcs11:token=keyward-test         */
    const char *module; /* of SoftHSM; tests may put the fault module's path here */
    char fault[128];    /* dir/fault.so, once it is between (fault_module.h)   */
};

/* A fresh token.  The first call of a process initialises one, later calls copy it: they
 * have the same PIN and serial, and no keys. */
void kw_softhsm_make(struct kw_softhsm *ret_hsm);
/* Removes the folder. */
void kw_softhsm_remove(struct kw_softhsm *hsm);
/* A second token in the same folder, made with softhsm2-util, same PIN. */
void kw_softhsm_add_token(const struct kw_softhsm *hsm, const char *label);
/* Points SOFTHSM2_CONF of this process at it again. */
void kw_softhsm_use(const struct kw_softhsm *hsm);
/* Writes another PIN file (mode 0600) over the right one. */
void kw_softhsm_write_pin(const struct kw_softhsm *hsm, const char *pin);

enum kw_softhsm_mode { KW_SOFTHSM_READ_ONLY, KW_SOFTHSM_READ_WRITE };
/* Options that borrow from hsm. */
struct kw_token_options kw_softhsm_options(const struct kw_softhsm *hsm,
                                           enum kw_softhsm_mode mode);
/* Opened and logged in; wants the arena open.  One at a time in a process. */
struct kw_token *kw_softhsm_open(const struct kw_softhsm *hsm, enum kw_softhsm_mode mode);

/* A KEK as the ceremony makes it (destroyable, so that tests can destroy it). */
struct kw_token_key *kw_softhsm_key(struct kw_token *token, const char *key_id,
                                    kw_span locator);

/* A whole ceremony: a KEK for version n (key_id and locator at random, CKA_DESTROYABLE)
 * and its record with check blob and attributes as read back.  Wants READ_WRITE. */
void kw_softhsm_version(struct kw_token *token, const char *domain, uint32_t n,
                        enum kw_key_state state, struct kw_version *ret_version);
/* Seals a fresh check blob of this version under the key. */
void kw_softhsm_check_blob(struct kw_token *token, struct kw_token_key *key,
                           const char *domain, struct kw_version *v);
/* Writes a new keyring file (serial 1) of these versions, ascending n; the one in state
 * active is the baseline. */
void kw_softhsm_keyring(const char *path, const char *domain,
                        const struct kw_version *versions, size_t count);

/* Path of the fault module (tests/fault), which forwards to SoftHSM. */
extern const char kw_softhsm_fault[];

#endif
