/* SPDX-License-Identifier: Apache-2.0 */
/* What a token, a module or a PIN can do to us, with real processes. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"
#include "traffic.h"
#include "world.h"

static struct world w;

static bool has_reason(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    return s.reason[0] != '\0';
}

static bool is_latched(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    return s.pin_latched;
}

static kw_err version(uint32_t n)
{
    struct kw_hsm_version v;
    kw_lock_take(&w.lock);
    kw_err e = w.door.ops->version(w.door.hsm, kw_span_str(world_key_id(&w, n)), &v);
    kw_lock_give(&w.lock);
    return e;
}

static const char *reason(void)
{
    static struct kw_front_status s;
    kw_front_status(w.front, &s);
    return s.reason;
}

/* ---- the PIN ----------------------------------------------------------------------- */

TEST(wrong_pin__one_login__also_over_twenty_restarts)
{
    world_make(&w);
    kw_softhsm_write_pin(&w.hsm, "not the right pin");
    world_start(&w);
    world_until(&w, is_latched);
    CHECK(is_lost(&w) && world_health(&w).why.code == KW_CODE_PIN_STOP);
    for (int i = 0; i < 20; i++) {
        world_stop(&w);
        world_start(&w);
        world_until(&w, is_latched);
        CHECK(is_lost(&w));
        kw_softhsm_write_pin(&w.hsm, "not the right pin"); /* another file, the same */
    }
    CHECK(world_logins(&w) == 1);
    kw_softhsm_write_pin(&w.hsm, w.hsm.pin); /* another PIN: the latch opens */
    world_until(&w, is_up);
    CHECK(world_logins(&w) >= 2 && !is_latched(&w));
    world_end(&w);
}

TEST(pin_file_readable_by_others__no_login_and_said)
{
    world_make(&w);
    CHECK(chmod(w.hsm.pin_path, 0644) == 0);
    world_start(&w);
    world_until(&w, has_reason);
    CHECK_HAS(reason(), "chmod");
    CHECK(world_logins(&w) == 0);
    world_end(&w);
}

/* ---- keys -------------------------------------------------------------------------- */

static bool is_bad_1(struct world *x)
{
    (void)x;
    return version(1).code == KW_CODE_KEY_BAD;
}

TEST(key_missing__only_that_version_is_bad)
{
    world_make(&w);
    world_forget_key(&w, 1);
    world_start(&w);
    world_until(&w, is_up);
    world_until(&w, is_bad_1); /* it is asked for when the worker is ready */
    CHECK(!kw_failed(version(2)));
    world_end(&w);
}

TEST(same_label_other_key__refused_and_lost_at_once)
{
    world_make(&w);
    world_forget_key(&w, 2);
    world_make_key(&w, 2); /* the same label and locator, other bytes */
    world_start(&w);
    world_until(&w, is_lost);
    CHECK(world_health(&w).active_err.code == KW_CODE_KEY_BAD);
    CHECK_CODE(version(2), KW_CODE_KEY_BAD);
    CHECK(!kw_failed(version(1)));
    world_end(&w);
}

static bool is_away_1(struct world *x)
{
    (void)x;
    return version(1).code == KW_CODE_MISSING;
}

static struct parcel of_version_1;

static bool is_proven_1(struct world *x)
{
    struct kw_front_status s;
    kw_front_status(x->front, &s);
    return s.versions[0].verdict.code == KW_CODE_OK;
}

