/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool does goes on record before it is done, and what came of it after. */
#include "site.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/audit.h>
#include <keyward/file.h>

static struct site s;
static char path[160];
static struct kw_audit_record last; /* its texts are in `bytes` */
static struct kw_blob bytes;

static void make(void)
{
    site_make(&s);
    snprintf(path, sizeof path, "%s/audit/operator.jsonl", s.base);
}

/* Reads the log: "key-create begun, key-create done", without its other records. */
static const char *acts(void)
{
    static char text[4096];
    uint8_t hash[KW_SHA256];
    size_t len = 0;
    kw_blob_wipe(&bytes);
    CHECK_OK(kw_file_read(path, 1 << 20, &bytes, NULL));
    text[0] = '\0';
    for (uint8_t *at = bytes.ptr, *end; at < bytes.ptr + bytes.len; at = end + 1) {
        struct kw_audit_record r;
        end = memchr(at, '\n', bytes.len - (size_t)(at - bytes.ptr));
        CHECK(end != NULL);
        CHECK_OK(kw_audit_read(kw_span_of(at, (size_t)(end - at)), &r, hash, NULL));
        if (r.kind != KW_AUDIT_OPERATOR)
            continue;
        last = r;
        const kw_span act = r.value[KW_AUDIT_OPERATOR_ACT].text;
        const kw_span outcome = r.value[KW_AUDIT_OPERATOR_OUTCOME].text;
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s %.*s",
                                len > 0 ? ", " : "", (int)act.len, (const char *)act.ptr,
                                (int)outcome.len, (const char *)outcome.ptr);
    }
    return text;
}

static void verify(int want)
{
    kw_run_line(&s.run, want, KEYWARD, "audit verify %s", path);
}

static bool has_key(const char *key_id)
{
    return kw_span_equal_str(last.value[KW_AUDIT_OPERATOR_KEY_ID].text, key_id);
}

static void key_id_of(uint32_t n, char dst[KW_KEY_ID_MAX + 1])
{
    struct kw_keyring *ring = site_ring(&s);
    const struct kw_version *v = kw_keyring_by_n(ring, n);
    CHECK(v != NULL);
    snprintf(dst, KW_KEY_ID_MAX + 1, "%s", v->key_id);
    kw_keyring_give(ring);
}

/* One act after the other; each must add these two. */
#define ACT(name, ...)                                                                   \
    do {                                                                                 \
        KEYWARD_MUST(&s, 0, __VA_ARGS__);                                                \
        const char *all = acts();                                                        \
        const char want[] = name " begun, " name " done";                                \
        CHECK(strlen(all) >= sizeof want - 1);                                           \
        CHECK_STR(all + strlen(all) - (sizeof want - 1), want);                          \
    } while (0)

TEST(each_act__begun_and_done)
{
    char key_id[KW_KEY_ID_MAX + 1];
    make();
    ACT("key-create", "key", "create");
    key_id_of(1, key_id);
    CHECK(has_key(key_id));
    CHECK(site_mode(path) == 0640);
    if (geteuid() == 0)
        CHECK(site_owner(path) == NOBODY);
    ACT("key-accept", "key", "accept", "1");
    ACT("key-activate", "key", "activate", "1", "--only-copy");
    CHECK(has_key(key_id));
    ACT("key-create", "key", "create");
    ACT("key-accept", "key", "accept", "2");
    ACT("key-disable", "key", "disable", "2", WITHOUT_PROOF);
    ACT("key-enable", "key", "enable", "2");
    ACT("key-retire", "key", "retire", "2");
    ACT("key-disable", "key", "disable", "2", WITHOUT_PROOF);
    ACT("key-destroy", "key", "destroy", "2", "--now", WITHOUT_PROOF);
    key_id_of(2, key_id);
    CHECK(has_key(key_id));
    ACT("audit-key-create", "audit", "key", "create", "--ticket", "CHG-4711");
    CHECK(last.value[KW_AUDIT_OPERATOR_KEY_ID].is_null);
    verify(0);
    CHECK_HAS(s.run.out, "records    0 to 22\n");
    site_remove(&s);
}

