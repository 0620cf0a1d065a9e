/* SPDX-License-Identifier: Apache-2.0 */
/* A keyring that cannot be read is as good as lost: the same ways out, as they are
 * printed. */
#include "lost.h"
#include "words.h"

#include <unistd.h>

#include <keyward/file.h>

#define UNREADABLE "cannot be read as a keyring"

static const char *const damages[] = {"empty", "torn", "brace", "serial"};
enum { DAMAGES = sizeof damages / sizeof damages[0] };

static void damage(const char *how)
{
    static char text[128 * 1024];
    struct kw_blob file = {0};
    CHECK_OK(kw_file_read(lost.s.keyring, sizeof text - 1, &file, NULL));
    size_t len = file.len;
    kw_copy(text, sizeof text, kw_blob_peek(&file));
    kw_blob_wipe(&file);
    char *serial = strstr(text, "\"serial\": ");
    CHECK(serial != NULL);
    if (strcmp(how, "serial") == 0)
        serial[strlen("\"serial\": ")] = '9';
    else
        len = how[0] == 'e' ? 0 : how[0] == 'b' ? 1 : len / 2;
    CHECK_OK(kw_file_replace(lost.s.keyring, kw_span_of(text, len), 0644, NULL));
}

static void run_below(const char *text, const char *below, size_t n, const char *file)
{
    char command[2048], line[4096];
    printed_command(text, below, n, command);
    char *at = file != NULL ? strstr(command, "FILE") : NULL;
    if (at != NULL)
        snprintf(line, sizeof line, "%.*s%s%s", (int)(at - command), command, file,
                 at + strlen("FILE"));
    else
        snprintf(line, sizeof line, "%s", command);
    if (words_run(&lost.s, line) != 0)
        fail_msg("%s: %s%s", line, lost.s.run.out, lost.s.run.err);
}

/* Every verb says the same. */
static const char *refused(void)
{
    static const char *const verbs[][5] = {
        {"key", "create"},       {"key", "accept", "1"},
        {"key", "show", "1"},    {"key", "activate", "1", "--only-copy"},
        {"key", "destroy", "1"}, {"key", "prune", "1"},
        {"key", "list"},
    };
    static char text[sizeof lost.s.run.err];
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        const char *const *v = verbs[i];
        KEYWARD_MUST(&lost.s, 1, v[0], v[1], v[2], v[3]);
        CHECK_HAS(lost.s.run.err, UNREADABLE);
        CHECK(i == 0 || strcmp(text, lost.s.run.err) == 0);
        snprintf(text, sizeof text, "%s", lost.s.run.err);
    }
    KEYWARD_MUST(&lost.s, 1, "check", "--offline");
    CHECK_HAS(lost.s.run.out, UNREADABLE);
    return text;
}

static void serves(void)
{
    KEYWARD_MUST(&lost.s, 0, "key", "list", "--json");
    CHECK_HAS(lost.s.run.out, "\"active_here\": 1");
}

TEST(a_last_good_copy__put_back)
{
    lost_begin(1, false);
    lost_take(true);
    for (size_t i = 0; i < DAMAGES; i++) {
        damage(damages[i]);
        KEYWARD_MUST(&lost.s, 1, "key", "list", "--json");
        CHECK_HAS(lost.s.run.out, "\"next\": [");
        run_below(refused(), NULL, 0, NULL);
        serves();
    }
    lost_end();
}

TEST(no_copy_but_another_node_has_it__fetched)
{
    lost_begin(1, false);
    lost_take(false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    damage("torn");
    run_below(refused(), "when another node or a backup has", 0, lost.backup);
    serves();
    lost_end();
}

TEST(no_copy_anywhere__moved_aside_and_its_keys_adopted)
{
    lost_begin(1, false);
    lost_take(false);
    damage("brace");
    const char *text = refused();
    run_below(text, "there are only older backups", 0, NULL);
    run_below(text, "there are only older backups", 1, lost.backup);
    serves();
    lost_end();
}

TEST(nothing_is_remembered__fetched_or_moved_aside)
{
    char act[160];
    lost_begin(1, false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    damage("empty");
    run_below(refused(), "when another node or a backup has one", 0, lost.backup);
    serves();
    damage("empty");
    snprintf(act, sizeof act, "%s/activation.json", lost.s.state);
    CHECK(unlink(act) == 0);
    run_below(refused(), "when none has", 0, NULL);
    KEYWARD_MUST(&lost.s, 1, "key", "create");
    CHECK_HAS(lost.s.run.err, "--adopt");
    CHECK_HAS(lost.s.run.err, lost.key_id[1]);
    lost_end();
}

/* The last file itself is at hand: it need not be adopted from. */
TEST(adopt_with_a_good_backup__it_is_put_in_place)
{
    lost_begin(1, false);
    lost_take(false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.sample, NULL});
    damage("torn");
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.backup); /* an older one */
    CHECK_HAS(lost.s.run.err, UNREADABLE);
    CHECK_HAS(lost.s.run.err, "\n  mv ");
    ADOPT(1, lost.key_id[1], "--keyring-backup", lost.sample);
    CHECK_HAS(lost.s.run.err, "is a keyring that this node takes as it is");
    run_below(lost.s.run.err, NULL, 0, NULL);
    serves();
    lost_end();
}

