/* SPDX-License-Identifier: Apache-2.0 */
/* pin_file - pin-latch.json: what is remembered of each token's PIN */
#ifndef KEYWARD_KEYRING_PIN_FILE_H
#define KEYWARD_KEYRING_PIN_FILE_H

#include <keyward/pin_latch.h>

#define KW_PIN_FILE "pin-latch.json"

struct kw_pin_records {
    size_t count;
    struct kw_pin_record list[KW_PIN_RECORDS_MAX];
};
/* A file that is not there is none. */
KW_MUST_USE kw_err kw_pin_records_read(const struct kw_state_dir *dir,
                                       struct kw_pin_records *ret, struct kw_note *note);
/* Its text alone; *ret is empty when it is none.  BAD_INPUT with a note, NO_MEMORY. */
KW_MUST_USE kw_err kw_pin_records_parse(kw_span json, struct kw_pin_records *ret,
                                        struct kw_note *note);
KW_MUST_USE kw_err kw_pin_records_text(const struct kw_pin_records *records,
                                       struct kw_blob *ret_json);
KW_MUST_USE kw_err kw_pin_records_write(const struct kw_state_dir *dir,
                                        const struct kw_pin_records *records,
                                        struct kw_note *note);
/* By serial; a token that has none, by its label.  NULL: nothing is remembered. */
struct kw_pin_record *kw_pin_records_find(struct kw_pin_records *records,
                                          const char *serial, const char *label);
/* Puts it in the place of the token's old one.  false: full of tokens that are stopped,
 * in use, or had a PIN refused; of the others the one whose last login is longest ago
 * makes room. */
bool kw_pin_records_put(struct kw_pin_records *records,
                        const struct kw_pin_record *record);

#endif
