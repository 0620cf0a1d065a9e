/* SPDX-License-Identifier: Apache-2.0 */
/* An audit of whole files: what is counted where, and what is said of the rest. */
#include <keyward/etcd_audit.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <keyward/alloc.h>

#include "bolt.h"
#include "check.h"
#include "wal_files.h"
#include "wal_sample.h"

#define VALUE(text) kw_span_str(text)
#define KMS(id, seed) "k8s:enc:kms:v2:demo:\x0a\x01x\x12\x02" id "\x1a\x02" seed

/* What was found, a line for each: "current 4 /registry/secrets/a/b". */
static char lines[8192];
static size_t lines_len, judged, last_progress;
static long fail_at; /* the n-th found is refused; -1 for none */

static struct bolt b;
static struct wal_files dir;
static struct kw_etcd_audit *audit;
static struct kw_etcd_findings f;
static struct kw_note note;

static const char *judge(void *self, const struct kw_etcd_key *key,
                         const struct kw_stored *stored)
{
    CHECK(self == &judged);
    judged++;
    return kw_span_equal_str(key->resource, "secrets") && kw_stored_is_plain(stored->kind)
               ? "it is plain"
               : NULL;
}

static kw_err found(void *self, const struct kw_etcd_found *what)
{
    CHECK(self == &judged && strcmp(what->row->why, "it is plain") == 0);
    CHECK(what->parts != NULL && kw_span_equal_str(what->parts->resource, "secrets"));
    if (fail_at >= 0 && fail_at-- == 0)
        return kw_err_native(KW_CODE_CANCELLED, 77, "found");
    lines_len +=
        (size_t)snprintf(lines + lines_len, sizeof lines - lines_len, "%s %d %.*s\n",
                         kw_etcd_where_name(what->where), (int)what->revision,
                         (int)what->key.len, (const char *)what->key.ptr);
    CHECK(lines_len < sizeof lines);
    return KW_OK;
}

static void progress(void *self, unsigned thousandths)
{
    CHECK(self == &judged && thousandths <= 1000 && thousandths >= last_progress);
    last_progress = thousandths;
}

static const struct kw_etcd_audit_options options = {
    .prefix = {(const uint8_t *)"/registry", 9},
    .self = &judged,
    .judge = judge,
    .found = found,
    .progress = progress};

static void begin(void)
{
    fail_at = -1;
    lines[0] = '\0';
    lines_len = judged = last_progress = 0;
    note = (struct kw_note){{0}};
    b = (struct bolt){.fd = -1};
    wal_files_make(&dir);
    audit = kw_etcd_audit_new(&options);
    CHECK(audit != NULL);
}

static void end(void)
{
    kw_alloc_fail_from(-1);
    kw_etcd_audit_free(audit);
    if (b.bytes != NULL)
        bolt_end(&b);
    wal_files_remove(&dir);
}

/* The root, with `key` at page 3; its leaf is the caller's. */
static void begin_file(size_t pages)
{
    if (b.bytes != NULL)
        bolt_end(&b);
    bolt_begin(&b, 4096, pages);
    bolt_metas(&b, 2);
    bolt_leaf(&b, 2, (const struct bolt_item[]){bolt_bucket(&b, "key", 3)}, 1);
}

#define LEAF_AT(page, ...)                                                               \
    bolt_leaf(&b, page, (const struct bolt_item[]){__VA_ARGS__},                         \
              (uint16_t)(sizeof((const struct bolt_item[]){__VA_ARGS__}) /               \
                         sizeof(struct bolt_item)))
#define PUT(main, key, text) bolt_put(&b, main, "/registry/" key, VALUE(text))
#define DELETE(main, key) bolt_delete(&b, main, "/registry/" key)

/* Current, historic, deleted; free pages whose entries are reachable in part. */
static const char *sample(void)
{
    begin_file(8);
    LEAF_AT(3, PUT(2, "secrets/a/one", "{1}"), PUT(3, "secrets/a/one", "{two}"),
            PUT(4, "secrets/a/gone", "{3}"), DELETE(5, "secrets/a/gone"),
            PUT(6, "secrets/a/new", KMS("k1", "s1")), PUT(7, "configmaps/a/c", "{}"),
            PUT(8, "secrets/a/cured", "{4}"), PUT(9, "secrets/a/cured", KMS("k1", "s1")));
    /* A leaf as it was before 3 and 4 came, and one that was freed by compaction. */
    LEAF_AT(4, PUT(1, "secrets/a/compacted", "{old}"), PUT(2, "secrets/a/one", "{1}"));
    LEAF_AT(5, PUT(1, "secrets/a/compacted", "{old}"), DELETE(1, "secrets/a/never"));
    return bolt_file(&b);
}

