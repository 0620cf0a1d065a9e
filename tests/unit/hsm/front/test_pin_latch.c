/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>

static struct stage s;
static struct kw_latch latch;
static struct kw_note note;
static struct kw_pin_owner me;

static unsigned syncs_fail; /* so many more fsync(2) fail with EIO */

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    if (syncs_fail == 0)
        return 0;
    syncs_fail--;
    errno = EIO;
    return -1;
}

static void open_latch(void)
{
    CHECK_OK(kw_latch_open(&latch, s.state, s.status, &s.clock, s.pin, &note));
}

static void begin(void)
{
    stage_begin(&s);
    CHECK_OK(kw_state_open(s.state_path, &s.state, NULL));
    CHECK(kw_pin_owner_of(getpid(), &me));
    open_latch();
}

static void end(void)
{
    kw_state_close(s.state);
    stage_end(&s);
}

static struct kw_pin_facts facts(void)
{
    struct kw_pin_facts f = {.serial = "00cafe",
                             .label = "tok",
                             .mark = {.key_len = 8, .digest_len = 16, .digest = {1}}};
    struct stat st;
    CHECK(stat(s.pin_path, &st) == 0);
    f.source = kw_pin_source_of(&st);
    return f;
}

static kw_err asked(void)
{
    struct kw_pin_facts f = facts();
    return kw_latch_ask(&latch, &f, &me, &note);
}

static void ended(enum kw_pin_end how)
{
    struct kw_pin_facts f = facts();
    kw_latch_ended(&latch, &f, &me, how, "CKR_SO");
}

TEST(open__not_a_source__refused)
{
    static const char *const bad[] = {
        "1234", "|command",    "file:relative",        "file:",
        "",     "credential:", "credential:../etc/pin"};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_CODE(kw_latch_open(&latch, s.state, s.status, &s.clock, bad[i], &note),
                   KW_CODE_BAD_INPUT);
    end();
}

TEST(open__credential__lies_in_the_credentials_folder)
{
    begin();
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", "/run/credentials/x"));
    CHECK_OK(kw_latch_open(&latch, s.state, NULL, &s.clock, "credential:hsm-pin", &note));
    CHECK_STR(latch.path, "/run/credentials/x/hsm-pin");
    CHECK_STR(latch.runtime, "");
    end();
}

TEST(key__no_folder__none_and_workers_start_all_the_same)
{
    KW_AUTO_SECRET(key);
    char gone[80];
    begin();
    kw_latch_key(&latch, &key);
    CHECK(key.len == KW_PIN_KEY);
    kw_secret_wipe(&key);
    snprintf(gone, sizeof gone, "%s/gone", s.dir);
    CHECK(rename(latch.runtime, gone) == 0);
    kw_latch_key(&latch, &key);
    CHECK(key.len == 0 && latch.key_told.text[0] != '\0');
    CHECK(kw_latch_may_start(&latch) && !kw_failed(asked()));
    end();
}

TEST(end__that_cannot_be_written__owed_and_written_as_soon_as_it_can)
{
    struct kw_state_dir *tool = NULL;
    struct kw_pin_record r;
    begin();
    CHECK_OK(asked());
    CHECK_OK(kw_state_open(s.state_path, &tool, NULL));
    CHECK_OK(kw_state_lock(tool, NULL));
    ended(KW_PIN_REFUSED);
    CHECK(latch.debt_count == 1);
    CHECK(kw_latch_is_latched(&latch) && !kw_latch_may_start(&latch)); /* in memory */
    CHECK_STR(kw_latch_reason(&latch), "CKR_SO");
    CHECK_OK(kw_pin_look(&latch.book, "00cafe", "tok", &r, NULL));
    CHECK(!r.latched && r.tried.pid == me.pid);
    kw_state_close(tool);
    s.time.now_ns += KW_S_NS;
    CHECK(!kw_latch_look(&latch) && latch.debt_count == 0);
    CHECK_OK(kw_pin_look(&latch.book, "00cafe", "tok", &r, NULL));
    CHECK(r.latched && r.tried.pid == 0);
    open_latch(); /* the next life */
    CHECK_CODE(asked(), KW_CODE_PIN_STOP);
    end();
}

