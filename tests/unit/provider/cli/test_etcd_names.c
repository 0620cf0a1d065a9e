/* SPDX-License-Identifier: Apache-2.0 */
/* keyward etcd audit: names that whoever writes to etcd chose, and names that nobody shall
 * see. */
#include "check.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etcd_sample.h"

#define WAL "0000000000000000-0000000000000000.wal"

static const char *const kinds[] = {"--json", "--csv", "--etcd-prefix=/registry"};
enum { JSON_KIND, CSV_KIND, WORDS_KIND, KINDS };

/* ---- strange ones ---- */

static const char *const strange[] = {
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    "a\nclean\n",
    "a\"b\\",
    "a,\"b",
    "\x1b[31mred\x07\x08",
    "\xff\xfe\x80",
    "\xe2\x80\xae\xe2\x80\x8f\xe2\x80\xac",
    "\xc2\x85\xe2\x80\xa8x",
    "\x7f",
};
enum { STRANGE = sizeof strange / sizeof strange[0] };

/* Each as name, namespace, resource, group, name of a key, name of a provider, key_id. */
static void write_strange(const char *name)
{
    static struct bolt_item items[6 * STRANGE];
    static char text[STRANGE][4][256];
    uint16_t n = 0;
    for (size_t i = 0; i < STRANGE; i++) {
        const char *s = strange[i];
        char(*t)[256] = text[i];
        snprintf(t[0], sizeof t[0], "/registry/secrets/a/%s", s);
        items[n++] = sample_put(t[0], SAMPLE_PLAIN);
        snprintf(t[0], sizeof t[0], "/registry/secrets/%s/b", s);
        items[n++] = sample_put(t[0], SAMPLE_PLAIN);
        snprintf(t[0], sizeof t[0], "/registry/%s/a/b", s);
        items[n++] = sample_put(t[0], SAMPLE_PLAIN);
        snprintf(t[0], sizeof t[0], "/registry/%s.x/things/a/b", s);
        items[n++] = sample_put(t[0], SAMPLE_PLAIN);
        snprintf(t[1], sizeof t[1], "k8s:enc:aesgcm:v1:%s:x", s);
        items[n++] = sample_put("/registry/secrets/a/gcm", t[1]);
        snprintf(t[2], sizeof t[2], "k8s:enc:kms:v2:%s:\x0a\x01x\x12%c%s\x1a\x02s1", s,
                 (int)strlen(s), s);
        items[n++] = sample_put("/registry/secrets/a/kms", t[2]);
    }
    sample_db(name, items, n, NULL, 0);
}

static bool is_text(const char *s, const char *also)
{
    for (; *s != '\0'; s++)
        if ((*s < ' ' || *s > '~') && strchr(also, *s) == NULL)
            return false;
    return true;
}

/* The next cell of a table in place; its end is the separator's place. */
static char *next_cell(char *at, const char **ret_cell)
{
    char *to = at;
    *ret_cell = at;
    if (*at != '"') {
        at += strcspn(at, ",\r");
        return at;
    }
    for (at++; *at != '"' || at[1] == '"'; at++) {
        CHECK(*at != '\0');
        at += *at == '"';
        *to++ = *at;
    }
    *to = '\0';
    CHECK(at[1] == ',' || at[1] == '\r');
    return at + 1;
}

/* Rectangular, and no cell that a spreadsheet computes. */
static size_t check_table(char *table)
{
    const char *cell;
    size_t lines = 0;
    while (*table != '\0') {
        size_t cells = 0;
        for (bool more = true; more; cells++) {
            char *end = next_cell(table, &cell);
            CHECK(*cell == '\0' || strchr("=+-@\t\r\n", *cell) == NULL || cell == end);
            more = *end == ',';
            CHECK(more || (*end == '\r' && end[1] == '\n'));
            *end = '\0';
            table = end + (more ? 1 : 2);
        }
        assert_int_equal(cells, 13);
        lines++;
    }
    return lines;
}