TEST(who_and_why__as_the_kernel_and_the_operator_say)
{
    unsigned long login = UINT32_MAX;
    FILE *file = fopen("/proc/self/loginuid", "re");
    make();
    KEYWARD_MUST(&s, 0, "key", "create", "--ticket", "CHG-4711: 2nd node's key");
    CHECK_STR(acts(), "key-create begun, key-create done");
    const struct kw_audit_value *v = last.value;
    assert_int_equal(v[KW_AUDIT_OPERATOR_UID].number, getuid());
    CHECK(
        kw_span_equal_str(v[KW_AUDIT_OPERATOR_TICKET].text, "CHG-4711: 2nd node's key"));
    if (file == NULL || fscanf(file, "%lu", &login) != 1 || login == UINT32_MAX)
        CHECK(v[KW_AUDIT_OPERATOR_LOGIN_UID].is_null);
    else
        assert_int_equal(v[KW_AUDIT_OPERATOR_LOGIN_UID].number, login);
    if (file != NULL)
        fclose(file);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    (void)acts();
    CHECK(v[KW_AUDIT_OPERATOR_TICKET].is_null);
    site_remove(&s);
}

TEST(what_is_refused__is_not_begun_and_a_rehearsal_is_no_act)
{
    make();
    KEYWARD_MUST(&s, 1, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "create", "--dry-run");
    CHECK(access(path, F_OK) != 0);
    site_remove(&s);
}

TEST(act_that_fails__on_record)
{
    site_make_fault(&s);
    snprintf(path, sizeof path, "%s/audit/operator.jsonl", s.base);
    site_tell(&s, "C_GenerateKey rv=0x30\n");
    CHECK(KEYWARD_DO(&s, "key", "create") != 0);
    CHECK_STR(acts(), "key-create begun, key-create failed");
    verify(0);
    site_remove(&s);
}

TEST(ticket_that_no_record_takes__refused_by_name)
{
    static const char *const wrong[] = {
        "a \"change\"",
        "a\\b",
        "two\nlines",
        "\x7f",
        "\xc3\xbc",
        "12345678901234567890123456789012345678901234567890123456789012345",
    };
    static const char *const verbs[] = {"accept",  "activate", "retire",
                                        "disable", "enable",   "destroy"};
    make();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        KEYWARD_MUST(&s, 2, "key", "create", "--ticket", wrong[i]);
        CHECK_HAS(s.run.err, "--ticket: it wants 1 to 64 printable characters");
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        KEYWARD_MUST(&s, 2, "key", verbs[i], "1", "--only-copy", "--ticket", wrong[0]);
    KEYWARD_MUST(&s, 2, "key", "create", "--ticket=");
    CHECK(access(path, F_OK) != 0 && access(s.keyring, F_OK) != 0);
    KEYWARD_MUST(&s, 0, "key", "create", "--ticket",
                 "1234567890123456789012345678901234567890123456789012345678901234");
    site_remove(&s);
}

TEST(log_that_cannot_be_written__nothing_done_and_the_way_out_helps)
{
    char command[512], aside[176];
    make();
    CHECK(mkdir(path, 0700) == 0);
    KEYWARD_MUST(&s, 3, "key", "create", "--json");
    CHECK(access(s.keyring, F_OK) != 0);
    KEYWARD_MUST(&s, 3, "key", "create");
    CHECK_HAS(s.run.err, path);
    CHECK_HAS(s.run.err, "cannot be put on record, so nothing was done");
    const char *way = strstr(s.run.err, "mv -nT ");
    CHECK(way != NULL);
    snprintf(command, sizeof command, "%.*s", (int)strcspn(way, "\n"), way);
    snprintf(aside, sizeof aside, "%s.aside", path);
    CHECK(symlink(s.base, aside) == 0); /* a link that is there leads nowhere */
    kw_run(&s.run, (const char *const[]){"/bin/sh", "-c", command, NULL});
    CHECK(access(path, F_OK) == 0 && unlink(aside) == 0);
    kw_run(&s.run, (const char *const[]){"/bin/sh", "-c", command, NULL});
    CHECK(s.run.status == 0);
    ACT("key-create", "key", "create");
    site_remove(&s);
}

/* Beside the daemon's log, whoever holds a lock on their folder. */
TEST(folder_of_the_audit_log__is_that_of_the_acts_too)
{
    char folder[128], away[128];
    make();
    snprintf(folder, sizeof folder, "%s/audit", s.base);
    snprintf(away, sizeof away, "%s/away", s.base);
    CHECK(rename(folder, away) == 0);
    CHECK(KEYWARD_DO(&s, "key", "create") != 0);
    CHECK_HAS(s.run.err, "there is no folder ");
    CHECK(strstr(s.run.err, "mv -n") == NULL && access(s.keyring, F_OK) != 0);
    CHECK(rename(away, folder) == 0);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    ACT("key-create", "key", "create");
    CHECK(close(fd) == 0);
    site_remove(&s);
}

