/* SPDX-License-Identifier: Apache-2.0 */
/* Which status socket a verb means. */
#include "status_verb.h"

#include <stdio.h>

#include <keyward/config.h>

#define DEFAULT_SOCKET "/run/keyward/status.sock"

/* A configuration that does not read says nothing of a daemon that runs. */
static int status_verb_fail(const struct kw_cli *cli, const char *verb, kw_err e,
                            const struct kw_note *note)
{
    char cure[128];
    snprintf(cure, sizeof cure,
             "# the daemon answers all the same where it was told to:\n"
             "keyward %s --socket " DEFAULT_SOCKET,
             verb);
    return kw_fail_with(cli, e, note, cure, NULL, NULL);
}

int kw_status_verb(struct kw_usage usage, int argc, char **argv,
                   int (*perform)(const struct kw_cli *cli, const char *path))
{
    struct kw_cli cli;
    struct kw_config *config = NULL;
    struct kw_note note = {{0}};
    const char *socket_path = NULL;
    const struct kw_option options[] = {
        {"socket", "PATH", "the status socket (default: the configuration's)", NULL,
         &socket_path},
    };
    usage.options = options;
    usage.option_count = sizeof options / sizeof options[0];
    int code = kw_cli_read(&usage, argc, argv, &cli);
    if (code >= 0)
        return code;
    if (socket_path != NULL)
        return perform(&cli, socket_path);
    kw_err e = kw_config_load(cli.config, SIZE_MAX, &config, &note);
    if (kw_failed(e))
        return status_verb_fail(&cli, usage.verb, e, &note);
    code = perform(&cli, config->status);
    kw_config_free(config);
    return code;
}
