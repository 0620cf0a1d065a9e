/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c - the checksum of RFC 3720, appendix B.4, with Castagnoli's polynomial
 *
 * Threads:  a pure function.
 */
#ifndef KEYWARD_ETCD_CRC32C_H
#define KEYWARD_ETCD_CRC32C_H

#include <keyward/bytes.h>

/* Goes on from the checksum of what came before; of nothing that is 0. */
uint32_t kw_crc32c(uint32_t before, kw_span s);

#endif