/* A retired key is asked for seldom: whoever needs it finds out. */
TEST(key_goes_while_we_serve__found_by_who_needs_it)
{
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    world_until(&w, is_proven_1);
    world_sealed(&w, 1, &of_version_1);
    world_forget_key(&w, 1);
    while (!is_away_1(&w)) { /* who had the key before leaves first, for a new process */
        CHECK(kw_failed(world_unwrap(&w, &of_version_1)));
        world_turn(&w);
    }
    world_until(&w, two_ready);
    CHECK(!kw_failed(version(2)));
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

/* ---- the token and the module ------------------------------------------------------ */

TEST(token_goes_and_comes_back__lost_then_up_by_itself)
{
    char away[160];
    struct parcel p;
    world_make(&w);
    w.options.times.suspect_ns = KW_S_NS / 2;
    world_start(&w);
    world_until(&w, is_up);
    CHECK_OK(world_wrap(&w, 2, &p));
    snprintf(away, sizeof away, "%s/away", w.hsm.dir);
    CHECK(rename(w.hsm.tokens, away) == 0);
    world_until(&w, is_lost);
    CHECK(rename(away, w.hsm.tokens) == 0);
    world_until(&w, is_up);
    CHECK_OK(world_unwrap(&w, &p));
    CHECK(world_health(&w).losses == 1);
    world_end(&w);
}

TEST(module_is_none__said_and_no_login)
{
    static const char *const modules[] = {"/nonexistent/module.so", "/etc/passwd",
                                          "/lib/x86_64-linux-gnu/libm.so.6"};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        world_make(&w);
        w.token.module = modules[i];
        world_start(&w);
        world_until(&w, has_reason);
        CHECK(!is_up(&w) && world_logins(&w) == 0);
        world_end(&w);
        kw_arena_close();
    }
}

TEST(worker_program_missing__said)
{
    world_make(&w);
    w.options.worker_path = "/nonexistent/keyward-hsm";
    world_start(&w);
    CHECK(has_reason(&w));
    world_end(&w);
}

TEST(production__softhsm_refused_without_a_login)
{
    world_make(&w);
    w.options.production = true;
    world_start(&w);
    world_until(&w, has_reason);
    CHECK_HAS(reason(), "SoftHSM");
    CHECK(world_logins(&w) == 0);
    world_end(&w);
}

/* ---- data -------------------------------------------------------------------------- */

/* Neither the caller nor the health record notices one odd answer. */
TEST(one_error_on_a_genuine_ciphertext__tried_again_and_served)
{
    static const char *const once[] = {"C_Decrypt rv=0x5 count=1\n",
                                       "C_Decrypt rv=0x6 count=1\n",
                                       "C_Decrypt rv=0x40 count=1\n"};
    struct parcel p;
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &p));
    for (size_t i = 0; i < sizeof once / sizeof once[0]; i++) {
        kw_fault_set(&w.hsm, once[i]);
        CHECK_OK(world_unwrap(&w, &p));
    }
    CHECK(world_health(&w).losses == 0 && world_health(&w).state == KW_HSM_UP);
    world_end(&w);
}

static unsigned refused;
static void count_refused(void *ctx, struct kw_hsm_answer *a)
{
    (void)ctx;
    CHECK(a->err.code == KW_CODE_FORGED);
    refused++;
}

/* Each is tried twice, with a canary in between that many share. */
TEST(flood_of_forged__all_refused_with_few_canaries)
{
    enum { FORGED = 60 };
    struct parcel p;
    world_make(&w);
    w.options.times.probe_every_ns = 60 * KW_S_NS;
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &p));
    unsigned before = kw_fault_count(&w.hsm, "C_Decrypt");
    refused = 0;
    for (unsigned i = 0; i < FORGED; i++) {
        struct parcel bad = p;
        bad.sealed[i % p.sealed_len] ^= 1;
        CHECK_OK(world_submit_unwrap(&w, &bad, count_refused, NULL, 20 * KW_S_NS));
    }
    while (refused < FORGED)
        CHECK(event_base_loop(w.loop, EVLOOP_ONCE) == 0);
    unsigned calls = kw_fault_count(&w.hsm, "C_Decrypt") - before;
    CHECK(calls >= 2 * FORGED && calls < 2 * FORGED + FORGED / 2);
    CHECK_OK(world_unwrap(&w, &p));
    CHECK(world_health(&w).losses == 0);
    world_end(&w);
}

