/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/env.h>
#include <keyward/file.h>

static struct stage s;
static struct kw_latch latch;
static struct kw_note note;

static void begin(void)
{
    stage_begin(&s);
    CHECK_OK(kw_state_open(s.state_path, &s.state, NULL));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
}

static void end(void)
{
    kw_state_close(s.state);
    stage_end(&s);
}

static void open__not_a_source__refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "1234", "|command",    "file:relative",        "file:",
        "",     "credential:", "credential:../etc/pin"};
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_CODE(kw_latch_open(&latch, s.state, &s.clock, "tok", bad[i], &note),
                   KW_CODE_BAD_INPUT);
    end();
}

static void open__credential__lies_in_the_credentials_folder(void **state)
{
    (void)state;
    begin();
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", "/run/credentials/x"));
    CHECK_OK(
        kw_latch_open(&latch, s.state, &s.clock, "tok", "credential:hsm-pin", &note));
    CHECK_STR(latch.path, "/run/credentials/x/hsm-pin");
    end();
}

static void stop__holds_until_the_source_changes__also_in_the_next_life(void **state)
{
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    CHECK(!kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
    CHECK(!kw_latch_may_login(&latch));
    CHECK_STR(latch.record.reason, "wrong");
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("5678"), 0600, NULL));
    CHECK(kw_latch_may_login(&latch));
    CHECK(kw_latch_vouched(&latch)); /* somebody acted: the counter is no obstacle */
    CHECK_OK(kw_latch_stop(&latch, "wrong again", &note));
    CHECK(!kw_latch_vouched(&latch) && !kw_latch_may_login(&latch));
    end();
}

static void worked__proven_for_this_source_only(void **state)
{
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch));
    CHECK(!kw_latch_proven(&latch));
    CHECK_OK(kw_latch_worked(&latch, &note));
    CHECK(kw_latch_proven(&latch));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
    CHECK(kw_latch_proven(&latch));
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("5678"), 0600, NULL));
    CHECK(kw_latch_may_login(&latch));
    CHECK(!kw_latch_proven(&latch));
    end();
}

static void source_changed_after_a_stop__vouched_for_one_try(void **state)
{
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
    CHECK(!kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("56789"), 0600, NULL));
    CHECK(kw_latch_may_login(&latch) && kw_latch_vouched(&latch));
    CHECK(kw_latch_may_login(&latch) && kw_latch_vouched(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong again", &note));
    CHECK(!kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("567890"), 0600, NULL));
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_worked(&latch, &note));
    CHECK(kw_latch_vouched(&latch) && kw_latch_proven(&latch));
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("5678901"), 0600, NULL));
    CHECK(kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    end();
}

static void source_gone_and_back__still_latched(void **state)
{
    (void)state;
    char away[KW_PATH_MAX];
    begin();
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    snprintf(away, sizeof away, "%s", latch.path);
    snprintf(latch.path, sizeof latch.path, "/nonexistent/pin");
    CHECK(kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    snprintf(latch.path, sizeof latch.path, "%s", away);
    CHECK(!kw_latch_may_login(&latch));
    end();
}

/* The service was started again: systemd has laid the same PIN anew. */
static void next_life(const char *credential)
{
    CHECK_OK(kw_file_replace(s.pin_path, kw_span_str("1234"), 0600, NULL));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", credential, &note));
}

static void credential_refused__no_restart_tries_it_again(void **state)
{
    char folder[KW_PATH_MAX], credential[64];
    (void)state;
    begin();
    const char *name = strrchr(s.pin_path, '/') + 1;
    snprintf(folder, sizeof folder, "%.*s", (int)(name - s.pin_path), s.pin_path);
    snprintf(credential, sizeof credential, "credential:%s", name);
    CHECK(kw_env_give("CREDENTIALS_DIRECTORY", folder));
    next_life(credential);
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    for (unsigned i = 0; i < 3; i++) {
        next_life(credential);
        CHECK(!kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    }
    end();
}

/* What `keyward pin retry` does. */
static void say_retry(void)
{
    struct kw_pin_latch record;
    CHECK_OK(kw_state_pin_latch(s.state, "tok", &record, NULL));
    CHECK(record.latched);
    record.latched = record.proven = false;
    record.retry = true;
    CHECK_OK(kw_state_set_pin_latch(s.state, &record, NULL));
}

static void retry__while_it_runs__one_try_with_the_counter_no_obstacle(void **state)
{
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    CHECK(!kw_latch_may_login(&latch));
    say_retry();
    CHECK(kw_latch_may_login(&latch) && kw_latch_vouched(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong again", &note));
    CHECK(!kw_latch_may_login(&latch) && !kw_latch_vouched(&latch));
    end();
}

static void retry__before_the_next_life__one_try_there(void **state)
{
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch));
    CHECK_OK(kw_latch_stop(&latch, "wrong", &note));
    say_retry();
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
    CHECK(kw_latch_may_login(&latch) && kw_latch_vouched(&latch));
    CHECK_OK(kw_latch_worked(&latch, &note));
    CHECK_OK(kw_latch_open(&latch, s.state, &s.clock, "tok", s.pin, &note));
    CHECK(!latch.record.retry && kw_latch_proven(&latch));
    end();
}

static void stop_that_could_not_be_saved__not_lifted_by_an_empty_state(void **state)
{
    char blocked[KW_PATH_MAX];
    (void)state;
    begin();
    CHECK(kw_latch_may_login(&latch));
    snprintf(blocked, sizeof blocked, "%s/pin-latch.json", s.state_path);
    CHECK(mkdir(blocked, 0700) == 0);
    CHECK(kw_failed(kw_latch_stop(&latch, "wrong", &note)));
    CHECK(!kw_latch_may_login(&latch));
    CHECK(rmdir(blocked) == 0);
    CHECK(!kw_latch_may_login(&latch));
    end();
}

static void source_missing__may_be_tried__the_worker_says_what_is_wrong(void **state)
{
    (void)state;
    begin();
    CHECK_OK(
        kw_latch_open(&latch, s.state, &s.clock, "tok", "file:/nonexistent/pin", &note));
    CHECK(kw_latch_may_login(&latch));
    end();
}

KW_CASES("hsm/front/pin_latch", CASE(credential_refused__no_restart_tries_it_again),
         CASE(retry__while_it_runs__one_try_with_the_counter_no_obstacle),
         CASE(retry__before_the_next_life__one_try_there),
         CASE(stop_that_could_not_be_saved__not_lifted_by_an_empty_state),
         CASE(open__not_a_source__refused),
         CASE(open__credential__lies_in_the_credentials_folder),
         CASE(stop__holds_until_the_source_changes__also_in_the_next_life),
         CASE(worked__proven_for_this_source_only),
         CASE(source_changed_after_a_stop__vouched_for_one_try),
         CASE(source_gone_and_back__still_latched),
         CASE(source_missing__may_be_tried__the_worker_says_what_is_wrong))