/* A disk that fails for a moment: neither directory takes the end, and then the record
 * tells of a login whose end is unclear, which may be followed by another one. */
TEST(ask__an_end_is_owed__busy_until_it_is_written)
{
    struct kw_pin_record r;
    begin();
    CHECK_OK(asked());
    ended(KW_PIN_WORKED);
    me.start++; /* its process is gone when it is asked for again */
    CHECK_OK(asked());
    syncs_fail = 2;
    ended(KW_PIN_REFUSED);
    CHECK(latch.debt_count == 1);
    s.time.now_ns += 3600 * KW_S_NS;
    syncs_fail = 2;
    CHECK_CODE(asked(), KW_CODE_BUSY);
    CHECK(syncs_fail == 0);
    CHECK_HAS(note.text, "how an earlier login ended is not written down yet");
    CHECK_HAS(note.text, "Input/output error");
    CHECK_CODE(asked(), KW_CODE_PIN_STOP);
    CHECK(latch.debt_count == 0);
    CHECK_OK(kw_pin_look(&latch.book, "00cafe", "tok", &r, NULL));
    CHECK(r.latched && r.tried.pid == 0);
    end();
}

/* It must not come to that; if it does, one of them is not known any more. */
TEST(ended__more_than_can_be_owed__no_login_in_this_life)
{
    struct kw_state_dir *tool = NULL;
    begin();
    CHECK_OK(asked());
    ended(KW_PIN_WORKED);
    CHECK_OK(kw_state_open(s.state_path, &tool, NULL));
    CHECK_OK(kw_state_lock(tool, NULL));
    for (unsigned i = 0; i < KW_LATCH_DEBTS; i++)
        ended(KW_PIN_WORKED);
    CHECK(latch.debt_count == KW_LATCH_DEBTS && !latch.lost_one);
    ended(KW_PIN_WORKED);
    kw_state_close(tool);
    CHECK_CODE(asked(), KW_CODE_BUSY);
    CHECK_HAS(note.text, "restart keywardd");
    CHECK(latch.debt_count == 0);
    open_latch(); /* the next life */
    CHECK_OK(asked());
    end();
}

TEST(may_start__stopped__only_when_something_changed)
{
    begin();
    CHECK_OK(asked());
    ended(KW_PIN_REFUSED);
    s.time.now_ns += 1000 * 3600 * KW_S_NS;
    CHECK(!kw_latch_may_start(&latch));
    CHECK(chmod(s.pin_path, 0400) == 0);
    CHECK(kw_latch_may_start(&latch)); /* to look whether it is another PIN */
    CHECK_CODE(asked(), KW_CODE_PIN_STOP);
    CHECK(!kw_latch_may_start(&latch));
    CHECK(unlink(s.pin_path) == 0);
    CHECK(!kw_latch_may_start(&latch)); /* not there is not changed */
    end();
}

TEST(look__once_a_second__sees_what_the_tool_did)
{
    struct kw_pin_lift lifts[KW_PIN_RECORDS_MAX];
    size_t n;
    begin();
    CHECK_OK(asked());
    ended(KW_PIN_REFUSED);
    CHECK(!kw_latch_look(&latch));
    struct kw_pin_book book = {s.state, "", &s.clock};
    CHECK_OK(kw_pin_retry(&book, NULL, lifts, &n, NULL));
    CHECK(!kw_latch_look(&latch)); /* it has just looked */
    s.time.now_ns += KW_S_NS;
    CHECK(kw_latch_look(&latch) && kw_latch_may_start(&latch));
    CHECK(!kw_latch_is_latched(&latch));
    s.time.now_ns += KW_S_NS;
    CHECK(!kw_latch_look(&latch)); /* told once */
    end();
}

KW_CASES("hsm/front/pin_latch", CASE(open__not_a_source__refused),
         CASE(open__credential__lies_in_the_credentials_folder),
         CASE(key__no_folder__none_and_workers_start_all_the_same),
         CASE(end__that_cannot_be_written__owed_and_written_as_soon_as_it_can),
         CASE(ask__an_end_is_owed__busy_until_it_is_written),
         CASE(ended__more_than_can_be_owed__no_login_in_this_life),
         CASE(may_start__stopped__only_when_something_changed),
         CASE(look__once_a_second__sees_what_the_tool_did))
