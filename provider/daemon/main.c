/* SPDX-License-Identifier: Apache-2.0 */
/* keywardd: the order of start and stop, and nothing else. */
#include "daemon_internal.h"

#include <stdio.h>
#include <unistd.h>

#include <keyward/log.h>

static int daemon_main_refuse(const struct kw_note *note)
{
    fprintf(stderr, "keywardd: %s\n", note->text);
    return 1;
}

static int print_config(const struct kw_arguments *args, struct kw_config *config)
{
    if (args->what == KW_PRINT_CONFIG)
        kw_config_print(config, stdout);
    else
        printf("%s: configuration OK\n", args->config);
    kw_config_free(config);
    return 0;
}

/* To serve, the file must be nobody else's to change: it names the library that is
 * loaded, where the PIN lies and who is let in. */
static kw_err load_to_serve(const char *path, struct kw_config **ret_config,
                            struct kw_note *note)
{
    kw_err e = kw_confine_check_user(note);
    if (!kw_failed(e))
        e = kw_confine_check_descriptors(note);
    return kw_failed(e) ? e : kw_configuration_read(path, ret_config, note);
}

static kw_err daemon_main_load(const struct kw_arguments *args,
                               struct kw_config **ret_config, struct kw_note *note)
{
    return args->what == KW_RUN
               ? load_to_serve(args->config, ret_config, note)
               : kw_config_load(args->config, kw_arena_allowed(), ret_config, note);
}

static int serve(struct kw_daemon *d)
{
    struct kw_note note = {{0}};
    kw_err e = kw_daemon_open(d, &note);
    if (kw_failed(e)) {
        kw_log(KW_LOG_ERROR, "cannot-start", KW_ERR("err", e),
               KW_STR("reason", note.text));
        kw_daemon_close(d);
        return daemon_main_refuse(&note);
    }
    event_base_dispatch(d->loop);
    kw_log_bare(KW_LOG_INFO, "stopped");
    kw_daemon_close(d);
    return 0;
}

int main(int argc, char **argv)
{
    struct kw_note note = {{0}};
    static struct kw_daemon daemon = {.clock = &kw_clock_system,
                                      .lock = {KW_MUTEX_INIT},
                                      .signal_fd = -1,
                                      .flood = {.statm = -1},
                                      .status = {.fd = -1, .lock = -1},
                                      .notify_fd = -1};
    if (kw_failed(kw_confine_early(&note)))
        return daemon_main_refuse(&note);
    struct kw_arguments args = kw_arguments_read(argc, argv);
    if (args.what == KW_ENOUGH)
        return args.status;
    if (args.what == KW_DESCRIBE_CONFIG) {
        kw_config_describe(stdout);
        return 0;
    }
    if (kw_failed(daemon_main_load(&args, &daemon.config, &note)) ||
        kw_failed(kw_configuration_at(&daemon, args.config, &note)))
        return daemon_main_refuse(&note);
    if (args.what != KW_RUN)
        return print_config(&args, daemon.config);
    KW_INVARIANT(daemon.config != NULL);
    kw_log_setup(STDERR_FILENO, daemon.config->log_level, daemon.config->log_format,
                 daemon.clock);
    if (args.worker != NULL)
        kw_copy_str(daemon.worker, sizeof daemon.worker, kw_span_str(args.worker));
    return serve(&daemon);
}
