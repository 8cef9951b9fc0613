// Searching in bytes, many places at a time. Computes, and does nothing else.
#ifndef CORACLE_FIND_H
#define CORACLE_FIND_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

/// Whether this processor, and the system for its registers, has AVX2.
static inline _Bool coracle_has_avx2(void) {
    unsigned int a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX)) return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    if ((low & 6) != 6) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2) != 0;
}

// All three look for the last two bytes of what is searched for, which tell most places apart, and then at the places found.

/// As `coracle_find`, where the processor has AVX2.
__attribute__((target("avx2"))) static ptrdiff_t coracle_find_avx2(
    const uint8_t *bytes, size_t count, uint8_t lead, const uint8_t *rest, size_t length) {
    const size_t last = count - length - 1;
    const uint8_t *const end = bytes + length;
    const __m256i first = _mm256_set1_epi8((char)(length > 1 ? rest[length - 2] : lead));
    const __m256i second = _mm256_set1_epi8((char)rest[length - 1]);
    size_t place = 0;
    while (last >= 63 && place <= last) {
        // The last step may look at some places again.
        if (place + 63 > last) place = last - 63;
        const __m256i a = _mm256_and_si256(
            _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(end + place - 1)), first),
            _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(end + place)), second));
        const __m256i b = _mm256_and_si256(
            _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(end + place + 31)), first),
            _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)(end + place + 32)), second));
        uint64_t mask = (uint32_t)_mm256_movemask_epi8(a) | (uint64_t)(uint32_t)_mm256_movemask_epi8(b) << 32;
        for (; mask; mask &= mask - 1) {
            const size_t found = place + (size_t)__builtin_ctzll(mask);
            if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
        }
        place += 64;
    }
    for (; place <= last; place++)
        if (bytes[place] == lead && memcmp(bytes + place + 1, rest, length) == 0) return (ptrdiff_t)place;
    return -1;
}
#else
static inline _Bool coracle_has_avx2(void) { return 0; }
static inline ptrdiff_t coracle_find_avx2(
    const uint8_t *bytes, size_t count, uint8_t lead, const uint8_t *rest, size_t length) {
    (void)bytes, (void)count, (void)lead, (void)rest, (void)length;
    return -1;
}
#endif

/// The first place in `bytes` where `lead` and then the `length` bytes of `rest` (one at least) stand, or -1. `count` is more than `length`.
static inline ptrdiff_t coracle_find(
    const uint8_t *bytes, size_t count, uint8_t lead, const uint8_t *rest, size_t length) {
    const size_t last = count - length - 1;
    size_t place = 0;
    const uint8_t before = length > 1 ? rest[length - 2] : lead;
#if defined(__SSE2__) && !defined(CORACLE_FIND_PORTABLE)
    const __m128i first = _mm_set1_epi8((char)before), second = _mm_set1_epi8((char)rest[length - 1]);
    while (last >= 15 && place <= last) {
        if (place + 15 > last) place = last - 15;
        const uint8_t *here = bytes + place + length - 1;
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)here), first),
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(here + 1)), second)));
        for (; mask; mask &= mask - 1) {
            const size_t found = place + (size_t)__builtin_ctz(mask);
            if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
        }
        place += 16;
    }
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    // A byte that is looked for becomes zero; the highest bit of a zero byte, and of few others, is then set in the mask.
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    for (; place + 7 <= last; place += 8) {
        uint64_t a, b;
        memcpy(&a, bytes + place + length - 1, 8);
        memcpy(&b, bytes + place + length, 8);
        a ^= ones * before;
        b ^= ones * rest[length - 1];
        uint64_t mask = (a - ones) & ~a & (b - ones) & ~b & highs;
        for (; mask; mask &= mask - 1) {
            const size_t found = place + (size_t)__builtin_ctzll(mask) / 8;
            if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
        }
    }
#endif
    for (; place <= last; place++)
        if (bytes[place] == lead && memcmp(bytes + place + 1, rest, length) == 0) return (ptrdiff_t)place;
    return -1;
}

#endif
