/* SPDX-License-Identifier: Apache-2.0 */
/* latency - a histogram of times with the bounds of kube-apiserver's own
 *
 * The bounds are those of apiserver_envelope_encryption_kms_operations_latency_seconds
 * (k8s.io/apiserver v0.36.3, pkg/storage/value/encrypt/envelope/metrics/metrics.go,
 * kmsOperationsLatencyMetric: 0.1 ms, each twice the one before, 20 of them), so that both
 * sides of a call can be laid beside each other.
 *
 * Threads:   plain values; who owns one guards it.
 */
#ifndef KEYWARD_LATENCY_H
#define KEYWARD_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define KW_LATENCY_BOUNDS 20u
#define KW_LATENCY_FIRST_NS INT64_C(100000)

struct kw_latency {
    uint64_t
        count[KW_LATENCY_BOUNDS + 1]; /* each by itself; the last is beyond all bounds */
    uint64_t sum_ns;
};

/* Which of the counts a time belongs to: the first whose bound it does not pass, as
 * Prometheus's "le" has it.  A negative one counts as none. */
size_t kw_latency_at(int64_t ns);

void kw_latency_add(struct kw_latency *latency, int64_t ns);

#endif
