/* SPDX-License-Identifier: Apache-2.0 */
/* Another history, an older file, one too far away: what is trusted, and what is not. */
#include "scene.h"

#include <stdio.h>

TEST(older__of_ours__both_named_and_ours_put_back)
{
    struct scene s;
    scene_begin(&s);
    s.now = s.last;
    s.last = acted(s.now, KW_ACT_RETIRE, 3);
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_OLDER);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_STR(s.j.cure, PUT_BACK); /* nothing to choose: it is only older */
    scene_end(&s);
}

/* Its serial is lower, and yet nothing of ours was made from it. */
TEST(fork__of_a_lower_serial__no_older_file_and_where_they_part)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK(strstr(s.j.why.text, "older") == NULL);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    scene_cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    scene_end(&s);
}

/* What was done last on either side says nothing of where they part. */
TEST(fork__long_ago__the_first_acts_that_differ)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.now, acted(s.now, KW_ACT_ENABLE, 3));
    becomes(&s.now, acted(s.now, KW_ACT_DISABLE, 1));
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    s.marks.ancestor_count = 0; /* of ours nothing is known but the last */
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "They part further back than the 64 files they name.");
    scene_end(&s);
}

TEST(older__the_copy_is_older_too__not_put_back)
{
    struct scene s;
    scene_begin(&s);
    s.now = s.last;
    s.last = acted(s.now, KW_ACT_RETIRE, 3);
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = s.now;
    scene_judged(&s, KW_REFUSED_OLDER);
    CHECK_STR(s.j.cure, scene_fetched(&s));
    scene_end(&s);
}

/* The copy is written before the marks: a crash between them must not make it a fork. */
TEST(fork__of_a_copy_that_the_marks_do_not_know__refused)
{
    struct scene s;
    scene_begin(&s); /* marks of serial 7 */
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    s.copy = s.last; /* serial 8 was in use */
    scene_judged(&s, KW_REFUSED_FORK);
    scene_names(&s, s.last);
    scene_cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    scene_end(&s);
}

/* Trusting what lies here would let in again the copy that was made from it, and with it
 * a baseline that does not go back. */
TEST(fork__trust_would_let_in_the_refused_copy__no_trust_printed)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    struct kw_keyring *copy = acted(s.now, KW_ACT_ENABLE, 3);
    becomes(&copy, acted(copy, KW_ACT_ACTIVATE, 3));
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = copy;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK(strstr(s.j.cure, "keyward keyring trust ") == NULL);
    CHECK_HAS(s.j.cure, "# keyring trust is no way out: the baseline here was version 3");
    CHECK_HAS(s.j.cure, scene_fetched(&s));
    kw_keyring_give(copy);
    scene_end(&s);
}

TEST(fork__acts_of_both__named)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    (void)kw_marks_raise(&s.marks, s.last, 2, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    scene_cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "the other: nothing known.");
    char trust[256];
    snprintf(trust, sizeof trust, "%s" RELOAD, trust_line(s.now));
    scene_cured(&s, COMPARE, trust, scene_fetched(&s));
    scene_end(&s);
}

/* Whatever the acts are, the advice at the end of the words stands there. */
TEST(fork__longest_acts__words_not_cut)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    s.now->serial = KW_SERIAL_MAX;
    s.now->ancestor_count = KW_ANCESTORS_MAX;
    for (unsigned i = 0; i < 9; i++) {
        struct kw_history h = s.now->history[0];
        h.serial = KW_SERIAL_MAX;
        memset(h.by, 'w', sizeof h.by - 1);
        CHECK_OK(kw_keyring_record(s.now, &h));
    }
    s.now = reread(s.now);
    s.marks.serial = KW_SERIAL_MAX;
    s.marks.ancestor_count = 1;
    kw_copy(s.marks.ancestors[0], 32, kw_span_of(s.now->ancestors[0], 32));
    s.copy = s.now;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "wwww");
    const char *last_words = "One place makes every change, the others copy";
    CHECK(strlen(s.j.why.text) > strlen(last_words));
    CHECK_STR(s.j.why.text + strlen(s.j.why.text) - strlen(last_words), last_words);
    scene_end(&s);
}

