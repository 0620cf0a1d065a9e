/* SPDX-License-Identifier: Apache-2.0 */
/* The places and the texts of a fresh installation. */
#include "node_layout.h"

#include <string.h>

#include <keyward/bytes.h>

static bool cli_layout_is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._+=@%,~-", c) != NULL);
}

bool kw_layout_is_plain(const char *path)
{
    return kw_span_all(kw_span_str(path), cli_layout_is_plain);
}

struct places {
    const char *base, *state, *audit, *run, *tokens;
};

/* dst = folder/name; false when it is too long. */
static bool cli_layout_join(char *dst, size_t cap, const char *folder, const char *name)
{
    int n =
        snprintf(dst, KW_PATH_MAX, "%s%s%s", folder, name[0] != '\0' ? "/" : "", name);
    return n > 0 && (size_t)n <= cap;
}

static bool cli_layout_fill(struct kw_layout *l, const struct places *p)
{
    const size_t any = KW_PATH_MAX - 1, socket = KW_SOCKET_PATH_MAX;
    return cli_layout_join(l->base, any, p->base, "") &&
           cli_layout_join(l->config, any, p->base, "keyward.yaml") &&
           cli_layout_join(l->keyring, any, p->base, "keyring.json") &&
           cli_layout_join(l->pin, any, p->base, "pin") &&
           cli_layout_join(l->so_pin, any, p->base, "so-pin") &&
           cli_layout_join(l->softhsm_conf, any, p->base, "softhsm2.conf") &&
           cli_layout_join(l->encryption, any, p->base,
                           "encryption-configuration.yaml") &&
           cli_layout_join(l->state, any, p->state, "") &&
           cli_layout_join(l->audit, any, p->audit, "") &&
           cli_layout_join(l->tokens, any, p->tokens, "") &&
           cli_layout_join(l->run, any, p->run, "") &&
           cli_layout_join(l->status, socket, p->run, "status.sock") &&
           cli_layout_join(l->secrets, socket, p->run, "secrets.sock") &&
           cli_layout_join(l->bulk, socket, p->run, "bulk.sock");
}

kw_err kw_layout_make(const char *dir, struct kw_layout *ret_layout, struct kw_note *note)
{
    struct kw_layout layout = {0};
    char state[KW_PATH_MAX], audit[KW_PATH_MAX], run[KW_PATH_MAX], tokens[KW_PATH_MAX];
    struct places p = {"/etc/keyward", "/var/lib/keyward", "/var/log/keyward",
                       "/run/keyward", "/var/lib/keyward-tokens"};
    if (dir != NULL) {
        if (dir[0] != '/' || !kw_layout_is_plain(dir) ||
            !cli_layout_join(state, KW_PATH_MAX - 1, dir, "state") ||
            !cli_layout_join(audit, KW_PATH_MAX - 1, dir, "audit") ||
            !cli_layout_join(run, KW_PATH_MAX - 1, dir, "run") ||
            !cli_layout_join(tokens, KW_PATH_MAX - 1, dir, "tokens")) {
            kw_note_set(note,
                        "%s: the folder's name must be absolute and of "
                        "[A-Za-z0-9/._+=@%%,~-] only",
                        dir);
            return kw_err_at(KW_CODE_BAD_INPUT, "--dir");
        }
        p = (struct places){dir, state, audit, run, tokens};
    }
    if (!cli_layout_fill(&layout, &p)) {
        kw_note_set(note,
                    "%s: too long: the path of a unix socket has at most %u bytes; "
                    "choose a shorter --dir",
                    dir, KW_SOCKET_PATH_MAX);
        return kw_err_at(KW_CODE_BAD_INPUT, "--dir");
    }
    *ret_layout = layout;
    return KW_OK;
}

static void write_class(const char *name, const char *socket, uint32_t peer, FILE *out)
{
    fprintf(out,
            "  - name: %s\n"
            "    scope: %s    # sealed into every ciphertext\n"
            "    socket: %s\n"
            "    mode: 0660\n",
            name, name, socket);
    if (peer != 0)
        fprintf(out, "    peers: {uids: [0, %u]}\n", (unsigned)peer);
    else
        fputs("    peers: {uids: [0]}\n", out);
}

