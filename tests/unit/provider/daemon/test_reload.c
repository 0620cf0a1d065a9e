/* SPDX-License-Identifier: Apache-2.0 */
/* Which keyring the front is given, and what is remembered of it.  Files and judgement are
 * real; the front and the looking again are made up here. */
#include <stdio.h>
#include <unistd.h>

#include <keyward/file.h>

#include "daemon_fakes.h"
#include "ring.h"

static struct {
    kw_err answer; /* of the front                     */
    int used;      /* how often it was given something */
    uint64_t serial;
    uint32_t active;
    char sha256[65]; /* what it was given last */
    bool in_use;     /* and its workers have proven it */
    int sought;      /* begins of looking again, less ends */
} world;

kw_err kw_front_use(struct kw_front *front, struct kw_keyring *ring, kw_span bytes,
                    uint32_t active_n)
{
    (void)front;
    CHECK(bytes.len > 0);
    if (kw_failed(world.answer))
        return world.answer;
    world.used++;
    world.serial = ring->serial;
    world.active = active_n;
    kw_hex(world.sha256, sizeof world.sha256, kw_span_of(ring->sha256, 32));
    return KW_OK;
}

void kw_front_status(struct kw_front *front, struct kw_front_status *ret_status)
{
    (void)front;
    *ret_status = (struct kw_front_status){0};
    if (world.in_use) {
        kw_copy_str(ret_status->keyring_sha256, sizeof ret_status->keyring_sha256,
                    kw_span_str(world.sha256));
        ret_status->health.active_n = world.active;
    }
}

void kw_seek_begin(struct kw_daemon *d)
{
    (void)d;
    world.sought++;
}

void kw_seek_end(struct kw_daemon *d)
{
    (void)d;
    world.sought = 0;
}

/* The state directory is the folder itself, and the keyring file lies there too. */
struct node {
    struct kw_daemon d;
    struct kw_config config;
    struct kw_fake_clock now;
    struct kw_clock clock;
    char domain[8], keyring[64], state[64];
};

/* A process starts; what lies in the folder stays. */
static void node_start(struct node *n)
{
    struct kw_note note = {{0}};
    memset(&world, 0, sizeof world);
    *n = (struct node){.domain = "demo", .now = {100 * KW_S_NS}};
    n->clock = kw_fake_clock(&n->now);
    snprintf(n->state, sizeof n->state, "%s", folder());
    snprintf(n->keyring, sizeof n->keyring, "%s/there.json", folder());
    n->config =
        (struct kw_config){.domain = n->domain, .keyring = n->keyring, .state = n->state};
    daemon_begin(&n->d, &n->config);
    n->d.clock = &n->clock;
    CHECK_OK(kw_state_open(n->state, &n->d.state, &note));
}

static void node_end(struct node *n)
{
    kw_reload_forget(&n->d);
    kw_state_close(n->d.state);
    daemon_end(&n->d);
}

static void put(const struct node *n, const char *text)
{
    CHECK_OK(kw_file_replace(n->keyring, kw_span_str(text), 0644, NULL));
}

/* The file after this one. */
static char *text_after(enum kw_act act, uint32_t version)
{
    struct kw_keyring *before = good_file();
    char *text = text_of(acted(before, act, version));
    kw_keyring_give(before);
    return text;
}

/* The same with a fourth version, which may not wrap yet. */
static struct kw_keyring *file_with_a_fourth(void)
{
    struct kw_keyring *before = good_file(), *next = change(before);
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    next->serial = before->serial;
    CHECK_OK(kw_act_add(next, KW_ACT_CREATE, &v, &some_facts));
    next->serial = before->serial + 1;
    kw_keyring_give(before);
    return reread(next);
}

static uint64_t remembered(struct node *n)
{
    struct kw_marks marks;
    struct kw_note note = {{0}};
    CHECK_OK(kw_state_marks(n->d.state, &marks, &note));
    return marks.serial;
}

/* The file of serial 7 serves, and is remembered. */
static void node_serve(struct node *n)
{
    node_start(n);
    put(n, good_text());
    kw_reload_start(&n->d);
    world.in_use = true;
    kw_reload_settle(&n->d);
    assert_int_equal(world.used, 1);
    assert_int_equal(remembered(n), 7);
    (void)daemon_log_look();
}