TEST(far__sixty_five__trusted_or_put_back)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++) {
        s.now = reread(s.now);
        becomes(&s.now, change(s.now));
    }
    s.now = reread(s.now);
    scene_judged(&s, KW_REFUSED_FAR);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "64 files");
    scene_cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    scene_end(&s);
}

/* Far behind, and what this node wraps with was retired meanwhile: first the trust, then
 * the next KEK, each step by the commands of the one before. */
TEST(far__and_retired_elsewhere__one_way_out_after_the_other)
{
    struct scene s;
    scene_begin(&s);
    (void)kw_marks_raise(&s.marks, s.last, 3, when(1000));
    s.now = acted(s.last, KW_ACT_RETIRE, 3);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++)
        becomes(&s.now, reread(change(s.now)));
    scene_judged(&s, KW_REFUSED_FAR);
    CHECK_HAS(s.j.cure, trust_line(s.now));
    s.marks.trust.sha256_len = 32;
    kw_copy(s.marks.trust.sha256, 32, kw_span_of(s.now->sha256, 32));
    scene_judged(&s, KW_REFUSED_ACTIVE);
    scene_cured(&s, NEWEST, trust_line(s.now), NEXT_KEK);
    struct kw_keyring *next = change(s.now);
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    CHECK_OK(kw_keyring_add(next, &v));
    becomes(&s.now, reread(next));
    scene_judged(&s, KW_REFUSED_ACTIVE);
    CHECK_OK(kw_act_may(KW_ACT_ACCEPT, 4, s.now, &s.j, NULL));
    becomes(&s.now, acted(s.now, KW_ACT_ACCEPT, 4));
    scene_judged(&s, KW_REFUSED_ACTIVE);
    CHECK_OK(kw_act_may(KW_ACT_ACTIVATE, 4, s.now, &s.j, NULL));
    becomes(&s.now, acted(s.now, KW_ACT_ACTIVATE, 4));
    scene_judged(&s, KW_ADMITTED);
    CHECK(s.j.active == 4);
    scene_end(&s);
}

/* ---- both sides went on ---- */

/* The next file, with a version 4 whose key_id is of this digit, active there. */
static struct kw_keyring *with_its_own(const struct kw_keyring *file, int digit)
{
    struct kw_keyring *ring = change(file);
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    memset(v.key_id + 6, digit, 24);
    memset(v.objects[0].label + 6, digit, 24);
    CHECK_OK(kw_keyring_add(ring, &v));
    ring = reread(ring);
    becomes(&ring, acted(ring, KW_ACT_ACCEPT, 4));
    becomes(&ring, acted(ring, KW_ACT_ACTIVATE, 4));
    return ring;
}

#define OWN4 "version 4 (kw1-4-aaaaaaaaaaaaaaaaaaaaaaaa)"
#define THEIRS4 "version 4 (kw1-4-bbbbbbbbbbbbbbbbbbbbbbbb)"
#define COMPARE_ONLY                                                                     \
    "# compare it with the keyrings of the other nodes first (keyward keyring "          \
    "compare)\n"
#define NO_TRUST                                                                         \
    "# keyring trust is no way out: this node has wrapped with " OWN4                    \
    ", which what lies here cannot open\n"
#define BOTH                                                                             \
    ": what the nodes with the other file sealed under " THEIRS4                         \
    " this node's own cannot open; keep both files and every key\n"
#define OWN_GOES_ON                                                                      \
    "# when this node's own goes on; what is sealed under " THEIRS4                      \
    " is read through the API servers of the other nodes and written again through "     \
    "this one's, before they take this file:\n" PUT_BACK
