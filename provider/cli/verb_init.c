/* SPDX-License-Identifier: Apache-2.0 */
/* keyward init - configuration, folders, PIN file, EncryptionConfiguration */
#include "cli.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/envelope.h>
#include <keyward/keyring.h>

#include "install.h"
#include "trusted.h"

struct choices {
    const char *dir, *user, *module, *label, *serial, *pin_file, *domain, *join;
    struct kw_words env;
    bool softhsm, first;
};

/* Where distributions put it. */
static const char *find_softhsm(void)
{
    static const char *const places[] = {
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/lib64/softhsm/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

/* ---- what was asked for ------------------------------------------------------------ */

static bool init_is_name(kw_span s)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || strchr(letters, s.ptr[i]) == NULL)
            return false;
    return s.len > 0 && s.len < KW_ENV_NAME_MAX && (s.ptr[0] < '0' || s.ptr[0] > '9');
}

static bool is_ascii(uint8_t c)
{
    return c < 0x80;
}

/* Text of a token: 1 to `max` printable bytes. */
static bool is_text_of_token(const char *text, size_t max)
{
    kw_span s = kw_span_str(text);
    return s.len >= 1 && s.len <= max && kw_is_printable_text(s);
}

/* -1 to go on. */
static int judge_env(const struct choices *c, struct kw_install *p)
{
    for (size_t i = 0; i < c->env.count; i++) {
        const char *equals = strchr(c->env.at[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - c->env.at[i]) : 0;
        kw_span name = kw_span_of(c->env.at[i], len);
        kw_span value = kw_span_str(equals != NULL ? equals + 1 : "");
        if (equals == NULL || !init_is_name(name) || !kw_is_printable_text(value) ||
            !kw_span_all(value, is_ascii) || value.len >= KW_PATH_MAX)
            return kw_usage_error("init", "--env wants NAME=VALUE, printable ASCII");
        if (c->softhsm && kw_span_equal_str(name, "SOFTHSM2_CONF"))
            return kw_usage_error("init", "--softhsm makes its own SOFTHSM2_CONF");
        for (size_t j = 0; j < i; j++)
            if (kw_span_equal_str(name, p->names[j]))
                return kw_usage_error("init", "--env %s is given twice", p->names[j]);
        kw_copy_str(p->names[i], sizeof p->names[i], name);
        p->env[i] = (struct kw_config_var){p->names[i], (char *)(uintptr_t)(equals + 1)};
    }
    return -1;
}

/* ---- the first node, or one of those that have the same keyring ---- */

/* Whoever sits at a terminal is asked. */
static bool ask_which(struct choices *c)
{
    static char line[KW_PATH_MAX];
    if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return false;
    fputs(
        "keyward: is this the first node of its cluster?  Type \"first\", or the path of "
        "the\nkeyring.json that another node has: ",
        stderr);
    if (fgets(line, sizeof line, stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    c->first = strcmp(line, "first") == 0;
    c->join = c->first || line[0] == '\0' ? NULL : line;
    return c->first || c->join != NULL;
}

static int judge_node(struct choices *c)
{
    if (!c->first && c->join == NULL && !ask_which(c))
        return kw_usage_error(
            "init",
            "--first or --join KEYRING is wanted: the first node of a cluster makes the "
            "keyring, every other one begins with a copy of it.  Two nodes that each "
            "make "
            "their own cannot read what the other one has sealed");
    if (c->first && c->join != NULL)
        return kw_usage_error("init", "--first and --join exclude each other");
    if (c->join != NULL && c->softhsm)
        return kw_usage_error("init",
                              "--softhsm makes a token of its own, which has none of the "
                              "keyring's keys: name the token with --module and --label");
    return -1;
}

/* -1 to go on: with the keyring's domain, when there is a keyring. */
static int read_keyring(const struct kw_cli *cli, struct choices *c, struct kw_install *p)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (c->join == NULL)
        return -1;
    struct kw_owner owner = {.uid = geteuid()};
    struct kw_note ignored; /* a user that is not there is told later */
    (void)!kw_failed(kw_place_owner(c->user, c->dir == NULL, &owner, &ignored));
    kw_err e = kw_trusted_copy(c->join, owner.uid, &ring, &p->ring, &note);
    if (e.code == KW_CODE_DENIED)
        return kw_trusted_refuse_copy(cli, &note, c->join);
    if (kw_failed(e))
        return kw_fail(cli, e, &note);
    kw_copy_str(p->domain, sizeof p->domain, kw_span_str(ring->domain));
    kw_keyring_give(ring);
    if (c->domain != NULL && strcmp(c->domain, p->domain) != 0)
        return kw_refuse(cli, "--domain is \"%s\", and %s is of domain \"%s\"", c->domain,
                         c->join, p->domain);
    c->domain = p->domain;
    return -1;
}

static int judge_domain(const char *domain)
{
    if (domain == NULL)
        return kw_usage_error(
            "init",
            "--domain is wanted: the name under which this cluster's keys and data "
            "are sealed, such as prod-eu1.  Every ciphertext is bound to it, so it "
            "never changes as long as there is data, and it is the same on every "
            "node of the cluster and on no other");
    if (!kw_is_domain(kw_span_str(domain)))
        return kw_usage_error("init", "--domain: 1 to %u of [a-z0-9.-]", KW_DOMAIN_MAX);
    return -1;
}

static int judge_token(const struct choices *c)
{
    if (c->softhsm && (c->pin_file != NULL || c->serial != NULL))
        return kw_usage_error("init", "--softhsm makes its own token and PIN; --pin-file "
                                      "and --serial are for an HSM");
    if (!c->softhsm && (c->module == NULL || c->label == NULL || c->pin_file == NULL))
        return kw_usage_error("init",
                              "an HSM wants --module, --label and --pin-file; for a "
                              "test with a soft token use --softhsm");
    if (c->label != NULL && !is_text_of_token(c->label, 32))
        return kw_usage_error("init", "--label: 1 to 32 bytes of printable text");
    if (c->serial != NULL && !is_text_of_token(c->serial, 16))
        return kw_usage_error("init", "--serial: 1 to 16 bytes of printable text");
    return -1;
}

static int judge_module(const char *module)
{
    if (module == NULL)
        return kw_usage_error("init",
                              "libsofthsm2.so is not where it is expected; install "
                              "SoftHSM (softhsm2) or name it with --module");
    if (module[0] != '/' || !kw_layout_is_plain(module))
        return kw_usage_error("init", "--module wants an absolute path of "
                                      "[A-Za-z0-9/._+=@%%,~-] only");
    return -1;
}

/* -1 to go on. */
static int init_judge(const struct kw_cli *cli, struct choices *c, struct kw_install *p)
{
    const char *module = c->module != NULL ? c->module : find_softhsm();
    int code = judge_token(c);
    if (code < 0)
        code = judge_module(module);
    if (code < 0)
        code = judge_node(c);
    if (code < 0)
        code = read_keyring(cli, c, p);
    if (code < 0)
        code = judge_domain(c->domain);
    if (code < 0)
        code = judge_env(c, p);
    if (code >= 0)
        return code;
    p->label = c->label != NULL ? c->label : "keyward";
    p->pin_file = c->pin_file;
    p->dir = c->dir;
    p->user = c->user;
    if (!kw_layout_uri(p->label, c->serial, p->uri, sizeof p->uri))
        return kw_usage_error("init", "--label and --serial are too long");
    p->first = (struct kw_first_config){
        .domain = c->domain,
        .module = module,
        .uri = p->uri,
        .production = !c->softhsm,
        .softhsm = c->softhsm,
        .peer = geteuid() != KW_OVERFLOW_ID ? geteuid() : 0, /* no peer may be that */
        .env = p->env,
        .env_count = c->env.count,
    };
    return -1;
}

static int init_report(const struct kw_cli *cli, const struct kw_install *p)
{
    const struct kw_layout *l = &p->layout;
    static char text[16 * 1024];
    char next[KW_PATH_MAX + 64];
    bool joins = kw_blob_peek(&p->ring).len > 0;
    snprintf(next, sizeof next, "keyward %s --config %s", joins ? "check" : "key create",
             l->config);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    if (out == NULL)
        return kw_fail(cli, kw_err_at(KW_CODE_NO_MEMORY, "init"), NULL);
    kw_layout_write_encryption(l, out);
    fclose(out);
    if (cli->json)
        return kw_json_out(
            json_pack(
                "{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:i, s:s, s:[s]}",
                "ok", 1, "config", l->config, "keyring", l->keyring, "pin", l->pin,
                "state", l->state, "audit", l->audit, "socket_secrets", l->secrets,
                "socket_bulk", l->bulk, "encryption_configuration", l->encryption,
                "token_dir", p->first.softhsm ? l->tokens : NULL, "uid",
                (int)p->owner.uid, "encryption_configuration_text", text, "next", next),
            KW_EXIT_GOOD);
    printf("config %s\nkeyring %s\npin %s\nstate %s\naudit %s\nsocket secrets %s\nsocket "
           "bulk %s\n"
           "encryption-configuration %s\n",
           l->config, l->keyring, l->pin, l->state, l->audit, l->secrets, l->bulk,
           l->encryption);
    if (p->first.softhsm)
        printf("so-pin %s\ntoken-dir %s\n", l->so_pin, l->tokens);
    printf("\n%s\n", text);
    if (p->owner.uid == 0)
        fputs("keyward: everything belongs to root, and keywardd refuses to run as root; "
              "--user names the daemon's user\n",
              stderr);
    printf("next: %s\n", next);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

int kw_verb_init(int argc, char **argv)
{
    struct choices c = {0};
    struct kw_cli cli;
    static struct kw_install p;
    struct kw_note note = {{0}};
    const struct kw_option options[] = {
        {"dir", "DIR", "put everything below one folder", NULL, &c.dir},
        {"user", "NAME", "the daemon's user (default keyward)", NULL, &c.user},
        {"softhsm", NULL, "make a soft token too: for tests and CI", &c.softhsm, NULL},
        {"module", "FILE", "the HSM's PKCS#11 library", NULL, &c.module},
        {"label", "LABEL", "the token's label", NULL, &c.label},
        {"serial", "SERIAL", "its serial, where several have the label", NULL, &c.serial},
        {"pin-file", "FILE", "copy the PIN from this file (mode 0600)", NULL,
         &c.pin_file},
        {"first", NULL, "the first node of its cluster: the keyring is made here",
         &c.first, NULL},
        {"join", "KEYRING", "a further node, with a copy of the first one's keyring",
         NULL, &c.join},
        {"domain", "NAME", "the cluster's name, which never changes; wanted with --first",
         NULL, &c.domain},
        {"env", "NAME=VALUE", "a variable of the HSM's library; repeatable", NULL, NULL,
         &c.env},
    };
    const struct kw_usage usage = {
        .verb = "init",
        .operands = "",
        .summary =
            "Looks whether the module loads and the token is there, as the daemon's user "
            "and\nwithout a login; then makes configuration, folders, PIN file and an\n"
            "EncryptionConfiguration, each with its safe mode.  All or nothing; "
            "overwrites\n"
            "nothing.  One node is the --first; the others --join with a copy of its "
            "keyring.",
        .more =
            "Everything is sealed under --domain: every ciphertext is bound to it, so "
            "it never\nchanges while there is data.  A PIN is never taken from the "
            "command line or the\nenvironment.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = init_judge(&cli, &c, &p);
    if (code >= 0)
        return code;
    umask(022);
    kw_err e = kw_install_look(&p, &note);
    if (!kw_failed(e))
        e = kw_install_make(&p, &note);
    return kw_failed(e) ? kw_fail(&cli, e, &note) : init_report(&cli, &p);
}
