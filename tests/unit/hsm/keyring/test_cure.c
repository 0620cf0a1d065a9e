/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusal says, and the commands that lead out of it: each works, or is not
 * said. */
#include "scene.h"

#include <stdio.h>

TEST(domain__of_another__both_named_and_the_right_one_put_back)
{
    static const char config[] = "# when the configuration is the wrong one: say domain: "
                                 "prod there, then\n" RELOAD;
    struct scene s;
    scene_begin(&s);
    s.now = good_ring();
    snprintf(s.now->domain, sizeof s.now->domain, "prod");
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_DOMAIN);
    CHECK_HAS(s.j.why.text, "\"prod\"");
    CHECK_HAS(s.j.why.text, "\"demo\"");
    scene_cured(&s, "# when the keyring is the wrong one:\n", PUT_BACK, config);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_DOMAIN);
    scene_cured(&s, "", scene_fetched(&s), config);
    s.marks = (struct kw_marks){0}; /* a new node */
    scene_judged(&s, KW_REFUSED_DOMAIN);
    scene_cured(&s, "# when the keyring is the wrong one; FILE is the right one:\n",
                INSTALL("FILE"), config);
    scene_end(&s);
}

/* The file is what this node took: to move it away would lose it. */
TEST(domain__the_configuration_was_changed__only_that_is_said)
{
    struct scene s;
    scene_begin(&s);
    s.now = good_file();
    const struct kw_memory memory = {&s.marks, &no_act, s.copy};
    kw_keyring_judge(s.now, "prod", &memory, &some_places, &s.j);
    CHECK(s.j.refusal == KW_REFUSED_DOMAIN);
    CHECK_STR(s.j.cure, "# the configuration is the wrong one: say domain: demo there, "
                        "then\n" RELOAD);
    scene_end(&s);
}

TEST(missing__last_good_copy__put_back)
{
    struct scene s;
    scene_begin(&s);
    scene_judged(&s, KW_REFUSED_MISSING);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "put it back");
    CHECK_STR(s.j.cure, PUT_BACK);
    scene_end(&s);
}

TEST(missing__no_copy__fetched_or_its_keys_adopted)
{
    struct scene s;
    scene_begin(&s);
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    becomes(&s.last, acted(s.last, KW_ACT_DESTROY, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_MISSING);
    CHECK_HAS(s.j.why.text, "no last good copy");
    CHECK_STR(s.j.cure, scene_fetched(&s));
    CHECK_HAS(s.j.cure, "--adopt kw1-2-000000000000000000000002 ");
    CHECK(strstr(s.j.cure, "kw1-1-") == NULL); /* destroyed: it stays away */
    scene_end(&s);
}

#define REASON RING ": keyring: line 1 column 0: end of file expected"

static void scene_damaged(struct scene *s, const struct kw_activation *act)
{
    const struct kw_memory memory = {&s->marks, act, s->copy};
    kw_keyring_judge_damaged(REASON, "demo", &memory, &some_places, &s->j);
    CHECK(s->j.refusal == KW_REFUSED_DAMAGED && s->j.active == 0);
    CHECK_HAS(s->j.why.text, REASON "; it cannot be read as a keyring, and this node ");
}

TEST(damaged__as_a_missing_one_but_moved_aside)
{
    struct scene s;
    scene_begin(&s);
    scene_damaged(&s, &no_act);
    scene_names(&s, s.last);
    CHECK(s.j.last_good);
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL;
    scene_damaged(&s, &no_act);
    CHECK_HAS(s.j.why.text, "no last good copy");
    s.now = kw_keyring_take(s.last); /* something lies there */
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

TEST(damaged__nothing_is_remembered__any_or_moved_aside)
{
    struct scene s;
    struct kw_activation act = {.n = 2};
    snprintf(act.key_id, sizeof act.key_id, "kw1-2-000000000000000000000002");
    scene_begin(&s);
    s.marks = (struct kw_marks){0};
    s.copy = NULL;
    scene_damaged(&s, &no_act);
    CHECK_HAS(s.j.why.text, "this node remembers none that it took");
    scene_cured(&s, "# when another node or a backup has one (FILE):\n" INSTALL("FILE"),
                "# when none has; key create says then which keys the token holds:\n",
                "mv " RING " " RING ".refused\nkeyward key create\n");
    scene_damaged(&s, &act);
    scene_cured(&s,
                "# when another node or a backup has one with version 2 "
                "(kw1-2-000000000000000000000002) (FILE):\n" INSTALL("FILE"),
                "# when none has, and a sample of what was sealed was kept (FILE); key "
                "create says what else there is:\n",
                "mv " RING " " RING ".refused\nkeyward key create --adopt "
                "kw1-2-000000000000000000000002 --sample FILE\n");
    scene_end(&s);
}

/* The reason of a very long path leaves room for what helps. */
TEST(damaged__a_long_reason__what_helps_is_not_cut)
{
    static char reason[512];
    struct scene s;
    memset(reason, 'r', sizeof reason - 1);
    scene_begin(&s);
    s.copy = NULL;
    const struct kw_memory memory = {&s.marks, &no_act, NULL};
    kw_keyring_judge_damaged(reason, "demo", &memory, &some_places, &s.j);
    CHECK_HAS(s.j.why.text, "or adopt its keys");
    scene_end(&s);
}

TEST(renamed__both_key_ids__put_back)
{
    struct scene s;
    scene_begin(&s);
    struct kw_version v = good_version(3, KW_KEY_ACCEPTED);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 3);
    memset(v.key_id + 6, 'f', 24);
    memset(v.objects[0].label + 6, 'f', 24);
    CHECK_OK(kw_keyring_add(s.now, &v));
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_RENAMED);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "kw1-3-ffffffffffffffffffffffff");
    CHECK_HAS(s.j.why.text, "kw1-3-000000000000000000000003");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL; /* no act leads out of it while that file lies there */
    scene_judged(&s, KW_REFUSED_RENAMED);
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

