/* SPDX-License-Identifier: Apache-2.0 */
/* A ciphertext of the probe, and whose it is. */
#include "probe_sample.h"

#include <string.h>
#include <sys/stat.h>

#include <keyward/config.h>

static bool probe_sample_is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* The domain is sealed into every ciphertext and stands in none: it is the
 * configuration's, as far as the socket is. */
static kw_err find_class(const struct kw_config *config, const char *path,
                         const char *socket, struct kw_sample *s, struct kw_note *note)
{
    for (size_t i = 0; i < config->class_count; i++)
        if (probe_sample_is_same_file(config->classes[i].socket, socket)) {
            kw_copy_str(s->domain, sizeof s->domain, kw_span_str(config->domain));
            kw_copy_str(s->class_name, sizeof s->class_name,
                        kw_span_str(config->classes[i].name));
            return KW_OK;
        }
    kw_note_set(note,
                "--sample: %s is the socket of no class in %s, so the domain of its "
                "ciphertexts is not known; name the daemon's configuration with --config",
                socket, path);
    return kw_err_at(KW_CODE_BAD_INPUT, "--sample");
}

kw_err kw_probe_sample_begin(const struct kw_cli *cli, const char *path,
                             const char *socket, struct kw_sample *ret_sample,
                             struct kw_note *note)
{
    struct stat st;
    struct kw_sample s = {{0}};
    struct kw_config *config = NULL;
    struct kw_note why = {{0}};
    if (lstat(path, &st) == 0) {
        kw_note_set(note, "%s: is there already; a sample is written over nothing", path);
        return kw_err_at(KW_CODE_DENIED, "--sample");
    }
    kw_err e = kw_config_load(cli->config, SIZE_MAX, &config, &why);
    if (kw_failed(e))
        kw_note_set(note,
                    "--sample wants the daemon's configuration (--config), as the domain "
                    "stands in no ciphertext: %.350s",
                    why.text);
    else
        e = find_class(config, cli->config, socket, &s, note);
    kw_config_free(config);
    if (!kw_failed(e))
        *ret_sample = s;
    return e;
}

static void probe_sample_fill_in(struct kw_sample *s,
                                 const struct kw_client_reply *encrypt)
{
    struct kw_envelope env;
    size_t len = encrypt->ciphertext_len;
    if (len > sizeof s->ciphertext)
        len = sizeof s->ciphertext;
    kw_copy(s->ciphertext, sizeof s->ciphertext, kw_span_of(encrypt->ciphertext, len));
    s->ciphertext_len = len;
    kw_copy_str(s->key_id, sizeof s->key_id, kw_span_str(encrypt->key_id));
    if (!kw_failed(kw_envelope_parse(kw_span_of(s->ciphertext, len), &env)))
        kw_copy_str(s->scope, sizeof s->scope, env.scope);
}

void kw_probe_sample_keep(struct kw_report *r, const char *path, struct kw_sample *sample,
                          const struct kw_client_reply *encrypt)
{
    struct kw_note note = {{0}};
    probe_sample_fill_in(sample, encrypt);
    kw_err e = kw_sample_save(path, sample, &note);
    if (kw_failed(e))
        kw_report_err(r, "sample", e, &note);
    else
        kw_report_add(r, KW_FOUND_OK, "sample", NULL,
                      "%s: class %s under %s; kept apart from the keyring, it proves the "
                      "key when that is lost (key create --adopt)",
                      path, sample->class_name, sample->key_id);
}