TEST(state_lost_too__state_create_leads_out)
{
    lost_begin(1, false);
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    damage("torn");
    kw_run(&lost.s.run, (const char *const[]){"/bin/rm", "-r", lost.s.state, NULL});
    KEYWARD_MUST(&lost.s, 1, "key", "list");
    CHECK_HAS(lost.s.run.err, UNREADABLE);
    KEYWARD_MUST(&lost.s, 3, "key", "create");
    KEYWARD_MUST(&lost.s, 1, "state", "create");
    CHECK_HAS(lost.s.run.err, UNREADABLE);
    CHECK_HAS(lost.s.run.err, "\n  install -m 0644 FROM ");
    static char text[sizeof lost.s.run.err];
    snprintf(text, sizeof text, "%s", lost.s.run.err);
    for (size_t i = 0; i < 2; i++)
        run_below(text, "or it is lost everywhere", i, NULL);
    CHECK(access(lost.s.keyring, F_OK) != 0 && site_mode(lost.s.state) == 0700);
    KEYWARD_MUST(&lost.s, 0, "key", "list");
    lost_end();
}

/* The marks are lost, the last good copy is not. */
TEST(marks_lost__state_create_says_what_key_list_says)
{
    char marks[160];
    lost_begin(1, false);
    lost_take(true);
    damage("torn");
    KEYWARD_MUST(&lost.s, 1, "state", "create");
    CHECK_HAS(lost.s.run.err, "its last good copy lies in the state directory");
    snprintf(marks, sizeof marks, "%s/marks.json", lost.s.state);
    CHECK(unlink(marks) == 0);
    KEYWARD_MUST(&lost.s, 1, "state", "create");
    CHECK_HAS(lost.s.run.err, "its last good copy lies in the state directory");
    static char text[sizeof lost.s.run.err];
    snprintf(text, sizeof text, "%s", lost.s.run.err);
    for (size_t i = 0; i < 2; i++)
        run_below(text, NULL, i, NULL);
    CHECK(access(marks, F_OK) == 0);
    serves();
    lost_end();
}

/* The keyring is whole; its copy in the state directory is not, and the marks are
 * lost. */
TEST(last_good_copy_spoilt__state_create_says_how_to_go_on)
{
    char path[160], command[512];
    lost_begin(1, false);
    lost_take(true);
    snprintf(path, sizeof path, "%s/marks.json", lost.s.state);
    CHECK(unlink(path) == 0);
    snprintf(path, sizeof path, "%s/keyring.json", lost.s.state);
    CHECK_OK(kw_file_replace(path, kw_span_str("{"), 0600, NULL));
    KEYWARD_MUST(&lost.s, 1, "state", "create");
    const char *at = strstr(lost.s.run.err, ", then: mv ");
    CHECK(at != NULL && sscanf(at, ", then: %511[^\n]", command) == 1);
    CHECK(words_run(&lost.s, command) == 0);
    KEYWARD_MUST(&lost.s, 0, "state", "create");
    lost_end();
}

KW_CASES("token/cli/damaged", CASE(a_last_good_copy__put_back),
         CASE(no_copy_but_another_node_has_it__fetched),
         CASE(no_copy_anywhere__moved_aside_and_its_keys_adopted),
         CASE(nothing_is_remembered__fetched_or_moved_aside),
         CASE(adopt_with_a_good_backup__it_is_put_in_place),
         CASE(state_lost_too__state_create_leads_out),
         CASE(marks_lost__state_create_says_what_key_list_says),
         CASE(last_good_copy_spoilt__state_create_says_how_to_go_on))
