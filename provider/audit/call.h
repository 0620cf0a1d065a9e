/* SPDX-License-Identifier: Apache-2.0 */
/* call - the record of a request that kms is through with */
#ifndef KEYWARD_AUDIT_CALL_H
#define KEYWARD_AUDIT_CALL_H

#include <keyward/audit_writer.h>
#include <keyward/kms.h>

/* Texts that a record borrows, and their end. */
struct kw_audit_texts {
    char request[KW_AUDIT_NAME], key_id[KW_AUDIT_NAME], token[KW_AUDIT_SERIAL];
    char ciphertext[2 * 8 + 1];
};

/* "encrypt" or "decrypt". */
const char *kw_audit_method(enum kw_method method);

/* Four values: uid, gid, pid and start. */
void kw_audit_peer(struct kw_audit_value dst[4], const struct kw_peer *peer);

/* Class names come from the writer's options, as the code and the serial number do. */
KW_MUST_USE kw_err kw_audit_call(const struct kw_audit_writer_options *o,
                                 const struct kw_request *request,
                                 struct kw_audit_texts *texts,
                                 struct kw_audit_record *ret_record);

#endif
