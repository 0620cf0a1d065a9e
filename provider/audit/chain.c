/* SPDX-License-Identifier: Apache-2.0 */
/* Does this record follow the one before? */
#include <keyward/audit.h>

#include <inttypes.h>

void kw_audit_chain_from(struct kw_audit_chain *c, uint64_t seq,
                         const uint8_t previous[KW_SHA256])
{
    *c = (struct kw_audit_chain){
        .has_begun = true, .knows_its_beginning = true, .next_seq = seq};
    kw_copy(c->head, sizeof c->head, kw_span_of(previous, KW_SHA256));
}

static bool chain_same(const uint8_t a[KW_SHA256], const uint8_t b[KW_SHA256])
{
    return kw_span_equal(kw_span_of(a, KW_SHA256), kw_span_of(b, KW_SHA256));
}

static bool chain_bytes(const struct kw_audit_record *r, size_t value,
                        uint8_t dst[KW_SHA256])
{
    return kw_unhex(dst, KW_SHA256, r->value[value].text);
}

/* The first record says which log it is, and, in the middle, what it continues. */
static void chain_begin(struct kw_audit_chain *c, const struct kw_audit_record *r)
{
    const bool is_genesis = r->kind == KW_AUDIT_GENESIS;
    *c = (struct kw_audit_chain){.has_begun = true,
                                 .knows_its_beginning = is_genesis,
                                 .next_seq = is_genesis ? 0 : r->seq};
    KW_MUST(
        chain_bytes(r, is_genesis ? KW_AUDIT_GENESIS_LOG : KW_AUDIT_FILE_LOG, c->log));
    KW_MUST(chain_bytes(r, is_genesis ? KW_AUDIT_GENESIS_LOG : KW_AUDIT_FILE_PREVIOUS,
                        c->head));
}

static bool chain_is_known(const struct kw_audit_chain *c)
{
    static const uint8_t none[KW_SHA256];
    return !chain_same(c->log, none);
}

/* NULL, or what a FILE says that is not so. */
static const char *chain_file_fault(struct kw_audit_chain *c,
                                    const struct kw_audit_record *r)
{
    uint8_t log[KW_SHA256], previous[KW_SHA256];
    KW_MUST(chain_bytes(r, KW_AUDIT_FILE_LOG, log));
    KW_MUST(chain_bytes(r, KW_AUDIT_FILE_PREVIOUS, previous));
    if (r->value[KW_AUDIT_FILE_FORMAT].number != 1)
        return "its format is not 1";
    if (chain_is_known(c) && !chain_same(log, c->log))
        return "it is of another log";
    if (!chain_same(previous, c->head))
        return "it continues another record than the one before";
    kw_copy(c->log, sizeof c->log, kw_span_of(log, sizeof log));
    return NULL;
}

/* Of what lies before it, and of this log; a chain that does not know its log does then. */
static const char *chain_checkpoint_fault(struct kw_audit_chain *c,
                                          const struct kw_audit_record *r)
{
    uint8_t log[KW_SHA256], head[KW_SHA256];
    KW_MUST(chain_bytes(r, KW_AUDIT_CHECKPOINT_LOG, log));
    KW_MUST(chain_bytes(r, KW_AUDIT_CHECKPOINT_HEAD, head));
    if (chain_is_known(c) && !chain_same(log, c->log))
        return "it is a checkpoint of another log";
    if (r->value[KW_AUDIT_CHECKPOINT_COVERED].number + 1 != r->seq ||
        !chain_same(head, c->head))
        return "it is a checkpoint of something else than the record before";
    kw_copy(c->log, sizeof c->log, kw_span_of(log, sizeof log));
    return NULL;
}

static const char *chain_fault(struct kw_audit_chain *c, const struct kw_audit_record *r)
{
    if (!c->has_begun && r->kind != KW_AUDIT_GENESIS && r->kind != KW_AUDIT_FILE)
        return "a log begins with genesis, and a later file of it with file";
    if (!c->has_begun)
        chain_begin(c, r);
    else if (r->kind == KW_AUDIT_GENESIS)
        return "a log begins only once";
    if (r->seq != c->next_seq)
        return "it is not the next one";
    if (r->kind == KW_AUDIT_GENESIS && r->value[KW_AUDIT_GENESIS_FORMAT].number != 1)
        return "its format is not 1";
    if (r->kind == KW_AUDIT_CHECKPOINT)
        return chain_checkpoint_fault(c, r);
    return r->kind == KW_AUDIT_FILE ? chain_file_fault(c, r) : NULL;
}

static kw_err chain_refuse(const struct kw_audit_chain *c,
                           const struct kw_audit_record *r, const char *why,
                           struct kw_note *note)
{
    if (c->has_begun)
        kw_note_set(note, "record %" PRIu64 " where %" PRIu64 " was to come: %s", r->seq,
                    c->next_seq, why);
    else
        kw_note_set(note, "record %" PRIu64 ": %s", r->seq, why);
    return kw_err_at(KW_CODE_FORGED, "audit chain");
}

kw_err kw_audit_chain_take(struct kw_audit_chain *c, kw_span line,
                           struct kw_audit_record *ret_record, struct kw_note *note)
{
    uint8_t said[KW_SHA256], is[KW_SHA256];
    struct kw_audit_chain next = *c;
    kw_err e = kw_audit_read(line, ret_record, said, note);
    if (kw_failed(e))
        return e;
    const char *why = chain_fault(&next, ret_record);
    if (why != NULL)
        return chain_refuse(c, ret_record, why, note);
    e = kw_audit_hash(line, next.head, is);
    if (kw_failed(e))
        return e;
    if (!chain_same(said, is))
        return chain_refuse(c, ret_record,
                            "its hash is not that of this line and the record before",
                            note);
    next.next_seq++;
    kw_copy(next.head, sizeof next.head, kw_span_of(is, sizeof is));
    *c = next;
    return KW_OK;
}
