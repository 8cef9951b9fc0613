// The processor's own CRC32C (SSE 4.2; the CRC extension of Armv8), which Swift has no name for. Computes, and does nothing else.
#ifndef CORACLE_CRC32C_H
#define CORACLE_CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

/// Whether this processor has the instruction.
static inline _Bool coracle_has_crc32c(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) != 0;
}

/// `crc` continued over `count` bytes, without the inversions at both ends. Only where `coracle_has_crc32c`.
__attribute__((target("sse4.2"))) static uint32_t coracle_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t state = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = __builtin_ia32_crc32di(state, word);
    }
    for (; count > 0; bytes++, count--) state = __builtin_ia32_crc32qi((uint32_t)state, *bytes);
    return (uint32_t)state;
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

static inline _Bool coracle_has_crc32c(void) { return 1; }

static uint32_t coracle_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __builtin_arm_crc32cd(crc, word);
    }
    for (; count > 0; bytes++, count--) crc = __builtin_arm_crc32cb(crc, *bytes);
    return crc;
}

#else

static inline _Bool coracle_has_crc32c(void) { return 0; }

static inline uint32_t coracle_crc32c(uint32_t crc, const uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return crc;
}

#endif
#endif
