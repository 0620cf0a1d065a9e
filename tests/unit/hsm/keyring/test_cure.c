/* SPDX-License-Identifier: Apache-2.0 */
/* What a refusal says, and the commands that lead out of it: each works, or is not said.
 */
#include "ring.h"

#include <stdio.h>

#define RING "/etc/keyward/keyring.json"
#define RELOAD "systemctl reload-or-restart keywardd\n"
#define INSTALL(from)                                                                    \
    "install -m 0644 " from " " RING ".new && mv " RING ".new " RING "\n" RELOAD
#define PUT_BACK INSTALL("/var/lib/keyward/keyring.json")
#define COMPARE                                                                          \
    "# compare it with the keyrings of the other nodes first (keyward keyring "          \
    "compare)\n# when the others hold what lies here now, or one made from it:\n"
#define OURS "# when they hold what this node took last, or one made from it:\n"
#define NEWEST                                                                           \
    "# first copy the newest keyring here (keyward keyring compare) and reload: what "   \
    "is made from an older one is a fork\n"
#define NEXT_KEK                                                                         \
    "keyward key create\nkeyward key accept 4\n"                                         \
    "# then give it to every node, reload them, and go on here:\n"                       \
    "# when a second token, or a restored backup, has the key:\n"                        \
    "keyward key activate 4 --baseline --now --second-copy-token URI\n" RELOAD           \
    "# when there is no second copy, and you accept that:\n"                             \
    "keyward key activate 4 --baseline --now --only-copy\n" RELOAD

static const struct kw_places places = {RING, "/var/lib/keyward"};
static const struct kw_activation no_act;

/* What this node took last, and what lies there now. */
struct scene {
    struct kw_keyring *last, *now;
    struct kw_marks marks;
    const struct kw_keyring *copy; /* in the state directory */
    struct kw_judgement j;
};

static void begin(struct scene *s)
{
    *s = (struct scene){.last = good_file()};
    (void)kw_marks_raise(&s->marks, s->last, s->last->active, 1000);
    s->copy = s->last;
}

static void end(struct scene *s)
{
    kw_keyring_give(s->last);
    kw_keyring_give(s->now);
}

static void judged(struct scene *s, enum kw_refusal want)
{
    const struct kw_memory memory = {&s->marks, &no_act, s->copy};
    kw_keyring_judge(s->now, "demo", &memory, &places, &s->j);
    if (s->j.refusal != want)
        fail_msg("refusal %d, wanted %d: %s", s->j.refusal, want, s->j.why.text);
}

/* "serial N (sha256 …...)" as it must stand in the words. */
static void names(const struct scene *s, const struct kw_keyring *file)
{
    char hex[13];
    char name[64];
    kw_hex(hex, sizeof hex, kw_span_of(file->sha256, 6));
    snprintf(name, sizeof name, "serial %llu (sha256 %s...)",
             (unsigned long long)file->serial, hex);
    CHECK_HAS(s->j.why.text, name);
}

static char *trust_line(const struct kw_keyring *file)
{
    static char line[256];
    char hex[65];
    kw_hex(hex, sizeof hex, kw_span_of(file->sha256, 32));
    snprintf(line, sizeof line, "keyward keyring trust " RING " --sha256 %s\n", hex);
    return line;
}

/* The way back when the state directory has no copy that helps: the file itself from
 * somewhere, or else its keys, one by one. */
static const char *fetched(const struct scene *s)
{
    static char want[2048];
    char hex[13];
    const struct kw_marks *m = &s->marks;
    kw_hex(hex, sizeof hex, kw_span_of(m->sha256, 6));
    snprintf(want, sizeof want,
             "# when another node or a backup has what this node took last, serial %u "
             "(sha256 %s...), or one of the 64 made from it (FILE):\n" INSTALL(
                 "FILE") "# when there are only older backups of it (FILE; --sample FILE "
                         "for a "
                         "key that none of them has):\n%s",
             (unsigned)m->serial, hex,
             s->now != NULL ? "mv " RING " " RING ".refused\n" : "");
    for (size_t i = 0; i < m->count; i++) {
        size_t len = strlen(want);
        if (strcmp(m->versions[i].state, "destroyed") != 0)
            snprintf(want + len, sizeof want - len,
                     "keyward key create --adopt %s --keyring-backup FILE\n",
                     m->versions[i].id.key_id);
    }
    size_t len = strlen(want);
    snprintf(want + len, sizeof want - len, RELOAD);
    return want;
}

