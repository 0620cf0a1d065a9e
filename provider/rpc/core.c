/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC core as a process-wide thing: its start, its log. */
#include <signal.h>
#include <unistd.h>

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <keyward/log.h>
#include <keyward/rpc.h>

#include "corelog.h"

/* What follows one of these may be a peer's: a header's name or value, bytes of a
 * frame. */
kw_span kw_core_log_safe(const char *message)
{
    kw_span s = kw_span_str(message);
    size_t n = 0;
    while (n < s.len && s.ptr[n] != '=' && s.ptr[n] != '"' && s.ptr[n] != '\'' &&
           s.ptr[n] != '{' && s.ptr[n] != '\n')
        n++;
    return kw_span_of(s.ptr, n);
}

static void core_log(gpr_log_func_args *args)
{
    enum kw_log_level level = KW_LOG_DEBUG;
    switch (args->severity) {
    case GPR_LOG_SEVERITY_DEBUG: level = KW_LOG_DEBUG; break;
    case GPR_LOG_SEVERITY_INFO: level = KW_LOG_INFO; break;
    case GPR_LOG_SEVERITY_ERROR: level = KW_LOG_WARN; break; /* mostly a peer's fault */
    }
    kw_log(level, "grpc", KW_STR("file", args->file), KW_INT("line", args->line),
           KW_PEER("message", kw_core_log_safe(args->message)));
}

/* Seen in /proc/PID/task with gRPC 1.51 (Debian 12): two executors, the timers' own loop and
 * their manager, and an event engine's pool of a thread a core; the manager and the
 * executors may start one more each under load. */
size_t kw_rpc_threads(void)
{
    enum { RPC = 1, CORE = 4, MORE = 3, POOL_MAX = 16 };
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t pool = cores < 2 ? 2 : cores > POOL_MAX ? POOL_MAX : (size_t)cores;
    return RPC + CORE + MORE + pool;
}

void kw_rpc_process_init(void)
{
    signal(SIGPIPE, SIG_IGN);
    gpr_set_log_function(core_log);
    gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
    grpc_init();
    /* GRPC_TRACE could print frames, and in them secrets. */
    (void)grpc_tracer_set_enabled("all", 0);
}