TEST(module_says_device_error__job_served_by_another_worker)
{
    struct parcel p;
    world_make(&w);
    w.options.times.probe_every_ns = 60 * KW_S_NS;
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &p));
    kw_fault_set(&w.hsm, "C_DecryptInit rv=0x30 skip=30 count=1\n"); /* per process */
    for (int i = 0; i < 100; i++)
        CHECK_OK(world_unwrap(&w, &p));
    struct kw_front_status s;
    kw_front_status(w.front, &s);
    CHECK(s.workers_started > 2 && s.jobs.requeued > 0);
    kw_fault_set(&w.hsm, "");
    world_until(&w, two_ready);
    CHECK_OK(world_unwrap(&w, &p));
    world_end(&w);
}

/* ---- processes --------------------------------------------------------------------- */

static size_t open_descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != NULL);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

TEST(twenty_kills__no_descriptor_and_no_process_is_left)
{
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    size_t before = open_descriptors();
    for (int i = 0; i < 20; i++) {
        CHECK(kill(ready_pid(&w, (size_t)i % 2), SIGKILL) == 0);
        while (ready_count(&w) == 2)
            CHECK(event_base_loop(w.loop, EVLOOP_ONCE) == 0);
        world_until(&w, two_ready);
    }
    CHECK(open_descriptors() == before);
    world_stop(&w);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1); /* no child is left */
    world_end(&w);
}

TEST(sigterm__worker_stays)
{
    struct parcel p;
    struct kw_front_status s;
    world_make(&w);
    world_start(&w);
    world_until(&w, two_ready);
    CHECK_OK(world_wrap(&w, 2, &p));
    for (size_t i = 0; i < 2; i++)
        CHECK(kill(ready_pid(&w, i), SIGTERM) == 0);
    for (int i = 0; i < 50; i++)
        CHECK_OK(world_unwrap(&w, &p));
    kw_front_status(w.front, &s);
    CHECK(s.workers_started == 2 && s.workers_died == 0 && s.workers_killed == 0);
    world_end(&w);
}

static bool logged(const char *text)
{
    return strstr(kw_fault_calls(&w.hsm), text) != NULL;
}

/* Reads until it asks, and says yes. */
static void let_it_log_in(int socket)
{
    uint8_t buf[KW_WIRE_MAX];
    const struct kw_wire_permit go = {.err = KW_OK};
    ssize_t n;
    do
        n = recv(socket, buf, sizeof buf, 0);
    while (n > 0 && kw_wire_kind_of(kw_span_of(buf, (size_t)n)) != KW_WIRE_PIN);
    CHECK(n > 0);
    kw_dst dst = kw_dst_of(buf, sizeof buf);
    CHECK_OK(kw_wire_encode_permit(&go, &dst));
    CHECK(send(socket, dst.ptr, dst.len, 0) == (ssize_t)dst.len);
}

static void spawn_alone(struct kw_spawned *s)
{
    char *envp[5] = {NULL};
    for (size_t i = 0; i < w.token.env_count; i++)
        envp[i] = kw_format("%s=%s", w.env[i].name, w.env[i].value);
    const struct kw_brief brief = {.module = kw_span_str(w.token.module),
                                   .uri = kw_span_str(w.token.uri),
                                   .pin = kw_span_str(w.token.pin),
                                   .domain = kw_span_str(DOMAIN_NAME),
                                   .active_n = 2,
                                   .parts = 1,
                                   .keyring = kw_blob_peek(&w.bytes)};
    CHECK_OK(kw_spawn(KW_WORKER_PROGRAM, "test", envp, &brief, s));
    for (size_t i = 0; i < w.token.env_count; i++)
        kw_free(envp[i]);
}

static void start_alone(struct kw_spawned *s)
{
    spawn_alone(s);
    let_it_log_in(s->socket);
}

static void wait_for_end(struct kw_spawned *s)
{
    struct pollfd p = {.fd = s->pidfd, .events = POLLIN};
    CHECK(poll(&p, 1, -1) == 1);
    CHECK(waitpid(s->pid, NULL, 0) == s->pid);
    close(s->pidfd);
    close(s->output);
    kw_page_unmap(s->page);
}