static void cured(const struct scene *s, const char *first, const char *then,
                  const char *last)
{
    char want[4096];
    snprintf(want, sizeof want, "%s%s%s", first, then, last);
    CHECK_STR(s->j.cure, want);
}

static void domain__of_another__both_named_and_the_right_one_put_back(void **state)
{
    (void)state;
    static const char config[] = "# when the configuration is the wrong one: say domain: "
                                 "prod there, then\n" RELOAD;
    struct scene s;
    begin(&s);
    s.now = good_ring();
    snprintf(s.now->domain, sizeof s.now->domain, "prod");
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_DOMAIN);
    CHECK_HAS(s.j.why.text, "\"prod\"");
    CHECK_HAS(s.j.why.text, "\"demo\"");
    cured(&s, "# when the keyring is the wrong one:\n", PUT_BACK, config);
    s.copy = NULL;
    judged(&s, KW_REFUSED_DOMAIN);
    cured(&s, "", fetched(&s), config);
    s.marks = (struct kw_marks){0}; /* a new node */
    judged(&s, KW_REFUSED_DOMAIN);
    cured(&s, "# when the keyring is the wrong one; FILE is the right one:\n",
          INSTALL("FILE"), config);
    end(&s);
}

/* The file is what this node took: to move it away would lose it. */
static void domain__the_configuration_was_changed__only_that_is_said(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = good_file();
    const struct kw_memory memory = {&s.marks, &no_act, s.copy};
    kw_keyring_judge(s.now, "prod", &memory, &places, &s.j);
    CHECK(s.j.refusal == KW_REFUSED_DOMAIN);
    CHECK_STR(s.j.cure, "# the configuration is the wrong one: say domain: demo there, "
                        "then\n" RELOAD);
    end(&s);
}

static void missing__last_good_copy__put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    judged(&s, KW_REFUSED_MISSING);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "put it back");
    CHECK_STR(s.j.cure, PUT_BACK);
    end(&s);
}

static void missing__no_copy__fetched_or_its_keys_adopted(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    becomes(&s.last, acted(s.last, KW_ACT_DESTROY, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = NULL;
    judged(&s, KW_REFUSED_MISSING);
    CHECK_HAS(s.j.why.text, "no last good copy");
    CHECK_STR(s.j.cure, fetched(&s));
    CHECK_HAS(s.j.cure, "--adopt kw1-2-000000000000000000000002 ");
    CHECK(strstr(s.j.cure, "kw1-1-") == NULL); /* destroyed: it stays away */
    end(&s);
}

static void older__of_ours__both_named_and_ours_put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = s.last;
    s.last = acted(s.now, KW_ACT_RETIRE, 3);
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_OLDER);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_STR(s.j.cure, PUT_BACK); /* nothing to choose: it is only older */
    end(&s);
}

/* Its serial is lower, and yet nothing of ours was made from it. */
static void fork__of_a_lower_serial__no_older_file_and_where_they_part(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    names(&s, s.now);
    names(&s, s.last);
    CHECK(strstr(s.j.why.text, "older") == NULL);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    end(&s);
}

/* What was done last on either side says nothing of where they part. */
static void fork__long_ago__the_first_acts_that_differ(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.now, acted(s.now, KW_ACT_ENABLE, 3));
    becomes(&s.now, acted(s.now, KW_ACT_DISABLE, 1));
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    becomes(&s.last, acted(s.last, KW_ACT_DISABLE, 1));
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    s.marks.ancestor_count = 0; /* of ours nothing is known but the last */
    s.copy = NULL;
    judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "They part further back than the 64 files they name.");
    end(&s);
}

static void older__the_copy_is_older_too__not_put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = s.last;
    s.last = acted(s.now, KW_ACT_RETIRE, 3);
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = s.now;
    judged(&s, KW_REFUSED_OLDER);
    CHECK_STR(s.j.cure, fetched(&s));
    end(&s);
}

/* The copy is written before the marks: a crash between them must not make it a fork. */
static void fork__of_a_copy_that_the_marks_do_not_know__refused(void **state)
{
    (void)state;
    struct scene s;
    begin(&s); /* marks of serial 7 */
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    s.copy = s.last; /* serial 8 was in use */
    judged(&s, KW_REFUSED_FORK);
    names(&s, s.last);
    cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    end(&s);
}

static void fork__acts_of_both__named(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, acted(s.last, KW_ACT_RETIRE, 3));
    (void)kw_marks_raise(&s.marks, s.last, 2, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "In serial 8 this one did: disable 3 by ann; the other: "
                            "retire 3 by ann.");
    cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    s.copy = NULL;
    judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "the other: nothing known.");
    char trust[256];
    snprintf(trust, sizeof trust, "%s" RELOAD, trust_line(s.now));
    cured(&s, COMPARE, trust, fetched(&s));
    end(&s);
}