#define BEGIN_ANEW                                                                       \
    "mv /var/lib/keyward/marks.json /var/lib/keyward/marks.json.forked\n"                \
    "mv /var/lib/keyward/keyring.json /var/lib/keyward/keyring.json.forked\n"            \
    "keyward state create\n" RELOAD
#define OTHER_GOES_ON                                                                    \
    "# when what lies here goes on, and all that was sealed under " OWN4                 \
    " has been read through this node's API server and written again through another "   \
    "one's; what was not is lost:\n" BEGIN_ANEW

TEST(fork__both_have_wrapped__no_trust_and_what_each_choice_costs)
{
    struct scene s;
    scene_begin(&s);
    s.now = with_its_own(s.last, 'b');
    becomes(&s.last, with_its_own(s.last, 'a'));
    (void)kw_marks_raise(&s.marks, s.last, 4, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure,
              COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH OWN_GOES_ON OTHER_GOES_ON);
    s.copy = NULL; /* its own must be had again before anything is chosen */
    scene_judged(&s, KW_REFUSED_FORK);
    scene_cured(&s, COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH, scene_fetched(&s),
                "");
    s.copy = s.last;
    s.marks = (struct kw_marks){0}; /* no file of theirs that could be moved away */
    scene_judged(&s, KW_REFUSED_FORK);
    scene_cured(&s, COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH, PUT_BACK, "");
    scene_end(&s);
}

/* A node may have activated by itself what is only accepted. */
TEST(fork__the_others_may_have_wrapped__said_so)
{
    struct scene s;
    scene_begin(&s);
    s.now = with_its_own(s.last, 'b');
    struct kw_version *v = kw_keyring_edit(s.now, 4);
    v->state = KW_KEY_ACCEPTED;
    v->activated[0] = '\0';
    s.now->active = 2;
    v = kw_keyring_edit(s.now, 2);
    v->state = KW_KEY_ACTIVE;
    v->retired[0] = '\0';
    s.now = reread(s.now);
    becomes(&s.last, with_its_own(s.last, 'a'));
    (void)kw_marks_raise(&s.marks, s.last, 4, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY NO_TRUST
              "# both may have wrapped" BOTH OWN_GOES_ON OTHER_GOES_ON);
    scene_end(&s);
}

TEST(fork__this_node_alone_has_wrapped__its_own_goes_on)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, with_its_own(s.last, 'a'));
    (void)kw_marks_raise(&s.marks, s.last, 4, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY NO_TRUST
              "# when this node's own goes on:\n" PUT_BACK OTHER_GOES_ON);
    scene_end(&s);
}

/* Nothing would be lost, but a baseline does not go back by a trust. */
TEST(fork__lower_baseline__no_trust)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 1);
    becomes(&s.last, acted(s.last, KW_ACT_ACTIVATE, 3));
    (void)kw_marks_raise(&s.marks, s.last, 3, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY
              "# keyring trust is no way out: the baseline here was version 3 "
              "(kw1-3-000000000000000000000003), and that of what lies here is lower, 2\n"
              "# when this node's own goes on:\n" PUT_BACK
              "# when what lies here goes on:\n" BEGIN_ANEW);
    scene_end(&s);
}

