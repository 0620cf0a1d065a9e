/* SPDX-License-Identifier: Apache-2.0 */
/* A log beside its database: does it go on behind it, or end before? */
#include <keyward/etcd_audit.h>

#include "bolt.h"
#include "check.h"
#include "wal_files.h"
#include "wal_sample.h"

#define KMS(id, seed) "k8s:enc:kms:v2:demo:\x0a\x01x\x12\x02" id "\x1a\x02" seed

static struct bolt b;
static struct wal_files dir;
static struct kw_etcd_audit *audit;
static struct kw_etcd_findings f;
static struct kw_note note;

static const char *judge(void *self, const struct kw_etcd_key *key,
                         const struct kw_stored *stored)
{
    (void)self;
    (void)key;
    (void)stored;
    return NULL;
}

static kw_err found(void *self, const struct kw_etcd_found *what)
{
    (void)self;
    fail_msg("nothing is forbidden: %s", what->row->why);
    return KW_OK;
}

static void audit_anew(void)
{
    static const struct kw_etcd_audit_options options = {
        .prefix = {(const uint8_t *)"/registry", 9}, .judge = judge, .found = found};
    kw_etcd_audit_free(audit);
    audit = kw_etcd_audit_new(&options);
    CHECK(audit != NULL);
}

static void begin(void)
{
    bolt_begin(&b, 4096, 4);
    wal_files_make(&dir);
    audit_anew();
}

static void end(void)
{
    kw_etcd_audit_free(audit);
    audit = NULL;
    bolt_end(&b);
    wal_files_remove(&dir);
}

static void check_blind(unsigned which, uint64_t things, uint64_t marked)
{
    assert_int_equal(f.blind[which].things, things);
    assert_int_equal(f.blind[which].marked, marked);
}

/* A copied database with consistent_index 2; 0: without one. */
static const char *copied(uint8_t index)
{
    static uint8_t number[8];
    number[7] = index;
    bolt_end(&b);
    bolt_begin(&b, 4096, 4);
    bolt_metas(&b, 2);
    const struct bolt_item meta[] = {
        bolt_pair("consistent_index", kw_span_of(number, sizeof number))};
    bolt_leaf(&b, 2,
              (const struct bolt_item[]){bolt_bucket(&b, "key", 3),
                                         bolt_inline(&b, "meta", meta, index > 0)},
              2);
    const struct bolt_item one =
        bolt_put(&b, 2, "/registry/secrets/a/one", kw_span_str(KMS("k1", "s1")));
    bolt_leaf(&b, 3, &one, 1);
    return bolt_file(&b);
}

/* Beside it, a log of three puts: so many of them are blind. */
static void check_pending(const char *db, uint64_t things)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    for (uint64_t i = 1; i <= 3; i++)
        wal_sample_put(&log, 1, i, "/registry/secrets/a/one", KMS("k1", "s1"));
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    CHECK_OK(kw_etcd_audit_db(audit, db, &note));
    CHECK_OK(kw_etcd_audit_log(audit, dir.path, &note));
    kw_etcd_audit_findings(audit, &f);
    check_blind(KW_ETCD_IN_LOG, things, things);
}

TEST(log__goes_on_behind_its_database__blind)
{
    check_pending(copied(2), 1);
    CHECK(f.blind[KW_ETCD_IN_LOG].at == 3);
    CHECK_HAS(f.blind[KW_ETCD_IN_LOG].why, "a put that the database lacks");
}

TEST(log__of_a_member_that_wrote_nothing_to_its_database__all_blind)
{
    check_pending(copied(0), 3);
}

/* end: where the log ends; 0: it is not cut. */
static void check_cut(const char *db, const char *log, uint64_t end)
{
    CHECK_OK(kw_etcd_audit_db(audit, db, &note));
    CHECK_OK(kw_etcd_audit_log(audit, log, &note));
    kw_etcd_audit_findings(audit, &f);
    check_blind(KW_ETCD_IN_LOG, end > 0, 0);
    CHECK(f.has_log && f.log.is_gapless && f.blind[KW_ETCD_IN_LOG].at == end);
    if (end > 0)
        CHECK_HAS(f.blind[KW_ETCD_IN_LOG].why, "the log ends before the database does");
    audit_anew();
}

/* Entries are on the disk before the database has them. */
TEST(log__cut_at_its_end__blind_beside_any_database_and_not_alone)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    for (uint64_t i = 1; i <= 3; i++)
        wal_sample_put(&log, 1, i, "/registry/secrets/a/one", KMS("k1", "s1"));
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    check_cut(copied(3), dir.path, 0);
    check_cut(copied(4), dir.path, 3);
    check_cut(bolt_snapshot(&b), dir.path, 3);
    CHECK_OK(kw_etcd_audit_log(audit, dir.path, &note));
    kw_etcd_audit_findings(audit, &f);
    check_blind(KW_ETCD_IN_LOG, 0, 0);
}

TEST(log__of_a_member_of_etcd_3_4__whole_to_its_last_entry)
{
    static const char log[] = KW_VECTORS "/etcd/member-3.4/wal";
    check_cut(copied(11), log, 0);
    check_cut(copied(12), log, 11);
}

/* Entry 3 was written over by another leader's entry 2, and is no part of the log. */
TEST(log__written_over_by_a_later_term__ends_there)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    for (uint64_t i = 1; i <= 4; i++)
        wal_sample_put(&log, i < 4 ? 1 : 2, i < 4 ? i : 2, "/registry/secrets/a/one",
                       KMS("k1", "s1"));
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    check_cut(copied(3), dir.path, 2);
}

TEST(log__no_longer_than_its_database_or_behind_a_snapshot__nothing_blind)
{
    check_pending(copied(3), 0);
    audit_anew();
    copied(2);
    check_pending(bolt_snapshot(&b), 0);
}

KW_SUITE_AROUND("provider/etcd/audit_log", begin, end)
