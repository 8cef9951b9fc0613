// Searching in bytes, 16 places at a time where the processor can (SSE2, which every x86-64 has). Computes, and does nothing else.
#ifndef CORACLE_FIND_H
#define CORACLE_FIND_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

/// The first place in `bytes` where `lead` and then the `length` bytes of `rest` (one at least) stand, or -1. `count` is more than `length`.
static inline ptrdiff_t coracle_find(
    const uint8_t *bytes, size_t count, uint8_t lead, const uint8_t *rest, size_t length) {
    const size_t last = count - length - 1;
    size_t place = 0;
#if defined(__x86_64__)
    // The last two bytes tell most places apart.
    const uint8_t before = length > 1 ? rest[length - 2] : lead;
    const __m128i first = _mm_set1_epi8((char)before), second = _mm_set1_epi8((char)rest[length - 1]);
#define CORACLE_PLACES(at) \
    _mm_and_si128( \
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + (at) + length - 1)), first), \
        _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + (at) + length)), second))
    while (last >= 15) {
        // As long as nothing looks like it, 64 places at a time.
        while (place + 63 <= last) {
            const __m128i a = CORACLE_PLACES(place), b = CORACLE_PLACES(place + 16);
            const __m128i c = CORACLE_PLACES(place + 32), d = CORACLE_PLACES(place + 48);
            uint64_t mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
            if (mask) {
                mask = (uint64_t)(unsigned)_mm_movemask_epi8(a) | (uint64_t)(unsigned)_mm_movemask_epi8(b) << 16 |
                       (uint64_t)(unsigned)_mm_movemask_epi8(c) << 32 | (uint64_t)(unsigned)_mm_movemask_epi8(d) << 48;
                for (; mask; mask &= mask - 1) {
                    const size_t found = place + (size_t)__builtin_ctzll(mask);
                    if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
                }
            }
            place += 64;
        }
        if (place > last) return -1;
        // The last step may look at some places again.
        if (place + 15 > last) place = last - 15;
        unsigned mask = (unsigned)_mm_movemask_epi8(CORACLE_PLACES(place));
        for (; mask; mask &= mask - 1) {
            const size_t found = place + (size_t)__builtin_ctz(mask);
            if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
        }
        place += 16;
    }
#undef CORACLE_PLACES
#endif
    for (; place <= last; place++)
        if (bytes[place] == lead && memcmp(bytes + place + 1, rest, length) == 0) return (ptrdiff_t)place;
    return -1;
}

#endif