/* Who has no audit log has that of the acts where the node keeps its state. */
TEST(no_audit_log__the_acts_lie_in_the_state_directory)
{
    char block[200];
    make();
    snprintf(block, sizeof block,
             "audit:\n  dir: %s/audit    # each Encrypt and Decrypt is on record before "
             "it is answered\n  on-failure: deny\n",
             s.base);
    site_edit(&s, block, "");
    snprintf(path, sizeof path, "%s/operator.jsonl", s.state);
    ACT("key-create", "key", "create");
    site_remove(&s);
}

static void flip(size_t line)
{
    char *at = (char *)bytes.ptr;
    while (line-- > 0)
        at = strchr(at, '\n') + 1;
    char *digit = strstr(at, "\"mono_us\":") + strlen("\"mono_us\":");
    *digit = *digit == '1' ? '2' : '1';
    FILE *file = fopen(path, "r+e");
    CHECK(file != NULL && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len &&
          fclose(file) == 0);
}

TEST(log_that_was_changed__kept_as_evidence_and_on_record)
{
    make();
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK_STR(acts(), "key-create begun, key-create done");
    flip(2);
    verify(1);
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    CHECK_STR(acts(), "key-create begun, key-accept begun, key-accept done");
    verify(4);
    CHECK_HAS(s.run.out, "torn       1 of its records");
    flip(0);
    KEYWARD_MUST(&s, 1, "key", "disable", "1", WITHOUT_PROOF);
    CHECK_HAS(s.run.err, "operator.jsonl begins with no record of a log");
    struct kw_keyring *ring = site_ring(&s);
    CHECK(ring->versions[0].state == KW_KEY_ACCEPTED);
    kw_keyring_give(ring);
    site_remove(&s);
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    while ((text = strstr(text, part)) != NULL) {
        n++;
        text += strlen(part);
    }
    return n;
}

/* The act itself waits for nobody, and may fail of that: then that is on record. */
TEST(tools_at_once__one_chain)
{
    pid_t other[4];
    size_t good = 0;
    make();
    for (size_t i = 0; i < 4; i++)
        other[i] = SITE_START(&s, "pin", "retry");
    for (size_t i = 0; i < 4; i++)
        good += site_reap(other[i]) == 0;
    const char *all = acts();
    assert_int_equal(count_of(all, "pin-retry begun"), 4);
    assert_int_equal(count_of(all, "pin-retry done"), good);
    assert_int_equal(count_of(all, "pin-retry failed"), 4 - good);
    verify(0);
    CHECK_HAS(s.run.out, "records    0 to 8\n");
    site_remove(&s);
}

TEST(log_that_another_one_holds__nothing_done)
{
    char lock[160];
    make();
    KEYWARD_MUST(&s, 0, "key", "create");
    snprintf(lock, sizeof lock, "%s/audit/operator.lock", s.base);
    int fd = open(lock, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK(KEYWARD_DO(&s, "key", "accept", "1") != 0);
    CHECK_HAS(s.run.err, "another process writes operator.jsonl");
    close(fd);
    CHECK_STR(acts(), "key-create begun, key-create done");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    site_remove(&s);
}

TEST(pin_retry__on_record)
{
    make();
    ACT("pin-retry", "pin", "retry", "--ticket", "CHG-1");
    CHECK(last.value[KW_AUDIT_OPERATOR_KEY_ID].is_null);
    KEYWARD_MUST(&s, 1, "pin", "retry", "--token", "nobody");
    CHECK_STR(acts(),
              "pin-retry begun, pin-retry done, pin-retry begun, pin-retry failed");
    KEYWARD_MUST(&s, 2, "pin", "retry", "--ticket", "\"");
    site_remove(&s);
}

KW_CASES("token/cli/operator_log", CASE(each_act__begun_and_done),
         CASE(no_audit_log__the_acts_lie_in_the_state_directory),
         CASE(who_and_why__as_the_kernel_and_the_operator_say),
         CASE(what_is_refused__is_not_begun_and_a_rehearsal_is_no_act),
         CASE(act_that_fails__on_record),
         CASE(ticket_that_no_record_takes__refused_by_name),
         CASE(log_that_cannot_be_written__nothing_done_and_the_way_out_helps),
         CASE(folder_of_the_audit_log__is_that_of_the_acts_too),
         CASE(log_that_was_changed__kept_as_evidence_and_on_record),
         CASE(tools_at_once__one_chain), CASE(log_that_another_one_holds__nothing_done),
         CASE(pin_retry__on_record))