/* Not by a fork: in the file that follows. */
TEST(destroyed__wrapped_here__own_goes_on_or_written_again_first)
{
    struct scene s;
    scene_begin(&s);
    (void)kw_marks_raise(&s.marks, s.last, 3, when(1000));
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.now, acted(s.now, KW_ACT_DESTROY, 3));
    scene_judged(&s, KW_REFUSED_DESTROYED);
    scene_names(&s, s.now);
    CHECK_HAS(s.j.why.text,
              "version 3 (kw1-3-000000000000000000000003) is destroyed, and");
    CHECK_STR(s.j.cure,
              "# keyring trust is no way out: this node has wrapped with version 3 "
              "(kw1-3-000000000000000000000003), which what lies here cannot open\n"
              "# when this node's own goes on for all (the others have to trust it: "
              "keyward keyring trust):\n" PUT_BACK
              "# when what lies here goes on, and all that was sealed under version 3 "
              "(kw1-3-000000000000000000000003) has been read through this node's API "
              "server and written again through another one's; what was not is "
              "lost:\n" BEGIN_ANEW);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_DESTROYED);
    CHECK_HAS(s.j.cure, "# when another node or a backup has just what this node took "
                        "last, serial 7 (");
    becomes(&s.now, acted(s.now, KW_ACT_PRUNE, 3));
    scene_judged(&s, KW_REFUSED_DESTROYED);
    CHECK_HAS(s.j.why.text, " is destroyed and pruned, and");
    scene_end(&s);
}

TEST(untrusted__destroyed_in_it__said)
{
    struct scene s;
    scene_begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.now, acted(s.now, KW_ACT_DESTROY, 3));
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&s.marks, s.last, 3, when(1000));
    s.copy = s.last;
    scene_judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.cure,
              "# keyring trust is no way out: this node has wrapped with version "
              "3 (");
    CHECK_HAS(s.j.cure, "# when this node's own goes on:\n" PUT_BACK);
    trust_in(&s.marks, s.now);
    scene_judged(&s, KW_REFUSED_UNTRUSTED);
    CHECK_HAS(s.j.why.text, "is destroyed in it, and what is sealed under it");
    scene_end(&s);
}

TEST(untrusted__the_version__put_back)
{
    struct scene s;
    scene_begin(&s);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 2);
    s.now->active = 3;
    kw_keyring_edit(s.now, 3)->state = KW_KEY_ACTIVE;
    s.now->ancestors[0][0] ^= 1;
    s.now = reread(s.now);
    s.marks.trust.sha256_len = 32;
    kw_copy(s.marks.trust.sha256, 32, kw_span_of(s.now->sha256, 32));
    scene_judged(&s, KW_REFUSED_UNTRUSTED);
    scene_names(&s, s.now);
    scene_names(&s, s.last);
    CHECK_HAS(s.j.why.text, "even trusted, ");
    CHECK_HAS(s.j.why.text, "version 2 (kw1-2-000000000000000000000002)");
    CHECK_HAS(s.j.cure, "# when this node's own goes on:\n" PUT_BACK);
    CHECK(strstr(s.j.cure, "keyward keyring trust") == NULL);
    s.copy = NULL;
    scene_judged(&s, KW_REFUSED_UNTRUSTED);
    CHECK_HAS(s.j.cure, scene_fetched(&s));
    CHECK(strstr(s.j.cure, "keyward keyring trust") == NULL);
    scene_end(&s);
}

KW_CASES("hsm/keyring/cure_fork",
         CASE(destroyed__wrapped_here__own_goes_on_or_written_again_first),
         CASE(untrusted__destroyed_in_it__said),
         CASE(older__of_ours__both_named_and_ours_put_back),
         CASE(fork__of_a_lower_serial__no_older_file_and_where_they_part),
         CASE(fork__long_ago__the_first_acts_that_differ),
         CASE(older__the_copy_is_older_too__not_put_back),
         CASE(fork__of_a_copy_that_the_marks_do_not_know__refused),
         CASE(fork__trust_would_let_in_the_refused_copy__no_trust_printed),
         CASE(fork__acts_of_both__named), CASE(fork__longest_acts__words_not_cut),
         CASE(far__sixty_five__trusted_or_put_back),
         CASE(far__and_retired_elsewhere__one_way_out_after_the_other),
         CASE(fork__both_have_wrapped__no_trust_and_what_each_choice_costs),
         CASE(fork__the_others_may_have_wrapped__said_so),
         CASE(fork__this_node_alone_has_wrapped__its_own_goes_on),
         CASE(fork__lower_baseline__no_trust), CASE(untrusted__the_version__put_back))