/* Also before it is in its main function. */
TEST(sigterm__to_a_worker_that_just_begins__it_goes_on)
{
    struct kw_spawned s;
    world_make(&w);
    spawn_alone(&s);
    CHECK(kill(s.pid, SIGTERM) == 0);
    let_it_log_in(s.socket);
    while (kw_page_phase(s.page) != KW_PAGE_IDLE)
        sched_yield();
    close(s.socket);
    wait_for_end(&s);
    world_end(&w);
}

TEST(front_gone_in_login__worker_finishes_the_login_first)
{
    struct kw_spawned s;
    world_make(&w);
    kw_fault_set(&w.hsm, "C_Login delay=300\n");
    start_alone(&s);
    while (kw_page_phase(s.page) != KW_PAGE_LOGIN)
        sched_yield();
    CHECK(kill(s.pid, SIGTERM) == 0); /* ignored there too */
    close(s.socket);
    wait_for_end(&s);
    CHECK(logged("> C_Login") && logged("< C_Login rv=0x00000000"));
    world_end(&w);
}

static bool in_login(struct world *x)
{
    (void)x;
    return logged("> C_Login");
}

TEST(stop_while_a_worker_logs_in__it_is_not_killed)
{
    world_make(&w);
    kw_fault_set(&w.hsm, "C_Login delay=300\n");
    world_start(&w);
    world_until(&w, in_login);
    kw_front_stop(w.front, 0); /* no grace: killed as soon as the login is through */
    CHECK(logged("< C_Login rv=0x00000000"));
    world_end(&w);
}

/* What a vendor's library starts must not inherit the way to the front. */
TEST(socket_to_the_front__does_not_survive_an_exec)
{
    struct kw_spawned s;
    char path[64], line[64];
    unsigned flags = 0;
    kw_test_as_root(); /* the worker's /proc entry is nobody else's */
    world_make(&w);
    start_alone(&s);
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", s.pid, KW_WIRE_SOCKET_FD);
    FILE *info = fopen(path, "r");
    CHECK(info != NULL);
    while (fgets(line, sizeof line, info) != NULL &&
           sscanf(line, "flags: %o", &flags) != 1)
        ;
    fclose(info);
    CHECK((flags & O_CLOEXEC) != 0);
    close(s.socket);
    wait_for_end(&s);
    world_end(&w);
}

TEST(front_gone_while_the_module_hangs__worker_leaves)
{
    struct kw_spawned s;
    world_make(&w);
    kw_fault_set(&w.hsm, "C_FindObjectsInit hang\n");
    start_alone(&s);
    while (!logged("> C_FindObjectsInit"))
        sched_yield();
    close(s.socket);
    wait_for_end(&s);
    CHECK(!logged("< C_FindObjectsInit"));
    world_end(&w);
}

KW_CASES("worker/trouble", CASE(wrong_pin__one_login__also_over_twenty_restarts),
         CASE(pin_file_readable_by_others__no_login_and_said),
         CASE(key_missing__only_that_version_is_bad),
         CASE(same_label_other_key__refused_and_lost_at_once),
         CASE(key_goes_while_we_serve__found_by_who_needs_it),
         CASE(token_goes_and_comes_back__lost_then_up_by_itself),
         CASE(module_is_none__said_and_no_login), CASE(worker_program_missing__said),
         CASE(production__softhsm_refused_without_a_login),
         CASE(one_error_on_a_genuine_ciphertext__tried_again_and_served),
         CASE(flood_of_forged__all_refused_with_few_canaries),
         CASE(module_says_device_error__job_served_by_another_worker),
         CASE(twenty_kills__no_descriptor_and_no_process_is_left),
         CASE(sigterm__worker_stays),
         CASE(sigterm__to_a_worker_that_just_begins__it_goes_on),
         CASE(front_gone_in_login__worker_finishes_the_login_first),
         CASE(stop_while_a_worker_logs_in__it_is_not_killed),
         CASE(socket_to_the_front__does_not_survive_an_exec),
         CASE(front_gone_while_the_module_hangs__worker_leaves))
