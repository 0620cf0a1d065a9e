/* SPDX-License-Identifier: Apache-2.0 */
/* keyward - the operator's tool: a table of verbs and nothing else */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name; /* its words */
    const char *summary;
    kw_verb_run *run;
} verbs[] = {
    {"init", "make configuration, folders, PIN file, EncryptionConfiguration",
     kw_verb_init},
    {"check", "look at everything the daemon needs", kw_verb_check},
    {"probe", "do to a socket what kube-apiserver will do", kw_verb_probe},
    {"status", "ask the running daemon how it is", kw_verb_status},
    {"key create", "make a KEK version inside the token", kw_verb_create},
    {"key list", "all versions and their states", kw_verb_list},
    {"key show", "all about one version", kw_verb_show},
    {"key accept", "let every node decrypt with it", kw_verb_accept},
    {"key activate", "let this node wrap with it", kw_verb_activate},
    {"key retire", "decrypt only, for good", kw_verb_retire},
    {"key disable", "nobody may use it, reversibly", kw_verb_disable},
    {"key enable", "take a disabled one back into use", kw_verb_enable},
    {"key destroy", "the end of one, for good; is its key gone?", kw_verb_destroy},
    {"key prune", "take a destroyed one out of the keyring", kw_verb_prune},
    {"key prove", "open its check blob in one more token", kw_verb_prove},
    {"keyring compare", "who holds the same, who is behind, who forked", kw_verb_compare},
    {"keyring trust", "take a file that does not follow from the last one",
     kw_verb_trust},
    {"state create", "make a lost state directory again from the keyring",
     kw_verb_state_create},
    {"pin retry", "let a PIN that was refused be tried once more", kw_verb_pin_retry},
    {"quarantine clear", "let ciphertexts that cost workers be tried again",
     kw_verb_quarantine_clear},
    {"audit verify", "does each record of an audit log follow the one before?",
     kw_verb_audit_verify},
    {"audit show", "the records of an audit log, for people or a table",
     kw_verb_audit_show},
    {"audit key create", "make the pair that signs checkpoints, inside the token",
     kw_verb_audit_key_create},
    {"etcd audit", "what lies in clear in etcd's files, wherever it lies",
     kw_verb_etcd_audit},
    {"evidence", "a bundle for auditors, of what was collected", kw_verb_evidence},
    {"evidence collect", "what an auditor asks of this node, in a new folder",
     kw_verb_evidence_collect},
    {"evidence sign", "sign a bundle of evidence with the audit log's key",
     kw_verb_evidence_sign},
    {"support", "one file for a ticket, without secrets", kw_verb_support},
};

enum { NAME_MAX_BYTES = 64 };

static int usage(FILE *out, int status)
{
    fputs("usage: keyward VERB [options]\n\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(out, "  %-18s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nkeyward help VERB tells more; keyward --version\n", out);
    return status;
}

/* Verbs begin with these words, and go on. */
static bool is_group(const char *words)
{
    const size_t len = strlen(words);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (len > 0 && strncmp(verbs[i].name, words, len) == 0 &&
            verbs[i].name[len] == ' ')
            return true;
    return false;
}

static const struct verb *verb_called(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* As many words as lead to a verb, or to what is none: the last one's place in argv, and
 * all of them. */
static int read_words(int argc, char **argv, char name[NAME_MAX_BYTES])
{
    size_t len = 0;
    int last = 0;
    name[0] = '\0';
    while (last + 1 < argc && (last == 0 || is_group(name)) &&
           (last == 0 || argv[last + 1][0] != '-')) {
        last++;
        snprintf(name + len, NAME_MAX_BYTES - len, "%s%s", last > 1 ? " " : "",
                 argv[last]);
        len = strlen(name);
    }
    return last;
}

/* The verbs of a group, and the one that is called as it is. */
static int list_group(FILE *out, const char *words)
{
    const size_t len = strlen(words);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strncmp(verbs[i].name, words, len) == 0 &&
            (verbs[i].name[len] == ' ' || verbs[i].name[len] == '\0'))
            fprintf(out, "  %-18s %s\n", verbs[i].name, verbs[i].summary);
    return fflush(out) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

static int unknown_verb(const char *name)
{
    const char *near = NULL;
    size_t least = SIZE_MAX;
    if (is_group(name)) {
        fprintf(stderr, "keyward: '%s' is no verb; these begin so:\n", name);
        (void)list_group(stderr, name);
        return KW_EXIT_USAGE;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (kw_word_is_nearer(name, verbs[i].name, &least))
            near = verbs[i].name;
    if (near == NULL) {
        fprintf(stderr, "keyward: '%s' is no verb\n", name);
        return usage(stderr, KW_EXIT_USAGE);
    }
    fprintf(stderr, "keyward: '%s' is no verb; did you mean '%s'?\n", name, near);
    return KW_EXIT_USAGE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* keyward help, and keyward help WORDS as keyward WORDS --help. */
static int help(int argc, char **argv)
{
    char name[NAME_MAX_BYTES], flag[] = "--help";
    const int last = read_words(argc, argv, name);
    const struct verb *verb = verb_called(name);
    char *words[] = {argv[last], flag, NULL};
    if (argc < 2)
        return usage(stdout, KW_EXIT_GOOD);
    if (verb == NULL && !is_group(name))
        return unknown_verb(name);
    if (last + 1 < argc) {
        fprintf(stderr, "keyward: help: '%s' is one word too many\n", argv[last + 1]);
        return KW_EXIT_USAGE;
    }
    return verb != NULL ? verb->run(2, words) : list_group(stdout, name);
}

int main(int argc, char **argv)
{
    char name[NAME_MAX_BYTES];
    if (argc < 2)
        return usage(stderr, KW_EXIT_USAGE);
    if (is_help(argv[1]))
        return usage(stdout, KW_EXIT_GOOD);
    if (strcmp(argv[1], "--version") == 0)
        return printf("keyward %s\n", KW_VERSION) > 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
    if (strcmp(argv[1], "help") == 0)
        return help(argc - 1, argv + 1);
    const int last = read_words(argc, argv, name);
    const struct verb *verb = verb_called(name);
    if (verb != NULL)
        return verb->run(argc - last, argv + last);
    if (is_group(name) && last + 1 < argc && is_help(argv[last + 1]))
        return list_group(stdout, name);
    return unknown_verb(name);
}
