/* SPDX-License-Identifier: Apache-2.0 */
#include "config_sample.h"

#include <stdio.h>

const char *const sample_text = "domain: demo\n"                            /*  1 */
                                "environment: test\n"                       /*  2 */
                                "keyring: /etc/keyward/keyring.json\n"      /*  3 */
                                "state: /var/lib/keyward\n"                 /*  4 */
                                "status: /run/keyward/status.sock\n"        /*  5 */
                                "log: {level: warn, format: json}\n"        /*  6 */
                                "hsm:\n"                                    /*  7 */
                                "  deadline: 1200ms\n"                      /*  8 */
                                "  patience: 9s\n"                          /*  9 */
                                "  suspect: 8s\n"                           /* 10 */
                                "  recover: 7s\n"                           /* 11 */
                                "  probe: {every: 5s, stale-after: 20s}\n"  /* 12 */
                                "  tokens:\n"                               /* 13 */
                                "    - uri: \"pkcs11:token=my%20token\"\n"  /* 14 */
                                "      module: /usr/lib/hsm.so\n"           /* 15 */
                                "      pin: file:/etc/keyward/pin\n"        /* 16 */
                                "      env: {HSM_CONF: /etc/hsm.conf}\n"    /* 17 */
                                "      workers: 3\n"                        /* 18 */
                                "classes:\n"                                /* 19 */
                                "  - name: secrets\n"                       /* 20 */
                                "    scope: sec\n"                          /* 21 */
                                "    accept-scopes: [old, older]\n"         /* 22 */
                                "    socket: /run/keyward/secrets.sock\n"   /* 23 */
                                "    mode: 0600\n"                          /* 24 */
                                "    peers: {uids: [0, 1000], gids: [7]}\n" /* 25 */
                                "    on-hsm-loss: fail-closed\n"            /* 26 */
                                "    cache: {entries: 100, ttl: 5m}\n"      /* 27 */
                                "  - name: bulk\n"                          /* 28 */
                                "    scope: bulk\n"                         /* 29 */
                                "    socket: /run/keyward/bulk.sock\n"      /* 30 */
                                "    on-hsm-loss: serve-cached\n"           /* 31 */
                                "    max-outage: 15m\n"                     /* 32 */
                                "    cache: {entries: 4096, ttl: 1h}\n";    /* 33 */

void sample_with(const struct change *c, char dst[SAMPLE_MAX])
{
    const char *from = sample_text, *end;
    if (c->line == 0) {
        snprintf(dst, SAMPLE_MAX, "%s", c->with);
        return;
    }
    for (unsigned n = 1; n < c->line; n++)
        from = strchr(from, '\n') + 1;
    end = strchr(from, '\n') + 1;
    snprintf(dst, SAMPLE_MAX, "%.*s%s%s%s", (int)(from - sample_text), sample_text,
             c->with, c->with[0] != '\0' ? "\n" : "", end);
}

struct kw_config *sample_accept(unsigned line, const char *with)
{
    char text[SAMPLE_MAX];
    struct change c = {.line = line, .with = with};
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    sample_with(&c, text);
    if (kw_failed(kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note)))
        fail_msg("line %u as \"%s\": %s", line, with, note.text);
    return config;
}

void check_refused(const struct change *changes, size_t count)
{
    char text[SAMPLE_MAX];
    for (size_t i = 0; i < count; i++) {
        struct kw_config *config = NULL;
        struct kw_note note = {{0}};
        sample_with(&changes[i], text);
        kw_err e = kw_config_parse(kw_span_str(text), "c.yaml", SIZE_MAX, &config, &note);
        if (e.code != KW_CODE_BAD_INPUT || config != NULL)
            fail_msg("\"%s\" was not refused", changes[i].with);
        size_t n = strlen(changes[i].answer);
        if (strncmp(note.text, "c.yaml:", 7) != 0 ||
            strncmp(note.text + 7, changes[i].answer, n) != 0 ||
            (changes[i].also != NULL && strstr(note.text, changes[i].also) == NULL))
            fail_msg("\"%s\"\n  gives  %s\n  wanted c.yaml:%s ... %s", changes[i].with,
                     note.text, changes[i].answer,
                     changes[i].also ? changes[i].also : "");
    }
}
