/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of the configuration file while another one, or none, is in use. */
#include "check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "daemon_fakes.h"

#define TEXT(workers, classes)                                                           \
    "domain: demo\nenvironment: test\nhsm:\n  tokens:\n"                                 \
    "  - {uri: 'pkcs11:token=a', module: /m, pin: 'file:/where/the/pin/lies', "          \
    "workers: " workers "}\nclasses:\n- {name: n, scope: s, socket: /s}\n" classes

static const char text[] = TEXT("1", "");

struct one {
    struct kw_daemon d;
    char folder[40], file[64];
    struct kw_config *config;
};

static void put(const struct one *o, const char *yaml)
{
    CHECK_OK(kw_file_replace(o->file, kw_span_str(yaml), 0644, NULL));
}

static void begin(struct one *o)
{
    struct kw_note note = {{0}};
    *o = (struct one){.folder = "/tmp/keyward-config-XXXXXX"};
    CHECK(mkdtemp(o->folder) != NULL);
    snprintf(o->file, sizeof o->file, "%s/keyward.yaml", o->folder);
    put(o, text);
    CHECK_OK(kw_configuration_read(o->file, &o->config, &note));
    daemon_begin(&o->d, o->config);
    CHECK_OK(kw_configuration_at(&o->d, o->file, &note));
}

static void end(struct one *o)
{
    kw_configuration_forget(&o->d);
    kw_free(o->d.config_path);
    daemon_end(&o->d);
    kw_config_free(o->config);
    unlink(o->file);
    CHECK(rmdir(o->folder) == 0);
}

/* One look, and what the log says of it. */
static void look(struct one *o, const char *event, const char *what)
{
    kw_configuration_look(&o->d);
    const char *log = daemon_log_look();
    CHECK_HAS(log, event);
    CHECK_HAS(log, what);
}

TEST(look__what_no_start_would_take__said_with_its_place_until_it_is_cured)
{
    struct one o;
    begin(&o);
    put(&o, "domain: demo\nenviroment: test\n");
    look(&o, "level=error event=configuration-rejected", "keyward.yaml:2:1: enviroment");
    CHECK_HAS(o.d.config_rejected.text, "keyward.yaml:2:1: enviroment: unknown key");
    CHECK(unlink(o.file) == 0);
    look(&o, "event=configuration-rejected", "err=missing");
    CHECK(o.d.config_rejected.text[0] != '\0');
    put(&o, text);
    CHECK(chmod(o.file, 0666) == 0);
    look(&o, "event=configuration-rejected", "lets others change it");
    CHECK(o.d.config_found == NULL && o.d.config == o.config);
    put(&o, text);
    look(&o, "level=info event=configuration-unchanged", o.file);
    CHECK_STR(o.d.config_rejected.text, "");
    end(&o);
}

TEST(look__no_memory__said_and_nothing_kept)
{
    struct one o;
    begin(&o);
    for (long n = 0; o.d.config_found == NULL; n++) {
        kw_alloc_fail_from(n);
        kw_configuration_look(&o.d);
        kw_alloc_fail_from(-1);
        CHECK((o.d.config_found == NULL) == (o.d.config_rejected.text[0] != '\0'));
        CHECK(n < 10000);
    }
    end(&o);
}

TEST(look__another_configuration__names_and_no_values_and_nothing_of_it_runs)
{
    struct one o;
    begin(&o);
    put(&o, TEXT("2", "- {name: m, scope: m, socket: /m}\n"));
    kw_configuration_look(&o.d);
    const char *log = daemon_log_look();
    CHECK_HAS(log, "level=warn event=configuration-changed");
    CHECK_HAS(log, "count=2 settings=\"hsm.tokens[0].workers classes\"");
    CHECK_HAS(log, "restart");
    CHECK(strstr(log, "/where/the/pin") == NULL);
    CHECK(o.d.config == o.config && o.config->tokens[0].workers == 1);
    CHECK_STR(o.d.config_rejected.text, "");
    put(&o, "domain: demo\n"); /* then nobody knows what it would change */
    look(&o, "event=configuration-rejected", "environment: is missing");
    CHECK(o.d.config_found == NULL);
    end(&o);
}

/* More than a line of the log takes: as many as fit, and how many there are. */
TEST(look__very_many_settings__counted)
{
    static char many[32768];
    struct one o;
    size_t len = 0;
    begin(&o);
    for (unsigned pass = 0; pass < 2; pass++) {
        len = (size_t)snprintf(many, sizeof many, "%s", text);
        for (unsigned i = 0; i < KW_CLASSES_MAX - 1; i++)
            len += (size_t)snprintf(many + len, sizeof many - len,
                                    "- {name: n%u, scope: s%u, socket: /s%u, mode: %s, "
                                    "cache: {entries: %u, ttl: %us}}\n",
                                    i, i, i, pass == 0 ? "0600" : "0660", pass, pass + 1);
        put(&o, many);
        kw_configuration_look(&o.d);
        if (pass == 0) { /* a daemon that runs with these */
            kw_config_free(o.config);
            o.d.config = o.config = o.d.config_found;
            o.d.config_found = NULL;
        }
    }
    const char *log = daemon_log_look();
    char count[32];
    snprintf(count, sizeof count, "count=%u ", 3 * (KW_CLASSES_MAX - 1));
    CHECK_HAS(log, count);
    CHECK_HAS(log, "classes[1].mode classes[1].cache.entries");
    end(&o);
}

TEST(at__relative__where_it_lay_at_the_start)
{
    struct one o;
    struct kw_note note = {{0}};
    char before[PATH_MAX];
    begin(&o);
    CHECK(getcwd(before, sizeof before) != NULL && chdir(o.folder) == 0);
    kw_free(o.d.config_path);
    CHECK_OK(kw_configuration_at(&o.d, "keyward.yaml", &note));
    CHECK(chdir(before) == 0);
    CHECK_STR(o.d.config_path, o.file);
    look(&o, "event=configuration-unchanged", o.file);
    end(&o);
}

KW_CASES("provider/daemon/configuration",
         CASE(look__what_no_start_would_take__said_with_its_place_until_it_is_cured),
         CASE(look__no_memory__said_and_nothing_kept),
         CASE(look__another_configuration__names_and_no_values_and_nothing_of_it_runs),
         CASE(look__very_many_settings__counted),
         CASE(at__relative__where_it_lay_at_the_start))
