/* SPDX-License-Identifier: Apache-2.0 */
/* The end, with a worker that the kernel does not let die. */
#include "stage.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

static struct stage s;

TEST(stop__killed_worker_never_ends__left_behind_and_told)
{
    static char log[16384];
    FILE *file = tmpfile();
    CHECK(file != NULL);
    kw_log_setup(fileno(file), KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    stage_begin(&s);
    stage_open(&s);
    start_two(&s);
    s.fakes[1].unkillable = true;
    kw_front_stop(s.front, 0); /* for ever, if it is waited for */
    CHECK(s.fakes[0].killed && s.fakes[1].killed);
    CHECK(stage_status(&s).worker_count == 0);
    kw_log_setup(STDERR_FILENO, KW_LOG_INFO, KW_LOG_LOGFMT, &kw_clock_system);
    rewind(file);
    log[fread(log, 1, sizeof log - 1, file)] = '\0';
    fclose(file);
    const char *told = strstr(log, "event=worker-left-behind");
    CHECK(told != NULL);
    CHECK_HAS(told, "token=tok pid=100001 ");
    CHECK(strstr(told + 1, "event=worker-left-behind") == NULL);
    stage_end(&s);
}

/* Its last words all lie there when the end begins: how its login ended is heard, and
 * nothing after it. */
TEST(stop__login_verdicts_and_ready_in_one_batch__heard_up_to_the_login)
{
    const uint64_t one = 1;
    uint8_t buf[KW_WIRE_MAX];
    stage_begin(&s);
    s.options.times.login_grace_ns = 10 * KW_S_NS;
    stage_open(&s);
    fake_in_login(&s, 0);
    kw_page_enter(s.fakes[0].page, KW_PAGE_INIT);
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_login(&(struct kw_wire_login){.err = KW_OK}, &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(
        kw_wire_encode_verdict(&(struct kw_wire_verdict){.n = 2, .reason = ""}, &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_ready(&(struct kw_wire_ready){.verdicts = 1, .sessions = 1},
                                  &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    close(s.fakes[0].socket);
    s.fakes[0].socket = -1;
    CHECK(write(s.fakes[0].process, &one, sizeof one) == sizeof one);
    kw_front_stop(s.front, 10 * KW_S_NS);
    CHECK(stage_status(&s).worker_count == 0);
    stage_end(&s);
}

/* Nothing of it was read before the stop: the login's end is the last that is heard. */
static void says_at_once_that_it_is_in(kw_span then)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_login in = {.err = KW_OK};
    stage_begin(&s);
    stage_open(&s);
    fake_in_login(&s, 0);
    CHECK_OK(kw_wire_encode_login(&in, &dst));
    fake_say(&s, 0, dst.ptr, dst.len);
    fake_say(&s, 0, then.ptr, then.len);
    kw_page_enter(s.fakes[0].page, KW_PAGE_IDLE);
    kw_front_stop(s.front, 0);
    CHECK(s.fakes[0].killed && stage_status(&s).worker_count == 0);
    stage_end(&s);
}

TEST(stop__login_told_and_ready_in_one_batch__it_leaves)
{
    uint8_t buf[KW_WIRE_MAX];
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    const struct kw_wire_ready ready = {.sessions = 1};
    CHECK_OK(kw_wire_encode_ready(&ready, &dst));
    says_at_once_that_it_is_in(kw_dst_span(&dst));
}

TEST(stop__login_told_and_nonsense_in_one_batch__it_leaves)
{
    says_at_once_that_it_is_in(kw_span_str("?"));
}

KW_SUITE("hsm/front/stop")
