/* SPDX-License-Identifier: Apache-2.0 */
/* foreign - bytes that came from etcd, as text that harms no terminal, table or document
 *
 * Printable ASCII stays; a backslash is doubled, every other byte becomes \xNN: two
 * different ones never look alike.  Redacted, it is "h:" and 16 digits: the first 8 bytes
 * of HMAC-SHA-256 under the key, over what kind of text it is and the text, so that
 * reports that were made with one key can be joined.
 */
#ifndef KEYWARD_CLI_FOREIGN_H
#define KEYWARD_CLI_FOREIGN_H

#include <stdio.h>

#include <keyward/secret.h>

enum kw_foreign {
    KW_FOREIGN_NAME,
    KW_FOREIGN_NAMESPACE,
    KW_FOREIGN_GROUP,
    KW_FOREIGN_RESOURCE,
    KW_FOREIGN_KEY_NAME, /* of a provider, or of a key of one */
    KW_FOREIGN_PATH,
    KW_FOREIGN_KEY_ID, /* never redacted: it is public (KEP-3299), and what reports are
                          compared by */
};

struct kw_redaction {
    bool on;
    struct kw_secret key;
};

#define KW_REDACT_KEY_MIN 32u
#define KW_REDACT_KEY_MAX 256u

/* A fresh key; or the one in a file, KW_REDACT_KEY_MIN to _MAX bytes: as
 * kw_file_read_secret, and BAD_INPUT for a short one.  Wants an open arena.  NO_MEMORY */
KW_MUST_USE kw_err kw_redaction_begin(struct kw_redaction *redaction, const char *path,
                                      struct kw_note *note);
void kw_redaction_end(struct kw_redaction *redaction);

/* A text of more than this many bytes is cut, and says how long it is. */
#define KW_FOREIGN_BYTES 512u
#define KW_FOREIGN_MAX (4u * KW_FOREIGN_BYTES + 32u)
/* With a NUL.  redaction may be NULL. */
void kw_foreign_text(const struct kw_redaction *redaction, enum kw_foreign what,
                     kw_span bytes, char ret_text[KW_FOREIGN_MAX]);

/* Text of printable ASCII in double quotes, as JSON has it. */
void kw_foreign_json(FILE *out, const char *text);

#endif
