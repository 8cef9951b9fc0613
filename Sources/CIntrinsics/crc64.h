// The checksum of Redis's files by carry-less products (PCLMULQDQ), which Swift has no name for. Computes, and does nothing else.
#ifndef CORACLE_CRC64_H
#define CORACLE_CRC64_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

/// Whether this processor multiplies so.
static inline _Bool coracle_has_crc64_fold(void) {
    unsigned int a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_PCLMUL) != 0;
}

/// `state`, moved on by as many bits as the factors say, and `next` added.
__attribute__((target("pclmul"))) static inline __m128i coracle_crc64_step(__m128i state, __m128i factors, __m128i next) {
    const __m128i low = _mm_clmulepi64_si128(state, factors, 0x00), high = _mm_clmulepi64_si128(state, factors, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/// Sixteen bytes with the checksum of `count` bytes behind `crc`; `count` is a multiple of 64 and not 0. Only where
/// `coracle_has_crc64_fold`. (Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009.)
__attribute__((target("pclmul"))) static void coracle_crc64_fold(
    uint64_t crc, const uint8_t *bytes, size_t count, uint8_t *result) {
    // x to the power of 575 and 511, and of 191 and 127, modulo the polynomial, with the bits in reverse order.
    const __m128i far = _mm_set_epi64x((long long)0xF49784A634F014E4u, (long long)0xAF86EFB16D9AB4FBu);
    const __m128i near = _mm_set_epi64x((long long)0x381D0015C96F4444u, (long long)0xD9D7BE7D505DA32Cu);
    const __m128i *words = (const __m128i *)bytes;
    __m128i a = _mm_xor_si128(_mm_loadu_si128(words), _mm_set_epi64x(0, (long long)crc));
    __m128i b = _mm_loadu_si128(words + 1), c = _mm_loadu_si128(words + 2), d = _mm_loadu_si128(words + 3);
    for (size_t place = 64; place < count; place += 64) {
        words += 4;
        a = coracle_crc64_step(a, far, _mm_loadu_si128(words));
        b = coracle_crc64_step(b, far, _mm_loadu_si128(words + 1));
        c = coracle_crc64_step(c, far, _mm_loadu_si128(words + 2));
        d = coracle_crc64_step(d, far, _mm_loadu_si128(words + 3));
    }
    b = coracle_crc64_step(a, near, b);
    c = coracle_crc64_step(b, near, c);
    d = coracle_crc64_step(c, near, d);
    _mm_storeu_si128((__m128i *)result, d);
}

#else

static inline _Bool coracle_has_crc64_fold(void) { return 0; }

static inline void coracle_crc64_fold(uint64_t crc, const uint8_t *bytes, size_t count, uint8_t *result) {
    (void)crc, (void)bytes, (void)count, (void)result;
}

#endif
#endif
