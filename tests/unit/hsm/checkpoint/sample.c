/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "check.h"

const char *const sample_hash =
    "20e4851f51d1e92bbc2521997c4c10cac7f2ba2214669ffcca4e3cdf120121d1";
const char *const sample_spki =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004d570ec582bd8aec10ff1bc86b3775a"
    "a30c12a5e6805d8c7d6014d31d4be1873135d2a674d412fbabce0fdb309602bf009bd7de0494befcb3bc"
    "ddbe76d76d3419";
const char *const sample_der =
    "304402200e5300a671bf86f07f2ed193feac57caffe355db9116c9f24dbd53fab1330f8f022020703be4"
    "9578785aef8e284fb2ea80c41ce0c66199e429a99519a226edfd25a9";
const char *const sample_pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1XDsWCvYrsEP8byGs3daowwSpeaA\n"
    "XYx9YBTTHUvhhzE10qZ01BL7q84P2zCWAr8Am9feBJS+/LO83b521200GQ==\n"
    "-----END PUBLIC KEY-----\n";

struct kw_checkpoint sample_checkpoint(void)
{
    struct kw_checkpoint c = {.node = "cp-01",
                              .covered = 4711,
                              .counts = {10, 20, 30, 40, 50, 60, 70},
                              .time_us = UINT64_C(1893456000123456),
                              .synchronised = true};
    for (size_t i = 0; i < sizeof c.log; i++) {
        c.log[i] = (uint8_t)i;
        c.head[i] = (uint8_t)(i + 32);
    }
    return c;
}

void sample_unhex(kw_dst *dst, const char *hex)
{
    const size_t len = strlen(hex) / 2;
    CHECK(len <= dst->cap - dst->len);
    CHECK(kw_unhex(dst->ptr + dst->len, len, kw_span_str(hex)));
    dst->len += len;
}
