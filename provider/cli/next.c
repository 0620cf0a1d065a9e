/* SPDX-License-Identifier: Apache-2.0 */
/* The words that come after each act. */
#include "next.h"

#include <string.h>

void kw_next_hand_out(struct kw_commands *next, const char *keyring)
{
    kw_commands_add(next,
                    "# one place makes every change, and this is it; on every other "
                    "node, when this file was brought there as FROM:");
    kw_commands_install(next, "FROM", keyring);
    kw_commands_add(next, "# then on every node, this one too (or SIGHUP to keywardd):");
    kw_commands_add(next, "systemctl reload keywardd");
}

/* Nothing is active yet: nobody decrypts with an older one, so nobody is waited for. */
static void first_activation(const struct kw_next_facts *f, struct kw_commands *next)
{
    kw_commands_add(next, "# nothing is active yet: this sets the baseline, at once; the "
                          "other nodes get the keyring after it");
    if (f->has_copy) {
        kw_commands_add(next, "keyward key activate %u%s", f->n, f->config);
        return;
    }
    kw_commands_add(next, "# when a second token, or a restored backup, has the key:");
    kw_commands_add(next, "keyward key activate %u --second-copy-token URI%s", f->n,
                    f->config);
    kw_commands_add(next, "# when there is no second copy, and you accept that:");
    kw_commands_add(next, "keyward key activate %u --only-copy%s", f->n, f->config);
}

static void after_accept(const struct kw_next_facts *f, struct kw_commands *next)
{
    const char *copy = f->has_copy ? "" : " --only-copy";
    if (f->former == 0) {
        first_activation(f, next);
        return;
    }
    if (!f->has_copy) {
        kw_commands_add(next, "# first, when a second token or a restored backup has the "
                              "key: then no node asks for it again");
        kw_commands_add(next, "keyward key prove %u --token URI%s", f->n, f->config);
    }
    kw_next_hand_out(next, f->keyring);
    kw_commands_add(next,
                    "# five minutes after the last reload (--now does not wait), on one "
                    "node after the other%s:",
                    f->has_copy ? "" : "; without --only-copy when it was proven");
    kw_commands_add(next, "keyward key activate %u%s%s", f->n, copy, f->config);
    kw_commands_add(next, "systemctl reload keywardd");
    kw_commands_add(next,
                    "# when every node wraps with it, here; the keyring is handed out "
                    "once more after it:");
    kw_commands_add(next, "keyward key activate %u --baseline%s", f->n, f->config);
}

static void after_activate(const struct kw_next_facts *f, struct kw_commands *next)
{
    if (f->node_only) {
        kw_commands_add(next, "# on this node (or SIGHUP to keywardd):");
        kw_commands_add(next, "systemctl reload keywardd");
        kw_commands_add(next,
                        "# the same on every other node; when all of them wrap with it "
                        "(keyward status), in the place where the keyring is changed:");
        kw_commands_add(next, "keyward key activate %u --baseline%s", f->n, f->config);
        return;
    }
    kw_next_hand_out(next, f->keyring);
    if (f->former == 0 || f->former == f->n)
        return;
    kw_commands_add(next,
                    "# version %u decrypts only from now on; when every stored object "
                    "is rewritten and nothing asks for it any more (it wants reports "
                    "of that, and says which):",
                    f->former);
    kw_commands_add(next, "keyward key disable %u%s", f->former, f->config);
}

void kw_next_after(enum kw_act act, const struct kw_next_facts *f,
                   struct kw_commands *next)
{
    if (act == KW_ACT_ACCEPT) {
        after_accept(f, next);
        return;
    }
    if (act == KW_ACT_ACTIVATE) {
        after_activate(f, next);
        return;
    }
    kw_next_hand_out(next, f->keyring);
    if (act == KW_ACT_ENABLE && f->state == KW_KEY_ACCEPTED)
        kw_commands_add(next,
                        "# a node that is to activate it waits five minutes anew, from "
                        "its reload on");
    if (act != KW_ACT_DISABLE)
        return;
    kw_commands_add(
        next,
        "# when something turns out to need it (keyward status on each node says so):");
    kw_commands_add(next, "keyward key enable %u%s", f->n, f->config);
    kw_commands_add(next, "# when nothing has missed it for a day after the last reload "
                          "(--now does not wait), and for good (it wants reports, too):");
    kw_commands_add(next, "keyward key destroy %u%s", f->n, f->config);
}

void kw_next_cure(const char *cure, const char *config, struct kw_commands *next)
{
    for (const char *end; *cure != '\0'; cure = *end == '\0' ? end : end + 1) {
        end = strchrnul(cure, '\n');
        bool ours = strncmp(cure, "keyward ", sizeof "keyward " - 1) == 0;
        kw_commands_add(next, "%.*s%s", (int)(end - cure), cure, ours ? config : "");
    }
}
