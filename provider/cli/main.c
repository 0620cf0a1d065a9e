/* SPDX-License-Identifier: Apache-2.0 */
/* keyward - the operator's tool: a table of verbs and nothing else */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *group; /* "key", "pin", …, or "" */
    const char *name;
    const char *summary;
    kw_verb_run *run;
} verbs[] = {
    {"", "init", "make configuration, folders, PIN file, EncryptionConfiguration",
     kw_verb_init},
    {"", "check", "look at everything the daemon needs", kw_verb_check},
    {"", "probe", "do to a socket what kube-apiserver will do", kw_verb_probe},
    {"", "status", "ask the running daemon how it is", kw_verb_status},
    {"key", "create", "make a KEK version inside the token", kw_verb_create},
    {"key", "list", "all versions and their states", kw_verb_list},
    {"key", "show", "all about one version", kw_verb_show},
    {"key", "accept", "let every node decrypt with it", kw_verb_accept},
    {"key", "activate", "let this node wrap with it", kw_verb_activate},
    {"key", "retire", "decrypt only, for good", kw_verb_retire},
    {"key", "disable", "nobody may use it, reversibly", kw_verb_disable},
    {"key", "enable", "take a disabled one back into use", kw_verb_enable},
    {"key", "destroy", "the end of one, for good; is its key gone?", kw_verb_destroy},
    {"key", "prune", "take a destroyed one out of the keyring", kw_verb_prune},
    {"key", "prove", "open its check blob in one more token", kw_verb_prove},
    {"keyring", "compare", "who holds the same, who is behind, who forked",
     kw_verb_compare},
    {"keyring", "trust", "take a file that does not follow from the last one",
     kw_verb_trust},
    {"state", "create", "make a lost state directory again from the keyring",
     kw_verb_state_create},
    {"pin", "retry", "let a PIN that was refused be tried once more", kw_verb_pin_retry},
};

static int usage(FILE *out, int status)
{
    fputs("usage: keyward VERB [options]\n\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s%s", verbs[i].group,
                 verbs[i].group[0] != '\0' ? " " : "", verbs[i].name);
        fprintf(out, "  %-15s %s\n", name, verbs[i].summary);
    }
    fputs("\nkeyward VERB --help tells more; keyward --version\n", out);
    return status;
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (word[0] != '\0' && strcmp(verbs[i].group, word) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, KW_EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0)
        return usage(stdout, KW_EXIT_GOOD);
    if (strcmp(argv[1], "--version") == 0)
        return printf("keyward %s\n", KW_VERSION) > 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
    bool grouped = is_group(argv[1]);
    if (grouped && argc >= 3 && strcmp(argv[2], "--help") == 0)
        return usage(stdout, KW_EXIT_GOOD);
    int word = grouped ? 2 : 1;
    for (size_t i = 0; word < argc && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].group, grouped ? argv[1] : "") == 0 &&
            strcmp(verbs[i].name, argv[word]) == 0)
            return verbs[i].run(argc - word, argv + word);
    bool second = grouped && argc > 2;
    fprintf(stderr, "keyward: '%s%s%s' is no verb\n", argv[1], second ? " " : "",
            second ? argv[2] : "");
    return usage(stderr, KW_EXIT_USAGE);
}