/* Whatever the acts are, the advice at the end of the words stands there. */
static void fork__longest_acts__words_not_cut(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
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
    judged(&s, KW_REFUSED_FORK);
    CHECK_HAS(s.j.why.text, "wwww");
    const char *last_words = "One place makes every change, the others copy";
    CHECK(strlen(s.j.why.text) > strlen(last_words));
    CHECK_STR(s.j.why.text + strlen(s.j.why.text) - strlen(last_words), last_words);
    end(&s);
}

static void far__sixty_five__trusted_or_put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = change(s.last);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++) {
        s.now = reread(s.now);
        becomes(&s.now, change(s.now));
    }
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_FAR);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "64 files");
    cured(&s, COMPARE, trust_line(s.now), RELOAD OURS PUT_BACK);
    end(&s);
}

/* Far behind, and what this node wraps with was retired meanwhile: first the trust, then
 * the next KEK, each step by the commands of the one before. */
static void far__and_retired_elsewhere__one_way_out_after_the_other(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    (void)kw_marks_raise(&s.marks, s.last, 3, 1000);
    s.now = acted(s.last, KW_ACT_RETIRE, 3);
    for (unsigned i = 0; i < KW_ANCESTORS_MAX; i++)
        becomes(&s.now, reread(change(s.now)));
    judged(&s, KW_REFUSED_FAR);
    CHECK_HAS(s.j.cure, trust_line(s.now));
    s.marks.trust.sha256_len = 32;
    kw_copy(s.marks.trust.sha256, 32, kw_span_of(s.now->sha256, 32));
    judged(&s, KW_REFUSED_ACTIVE);
    cured(&s, NEWEST, trust_line(s.now), NEXT_KEK);
    struct kw_keyring *next = change(s.now);
    struct kw_version v = good_version(4, KW_KEY_CREATED);
    CHECK_OK(kw_keyring_add(next, &v));
    becomes(&s.now, reread(next));
    judged(&s, KW_REFUSED_ACTIVE);
    CHECK_OK(kw_act_may(KW_ACT_ACCEPT, 4, s.now, &s.j, NULL));
    becomes(&s.now, acted(s.now, KW_ACT_ACCEPT, 4));
    judged(&s, KW_REFUSED_ACTIVE);
    CHECK_OK(kw_act_may(KW_ACT_ACTIVATE, 4, s.now, &s.j, NULL));
    becomes(&s.now, acted(s.now, KW_ACT_ACTIVATE, 4));
    judged(&s, KW_ADMITTED);
    CHECK(s.j.active == 4);
    end(&s);
}

static void renamed__both_key_ids__put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    struct kw_version v = good_version(3, KW_KEY_ACCEPTED);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 3);
    memset(v.key_id + 6, 'f', 24);
    memset(v.objects[0].label + 6, 'f', 24);
    CHECK_OK(kw_keyring_add(s.now, &v));
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_RENAMED);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "kw1-3-ffffffffffffffffffffffff");
    CHECK_HAS(s.j.why.text, "kw1-3-000000000000000000000003");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL; /* no act leads out of it while that file lies there */
    judged(&s, KW_REFUSED_RENAMED);
    CHECK_STR(s.j.cure, fetched(&s));
    end(&s);
}

static void lost__the_version__put_back_or_adopted(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 3);
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_LOST);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "no version 3 (kw1-3-000000000000000000000003)");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL;
    judged(&s, KW_REFUSED_LOST);
    CHECK_STR(s.j.cure, fetched(&s));
    end(&s);
}

/* Adopting made it, and has not come to its end. */
static void lost__on_its_way_back__what_it_lacks_is_adopted_into_it(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
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
    judged(&s, KW_REFUSED_LOST);
    CHECK_HAS(s.j.cure, "none of them has):\n"
                        "keyward key create --adopt kw1-3-000000000000000000000003 "
                        "--keyring-backup FILE\n" RELOAD);
    CHECK(strstr(s.j.cure, ".refused") == NULL);
    CHECK(strstr(s.j.cure, "kw1-2-") == NULL);
    end(&s);
}