TEST(lost__the_version__put_back_or_adopted)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 3);
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_LOST);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "no version 3 (kw1-3-000000000000000000000003)");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_LOST);
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

/* Adopting made it, and has not come to its end. */
TEST(lost__on_its_way_back__what_it_lacks_is_adopted_into_it)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 3);
    struct kw_history h = {.serial = s.now->serial,
                           .n = 2,
                           .act = "adopt",
                           .at = "2026-11-26T12:00:00.000000Z",
                           .by = "ann",
                           .tool = "keyward 0.1.0"};
    CHECK_OK(kw_keyring_record(s.now, &h));
    s.now = reread(s.now);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_LOST);
    CHECK_HAS(s.j.cure, "none of them has):\n"
                        "keyward key create --adopt kw1-3-000000000000000000000003 "
                        "--keyring-backup FILE\n" RELOAD);
    CHECK(strstr(s.j.cure, ".refused") == NULL);
    CHECK(strstr(s.j.cure, "kw1-2-") == NULL);
    scene_end(&s);
}

/* Somebody turned it back into what is used by nobody. */
TEST(lost__only_created_again__refused_too)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    kw_keyring_edit(s.now, 3)->state = KW_KEY_CREATED;
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_LOST);
    CHECK_HAS(s.j.why.text, "version 3 (kw1-3-000000000000000000000003) is only created");
    CHECK_STR(s.j.cure, PUT_BACK);
    scene_end(&s);
}

TEST(next_n__both_numbers__put_back)
{
    struct scene s;
    scene_begin(&s);
    s.marks.next_n = 9;
    s.now = reread(change(s.last));
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_NEXT_N);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "is 4 and");
    CHECK_HAS(s.j.why.text, "last, 9:");
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

TEST(baseline__both_versions__put_back)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    kw_keyring_edit(s.now, 2)->state = KW_KEY_RETIRED;
    s.now->active = 0;
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_BASELINE);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "is 0 and this node has seen 2");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_BASELINE);
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

TEST(active__retired_elsewhere__the_next_kek_or_enabled_again)
{
    struct scene s;
    scene_begin(&s);
    (void)kw_marks_raise(&s.marks, s.last, 3, when(1000));
    s.now = acted(s.last, KW_ACT_RETIRE, 3);
    scene_judged(&s, KW_REFUSED_ACTIVE);
    scene_names(&s, s.now);
    CHECK_HAS(s.j.why.text, "version 2 and has wrapped with 3 "
                            "(kw1-3-000000000000000000000003), which is retired in it");
    scene_cured(&s, NEWEST, "", NEXT_KEK);
    becomes(&s.now, acted(s.last, KW_ACT_DISABLE, 3));
    scene_judged(&s, KW_REFUSED_ACTIVE);
    CHECK_HAS(s.j.why.text, "which is disabled in it: enable it again");
    scene_cured(&s, NEWEST,
                "# when version 3 may be used again:\nkeyward key enable 3\n" RELOAD
                "# when it must stay disabled:\n",
                NEXT_KEK);
    scene_end(&s);
}