static void look(void)
{
    kw_etcd_audit_findings(audit, &f);
}

static const struct kw_etcd_row *row_of(const char *resource, enum kw_stored_kind kind)
{
    for (size_t i = 0; i < f.row_count; i++)
        if (kw_span_equal_str(f.rows[i].resource, resource) && f.rows[i].kind == kind)
            return &f.rows[i];
    fail_msg("no row %s %s", resource, kw_stored_kind_name(kind));
    abort();
}

static void check_sum(const struct kw_etcd_row *row, enum kw_etcd_where where,
                      uint64_t objects, uint64_t bytes)
{
    assert_int_equal(row->at[where].objects, objects);
    assert_int_equal(row->at[where].bytes, bytes);
}

static void check_blind(unsigned which, uint64_t things, uint64_t marked)
{
    assert_int_equal(f.blind[which].things, things);
    assert_int_equal(f.blind[which].marked, marked);
}

/* ---- failures ---- */

TEST(new__memory_is_out__none)
{
    for (long n = 0; n < 10; n++) {
        kw_alloc_fail_from(n);
        CHECK(kw_etcd_audit_new(&options) == NULL);
        kw_alloc_fail_from(-1);
    }
    kw_etcd_audit_free(NULL);
}

/* At each place of all that is read: it says so, gives all back, and goes on as it is. */
TEST(all__memory_is_out_anywhere__no_memory)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    wal_sample_put(&log, 1, 1, "/registry/secrets/a/l", "{}");
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    const char *path = sample();
    size_t refused = 0;
    for (long n = 0;; n++) {
        struct kw_etcd_audit *a = kw_etcd_audit_new(&options);
        lines_len = last_progress = 0;
        kw_alloc_fail_from(n);
        kw_err e = kw_etcd_audit_db(a, path, NULL);
        last_progress = 0;
        if (!kw_failed(e))
            e = kw_etcd_audit_copy(a, path, NULL);
        last_progress = 0;
        if (!kw_failed(e))
            e = kw_etcd_audit_log(a, dir.path, NULL);
        if (!kw_failed(e))
            e = kw_etcd_audit_other(a, path, NULL);
        kw_alloc_fail_from(-1);
        if (kw_failed(e)) {
            CHECK(e.code == KW_CODE_NO_MEMORY);
            last_progress = 0;
            CHECK_OK(kw_etcd_audit_copy(a, path, NULL));
            refused++;
        }
        kw_etcd_audit_free(a);
        if (!kw_failed(e))
            break;
    }
    CHECK(refused > 20);
}

TEST(db__none_such__missing_and_a_copy_can_still_be_read)
{
    CHECK_CODE(kw_etcd_audit_db(audit, wal_files_at(&dir, "db"), &note), KW_CODE_MISSING);
    CHECK(note.text[0] != '\0');
    CHECK_OK(kw_etcd_audit_copy(audit, sample(), &note));
    look();
    CHECK(!f.has_db && !f.has_log && f.keys == 0 && f.revision == 0);
    check_sum(row_of("secrets", KW_STORED_JSON), KW_ETCD_HISTORIC, 4, 3 + 5 + 3 + 3);
    check_sum(row_of("secrets", KW_STORED_JSON), KW_ETCD_IN_FREE_PAGES, 1, 5);
}

TEST(db__found_fails__ends_it_as_it_is)
{
    for (long n = 0; n < 6; n++) {
        struct kw_etcd_audit *a = kw_etcd_audit_new(&options);
        fail_at = n;
        last_progress = 0;
        kw_err e = kw_etcd_audit_db(a, sample(), &note);
        kw_etcd_audit_free(a);
        if (n == 5) {
            CHECK_OK(e);
            break;
        }
        CHECK(e.code == KW_CODE_CANCELLED && e.native == 77);
        CHECK_STR(e.where, "found");
    }
}