/* Somebody turned it back into what is used by nobody. */
static void lost__only_created_again__refused_too(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = change(s.last);
    kw_keyring_edit(s.now, 3)->state = KW_KEY_CREATED;
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_LOST);
    CHECK_HAS(s.j.why.text, "version 3 (kw1-3-000000000000000000000003) is only created");
    CHECK_STR(s.j.cure, PUT_BACK);
    end(&s);
}

static void next_n__both_numbers__put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.marks.next_n = 9;
    s.now = reread(change(s.last));
    s.copy = NULL;
    judged(&s, KW_REFUSED_NEXT_N);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "is 4 and");
    CHECK_HAS(s.j.why.text, "last, 9:");
    CHECK_STR(s.j.cure, fetched(&s));
    end(&s);
}

static void baseline__both_versions__put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = change(s.last);
    kw_keyring_edit(s.now, 2)->state = KW_KEY_RETIRED;
    s.now->active = 0;
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_BASELINE);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "is 0 and this node has seen 2");
    CHECK_STR(s.j.cure, PUT_BACK);
    s.copy = NULL;
    judged(&s, KW_REFUSED_BASELINE);
    CHECK_STR(s.j.cure, fetched(&s));
    end(&s);
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

static void fork__both_have_wrapped__no_trust_and_what_each_choice_costs(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = with_its_own(s.last, 'b');
    becomes(&s.last, with_its_own(s.last, 'a'));
    (void)kw_marks_raise(&s.marks, s.last, 4, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure,
              COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH OWN_GOES_ON OTHER_GOES_ON);
    s.copy = NULL; /* its own must be had again before anything is chosen */
    judged(&s, KW_REFUSED_FORK);
    cured(&s, COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH, fetched(&s), "");
    s.copy = s.last;
    s.marks = (struct kw_marks){0}; /* no file of theirs that could be moved away */
    judged(&s, KW_REFUSED_FORK);
    cured(&s, COMPARE_ONLY NO_TRUST "# both have wrapped" BOTH, PUT_BACK, "");
    end(&s);
}

/* A node may have activated by itself what is only accepted. */
static void fork__the_others_may_have_wrapped__said_so(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
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
    (void)kw_marks_raise(&s.marks, s.last, 4, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY NO_TRUST
              "# both may have wrapped" BOTH OWN_GOES_ON OTHER_GOES_ON);
    end(&s);
}

static void fork__this_node_alone_has_wrapped__its_own_goes_on(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 3);
    becomes(&s.last, with_its_own(s.last, 'a'));
    (void)kw_marks_raise(&s.marks, s.last, 4, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY NO_TRUST
              "# when this node's own goes on:\n" PUT_BACK OTHER_GOES_ON);
    end(&s);
}

/* Nothing would be lost, but a baseline does not go back by a trust. */
static void fork__lower_baseline__no_trust(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = acted(s.last, KW_ACT_DISABLE, 1);
    becomes(&s.last, acted(s.last, KW_ACT_ACTIVATE, 3));
    (void)kw_marks_raise(&s.marks, s.last, 3, 1000);
    s.copy = s.last;
    judged(&s, KW_REFUSED_FORK);
    CHECK_STR(s.j.cure, COMPARE_ONLY
              "# keyring trust is no way out: the baseline here was version 3 "
              "(kw1-3-000000000000000000000003), and that of what lies here is lower, 2\n"
              "# when this node's own goes on:\n" PUT_BACK
              "# when what lies here goes on:\n" BEGIN_ANEW);
    end(&s);
}

static void untrusted__the_version__put_back(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.now = change(s.last);
    kw_keyring_remove(s.now, 2);
    s.now->active = 3;
    kw_keyring_edit(s.now, 3)->state = KW_KEY_ACTIVE;
    s.now->ancestors[0][0] ^= 1;
    s.now = reread(s.now);
    s.marks.trust.sha256_len = 32;
    kw_copy(s.marks.trust.sha256, 32, kw_span_of(s.now->sha256, 32));
    judged(&s, KW_REFUSED_UNTRUSTED);
    names(&s, s.now);
    names(&s, s.last);
    CHECK_HAS(s.j.why.text, "even trusted, ");
    CHECK_HAS(s.j.why.text, "version 2 (kw1-2-000000000000000000000002)");
    CHECK_HAS(s.j.cure, "# when this node's own goes on:\n" PUT_BACK);
    CHECK(strstr(s.j.cure, "keyward keyring trust") == NULL);
    s.copy = NULL;
    judged(&s, KW_REFUSED_UNTRUSTED);
    CHECK_HAS(s.j.cure, fetched(&s));
    CHECK(strstr(s.j.cure, "keyward keyring trust") == NULL);
    end(&s);
}