TEST(strange_names__every_report_is_whole)
{
    write_strange("db");
    for (size_t way = 0; way < 2; way++)
        for (size_t k = 0; k < KINDS; k++) {
            if (way == 0)
                AUDIT(kinds[k], sample_at("db"));
            else
                AUDIT(kinds[k], "--redact", sample_at("db"));
            assert_int_equal(audited.status, 1);
            CHECK_STR(audited.err, "");
            CHECK(strlen(audited.out) < sizeof audited.out - 1);
            CHECK(is_text(audited.out, k == CSV_KIND ? "\r\n" : "\n"));
            if (k == JSON_KIND) {
                json_t *report = json_loads(audited.out, JSON_REJECT_DUPLICATES, NULL);
                CHECK(report != NULL);
                json_decref(report);
            } else if (k == CSV_KIND) {
                CHECK(check_table(audited.out) > STRANGE);
            } else {
                CHECK(strstr(audited.out, "\nclean") == NULL);
            }
        }
}

TEST(name_of_a_mebibyte__cut_in_every_report)
{
    static char key[(1 << 20) + 32];
    CHECK(kw_copy_str(key, sizeof key, kw_span_str("/registry/secrets/a/")));
    memset(key + strlen(key), 'n', 1 << 20);
    const struct bolt_item item = sample_put(key, SAMPLE_PLAIN);
    sample_db("db", &item, 1, NULL, 0);
    for (size_t k = 0; k < KINDS; k++) {
        AUDIT(kinds[k], sample_at("db"));
        CHECK(audited.status == 1 && strlen(audited.out) < 8192);
        CHECK_HAS(audited.out, "... (1048576 bytes)");
    }
}

/* A value whose provider's name has no end. */
TEST(provider_of_a_mebibyte__cut_in_every_report)
{
    static char value[(1 << 20) + 32];
    CHECK(kw_copy_str(value, sizeof value, kw_span_str("k8s:enc:aesgcm:v1:")));
    memset(value + strlen(value), 'n', 1 << 20);
    sample_secret("db", value);
    for (size_t k = 0; k < KINDS; k++) {
        AUDIT(kinds[k], sample_at("db"));
        CHECK(audited.status == 1 && strlen(audited.out) < 8192);
        CHECK_HAS(audited.out, "... (1048576 bytes)");
    }
}

/* ---- names that nobody shall see: each holds "uniq" ---- */

static const char *const planted[] = {
    "uniqname",  "uniqspace", "uniqgroup", "uniqcustom", "uniqthings", "uniqgcm",
    "uniqkms",   "uniqkms1",  "uniqdata",  "uniqother",  "uniqcopy",   "uniqprefix",
    "uniqfreed", "uniqput",   "uniqlog",   "uniqfifo",
};

#define P "/uniqprefix/"

static void write_member(void)
{
    const struct bolt_item items[] = {
        sample_put(P "secrets/uniqspace/uniqname", SAMPLE_PLAIN),
        sample_put(P "uniqgroup.example.com/uniqcustom/a/b", SAMPLE_PLAIN),
        sample_put(P "uniqthings/a/b", SAMPLE_PLAIN),
        sample_put(P "secrets/a/c", "k8s:enc:aesgcm:v1:uniqgcm:x"),
        sample_put(P "secrets/a/d", "k8s:enc:kms:v1:uniqkms1:x"),
        sample_put(P "secrets/a/e",
                   "k8s:enc:kms:v2:uniqkms:\x0a\x01x\x12\x02k1\x1a\x01s"),
        sample_put("/uniqelsewhere/x", SAMPLE_PLAIN),
    };
    const struct bolt_item freed = sample_put(P "secrets/a/uniqfreed", SAMPLE_PLAIN);
    sample_db("uniqdata/member/snap/db", items, 7, &freed, 1);
    sample_text("uniqdata/member/snap/uniqcopy.snap.db", "torn");
    sample_text("uniqdata/member/uniqother", "k8s:enc:");
    sample_log("uniqdata/member/wal/" WAL, P "secrets/a/uniqput", SAMPLE_PLAIN);
    sample_text("uniqdata/member/wal/uniqlog.wal", "k8s:enc:");
    CHECK(mkfifo(sample_at("uniqdata/member/uniqfifo"), 0600) == 0);
    sample_text(
        "uniqconfig.yaml",
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
        "resources:\n- resources: ['*.*']\n  providers:\n  - kms:\n"
        "      apiVersion: v2\n      name: uniqkms\n      endpoint: unix:///uniq\n");
}