static void log_lacks(const char *part)
{
    const char *log = daemon_log_look();
    if (strstr(log, part) != NULL)
        fail_msg("the log has %s: %s", part, log);
}

TEST(start__no_file_and_no_last_good__sought_and_what_to_do)
{
    struct node n;
    node_start(&n);
    kw_reload_start(&n.d);
    CHECK(world.used == 0 && world.sought == 1 && n.d.ring == NULL);
    CHECK_HAS(n.d.rejected.text, "is not there");
    CHECK_HAS(n.d.rejected.text, "keyward key create");
    CHECK_HAS(daemon_log_look(), "level=error event=keyring-rejected");
    node_end(&n);
    folder_gone();
}

TEST(start__no_file__last_good_serves_and_is_named)
{
    struct node n;
    node_serve(&n);
    node_end(&n);
    CHECK(unlink(n.keyring) == 0);
    node_start(&n);
    kw_reload_start(&n.d);
    CHECK(world.used == 1 && world.serial == 7 && world.active == 2);
    assert_int_equal(world.sought, 1);
    CHECK_HAS(n.d.rejected.text, "put back this node's last good one");
    CHECK_HAS(daemon_log_look(), "why=\"last good one, from the state directory\"");
    node_end(&n);
    folder_gone();
}

TEST(start__damaged_file_and_last_good_too__nothing_serves_and_both_said)
{
    struct node n;
    node_serve(&n);
    node_end(&n);
    put(&n, "{}");
    CHECK_OK(kw_file_replace(in_folder("keyring.json"), kw_span_str("{}"), 0600, NULL));
    node_start(&n);
    kw_reload_start(&n.d);
    CHECK(world.used == 0 && world.sought == 1 && n.d.ring == NULL);
    CHECK(n.d.rejected.text[0] != '\0' && n.d.last_good_refused.text[0] != '\0');
    const char *log = daemon_log_look();
    CHECK_HAS(log, "event=keyring-rejected");
    CHECK_HAS(log, "event=last-good-refused");
    node_end(&n);
    folder_gone();
}

TEST(start__damaged_file_then_a_good_one__taken_and_no_more_sought)
{
    struct node n;
    node_start(&n);
    put(&n, "{");
    kw_reload_start(&n.d);
    CHECK(world.used == 0 && world.sought == 1);
    put(&n, good_text());
    kw_reload_again(&n.d);
    CHECK(world.used == 1 && world.serial == 7 && world.sought == 0);
    CHECK_STR(n.d.rejected.text, "");
    node_end(&n);
    folder_gone();
}

TEST(reload__file_refused__what_serves_stays_until_it_is_cured)
{
    struct node n;
    node_serve(&n);
    put(&n, swap(good_text(), "\"active\": 2", "\"active\": 9"));
    kw_reload(&n.d, "SIGHUP");
    CHECK(world.used == 1 && n.d.ring->serial == 7);
    CHECK_HAS(n.d.rejected.text, n.keyring);
    CHECK_HAS(daemon_log_look(), "event=keyring-rejected");
    put(&n, text_after(KW_ACT_DISABLE, 1));
    kw_reload(&n.d, "SIGHUP");
    CHECK(world.used == 2 && world.serial == 8);
    CHECK_STR(n.d.rejected.text, "");
    CHECK_HAS(daemon_log_look(), "event=keyring-loaded why=SIGHUP serial=8");
    node_end(&n);
    folder_gone();
}

TEST(reload__older_file__refused_also_by_the_next_process)
{
    struct node n;
    node_serve(&n);
    put(&n, text_after(KW_ACT_DISABLE, 1));
    kw_reload(&n.d, "SIGHUP");
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 8);
    put(&n, good_text());
    kw_reload(&n.d, "SIGHUP");
    CHECK(world.used == 2 && n.d.ring->serial == 8);
    CHECK(n.d.rejected.text[0] != '\0');
    node_end(&n);
    node_start(&n);
    kw_reload_start(&n.d);
    CHECK(world.used == 1 && world.serial == 8 && n.d.rejected.text[0] != '\0');
    node_end(&n);
    folder_gone();
}

