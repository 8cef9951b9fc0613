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
    while (last >= 15) {
        const uint8_t *here = bytes + place + length - 1;
        unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)here), first),
            _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(here + 1)), second)));
        for (; mask; mask &= mask - 1) {
            const size_t found = place + (size_t)__builtin_ctz(mask);
            if (bytes[found] == lead && memcmp(bytes + found + 1, rest, length) == 0) return (ptrdiff_t)found;
        }
        if (place == last - 15) return -1;
        // The last step looks at some places again.
        place = place + 31 <= last ? place + 16 : last - 15;
    }
#endif
    for (; place <= last; place++)
        if (bytes[place] == lead && memcmp(bytes + place + 1, rest, length) == 0) return (ptrdiff_t)place;
    return -1;
}

#endif
