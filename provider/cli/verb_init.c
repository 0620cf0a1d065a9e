/* SPDX-License-Identifier: Apache-2.0 */
/* keyward init - configuration, folders, PIN file, EncryptionConfiguration */
#include "cli.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/envelope.h>

#include "place.h"
#include "pins.h"

struct choices {
    const char *dir, *user, *module, *label, *pin_file, *domain;
    bool softhsm;
};

struct plan {
    struct kw_layout layout;
    struct kw_owner owner;
    struct kw_first_config first;
    const char *pin_file;
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

static bool is_label(const char *text)
{
    size_t len = strlen(text);
    return len >= 1 && len <= 32 &&
           strspn(text,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               len;
}

/* -1 to go on. */
static int judge(const struct choices *c, struct kw_first_config *ret_first)
{
    const char *module = c->module;
    if (c->softhsm && c->pin_file != NULL)
        return kw_usage_error("init",
                              "--softhsm makes its own PIN; --pin-file is for an HSM");
    if (!c->softhsm && (c->module == NULL || c->label == NULL || c->pin_file == NULL))
        return kw_usage_error("init",
                              "an HSM wants --module, --label and --pin-file; for a "
                              "test with a soft token use --softhsm");
    if (module == NULL && (module = find_softhsm()) == NULL)
        return kw_usage_error("init",
                              "libsofthsm2.so is not where it is expected; install "
                              "SoftHSM (softhsm2) or name it with --module");
    if (module[0] != '/')
        return kw_usage_error("init", "--module wants an absolute path");
    if (c->domain != NULL && !kw_is_domain(kw_span_str(c->domain)))
        return kw_usage_error("init", "--domain: 1 to %u of [a-z0-9.-]", KW_DOMAIN_MAX);
    if (c->label != NULL && !is_label(c->label))
        return kw_usage_error("init",
                              "--label: 1 to 32 of [A-Za-z0-9._-]; for another one "
                              "edit the configuration's uri afterwards");
    *ret_first = (struct kw_first_config){
        .domain = c->domain != NULL ? c->domain : "cluster",
        .module = module,
        .label = c->label != NULL ? c->label : "keyward",
        .softhsm = c->softhsm,
        .peer = geteuid(),
    };
    return -1;
}

static kw_err prepare(const struct choices *c, struct plan *p, struct kw_note *note)
{
    char real[KW_PATH_MAX];
    kw_err e = kw_place_owner(c->user, c->dir == NULL, &p->owner, note);
    if (!kw_failed(e))
        e = kw_place_base(c->dir != NULL ? c->dir : "/etc/keyward", real, note);
    if (!kw_failed(e))
        e = kw_layout_make(c->dir != NULL ? real : NULL, &p->layout, note);
    if (!kw_failed(e))
        e = kw_place_vacant(&p->layout, note);
    return e;
}

static kw_err make_folders(const struct plan *p, struct kw_note *note)
{
    kw_err e = kw_place_folder(p->layout.state, 0700, true, &p->owner, note);
    if (!kw_failed(e))
        e = kw_place_folder(p->layout.run, 0755, false, &p->owner, note);
    if (!kw_failed(e) && p->first.softhsm)
        e = kw_place_folder(p->layout.tokens, 0700, true, &p->owner, note);
    return e;
}

static void softhsm_text(const void *what, FILE *out)
{
    kw_layout_write_softhsm_conf(&((const struct plan *)what)->layout, out);
}

static void config_text(const void *what, FILE *out)
{
    const struct plan *p = what;
    kw_layout_write_config(&p->layout, &p->first, out);
}

static void encryption_text(const void *what, FILE *out)
{
    kw_layout_write_encryption(&((const struct plan *)what)->layout, out);
}

static kw_err make_token(const struct plan *p, int pin_fd, struct kw_note *note)
{
    int so_fd = -1;
    kw_err e = kw_place_secret(p->layout.so_pin, NULL, &so_fd, note);
    if (!kw_failed(e))
        e = kw_place_text(p->layout.softhsm_conf, softhsm_text, p, note);
    const struct kw_softhsm_plan token = {&p->layout, p->first.module, p->first.label,
                                          pin_fd, so_fd};
    if (!kw_failed(e))
        e = kw_pin_softhsm(&token, &p->owner, note);
    if (so_fd >= 0)
        close(so_fd);
    return e;
}

static kw_err make_pin(const struct plan *p, struct kw_note *note)
{
    int fd = -1;
    kw_err e = kw_place_secret(p->layout.pin, &p->owner, &fd, note);
    if (kw_failed(e))
        return e;
    e = p->first.softhsm ? make_token(p, fd, note) : kw_pin_copy(p->pin_file, fd, note);
    close(fd);
    return e;
}

/* The configuration comes last: where it is, everything is. */
static kw_err make_all(const struct plan *p, struct kw_note *note)
{
    kw_err e = make_folders(p, note);
    if (!kw_failed(e))
        e = make_pin(p, note);
    if (!kw_failed(e))
        e = kw_place_text(p->layout.encryption, encryption_text, p, note);
    if (!kw_failed(e))
        e = kw_place_text(p->layout.config, config_text, p, note);
    return e;
}

static int report(const struct kw_cli *cli, const struct plan *p)
{
    const struct kw_layout *l = &p->layout;
    static char text[16 * 1024];
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    if (out == NULL)
        return kw_fail(cli, kw_err_at(KW_CODE_NO_MEMORY, "init"), NULL);
    kw_layout_write_encryption(l, out);
    fclose(out);
    if (cli->json)
        return kw_json_out(
            json_pack("{s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:i, s:s}", "ok", 1,
                      "config", l->config, "keyring", l->keyring, "pin", l->pin, "state",
                      l->state, "socket_secrets", l->secrets, "socket_bulk", l->bulk,
                      "encryption_configuration", l->encryption, "token_dir",
                      p->first.softhsm ? l->tokens : NULL, "uid", (int)p->owner.uid,
                      "encryption_configuration_text", text),
            KW_EXIT_GOOD);
    printf("config %s\nkeyring %s\npin %s\nstate %s\nsocket secrets %s\nsocket bulk %s\n"
           "encryption-configuration %s\n",
           l->config, l->keyring, l->pin, l->state, l->secrets, l->bulk, l->encryption);
    if (p->first.softhsm)
        printf("so-pin %s\ntoken-dir %s\n", l->so_pin, l->tokens);
    printf("\n%s\n", text);
    if (p->owner.uid == 0)
        fputs("keyward: everything belongs to root, and keywardd refuses to run as root; "
              "--user names the daemon's user\n",
              stderr);
    printf("next: keyward key create --config %s\n", l->config);
    return fflush(stdout) == 0 ? KW_EXIT_GOOD : KW_EXIT_BLIND;
}

int kw_verb_init(int argc, char **argv)
{
    struct choices c = {0};
    struct kw_cli cli;
    struct plan p = {0};
    struct kw_note note = {{0}};
    const struct kw_option options[] = {
        {"dir", "DIR", "put everything below one folder", NULL, &c.dir},
        {"user", "NAME", "the daemon's user (default keyward)", NULL, &c.user},
        {"softhsm", NULL, "make a soft token too: for tests and CI", &c.softhsm, NULL},
        {"module", "FILE", "the HSM's PKCS#11 library", NULL, &c.module},
        {"label", "LABEL", "the token's label", NULL, &c.label},
        {"pin-file", "FILE", "copy the PIN from this file (mode 0600)", NULL,
         &c.pin_file},
        {"domain", "NAME", "what everything is sealed under (default cluster)", NULL,
         &c.domain},
    };
    const struct kw_usage usage = {
        .verb = "init",
        .operands = "",
        .summary =
            "Makes configuration, folders, PIN file and an EncryptionConfiguration, "
            "each\nwith its safe mode.  Overwrites nothing.",
        .more = "A PIN is never taken from the command line or the environment.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int code = kw_args_read(&usage, argc, argv, &cli);
    if (code < 0)
        code = judge(&c, &p.first);
    if (code >= 0)
        return code;
    p.pin_file = c.pin_file;
    umask(022);
    kw_err e = prepare(&c, &p, &note);
    if (kw_failed(e))
        return kw_fail(&cli, e, &note);
    e = make_all(&p, &note);
    if (kw_failed(e)) {
        fprintf(stderr,
                "keyward: init stopped half-way; remove what it made below %s%s%s "
                "before the next try\n",
                p.layout.base, c.dir == NULL ? " and " : "",
                c.dir == NULL ? p.layout.state : "");
        return kw_fail(&cli, e, &note);
    }
    return report(&cli, &p);
}