TEST(reload__front_takes_nothing__said_and_what_serves_stays)
{
    struct node n;
    node_serve(&n);
    put(&n, text_after(KW_ACT_DISABLE, 1));
    world.answer = kw_err_at(KW_CODE_NO_MEMORY, "workers");
    kw_reload(&n.d, "SIGHUP");
    CHECK(n.d.ring->serial == 7 && n.d.remembered);
    CHECK_STR(n.d.rejected.text, kw_code_name(KW_CODE_NO_MEMORY));
    CHECK_HAS(daemon_log_look(), "event=keyring-rejected");
    node_end(&n);
    folder_gone();
}

TEST(again__the_same_reason__said_once_but_to_who_asks)
{
    struct node n;
    node_start(&n);
    kw_reload_start(&n.d);
    (void)daemon_log_look();
    kw_reload_again(&n.d);
    log_lacks("keyring-rejected");
    kw_reload(&n.d, "SIGHUP");
    CHECK_HAS(daemon_log_look(), "event=keyring-rejected");
    put(&n, "{");
    kw_reload_again(&n.d);
    CHECK_HAS(daemon_log_look(), "event=keyring-rejected");
    node_end(&n);
    folder_gone();
}

/* New workers would log in: what is in use already gets none, and what does not come into
 * use by itself only when somebody asks. */
TEST(reload__in_hand_already__new_workers_only_when_it_is_not_in_use_and_asked_for)
{
    struct node n;
    node_serve(&n);
    for (int i = 0; i < 500; i++)
        kw_reload(&n.d, "SIGHUP");
    kw_reload_again(&n.d);
    assert_int_equal(world.used, 1);
    world.in_use = false;
    kw_reload_again(&n.d);
    assert_int_equal(world.used, 1);
    kw_reload(&n.d, "SIGHUP");
    assert_int_equal(world.used, 2);
    node_end(&n);
    folder_gone();
}

TEST(settle__not_proven__nothing_remembered)
{
    struct node n;
    node_start(&n);
    put(&n, good_text());
    kw_reload_start(&n.d);
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 0);
    CHECK(access(in_folder("keyring.json"), F_OK) != 0);
    world.in_use = true;
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 7);
    CHECK(access(in_folder("keyring.json"), F_OK) == 0);
    CHECK_HAS(daemon_log_look(), "event=keyring-proven serial=7 active=2");
    node_end(&n);
    folder_gone();
}

TEST(settle__state_held_by_somebody__tried_again_after_ten_seconds)
{
    struct node n;
    struct kw_state_dir *other = NULL;
    struct kw_note note = {{0}};
    node_start(&n);
    put(&n, good_text());
    kw_reload_start(&n.d);
    world.in_use = true;
    CHECK_OK(kw_state_open(n.state, &other, &note));
    CHECK_OK(kw_state_lock(other, &note));
    kw_reload_settle(&n.d);
    CHECK(n.d.unwritten && n.d.unremembered.text[0] != '\0');
    CHECK_HAS(daemon_log_look(), "event=state-not-written");
    kw_state_close(other);
    n.now.now_ns += 10 * KW_S_NS - 1;
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 0);
    n.now.now_ns += 1;
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 7);
    CHECK(!n.d.unwritten);
    CHECK_STR(n.d.unremembered.text, "");
    node_end(&n);
    folder_gone();
}

/* What this process took may not be forgotten because it could not be written. */
TEST(reload__older_file_and_marks_never_written__refused)
{
    struct node n;
    struct kw_state_dir *other = NULL;
    struct kw_note note = {{0}};
    node_start(&n);
    put(&n, text_after(KW_ACT_DISABLE, 1));
    kw_reload_start(&n.d);
    world.in_use = true;
    CHECK_OK(kw_state_open(n.state, &other, &note));
    CHECK_OK(kw_state_lock(other, &note));
    kw_reload_settle(&n.d);
    CHECK(n.d.unwritten);
    CHECK(unlink(in_folder("keyring.json")) == 0); /* the last good one would tell */
    put(&n, good_text());
    kw_reload(&n.d, "SIGHUP");
    CHECK(world.used == 1 && n.d.rejected.text[0] != '\0');
    kw_state_close(other);
    node_end(&n);
    folder_gone();
}