TEST(active__would_wrap_with_none__said)
{
    struct scene s;
    scene_begin(&s);
    s.marks.baseline = (struct kw_named){0};
    s.now = change(s.last);
    kw_keyring_edit(s.now, 2)->state = KW_KEY_RETIRED;
    s.now->active = 0;
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_ACTIVE);
    CHECK_HAS(s.j.why.text, "would wrap with no version and has wrapped with 2");
    scene_end(&s);
}

/* A shell reads the commands. */
TEST(paths__with_what_a_shell_would_read__quoted)
{
    struct scene s;
    const struct kw_places odd = {"/etc/key ward/it's.json", "/var/lib/$HOME"};
    scene_begin(&s);
    const struct kw_memory memory = {&s.marks, &no_act, s.copy};
    kw_keyring_judge(NULL, "demo", &memory, &odd, &s.j);
    CHECK_STR(s.j.cure, "install -m 0644 '/var/lib/$HOME/keyring.json' "
                        "'/etc/key ward/it'\\''s.json.new' && "
                        "mv '/etc/key ward/it'\\''s.json.new' "
                        "'/etc/key ward/it'\\''s.json'\n" RELOAD);
    scene_end(&s);
}

/* Sixty-four keys and the longest paths: every line is whole. */
TEST(longest__everything_at_its_maximum__no_line_cut)
{
    static char path[KW_PATH_MAX];
    static const char begin_of_line[] = "keyward key create --adopt kw1-";
    static const char end_of_line[] = " --keyring-backup FILE\n";
    struct scene s;
    memset(path, 'p', sizeof path - 1);
    path[0] = '/';
    scene_begin(&s);
    s.marks.count = KW_VERSIONS_MAX;
    for (uint32_t i = 0; i < KW_VERSIONS_MAX; i++) {
        struct kw_named *id = &s.marks.versions[i].id;
        id->n = 999000 + i;
        snprintf(id->key_id, sizeof id->key_id, "kw1-%u-%024x", id->n, id->n);
        snprintf(s.marks.versions[i].state, 16, "accepted");
    }
    const struct kw_places longest = {path, path};
    const struct kw_memory memory = {&s.marks, &no_act, NULL};
    kw_keyring_judge(NULL, "demo", &memory, &longest, &s.j);
    unsigned lines = 0;
    for (char *at = s.j.cure; (at = strstr(at, begin_of_line)) != NULL; at++, lines++)
        CHECK(strncmp(strchr(at, '\n') - strlen(end_of_line) + 1, end_of_line,
                      strlen(end_of_line)) == 0);
    CHECK(lines == KW_VERSIONS_MAX);
    CHECK(s.j.cure[strlen(s.j.cure) - 1] == '\n');
    scene_end(&s);
}

KW_CASES("hsm/keyring/cure",
         CASE(domain__of_another__both_named_and_the_right_one_put_back),
         CASE(domain__the_configuration_was_changed__only_that_is_said),
         CASE(missing__last_good_copy__put_back),
         CASE(missing__no_copy__fetched_or_its_keys_adopted),
         CASE(damaged__as_a_missing_one_but_moved_aside),
         CASE(damaged__nothing_is_remembered__any_or_moved_aside),
         CASE(damaged__a_long_reason__what_helps_is_not_cut),
         CASE(renamed__both_key_ids__put_back),
         CASE(lost__the_version__put_back_or_adopted),
         CASE(lost__on_its_way_back__what_it_lacks_is_adopted_into_it),
         CASE(lost__only_created_again__refused_too),
         CASE(next_n__both_numbers__put_back), CASE(baseline__both_versions__put_back),
         CASE(active__retired_elsewhere__the_next_kek_or_enabled_again),
         CASE(active__would_wrap_with_none__said),
         CASE(paths__with_what_a_shell_would_read__quoted),
         CASE(longest__everything_at_its_maximum__no_line_cut))
