#pragma clang fp contract(off)
#include "resize_internal.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

AVX512 static inline __m512i weight_pair(const int16_t *weights) {
    int32_t pair;
    memcpy(&pair, weights, sizeof pair);
    return _mm512_set1_epi32(pair);
}

// Adds a pair of taps of four rows, one row a lane: the channels' samples beside each other, so that a 16-bit multiply-add sums two taps.
AVX512 static inline void add_pair(__m512i rows, __m512i order, const int16_t *weights, __m512i *high, __m512i *low) {
    const __m512i taps = _mm512_shuffle_epi8(rows, order);
    *high = _mm512_add_epi32(*high, _mm512_madd_epi16(taps, weight_pair(weights)));
    *low = _mm512_add_epi32(*low, _mm512_madd_epi16(taps, weight_pair(weights + KAPTION_RESIZE_GROUP)));
}

AVX512 void kaption_resize_across_avx512(const uint8_t *source, size_t source_stride, const int32_t *starts,
                                         const int16_t *weights, size_t groups, size_t count, uint8_t *const *targets) {
    const __m512i first = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
    const __m512i second = _mm512_broadcast_i32x4(
        _mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1));
    const __m512i half = _mm512_set1_epi32(1 << (KAPTION_RESIZE_PRECISION - 1));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixels = source + 4 * (size_t)starts[i];
        __m512i high = _mm512_setzero_si512(), low = high;
        for (size_t g = 0; g < groups; g++, pixels += 16, weights += 2 * KAPTION_RESIZE_GROUP) {
            __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)pixels));
            rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)(pixels + source_stride)), 1);
            rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)(pixels + 2 * source_stride)), 2);
            rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)(pixels + 3 * source_stride)), 3);
            add_pair(rows, first, weights, &high, &low);
            // The last group is often filled with zeros from its middle on.
            if ((weights[2] | weights[3] | weights[6] | weights[7]) != 0) add_pair(rows, second, weights + 2, &high, &low);
        }
        __m512i sum = _mm512_add_epi32(_mm512_add_epi32(_mm512_slli_epi32(high, 8), low), half);
        const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_srai_epi32(sum, KAPTION_RESIZE_PRECISION));
        const int32_t row[4] = {_mm_extract_epi32(bytes, 0), _mm_extract_epi32(bytes, 1), _mm_extract_epi32(bytes, 2),
                                _mm_extract_epi32(bytes, 3)};
        for (size_t r = 0; r < 4; r++) memcpy(targets[r] + 4 * i, row + r, 4);
    }
}
#endif