static bool is_said(const char *name)
{
    return strstr(audited.out, name) != NULL || strstr(audited.err, name) != NULL;
}

TEST(redact__every_name_there_is__in_no_report)
{
    write_member();
    sample_text("uniqkey", "0123456789abcdef0123456789abcdef");
    for (size_t k = 0; k < 2; k++) {
        AUDIT(kinds[k], "--etcd-prefix=/uniqprefix", "--encryption-config",
              sample_at("uniqconfig.yaml"), "--member", sample_at("uniqdata"));
        assert_int_equal(audited.status, 1);
        for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++)
            if (!is_said(planted[i]) && strcmp(planted[i], "uniqprefix") != 0)
                fail_msg("no %s: %s", planted[i], audited.out);
    }
    for (size_t k = 0; k < 4; k++) {
        if (k < 2)
            AUDIT(kinds[k], "--redact", "--etcd-prefix=/uniqprefix",
                  "--encryption-config", sample_at("uniqconfig.yaml"), "--member",
                  sample_at("uniqdata"));
        else if (k == 2)
            AUDIT("--redact", "--etcd-prefix=/uniqprefix", "--member",
                  sample_at("uniqdata"));
        else
            AUDIT("--redact-key", sample_at("uniqkey"), "--etcd-prefix=/uniqprefix",
                  "--member", sample_at("uniqdata"));
        assert_int_equal(audited.status, 1);
        if (is_said("uniq"))
            fail_msg("%zu: %s%s", k, audited.out, audited.err);
        CHECK_HAS(audited.out, "h:");
    }
}

/* What is wrong with a log may name a file of it. */
TEST(redact__log_that_a_member_has_open__not_its_file)
{
    write_member();
    const int fd = open(sample_at("uniqdata/member/wal/uniqlog.wal"), O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    AUDIT("--etcd-prefix=/uniqprefix", "--wal", sample_at("uniqdata/member/wal"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.out, "uniqlog.wal");
    CHECK_HAS(audited.out, "a member runs on it");
    AUDIT("--redact", "--etcd-prefix=/uniqprefix", "--wal",
          sample_at("uniqdata/member/wal"));
    CHECK(audited.status == 3 && !is_said("uniq"));
    CHECK_HAS(audited.out, "without --redact it is said why");
    CHECK(close(fd) == 0);
}

static void names_by(const char *redact_key, char ret_line[256])
{
    AUDIT("--redact-key", redact_key, sample_at("db"));
    CHECK(audited.status == 1);
    const size_t len = strcspn(audited.out, ",");
    CHECK(len < 256 && strncmp(audited.out, "current secrets h:", 18) == 0);
    memcpy(ret_line, audited.out, len);
    ret_line[len] = '\0';
}

TEST(redact_key__same_key__reports_join__another_one__not)
{
    char one[256], two[256], three[256];
    sample_text("key1", "0123456789abcdef0123456789abcdef");
    sample_text("key2", "0123456789abcdef0123456789abcdeF");
    sample_secret("db", SAMPLE_PLAIN);
    names_by(sample_at("key1"), one);
    sample_secret("db", SAMPLE_PLAIN); /* another revision */
    names_by(sample_at("key1"), two);
    names_by(sample_at("key2"), three);
    CHECK_STR(one, two);
    CHECK(strcmp(two, three) != 0);
    AUDIT("--redact", sample_at("db"));
    CHECK(strncmp(audited.out, two, strlen(two)) != 0);
}

KW_SUITE_AROUND("provider/cli/etcd_names", sample_begin, sample_end)