static void active__retired_elsewhere__the_next_kek_or_enabled_again(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    (void)kw_marks_raise(&s.marks, s.last, 3, 1000);
    s.now = acted(s.last, KW_ACT_RETIRE, 3);
    judged(&s, KW_REFUSED_ACTIVE);
    names(&s, s.now);
    CHECK_HAS(s.j.why.text, "version 2 and has wrapped with 3 "
                            "(kw1-3-000000000000000000000003), which is retired in it");
    cured(&s, NEWEST, "", NEXT_KEK);
    becomes(&s.now, acted(s.last, KW_ACT_DISABLE, 3));
    judged(&s, KW_REFUSED_ACTIVE);
    CHECK_HAS(s.j.why.text, "which is disabled in it: enable it again");
    cured(&s, NEWEST,
          "# when version 3 may be used again:\nkeyward key enable 3\n" RELOAD
          "# when it must stay disabled:\n",
          NEXT_KEK);
    end(&s);
}

static void active__would_wrap_with_none__said(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.marks.baseline = (struct kw_named){0};
    s.now = change(s.last);
    kw_keyring_edit(s.now, 2)->state = KW_KEY_RETIRED;
    s.now->active = 0;
    s.now = reread(s.now);
    judged(&s, KW_REFUSED_ACTIVE);
    CHECK_HAS(s.j.why.text, "would wrap with no version and has wrapped with 2");
    end(&s);
}

/* A shell reads the commands. */
static void paths__with_what_a_shell_would_read__quoted(void **state)
{
    (void)state;
    struct scene s;
    const struct kw_places odd = {"/etc/key ward/it's.json", "/var/lib/$HOME"};
    begin(&s);
    const struct kw_memory memory = {&s.marks, &no_act, s.copy};
    kw_keyring_judge(NULL, "demo", &memory, &odd, &s.j);
    CHECK_STR(s.j.cure, "install -m 0644 '/var/lib/$HOME/keyring.json' "
                        "'/etc/key ward/it'\\''s.json.new' && "
                        "mv '/etc/key ward/it'\\''s.json.new' "
                        "'/etc/key ward/it'\\''s.json'\n" RELOAD);
    end(&s);
}

/* Sixty-four keys and the longest paths: every line is whole. */
static void longest__everything_at_its_maximum__no_line_cut(void **state)
{
    (void)state;
    static char path[KW_PATH_MAX];
    static const char begin_of_line[] = "keyward key create --adopt kw1-";
    static const char end_of_line[] = " --keyring-backup FILE\n";
    struct scene s;
    memset(path, 'p', sizeof path - 1);
    path[0] = '/';
    begin(&s);
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
    end(&s);
}

KW_CASES("hsm/keyring/cure",
         CASE(domain__of_another__both_named_and_the_right_one_put_back),
         CASE(domain__the_configuration_was_changed__only_that_is_said),
         CASE(missing__last_good_copy__put_back),
         CASE(missing__no_copy__fetched_or_its_keys_adopted),
         CASE(older__of_ours__both_named_and_ours_put_back),
         CASE(fork__of_a_lower_serial__no_older_file_and_where_they_part),
         CASE(fork__long_ago__the_first_acts_that_differ),
         CASE(older__the_copy_is_older_too__not_put_back),
         CASE(fork__of_a_copy_that_the_marks_do_not_know__refused),
         CASE(fork__acts_of_both__named), CASE(fork__longest_acts__words_not_cut),
         CASE(far__sixty_five__trusted_or_put_back),
         CASE(far__and_retired_elsewhere__one_way_out_after_the_other),
         CASE(renamed__both_key_ids__put_back),
         CASE(lost__the_version__put_back_or_adopted),
         CASE(lost__on_its_way_back__what_it_lacks_is_adopted_into_it),
         CASE(lost__only_created_again__refused_too),
         CASE(next_n__both_numbers__put_back), CASE(baseline__both_versions__put_back),
         CASE(fork__both_have_wrapped__no_trust_and_what_each_choice_costs),
         CASE(fork__the_others_may_have_wrapped__said_so),
         CASE(fork__this_node_alone_has_wrapped__its_own_goes_on),
         CASE(fork__lower_baseline__no_trust), CASE(untrusted__the_version__put_back),
         CASE(active__retired_elsewhere__the_next_kek_or_enabled_again),
         CASE(active__would_wrap_with_none__said),
         CASE(paths__with_what_a_shell_would_read__quoted),
         CASE(longest__everything_at_its_maximum__no_line_cut))
