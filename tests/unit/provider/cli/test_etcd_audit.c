/* SPDX-License-Identifier: Apache-2.0 */
/* keyward etcd audit: its options, its verdict, and where the report goes. */
#include "check.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "etcd_sample.h"

#define WAL "0000000000000000-0000000000000000.wal"
#define SECRET "/registry/secrets/default/one"

static void check_exit(int want, const char *verdict)
{
    if (audited.status != want)
        fail_msg("%d, not %d\n%s%s", audited.status, want, audited.out, audited.err);
    CHECK_HAS(audited.out, verdict);
    CHECK_STR(audited.err, "");
}

/* ---- wrong usage, and what cannot be read ---- */

TEST(usage__wrong__2_and_said)
{
    static const struct {
        const char *words[5], *says;
    } rows[] = {
        {{NULL}, "it wants FILE, --member or --wal"},
        {{"--json"}, "it wants FILE, --member or --wal"},
        {{"a", "b"}, "one database at a time"},
        {{"a", "--member", "b"}, "one database at a time"},
        {{"--member", "b", "--wal", "c"}, "--member reads its log already"},
        {{"a", "--csv", "--json"}, "exclude each other"},
        {{"a", "--nothing"}, "--nothing"},
        {{"a", "--out"}, "--out"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *argv[9] = {KEYWARD, "etcd", "audit"};
        for (size_t w = 0; w < 5; w++)
            argv[3 + w] = rows[i].words[w];
        kw_run(&audited, argv);
        assert_int_equal(audited.status, 2);
        CHECK_HAS(audited.err, rows[i].says);
        CHECK_STR(audited.out, "");
    }
    AUDIT("--help");
    CHECK(audited.status == 0);
    CHECK_HAS(audited.out, "--redact-key");
}

TEST(input__not_to_be_read__3_and_said)
{
    sample_text("no.db", "this is no database");
    AUDIT(sample_at("none.db"));
    check_exit(3, "none.db: cannot open: No such file or directory\n");
    CHECK_HAS(audited.out, "unread; something could not be read");
    AUDIT(sample_at("no.db"));
    check_exit(3, "unread");
    AUDIT(sample_at(""));
    check_exit(3, "not a regular file");
    AUDIT("");
    check_exit(3, "unread");
    AUDIT("--wal", sample_at("none"));
    check_exit(3, "unread");
    AUDIT("--member", sample_at("none"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.err, "No such file");
}

/* What was not looked at is not violated, whatever the reason. */
TEST(config__not_to_be_read__3_and_no_report)
{
    sample_secret("db", SAMPLE_SEALED);
    sample_text("bad.yaml", "kind: Nothing\n");
    AUDIT("--encryption-config", sample_at("bad.yaml"), "--out", sample_at("report"),
          sample_at("db"));
    CHECK(audited.status == 3 && audited.err[0] != '\0');
    CHECK(access(sample_at("report"), F_OK) != 0);
    AUDIT("--encryption-config", sample_at("none.yaml"), sample_at("db"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.err, "none.yaml");
}

TEST(redact_key__short_or_missing__3_and_no_report)
{
    sample_secret("db", SAMPLE_SEALED);
    sample_text("short", "0123456789abcdef0123456789abcde");
    AUDIT("--redact-key", sample_at("short"), "--out", sample_at("report"),
          sample_at("db"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.err, "at least 32 bytes");
    AUDIT("--redact-key", sample_at("none"), sample_at("db"));
    CHECK(audited.status == 3);
    CHECK(access(sample_at("report"), F_OK) != 0);
}

/* ---- where the report goes ---- */

TEST(output__closed_or_full__3_and_said)
{
    sample_secret("db", SAMPLE_SEALED);
    static const char *const ways[] = {"exec \"$@\" >/dev/full", "exec \"$@\" >&-"};
    static const char *const kinds[] = {"--json", "--csv", "--etcd-prefix=/registry"};
    for (size_t w = 0; w < 2; w++)
        for (size_t k = 0; k < 3; k++) {
            AUDIT_BY(ways[w], kinds[k], sample_at("db"));
            assert_int_equal(audited.status, 3);
            CHECK_HAS(audited.err, "standard output: the report could not be written");
        }
}

/* So much that the first bytes are lost long before the last ones. */
static void many_secrets(const char *name)
{
    enum { MANY = 400 };
    static struct bolt_item items[MANY];
    char key[64];
    for (size_t i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "/registry/secrets/default/%zu", i);
        items[i] = sample_put(key, SAMPLE_PLAIN);
    }
    sample_db(name, items, MANY, NULL, 0);
}

TEST(output__full_half_way__3_and_said)
{
    many_secrets("db");
    AUDIT_BY("exec \"$@\" >/dev/full", sample_at("db"));
    assert_int_equal(audited.status, 3);
    CHECK_HAS(audited.err, "keyward: ");
}

TEST(out__disk_is_full__3_said_and_nothing_is_left)
{
    static const char *const kinds[] = {"--json", "--csv", "--etcd-prefix=/registry"};
    many_secrets("db");
    for (size_t k = 0; k < 3; k++) {
        AUDIT_BY("trap '' XFSZ; ulimit -f 16; exec \"$@\"", kinds[k], "--out",
                 sample_at("report"), sample_at("db"));
        assert_int_equal(audited.status, 3);
        CHECK_HAS(audited.err, "keyward: ");
        CHECK(access(sample_at("report"), F_OK) != 0);
    }
}

/* SIGXFSZ comes with the write that passes the limit. */
TEST(out__killed_half_way__nothing_is_left)
{
    many_secrets("db");
    AUDIT_BY("ulimit -c 0; ulimit -f 16; exec \"$@\"", "--json", "--out",
             sample_at("report"), sample_at("db"));
    assert_int_equal(audited.status, 128 + SIGXFSZ);
    CHECK(unlink(sample_at("db")) == 0);
    CHECK(rmdir(sample_at("")) == 0); /* it is empty */
    CHECK(mkdir(sample_at(""), 0700) == 0);
}

TEST(out__is_there_already__3_and_untouched)
{
    char text[16] = "";
    sample_secret("db", SAMPLE_SEALED);
    sample_text("report", "mine");
    CHECK(symlink("nowhere", sample_at("link")) == 0);
    AUDIT("--out", sample_at("report"), sample_at("db"));
    CHECK(audited.status == 3);
    CHECK_HAS(audited.err, "a report is never written over");
    AUDIT("--out", sample_at("link"), sample_at("db"));
    CHECK(audited.status == 3 && access(sample_at("nowhere"), F_OK) != 0);
    AUDIT("--out", sample_at("db"), sample_at("db"));
    CHECK(audited.status == 3);
    FILE *file = fopen(sample_at("report"), "r");
    CHECK(file != NULL && fread(text, 1, sizeof text - 1, file) == 4);
    CHECK(fclose(file) == 0);
    CHECK_STR(text, "mine");
}

TEST(out__mode_0600_whatever_the_umask)
{
    struct stat st;
    sample_secret("db", SAMPLE_PLAIN);
    AUDIT_BY("umask 0; exec \"$@\"", "--json", "--out", sample_at("report"),
             sample_at("db"));
    CHECK(audited.status == 1);
    CHECK_STR(audited.out, "");
    CHECK_STR(audited.err, "");
    CHECK(stat(sample_at("report"), &st) == 0 && (st.st_mode & 07777) == 0600);
    json_t *report = json_load_file(sample_at("report"), 0, NULL);
    CHECK(report != NULL);
    json_decref(report);
}

/* ---- the verdict ---- */

TEST(verdict__1_before_3_before_4_before_0)
{
    enum { CURRENT = 1, UNREAD = 2, LEFT = 4 };
    static const int codes[] = {0, 1, 3, 1, 4, 1, 3, 1};
    static const char *const words[] = {"\nclean\n", "\nviolated: ", NULL, "\nunread",
                                        "\nleftovers: "};
    for (unsigned is = 0; is < 8; is++) {
        const struct bolt_item freed =
            sample_put("/registry/secrets/default/left",
                       (is & LEFT) != 0 ? SAMPLE_PLAIN : SAMPLE_SEALED);
        const struct bolt_item items[] = {
            sample_put(SECRET, (is & CURRENT) != 0 ? SAMPLE_PLAIN : SAMPLE_SEALED),
            sample_put((is & UNREAD) != 0 ? "/elsewhere/x" : "/registry/configmaps/a/b",
                       "{}")};
        sample_db("db", items, 2, &freed, 1);
        AUDIT(sample_at("db"));
        check_exit(codes[is], words[codes[is]]);
    }
}

TEST(verdict__each_place__leftovers_and_where)
{
    sample_log("wal/" WAL, SECRET, SAMPLE_PLAIN);
    AUDIT("--wal", sample_at("wal"));
    check_exit(4, "leftovers: not as it must be are 1 log\n");
    CHECK_HAS(audited.out, "log secrets default/one, index 1: it is not encrypted\n");
    const struct bolt_item items[] = {sample_put(SECRET, SAMPLE_PLAIN),
                                      sample_put(SECRET, SAMPLE_SEALED)};
    sample_db("db", items, 2, NULL, 0);
    AUDIT(sample_at("db"));
    check_exit(4, "leftovers: not as it must be are 1 historic\n");
    CHECK_HAS(audited.out, "not looked at: --member or --wal");
    AUDIT("--wal", sample_at("wal"), sample_at("db"));
    check_exit(4, "leftovers: not as it must be are 1 historic, 1 log\n");
}

TEST(verdict__digest_of_a_snapshot_is_wrong__3)
{
    uint8_t bytes[32] = {0};
    sample_secret("db", SAMPLE_SEALED);
    FILE *file = fopen(sample_at("db"), "a");
    CHECK(file != NULL && fwrite(bytes, 1, sizeof bytes, file) == sizeof bytes);
    CHECK(fclose(file) == 0);
    AUDIT(sample_at("db"));
    check_exit(3, "digest is WRONG");
}

TEST(config__says_what_must_be_encrypted)
{
    static const char config[] =
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
        "resources:\n- resources: [configmaps]\n  providers:\n  - aescbc:\n      keys:\n"
        "      - {name: 'a:b', secret: ''}\n  - identity: {}\n";
    const struct bolt_item items[] = {
        sample_put(SECRET, SAMPLE_PLAIN),
        sample_put("/registry/configmaps/a/good", "k8s:enc:aescbc:v1:a:b:xyz"),
        sample_put("/registry/configmaps/a/bad", SAMPLE_PLAIN)};
    sample_text("config.yaml", config);
    sample_db("db", items, 3, NULL, 0);
    AUDIT("--encryption-config", sample_at("config.yaml"), sample_at("db"));
    check_exit(1, "current configmaps a/bad, revision 4: it is not encrypted\n");
    CHECK_HAS(audited.out, "aescbc a:b: current 1");
    CHECK(strstr(audited.out, "default/one") == NULL);
}

TEST(prefix__another_one__judged_by_it)
{
    const struct bolt_item item = sample_put("/other/secrets/a/b", SAMPLE_PLAIN);
    sample_db("db", &item, 1, NULL, 0);
    AUDIT(sample_at("db"));
    check_exit(3, "an object lies outside of the prefix");
    AUDIT("--etcd-prefix", "/other", sample_at("db"));
    check_exit(1, "current secrets a/b");
}

TEST(json__its_members)
{
    sample_log("wal/" WAL, SECRET, SAMPLE_PLAIN);
    const struct bolt_item items[] = {sample_put(SECRET, SAMPLE_PLAIN),
                                      sample_put(SECRET, SAMPLE_SEALED)};
    sample_db("db", items, 2, NULL, 0);
    AUDIT("--json", "--wal", sample_at("wal"), sample_at("db"));
    CHECK(audited.status == 4);
    json_error_t at;
    json_t *report = json_loads(audited.out, JSON_REJECT_DUPLICATES, &at), *o;
    if (report == NULL)
        fail_msg("%s at %d: %s", at.text, at.line, audited.out);
    const char *where, *name, *verdict, *trailer;
    json_int_t exit_code, revision, index;
    int ok, gapless;
    CHECK(json_unpack(report, "{s:s, s:I, s:b, s:{s:s, s:I}, s:{s:b}}", "verdict",
                      &verdict, "exit", &exit_code, "ok", &ok, "database", "trailer",
                      &trailer, "revision", &revision, "log", "gapless", &gapless) == 0);
    CHECK_STR(verdict, "leftovers");
    CHECK_STR(trailer, "absent");
    CHECK(exit_code == 4 && !ok && revision == 3 && gapless);
    CHECK(json_array_size(json_object_get(report, "objects")) == 2);
    CHECK(json_array_size(json_object_get(report, "rows")) == 2);
    CHECK(json_array_size(json_object_get(report, "seeds")) == 1);
    CHECK(json_array_size(json_object_get(report, "inputs")) == 2);
    CHECK(json_array_size(json_object_get(report, "next")) > 0);
    o = json_array_get(json_object_get(report, "objects"), 1);
    CHECK(json_unpack(o, "{s:s, s:s, s:I}", "where", &where, "name", &name, "index",
                      &index) == 0);
    CHECK_STR(where, "log");
    CHECK_STR(name, "one");
    CHECK(index == 1);
    json_decref(report);
}

KW_SUITE_AROUND("provider/cli/etcd_audit", sample_begin, sample_end)
