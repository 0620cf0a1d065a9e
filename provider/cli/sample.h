/* SPDX-License-Identifier: Apache-2.0 */
/* sample - one ciphertext of a class, kept so that its key can be proven one day
 *
 * `keyward probe SOCKET --sample FILE` writes it while all is well; when the keyring is
 * lost, `keyward key create --adopt KEY_ID --sample FILE` lets the token's object open
 * it.  docs/FORMATS.md has its members.
 *
 * Threads:   any.
 * Blocking:  load and save, on the disk.
 * Secrets:   none: a ciphertext whose seed was random and sealed for nobody.
 */
#ifndef KEYWARD_CLI_SAMPLE_H
#define KEYWARD_CLI_SAMPLE_H

#include <keyward/envelope.h>
#include <keyward/file.h>

#define KW_SAMPLE_FILE_MAX 4096u

struct kw_sample {
    char domain[KW_DOMAIN_MAX + 1];
    char key_id[KW_KEY_ID_MAX + 1];
    char class_name[KW_SCOPE_MAX + 1]; /* whose socket it came from */
    char scope[KW_SCOPE_MAX + 1];      /* as it stands in the ciphertext */
    uint8_t ciphertext[KW_CIPHERTEXT_MAX];
    size_t ciphertext_len;
};

/* Reads a file's bytes.  Strict: unknown, duplicate or missing members, a domain, key_id,
 * class or scope that is none, a ciphertext that is no envelope of a seed under this
 * scope: BAD_INPUT with a note.  NO_MEMORY.  *ret_sample is untouched on failure. */
KW_MUST_USE kw_err kw_sample_parse(kw_span text, struct kw_sample *ret_sample,
                                   struct kw_note *note);
/* BAD_INPUT for what parse would refuse; NO_MEMORY. */
KW_MUST_USE kw_err kw_sample_text(const struct kw_sample *sample,
                                  struct kw_blob *ret_text, struct kw_note *note);

/* parse, plus MISSING and IO; the note names the path. */
KW_MUST_USE kw_err kw_sample_load(const char *path, struct kw_sample *ret_sample,
                                  struct kw_note *note);
/* A new file of mode 0600, synced.  Nothing is left of it after a failure.
 * DENIED  there is something of this name already: it stays as it is
 * IO, BAD_INPUT, NO_MEMORY */
KW_MUST_USE kw_err kw_sample_save(const char *path, const struct kw_sample *sample,
                                  struct kw_note *note);

/* The envelope and its AAD; both borrow from the caller's.  The sample was parsed. */
void kw_sample_envelope(const struct kw_sample *sample, struct kw_envelope *ret_env,
                        uint8_t ret_aad[KW_AAD_MAX], size_t *ret_aad_len);

#endif