static bool is_plain_in_uri(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static bool put_encoded(const char *name, const char *value, char *dst, size_t cap,
                        size_t *len)
{
    int n = snprintf(dst + *len, cap - *len, "%s", name);
    for (; n > 0 && (size_t)n < cap - *len && *value != '\0'; value++) {
        *len += (size_t)n;
        n = snprintf(dst + *len, cap - *len, is_plain_in_uri(*value) ? "%c" : "%%%02X",
                     (unsigned char)*value);
    }
    bool fits = n > 0 && (size_t)n < cap - *len;
    *len += fits ? (size_t)n : 0;
    return fits;
}

bool kw_layout_uri(const char *label, const char *serial, char *dst, size_t cap)
{
    size_t len = 0;
    return put_encoded("pkcs11:token=", label, dst, cap, &len) &&
           (serial == NULL || put_encoded(";serial=", serial, dst, cap, &len));
}

/* A double-quoted scalar of YAML. */
static void write_quoted(const char *value, FILE *out)
{
    fputc('"', out);
    for (; *value != '\0'; value++)
        fprintf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    fputc('"', out);
}

static void write_env(const struct kw_layout *l, const struct kw_first_config *first,
                      FILE *out)
{
    if (!first->softhsm && first->env_count == 0)
        return;
    fputs("      env: {", out);
    if (first->softhsm)
        fprintf(out, "SOFTHSM2_CONF: %s", l->softhsm_conf);
    for (size_t i = 0; i < first->env_count; i++) {
        fprintf(out, "%s%s: ", i > 0 || first->softhsm ? ", " : "", first->env[i].name);
        write_quoted(first->env[i].value, out);
    }
    fputs("}\n", out);
}

void kw_layout_write_config(const struct kw_layout *l,
                            const struct kw_first_config *first, FILE *out)
{
    fprintf(
        out,
        "# keyward on this node; every key and its default: keywardd --describe-config\n"
        "domain: %s    # everything is sealed under this name; it never changes\n"
        "environment: %s\n"
        "keyring: %s    # the same file on every control-plane node\n"
        "state: %s\n"
        "status: %s\n"
        "hsm:\n"
        "  tokens:\n"
        "    - uri: \"%s\"\n"
        "      module: %s\n"
        "      pin: file:%s\n",
        first->domain, first->production ? "production" : "test", l->keyring, l->state,
        l->status, first->uri, first->module, l->pin);
    write_env(l, first, out);
    fprintf(out,
            "audit:\n"
            "  dir: %s    # each Encrypt and Decrypt is on record before it is answered\n"
            "  on-failure: deny\n"
            "classes:\n",
            l->audit);
    write_class("secrets", l->secrets, first->peer, out);
    fputs("    on-hsm-loss: fail-closed\n"
          "    cache: {entries: 1024, ttl: 10m}\n",
          out);
    write_class("bulk", l->bulk, first->peer, out);
    fputs("    on-hsm-loss: serve-cached\n"
          "    max-outage: 15m\n"
          "    cache: {entries: 4096, ttl: 1h}\n",
          out);
}

void kw_layout_write_softhsm_conf(const struct kw_layout *l, FILE *out)
{
    fprintf(out,
            "directories.tokendir = %s\n"
            "objectstore.backend = file\n"
            "log.level = ERROR\n"
            "slots.removable = false\n",
            l->tokens);
}

static void write_provider(const char *resource, const char *name, const char *socket,
                           FILE *out)
{
    fprintf(out,
            "  - resources:\n"
            "      - %s\n"
            "    providers:\n"
            "      - kms:\n"
            "          apiVersion: v2\n"
            "          name: %s\n"
            "          endpoint: unix://%s\n"
            "          timeout: 3s\n"
            "      - identity: {}\n",
            resource, name, socket);
}

void kw_layout_write_encryption(const struct kw_layout *l, FILE *out)
{
    fputs(
        "# For kube-apiserver: --encryption-provider-config=FILE.  A provider's name is\n"
        "# part of every stored value: never change it.  Take `identity` out when "
        "nothing\n"
        "# is stored in clear any more.\n"
        "apiVersion: apiserver.config.k8s.io/v1\n"
        "kind: EncryptionConfiguration\n"
        "resources:\n",
        out);
    write_provider("secrets", "keyward-secrets", l->secrets, out);
    write_provider("configmaps", "keyward-bulk", l->bulk, out);
}