TEST(log__found_fails__ends_it_as_it_is)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    wal_sample_put(&log, 1, 1, "/registry/secrets/a/l", "{}");
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    fail_at = 0;
    CHECK_CODE(kw_etcd_audit_log(audit, dir.path, &note), KW_CODE_CANCELLED);
    look();
    CHECK(!f.has_log);
}

static size_t many_rows(char *text, size_t cap, size_t i)
{
    return (size_t)snprintf(text, cap, "k8s:enc:aescbc:v1:key%zu:", i);
}

/* Names by the thousand: whoever writes to etcd makes rows.  4,096 in a leaf. */
TEST(db__more_rows_than_the_maximum__busy_and_said)
{
    enum { LEAVES = 17, EACH = 4096, PAGES = 4 + LEAVES * 100 };
    static struct bolt_item items[EACH];
    static uint64_t children[LEAVES];
    char text[64];
    uint64_t main = 2, page = 4;
    begin_file(PAGES);
    for (size_t l = 0; l < LEAVES; l++) {
        for (size_t i = 0; i < EACH; i++, main++) {
            const size_t len = many_rows(text, sizeof text, l * EACH + i);
            items[i] = bolt_put(&b, main, "/registry/configmaps/a/b",
                                bolt_copy(&b, kw_span_of(text, len)));
        }
        children[l] = page;
        bolt_leaf(&b, page, items, EACH);
        page += 100;
    }
    bolt_branch(&b, 3, children, LEAVES);
    CHECK_CODE(kw_etcd_audit_db(audit, bolt_file(&b), &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "more kinds of values");
    CHECK_HAS(note.text, "65536");
    look();
    CHECK(f.row_count == KW_ETCD_ROWS_MAX && f.has_db);
}

TEST(db__held_by_a_live_member__busy_with_another_note)
{
    (void)sample();
    wal_files_put(&dir, "db", kw_span_of(b.bytes, b.len));
    const int fd = wal_files_open(&dir, "db");
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    CHECK_CODE(kw_etcd_audit_db(audit, wal_files_at(&dir, "db"), &note), KW_CODE_BUSY);
    CHECK_HAS(note.text, "etcdctl snapshot save");
    CHECK(close(fd) == 0);
}

/* ---- what is counted ---- */

TEST(db__each_value_once_for_each_place)
{
    CHECK_OK(kw_etcd_audit_db(audit, sample(), &note));
    CHECK_STR(note.text, "");
    CHECK_STR(lines, "historic 2 /registry/secrets/a/one\n"
                     "current 3 /registry/secrets/a/one\n"
                     "historic 4 /registry/secrets/a/gone\n"
                     "historic 8 /registry/secrets/a/cured\n"
                     "unreachable 1 /registry/secrets/a/compacted\n");
    look();
    CHECK(f.has_db && !f.has_log && f.revision == 9 && f.keys == 4);
    CHECK(f.row_count == 3 && judged == 3);
    const struct kw_etcd_row *plain = row_of("secrets", KW_STORED_JSON);
    check_sum(plain, KW_ETCD_CURRENT, 1, 5);
    check_sum(plain, KW_ETCD_HISTORIC, 3, 9);
    check_sum(plain, KW_ETCD_IN_FREE_PAGES, 1, 5);
    check_sum(plain, KW_ETCD_IN_LOG, 0, 0);
    CHECK(plain->oldest == 1 && plain->newest == 8);
    CHECK_STR(plain->why, "it is plain");
    const struct kw_etcd_row *kms = row_of("secrets", KW_STORED_KMS_V2);
    check_sum(kms, KW_ETCD_CURRENT, 2, 2 * (sizeof KMS("k1", "s1") - 1));
    CHECK(kms->why == NULL && kw_span_equal_str(kms->name, "demo") &&
          kw_span_equal_str(kms->key_id, "k1"));
    CHECK(f.seed_count == 1 && f.seeds[0].objects[KW_ETCD_CURRENT] == 2 &&
          f.seeds[0].oldest == 6 && f.seeds[0].newest == 9);
    for (unsigned i = 0; i <= KW_ETCD_PLACES; i++)
        check_blind(i, 0, 0);
    CHECK(f.db.pages == 8 && f.db.unreachable == 4);
    CHECK(last_progress == 1000);
}

TEST(copy__what_the_database_has_not__historic_once)
{
    CHECK_OK(kw_etcd_audit_db(audit, sample(), &note));
    lines_len = last_progress = 0;
    begin_file(8);
    LEAF_AT(3, PUT(2, "secrets/a/one", "{1}"), PUT(10, "secrets/a/later", "{10}"),
            DELETE(11, "secrets/a/later"));
    LEAF_AT(6, PUT(1, "secrets/a/compacted", "{old}"), PUT(12, "secrets/a/free", "{12}"));
    CHECK_OK(kw_etcd_audit_copy(audit, bolt_file(&b), &note));
    last_progress = 0;
    CHECK_OK(kw_etcd_audit_copy(audit, bolt_file(&b), &note));
    CHECK_STR(lines, "historic 10 /registry/secrets/a/later\n"
                     "unreachable 12 /registry/secrets/a/free\n");
    look();
    const struct kw_etcd_row *plain = row_of("secrets", KW_STORED_JSON);
    check_sum(plain, KW_ETCD_CURRENT, 1, 5);
    check_sum(plain, KW_ETCD_HISTORIC, 4, 13);
    check_sum(plain, KW_ETCD_IN_FREE_PAGES, 2, 9);
    CHECK(f.revision == 9 && f.keys == 4 && plain->newest == 12);
}

/* A revision holds one value; whatever has another one under its number is a thing of its
 * own. */
TEST(db__another_value_under_a_reachable_revision__counted)
{
    begin_file(6);
    LEAF_AT(3, PUT(5, "secrets/a/one", KMS("k1", "s1")));
    LEAF_AT(4, PUT(5, "secrets/a/one", "{5}"), PUT(6, "secrets/a/one", KMS("k1", "s1")));
    LEAF_AT(5, PUT(5, "secrets/a/one", KMS("k1", "s1")));
    CHECK_OK(kw_etcd_audit_db(audit, bolt_file(&b), &note));
    CHECK_STR(lines, "unreachable 5 /registry/secrets/a/one\n");
    look();
    check_sum(row_of("secrets", KW_STORED_KMS_V2), KW_ETCD_IN_FREE_PAGES, 1,
              sizeof KMS("k1", "s1") - 1);
}

/* As one is that somebody wrote into a value, which was freed since. */
TEST(db__revision_of_a_page_that_nothing_leads_to__not_the_newest_reachable)
{
    begin_file(6);
    LEAF_AT(3, PUT(5, "secrets/a/one", "{5}"));
    LEAF_AT(4, PUT(1000, "secrets/a/made-up", "{}"));
    CHECK_OK(kw_etcd_audit_db(audit, bolt_file(&b), &note));
    look();
    const struct kw_etcd_row *plain = row_of("secrets", KW_STORED_JSON);
    CHECK(plain->newest == 1000 && plain->newest_reachable == 5);
}

TEST(log__each_put_and_no_age)
{
    static struct wal_sample log;
    wal_sample_begin(&log, 0);
    wal_sample_put(&log, 1, 1, "/registry/secrets/a/l", "{}");
    wal_sample_put(&log, 1, 2, "/registry/secrets/a/l", "{}");
    wal_sample_put(&log, 1, 3, "/registry/secrets/a/k", KMS("k1", "s1"));
    wal_sample_put(&log, 1, 4, "compact_rev_key", "17");
    wal_files_put(&dir, "0000000000000000-0000000000000000.wal", kw_dst_span(&log.dst));
    CHECK_OK(kw_etcd_audit_log(audit, dir.path, &note));
    CHECK_STR(lines, "log 1 /registry/secrets/a/l\nlog 2 /registry/secrets/a/l\n");
    look();
    CHECK(f.has_log && !f.has_db && f.log.puts == 4 && f.log.is_gapless);
    const struct kw_etcd_row *plain = row_of("secrets", KW_STORED_JSON);
    check_sum(plain, KW_ETCD_IN_LOG, 2, 4);
    CHECK(plain->oldest == 0 && plain->newest == 0);
    CHECK(f.seed_count == 1 && f.seeds[0].objects[KW_ETCD_IN_LOG] == 1 &&
          f.seeds[0].oldest == 0 && f.seeds[0].newest == 0);
    check_sum(row_of("", KW_STORED_OTHER), KW_ETCD_IN_LOG, 1, 2);
    check_blind(KW_ETCD_CURRENT, 0, 0);
}

TEST(other__with_marks__blind_by_its_name)
{
    wal_files_put(&dir, "dump", kw_span_str("..k8s:enc:kms.."));
    wal_files_put(&dir, "dull", kw_span_str("nothing of the kind"));
    CHECK_OK(kw_etcd_audit_other(audit, wal_files_at(&dir, "dull"), &note));
    CHECK_OK(kw_etcd_audit_other(audit, wal_files_at(&dir, "dump"), &note));
    look();
    check_blind(KW_ETCD_PLACES, 1, 1);
    CHECK(f.blind[KW_ETCD_PLACES].bytes == 15 && f.row_count == 0);
    CHECK_STR(f.blind[KW_ETCD_PLACES].file, "dump");
    CHECK_HAS(f.blind[KW_ETCD_PLACES].why, "neither database nor log");
}

TEST(db__objects_outside_of_the_prefix__blind_and_not_judged)
{
    begin_file(4);
    LEAF_AT(3, bolt_put(&b, 2, "/elsewhere/secrets/a/b", VALUE("{}")),
            bolt_put(&b, 3, "compact_rev_key", VALUE("1")),
            bolt_put(&b, 4, "/registry/secrets", kw_span_of("k8s\0x", 5)),
            bolt_put(&b, 5, "/other/x", VALUE(KMS("k1", "s1"))));
    CHECK_OK(kw_etcd_audit_db(audit, bolt_file(&b), &note));
    look();
    CHECK(judged == 0 && lines_len == 0);
    check_blind(KW_ETCD_CURRENT, 3, 2);
    CHECK(f.blind[KW_ETCD_CURRENT].at == 2);
    CHECK_HAS(f.blind[KW_ETCD_CURRENT].why, "outside of the prefix");
    check_sum(row_of("", KW_STORED_JSON), KW_ETCD_CURRENT, 1, 2);
    check_sum(row_of("", KW_STORED_OTHER), KW_ETCD_CURRENT, 1, 1);
    CHECK(f.keys == 4 && f.seed_count == 1);
}

TEST(db__pages_that_cannot_be_read__blind_by_their_place)
{
    (void)sample();
    memset(bolt_page(&b, 5), 'x', 4096);
    memcpy(bolt_page(&b, 5) + 100, "/registry/secrets/a/b", 21);
    memset(bolt_page(&b, 6), 'y', 4096);
    CHECK_OK(kw_etcd_audit_db(audit, bolt_file(&b), &note));
    look();
    check_blind(KW_ETCD_IN_FREE_PAGES, 1, 1); /* side by side: one thing */
    CHECK(f.blind[KW_ETCD_IN_FREE_PAGES].at == 5 &&
          f.blind[KW_ETCD_IN_FREE_PAGES].bytes == 8192);
    check_blind(KW_ETCD_CURRENT, 0, 0);
    check_sum(row_of("secrets", KW_STORED_JSON), KW_ETCD_IN_FREE_PAGES, 1, 5);
}

TEST(copy__pages_that_cannot_be_read__a_copy_s)
{
    CHECK_OK(kw_etcd_audit_db(audit, sample(), &note));
    begin_file(6);
    bolt_branch(&b, 3, (const uint64_t[]){4, 5}, 2);
    LEAF_AT(4, PUT(2, "secrets/a/one", "{1}"));
    memset(bolt_page(&b, 5), 'x', 4096);
    last_progress = 0;
    CHECK_OK(kw_etcd_audit_copy(audit, bolt_file(&b), &note));
    look();
    check_blind(KW_ETCD_HISTORIC, 1, 0);
    check_blind(KW_ETCD_CURRENT, 0, 0);
}

TEST(findings__however_they_came__rows_and_seeds_in_one_order)
{
    static const char *const resources[] = {"secrets", "configmaps", "pods"};
    for (size_t way = 0; way < 2; way++) {
        struct bolt_item items[9];
        char key[64];
        struct kw_etcd_audit *a = kw_etcd_audit_new(&options);
        begin_file(4);
        for (size_t i = 0; i < 9; i++) {
            static const char *const values[] = {KMS("k2", "s1"), KMS("k1", "s2"),
                                                 KMS("k1", "s1")};
            const size_t n = way == 0 ? i : 8 - i;
            snprintf(key, sizeof key, "/registry/%s/a/%zu", resources[n % 3], n);
            items[i] = bolt_put(&b, 2 + i, key, VALUE(values[n / 3]));
        }
        bolt_leaf(&b, 3, items, 9);
        last_progress = 0;
        CHECK_OK(kw_etcd_audit_db(a, bolt_file(&b), &note));
        kw_etcd_audit_findings(a, &f);
        static const char *const in_order[] = {"configmaps k1", "configmaps k2",
                                               "pods k1",       "pods k2",
                                               "secrets k1",    "secrets k2"};
        CHECK(f.row_count == 6 && f.seed_count == 3);
        for (size_t i = 0; i < 6; i++) {
            snprintf(key, sizeof key, "%.*s %.*s", (int)f.rows[i].resource.len,
                     (const char *)f.rows[i].resource.ptr, (int)f.rows[i].key_id.len,
                     (const char *)f.rows[i].key_id.ptr);
            CHECK_STR(key, in_order[i]);
        }
        CHECK(kw_span_equal_str(f.seeds[2].key_id, "k2"));
        CHECK(memcmp(f.seeds[0].sha256, f.seeds[1].sha256, KW_SHA256) < 0);
        kw_etcd_audit_free(a);
    }
}

TEST(where__each__its_name)
{
    CHECK_STR(kw_etcd_where_name(KW_ETCD_IN_FREE_PAGES), "unreachable");
    CHECK_STR(kw_etcd_where_name(KW_ETCD_PLACES), "?");
}

/* ---- memory ---- */

static size_t memory_before, memory_most;

/* What the allocator gave out; nothing where a sanitizer has its own. */
static size_t memory_now(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void measure(void *self, unsigned thousandths)
{
    (void)self;
    (void)thousandths;
    const size_t now = memory_now();
    memory_most = now > memory_most ? now : memory_most;
}

enum { KEYS_A_LEAF = 1000, KEYS_LEAVES = 200, KEYS_LEAF_PAGES = 32 };

/* 200,000 keys: the first half reachable, the second one in freed leaves. */
static void write_keys(void)
{
    static struct bolt_item items[KEYS_A_LEAF];
    static uint64_t children[KEYS_LEAVES];
    char key[64];
    uint64_t main = 2;
    begin_file(4 + (size_t)KEYS_LEAVES * KEYS_LEAF_PAGES);
    for (uint32_t l = 0; l < KEYS_LEAVES; l++) {
        for (uint32_t i = 0; i < KEYS_A_LEAF; i++, main++) {
            snprintf(key, sizeof key, "/registry/configmaps/a/%" PRIu64, main);
            items[i] = bolt_put(&b, main, key, VALUE("{}"));
        }
        children[l] = 4 + (uint64_t)l * KEYS_LEAF_PAGES;
        bolt_leaf(&b, children[l], items, KEYS_A_LEAF);
    }
    bolt_branch(&b, 3, children, KEYS_LEAVES / 2);
}

TEST(memory__200_000_keys__at_most_64_bytes_each)
{
    struct kw_etcd_audit_options measured = options;
    measured.progress = measure;
    write_keys();
    const char *path = bolt_file(&b);
    memory_before = memory_most = memory_now();
    struct kw_etcd_audit *a = kw_etcd_audit_new(&measured);
    CHECK_OK(kw_etcd_audit_db(a, path, &note));
    kw_etcd_audit_findings(a, &f);
    const struct kw_etcd_row *row = row_of("configmaps", KW_STORED_JSON);
    CHECK(row->at[KW_ETCD_CURRENT].objects == 100000 &&
          row->at[KW_ETCD_IN_FREE_PAGES].objects == 100000);
    kw_etcd_audit_free(a);
    /* And a mebibyte for pages, tables and what is read of the file. */
    CHECK(memory_most - memory_before <= (size_t)64 * 200000 + (1u << 20));
}

KW_SUITE_AROUND("provider/etcd/audit", begin, end)