TEST(settle__marks_deleted_meanwhile__said_once_and_written_at_the_reload)
{
    struct node n;
    node_serve(&n);
    CHECK(unlink(in_folder("marks.json")) == 0);
    n.now.now_ns += 10 * KW_S_NS;
    kw_reload_settle(&n.d);
    CHECK_HAS(daemon_log_look(), "event=state-lost");
    CHECK_HAS(n.d.unremembered.text, "systemctl reload keywardd");
    n.now.now_ns += 10 * KW_S_NS;
    kw_reload_settle(&n.d);
    log_lacks("state-lost");
    assert_int_equal(remembered(&n), 0);
    kw_reload(&n.d, "SIGHUP");
    kw_reload_settle(&n.d);
    assert_int_equal(remembered(&n), 7);
    CHECK_STR(n.d.unremembered.text, "");
    node_end(&n);
    folder_gone();
}

TEST(look__nothing_serves_or_nothing_new_or_bad__nothing_taken)
{
    struct node n;
    node_start(&n);
    put(&n, good_text());
    kw_reload_look(&n.d);
    assert_int_equal(world.used, 0);
    node_end(&n);
    node_serve(&n);
    kw_reload_look(&n.d);
    put(&n, "{");
    kw_reload_look(&n.d);
    assert_int_equal(world.used, 1);
    CHECK_STR(n.d.rejected.text, "");
    node_end(&n);
    folder_gone();
}

TEST(look__file_changes_a_state__not_taken_and_said)
{
    struct node n;
    node_serve(&n);
    put(&n, text_after(KW_ACT_DISABLE, 1));
    kw_reload_look(&n.d);
    CHECK(world.used == 1 && n.d.ring->serial == 7);
    CHECK_HAS(daemon_log_look(), "event=keyring-differs");
    node_end(&n);
    folder_gone();
}

TEST(look__file_adds_a_version_and_changes_a_state__not_taken)
{
    struct node n;
    struct kw_keyring *file = file_with_a_fourth();
    node_serve(&n);
    becomes(&file, acted(file, KW_ACT_DISABLE, 1));
    put(&n, text_of(file));
    kw_reload_look(&n.d);
    assert_int_equal(world.used, 1);
    CHECK_HAS(daemon_log_look(), "event=keyring-differs");
    node_end(&n);
    folder_gone();
}

TEST(look__file_only_adds_a_version__taken)
{
    struct node n;
    node_serve(&n);
    put(&n, text_of(file_with_a_fourth()));
    kw_reload_look(&n.d);
    CHECK(world.used == 2 && world.serial == 8 && world.active == 2);
    assert_int_equal(n.d.ring->count, 4);
    node_end(&n);
    folder_gone();
}

KW_CASES(
    "provider/daemon/reload",
    CASE(start__no_file_and_no_last_good__sought_and_what_to_do),
    CASE(start__no_file__last_good_serves_and_is_named),
    CASE(start__damaged_file_and_last_good_too__nothing_serves_and_both_said),
    CASE(start__damaged_file_then_a_good_one__taken_and_no_more_sought),
    CASE(reload__file_refused__what_serves_stays_until_it_is_cured),
    CASE(reload__older_file__refused_also_by_the_next_process),
    CASE(reload__front_takes_nothing__said_and_what_serves_stays),
    CASE(again__the_same_reason__said_once_but_to_who_asks),
    CASE(reload__in_hand_already__new_workers_only_when_it_is_not_in_use_and_asked_for),
    CASE(settle__not_proven__nothing_remembered),
    CASE(settle__state_held_by_somebody__tried_again_after_ten_seconds),
    CASE(reload__older_file_and_marks_never_written__refused),
    CASE(settle__marks_deleted_meanwhile__said_once_and_written_at_the_reload),
    CASE(look__nothing_serves_or_nothing_new_or_bad__nothing_taken),
    CASE(look__file_changes_a_state__not_taken_and_said),
    CASE(look__file_adds_a_version_and_changes_a_state__not_taken),
    CASE(look__file_only_adds_a_version__taken))
